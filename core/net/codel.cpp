#include "core/net/codel.hpp"

#include <cmath>

namespace avc::net {

Instant CoDel::control_law(Instant t, Nanos interval, std::uint32_t count) {
  return t + Nanos(static_cast<Nanos::rep>(static_cast<double>(interval.count()) / std::sqrt(count)));
}

bool CoDel::ok_to_drop(Nanos target, Nanos interval, Instant now, Nanos sojourn, std::uint64_t backlog) {
  if (sojourn < target || backlog <= kMaxPacket) {
    first_above_time_ = kNone;
    return false;
  }
  if (first_above_time_ == kNone) {
    first_above_time_ = now + interval;
    return false;
  }
  return now >= first_above_time_;
}

bool CoDel::drop(Nanos target, Nanos interval, Instant now, Nanos sojourn, std::uint64_t backlog) {
  const bool ok = ok_to_drop(target, interval, now, sojourn, backlog);
  if (entered_) {
    entered_ = false;
    return false;
  }
  if (dropping_) {
    if (!ok) {
      dropping_ = again_ = false;
      return false;
    }
    if (again_) drop_next_ = control_law(drop_next_, interval, count_);
    again_ = now >= drop_next_;
    if (again_) ++count_;
    return again_;
  }
  if (!ok) return false;
  dropping_ = entered_ = true;
  const std::uint32_t delta = count_ - lastcount_;
  count_ = delta > 1 && now - drop_next_ < 16 * interval ? delta : 1;
  drop_next_ = control_law(now, interval, count_);
  lastcount_ = count_;
  return true;
}

// With a drop, the next packet would have been sent in its place.
void CoDel::marked() { entered_ = false; }

void CoDel::ran_empty() {
  first_above_time_ = kNone;
  dropping_ = entered_ = again_ = false;
}

}  // namespace avc::net
