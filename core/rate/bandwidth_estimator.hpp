// How much the path to a receiver carries, as its sender can tell from feedback: the delay-based estimate, limited by
// what losses say and by what the receiver says itself (REMB). The sender's side of draft-ietf-rmcat-gcc-02; which
// parts are otherwise and why is in the headers of the parts, and in docs/adaptation.md with what was measured.
//
//   results ─> PacketGroups ─> DelayTrend ─> OveruseDetector ─┐
//         ├──> ReceivedRate ──────────────────────────────────┴> RateControl ─┐
//         ├──> FullQueue (says over-use) ──────────────────────┘              │
//         └──> LossControl ───────────────────────────────────────────────────┼─> the least of them
//   REMB ─────────────────────────────────────────────────────────────────────┘
//
// Rates are kbit/s of the bytes that the results count. Without feedback the estimate is `start_kbps`; with reports of
// losses only (RTCP receiver reports) there is no limit but what losses set, and REMB. While nothing is heard nothing
// changes. Time is handed in; nothing is allocated once half a second of packets has been seen. Not thread-safe.
#pragma once

#include <span>

#include "core/rate/delay_trend.hpp"
#include "core/rate/full_queue.hpp"
#include "core/rate/loss_control.hpp"
#include "core/rate/overuse_detector.hpp"
#include "core/rate/packet_groups.hpp"
#include "core/rate/packet_result.hpp"
#include "core/rate/rate_control.hpp"
#include "core/rate/received_rate.hpp"

namespace avc::rate {

class BandwidthEstimator {
 public:
  struct Settings {
    double start_kbps = 1000;  // before anything is known; in min..max
    double min_kbps = 50;      // > 0
    double max_kbps = 50'000;
    // How far beyond what arrives the estimate may grow, >= 1. What is sent in steps that are further apart than that
    // never gets to the next: RenditionChooser::ceiling().
    double ceiling = 1.5;
    // The time from one burst of the sender's to the next, for one that does not pace: the distance of keyframes.
    // 0 for a sender that paces; at most some seconds.
    Nanos burst_period{};
  };
  struct Counters {
    std::uint64_t feedbacks = 0, packets = 0, lost = 0;  // told of
    std::uint64_t delay_decreases = 0, loss_decreases = 0;
    std::uint64_t rembs = 0;
  };

  explicit BandwidthEstimator(const Settings &settings);

  // What one feedback told, in the order the packets were sent (SendHistory), at its arrival here.
  void feedback(std::span<const PacketResult> results, Instant now);
  // What a receiver report told: so many of so many packets since the last one were lost. Not beside feedback, which
  // tells of the same packets.
  void losses(std::uint64_t lost, std::uint64_t packets, Instant now);
  void remb(double kbps);  // stays until another one comes

  double kbps() const;
  // The parts, for statistics.
  Usage usage() const { return detector_.usage(); }
  double delay_based_kbps() const { return control_.kbps(); }
  std::optional<double> loss_limit_kbps() const { return loss_.limit_kbps(); }
  std::optional<double> loss_percent() const { return loss_.percent(); }
  std::optional<double> remb_kbps() const { return remb_; }
  std::optional<double> received_kbps() const { return received_.kbps(); }
  std::optional<Nanos> round_trip() const { return round_trip_; }  // from the newest packet's departure to its feedback
  const Counters &counters() const { return counters_; }

 private:
  void arrival(const PacketResult &result);
  Usage usage_by(Instant now);

  Settings settings_;
  PacketGroups groups_;
  DelayTrend trend_;
  OveruseDetector detector_;
  ReceivedRate received_;
  RateControl control_;
  LossControl loss_;
  FullQueue full_queue_;
  std::optional<double> remb_{};
  std::optional<Nanos> round_trip_{};
  std::optional<Instant> settled_{};  // what was sent before a decrease says nothing of the rate after it
  double packet_bytes_ = 0;           // on average
  Counters counters_;
};

}  // namespace avc::rate
