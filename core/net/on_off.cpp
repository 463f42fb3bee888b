#include "core/net/on_off.hpp"

#include <algorithm>
#include <cmath>

namespace avc::net {

OnOff::OnOff(const Rng &rng, double on_ms, double off_ms, bool fixed)
    : rng_(rng),
      on_ms_(on_ms),
      off_ms_(off_ms),
      cycle_(std::max(from_ms(on_ms + off_ms), Nanos(1))),
      block_(cycle_ * kBlock),
      fixed_(fixed) {
  if (fixed) place_ = from_ms(rng_.at(0).uniform() * (on_ms + off_ms));
}

bool OnOff::off(Instant at) {
  if (!active()) return false;
  if (!(on_ms_ > 0)) return true;
  if (fixed_) {
    const Nanos place = (at.since_origin + place_) % cycle_;
    return (place < Nanos() ? place + cycle_ : place) >= from_ms(on_ms_);
  }
  if (known_ && from_ <= at && at < until_) return off_;
  std::int64_t number = at.since_origin / block_;
  if (Instant{block_ * number} > at) --number;
  if (!known_ || number != number_ || from_ > at) enter_block(number);
  while (until_ <= at) change(!off_, until_);
  return off_;
}

void OnOff::enter_block(std::int64_t number) {
  number_ = number;
  in_block_ = rng_.split(static_cast<std::uint64_t>(number));
  changes_ = 0;
  known_ = true;
  const bool off = in_block_.at(changes_++).uniform() < off_ms_ / (on_ms_ + off_ms_);
  change(off, {block_ * number});
}

void OnOff::change(bool off, Instant at) {
  off_ = off;
  from_ = at;
  const double mean = off ? off_ms_ : on_ms_;
  // Not shorter than a hundred thousandth of the mean, which bounds the walk and is 1 in 100000 draws.
  until_ = at + std::max(from_ms(mean * std::max(-std::log1p(-in_block_.at(changes_++).uniform()), 1e-5)), Nanos(1));
}

}  // namespace avc::net
