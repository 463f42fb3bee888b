#include "core/net/slots.hpp"

#include <algorithm>

namespace avc::net {

Slots::Slots(const Rng &rng, double min_ms, double max_ms, std::uint32_t packets, std::uint64_t bytes)
    : rng_(rng), min_ms_(min_ms), max_ms_(max_ms), packets_(packets), bytes_(bytes) {
  if (max_ms > 0) block_ = std::max(from_ms((min_ms + max_ms) / 2), Nanos(1)) * kBlock;
}

void Slots::enter_block(std::int64_t number) {
  number_ = number;
  place_ = 0;
  slot_ = {block_ * number};
  in_block_ = rng_.split(static_cast<std::uint64_t>(number));
  before_ = slot_;
  known_ = true;
}

Instant Slots::first_from(Instant at) {
  if (known_ && before_ < at && at <= slot_) return slot_;
  std::int64_t number = at.since_origin / block_;
  if (Instant{block_ * number} > at) --number;
  // Going back, which packets in order never do, walks the block from its beginning.
  if (!known_ || number != number_ || slot_ > at) enter_block(number);
  const Instant end{block_ * (number + 1)};
  while (slot_ < at) {
    const Instant passed = slot_;
    slot_ = slot_ + from_ms(in_block_.at(place_++).uniform(min_ms_, max_ms_));
    if (slot_ >= end) enter_block(number + 1);
    before_ = passed;
  }
  return slot_;
}

}  // namespace avc::net
