#include "core/rate/bandwidth_estimator.hpp"

#include <algorithm>

namespace avc::rate {
namespace {

constexpr Nanos kResponse = std::chrono::milliseconds(100);  // over the round trip, section 5.5
constexpr double kPacketWeight = 0.05;                       // of the latest in the average size

}  // namespace

BandwidthEstimator::BandwidthEstimator(const Settings &settings)
    : settings_(settings),
      trend_(settings.burst_period),
      control_({settings.start_kbps, settings.min_kbps, settings.max_kbps, settings.ceiling}),
      full_queue_(settings.burst_period) {}

double BandwidthEstimator::kbps() const {
  double kbps = settings_.start_kbps;
  if (counters_.feedbacks > 0)
    kbps = control_.kbps();
  else if (counters_.packets > 0)
    kbps = settings_.max_kbps;
  kbps = std::min(kbps, loss_.limit_kbps().value_or(kbps));
  kbps = std::min(kbps, remb_.value_or(kbps));
  return std::clamp(kbps, settings_.min_kbps, settings_.max_kbps);
}

void BandwidthEstimator::arrival(const PacketResult &result) {
  const double bytes = result.bytes;
  packet_bytes_ = packet_bytes_ == 0 ? bytes : packet_bytes_ + kPacketWeight * (bytes - packet_bytes_);
  received_.add(*result.arrived, result.bytes);
  const auto variation = groups_.add(result.sent, *result.arrived);
  if (!variation) return;
  if (variation->jumped) {
    trend_.restart();
    detector_.restart();
    received_.restart();
  } else if (!settled_ || result.sent > *settled_) {
    detector_.update(trend_.add(variation->delay, variation->arrived), variation->arrived);
  }
}

Usage BandwidthEstimator::usage_by(Instant now) {
  if (round_trip_ && full_queue_.update(*round_trip_, loss_.percent().value_or(0), now)) return Usage::over;
  return detector_.usage();
}

void BandwidthEstimator::feedback(std::span<const PacketResult> results, Instant now) {
  if (results.empty()) return;
  ++counters_.feedbacks;
  std::uint64_t lost = 0;
  for (const PacketResult &result : results) {
    if (!result.arrived) {
      ++lost;
      continue;
    }
    arrival(result);
    round_trip_ = now - result.sent;
  }
  const Nanos response = round_trip_.value_or(Nanos(0)) + kResponse;
  if (control_.update({usage_by(now), received_.kbps(), response, packet_bytes_, now})) {
    ++counters_.delay_decreases;
    // The next decrease has to be earned by packets sent at the new rate.
    settled_ = now;
    trend_.restart();
    detector_.restart();
  }
  losses(lost, results.size(), now);
}

void BandwidthEstimator::losses(std::uint64_t lost, std::uint64_t packets, Instant now) {
  counters_.packets += packets;
  counters_.lost += lost;
  if (loss_.update(lost, packets, kbps(), now)) {
    ++counters_.loss_decreases;
    control_.leave_start();
  }
  // A limit above what delays allow is none any more.
  if (counters_.feedbacks > 0 && loss_.limit_kbps().value_or(0) > control_.kbps()) loss_.lift();
}

void BandwidthEstimator::remb(double kbps) {
  remb_ = kbps;
  ++counters_.rembs;
}

}  // namespace avc::rate
