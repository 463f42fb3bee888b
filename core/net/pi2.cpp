#include "core/net/pi2.hpp"

#include <algorithm>

namespace avc::net {

Mark Pi2::decide(Nanos target, Nanos step, Instant now, Instant free_at, Nanos wait, Ecn ecn, double u) {
  constexpr double kAlpha = 0.16, kBeta = 3.2;  // per second
  if (next_.since_origin == Nanos::min()) next_ = now + kUpdate;
  for (; next_ <= now; next_ = next_ + kUpdate) {
    const Nanos delay = std::max(free_at, next_) - next_;
    const double change = kAlpha * to_seconds(delay - target) + kBeta * to_seconds(delay - delay_before_);
    probability_ = std::clamp(probability_ + change, 0.0, kMost);
    delay_before_ = delay;
    const bool settled = probability_ == 0 && delay == Nanos();
    if (settled) next_ = next_ + (now - next_) / kUpdate * kUpdate;  // nothing changes until a packet comes
  }
  const double square = probability_ * probability_;
  if (ecn == Ecn::ect1 || ecn == Ecn::ce) {
    if (probability_ >= kMost && u < square) return Mark::drop;  // marking alone has not helped
    return wait > step || u < 2 * probability_ ? Mark::ce : Mark::none;
  }
  if (u >= square) return Mark::none;
  return ecn == Ecn::ect0 && probability_ < kMost ? Mark::ce : Mark::drop;
}

}  // namespace avc::net
