#include "core/net/pie.hpp"

#include <algorithm>

namespace avc::net {
namespace {

// The RFC's steps: the smaller the probability, the smaller the change.
double scale(double probability) {
  struct Step {
    double below, divisor;
  };
  constexpr Step kSteps[] = {{1e-6, 2048}, {1e-5, 512}, {1e-4, 128}, {1e-3, 32}, {1e-2, 8}, {1e-1, 2}};
  for (const Step &step : kSteps)
    if (probability < step.below) return 1 / step.divisor;
  return 1;
}

}  // namespace

void Pie::update(Nanos target, Nanos delay) {
  constexpr double kAlpha = 0.125, kBeta = 1.25;  // per second
  delay_ = delay;
  const double change = kAlpha * to_seconds(delay_ - target) + kBeta * to_seconds(delay_ - delay_before_);
  probability_ += change * scale(probability_);
  if (delay_ == Nanos() && delay_before_ == Nanos()) probability_ *= 0.98;
  probability_ = std::clamp(probability_, 0.0, 1.0);
  delay_before_ = delay_;
  burst_left_ = std::max(burst_left_ - kUpdate, Nanos());
}

Mark Pie::decide(Nanos target, Nanos burst, Instant now, Instant free_at, std::uint64_t backlog, bool markable,
                 double u) {
  if (next_.since_origin == Nanos::min()) next_ = now + kUpdate;
  for (; next_ <= now; next_ = next_ + kUpdate) {
    update(target, std::max(free_at, next_) - next_);
    const bool settled = probability_ == 0 && delay_ == Nanos() && burst_left_ == Nanos();
    if (settled) next_ = next_ + (now - next_) / kUpdate * kUpdate;  // nothing changes until a packet comes
  }
  const bool calm = delay_ < target / 2 && delay_before_ < target / 2;
  if (probability_ == 0 && calm) burst_left_ = burst;
  if (burst_left_ > Nanos()) return Mark::none;
  if ((delay_before_ < target / 2 && probability_ < 0.2) || backlog <= 2 * kMeanPacket) return Mark::none;
  if (u >= probability_) return Mark::none;
  return markable && probability_ <= 0.1 ? Mark::ce : Mark::drop;
}

}  // namespace avc::net
