#include "core/rate/delay_trend.hpp"

#include <algorithm>

namespace avc::rate {

double DelayTrend::floor(double delay_ms, Instant arrived) {
  if (bucket_ <= Nanos(0)) return delay_ms;
  const std::int64_t number = std::max<std::int64_t>((arrived - first_) / bucket_, 0);
  Least &now = least_[static_cast<std::size_t>(number % kBuckets)];
  if (now.number != number) now = {number, delay_ms};
  now.delay_ms = std::min(now.delay_ms, delay_ms);
  double least = delay_ms;
  for (const Least &one : least_) {
    if (one.number > number - kBuckets && one.number >= 0) least = std::min(least, one.delay_ms);
  }
  return least;
}

double DelayTrend::slope() const {
  double sum_x = 0, sum_y = 0;
  for (const Sample &sample : samples_) {
    sum_x += sample.arrived_ms;
    sum_y += sample.delay_ms;
  }
  const double mean_x = sum_x / kWindow, mean_y = sum_y / kWindow;
  double xy = 0, xx = 0;
  for (const Sample &sample : samples_) {
    xy += (sample.arrived_ms - mean_x) * (sample.delay_ms - mean_y);
    xx += (sample.arrived_ms - mean_x) * (sample.arrived_ms - mean_x);
  }
  return xx > 0 ? xy / xx : 0;
}

double DelayTrend::add(Nanos delay_variation, Instant arrived) {
  if (groups_ == 0) first_ = arrived;
  delay_ms_ += to_ms(delay_variation);
  const double delay = floor(delay_ms_, arrived);
  smoothed_ms_ = groups_ == 0 ? delay : kSmoothing * smoothed_ms_ + (1 - kSmoothing) * delay;
  samples_[static_cast<std::size_t>(groups_) % kWindow] = {to_ms(arrived - first_), smoothed_ms_};
  ++groups_;
  if (groups_ < static_cast<std::int64_t>(kWindow)) return 0;
  return slope() * static_cast<double>(std::min(groups_, kMostGroups)) * kGain;
}

}  // namespace avc::rate
