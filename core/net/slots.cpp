#include "core/net/slots.hpp"

#include <algorithm>
#include <utility>

#include "core/net/delay.hpp"

namespace avc::net {

Slots::Slots(const Rng &rng, double min_ms, double max_ms, std::uint32_t packets, std::uint64_t bytes)
    : rng_(rng), min_ms_(min_ms), max_ms_(max_ms), packets_(packets), bytes_(bytes) {
  if (max_ms > 0) block_ = std::max(from_ms((min_ms + max_ms) / 2), Nanos(1)) * kBlock;
}

Slots::Slots(const Rng &rng, double delay_ms, double jitter_ms, DelayDistribution distribution,
             std::shared_ptr<const DelayTable> table, std::uint32_t packets, std::uint64_t bytes)
    : rng_(rng),
      min_ms_(delay_ms),
      max_ms_(jitter_ms),
      drawn_(true),
      distribution_(distribution),
      table_(std::move(table)),
      packets_(packets),
      bytes_(bytes) {
  if (delay_ms > 0) block_ = std::max(from_ms(std::max(delay_ms, jitter_ms)), Nanos(100)) * kBlock;
}

Nanos Slots::distance(Place &place) const {
  Draws draws = place.in_block.at(place.place++);
  if (!drawn_) return from_ms(draws.uniform(min_ms_, max_ms_));
  return std::max(spread(min_ms_, max_ms_, distribution_, table_.get(), std::move(draws)), mean() / 100);
}

void Slots::enter_block(Place &place, std::int64_t number) const {
  place = {rng_.split(static_cast<std::uint64_t>(number)), number, 0, {block_ * number}, {block_ * number}, true};
}

Instant Slots::first_from(Place &place, Instant at) const {
  if (place.known && place.before < at && at <= place.slot) return place.slot;
  std::int64_t number = at.since_origin / block_;
  if (Instant{block_ * number} > at) --number;
  // Going back, which packets in order never do, walks the block from its beginning.
  if (!place.known || number != place.number || place.slot > at) enter_block(place, number);
  const Instant end{block_ * (number + 1)};
  while (place.slot < at) {
    const Instant passed = place.slot;
    place.slot = place.slot + distance(place);
    if (place.slot >= end) enter_block(place, number + 1);
    place.before = passed;
  }
  return place.slot;
}

}  // namespace avc::net
