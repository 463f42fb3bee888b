#include "core/rate/overuse_detector.hpp"

#include <algorithm>
#include <cmath>

namespace avc::rate {
namespace {

// Section 5.6, table 1.
constexpr double kUp = 0.01, kDown = 0.00018;  // per ms
constexpr Nanos kOverFor = std::chrono::milliseconds(10);
// Section 5.4: the threshold's bounds, and how far a trend may be off before it is an exception that does not move it.
constexpr double kLeastMs = 6, kMostMs = 600, kExceptionMs = 15;
// After silence the threshold does not catch up in one step (libwebrtc).
constexpr Nanos kLongestStep = std::chrono::milliseconds(100);

}  // namespace

void OveruseDetector::restart() {
  usage_ = Usage::normal;
  trend_before_ms_ = 0;
  over_for_ = {};
  groups_over_ = 0;
  started_ = false;
}

void OveruseDetector::adapt(double trend_ms, Nanos since_last) {
  const double off = std::abs(trend_ms) - threshold_ms_;
  if (off > kExceptionMs) return;
  threshold_ms_ += to_ms(std::min(since_last, kLongestStep)) * (off < 0 ? kDown : kUp) * off;
  threshold_ms_ = std::clamp(threshold_ms_, kLeastMs, kMostMs);
}

Usage OveruseDetector::update(double trend_ms, Instant arrived) {
  const Nanos since_last = started_ ? std::max(arrived - last_, Nanos(0)) : Nanos(0);
  started_ = true;
  last_ = arrived;
  if (trend_ms > threshold_ms_) {
    over_for_ += since_last;
    ++groups_over_;
    if (over_for_ > kOverFor && groups_over_ > 1 && trend_ms >= trend_before_ms_)
      usage_ = Usage::over;
    else if (usage_ == Usage::under)
      usage_ = Usage::normal;
  } else {
    over_for_ = {};
    groups_over_ = 0;
    usage_ = trend_ms < -threshold_ms_ ? Usage::under : Usage::normal;
  }
  trend_before_ms_ = trend_ms;
  adapt(trend_ms, since_last);
  return usage_;
}

}  // namespace avc::rate
