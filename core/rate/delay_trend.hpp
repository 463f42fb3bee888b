// Whether the queue on the way grows, from the variation of groups' delays: the arrival-time filter.
//
// Where draft-ietf-rmcat-gcc-02 section 5.3 has a Kalman filter, this has the least-squares line that libwebrtc went
// over to (trendline_estimator): through the last 20 groups' delays (sums of d(i), smoothed), against their arrivals.
// Its slope is how much faster is sent than the path carries: 0.1 for 10 %. m(i) is the slope times the number of
// groups so far (60 at most) times a gain of 4, which makes it comparable to the draft's thresholds in ms.
//
// Senders without a pacer (ours: media is encoded beforehand, frames leave as they are) fill the queue with every
// keyframe and let it drain until the next; a line through that goes up and down. With a `floor_period` as long as the
// time from one such burst to the next, the line goes through the least delay of that time in place of the latest:
// what remains of the queue when bursts have drained. It notices an overload later by at most that time.
#pragma once

#include <array>
#include <cstdint>

#include "core/time.hpp"

namespace avc::rate {

class DelayTrend {
 public:
  explicit DelayTrend(Nanos floor_period) : bucket_(floor_period / kBuckets) {}

  double add(Nanos delay_variation, Instant arrived);  // m(i), in ms
  void restart() { *this = DelayTrend(bucket_ * kBuckets); }

 private:
  static constexpr int kBuckets = 20;
  static constexpr std::size_t kWindow = 20;  // groups the line goes through
  static constexpr double kSmoothing = 0.9, kGain = 4;
  static constexpr std::int64_t kMostGroups = 60;

  struct Sample {
    double arrived_ms = 0, delay_ms = 0;
  };
  double floor(double delay_ms, Instant arrived);
  double slope() const;

  Nanos bucket_;  // the least delay is kept for so long at once; 0: not at all
  struct Least {
    std::int64_t number = -1;
    double delay_ms = 0;
  };
  std::array<Least, kBuckets> least_{};
  std::array<Sample, kWindow> samples_{};
  std::int64_t groups_ = 0;
  Instant first_{};
  double delay_ms_ = 0, smoothed_ms_ = 0;
};

}  // namespace avc::rate
