// One sender of two streams, and what it hears of them. The RTCP that comes back is read for three things: what the far
// side says it gets (Heard), how much the path carries (BandwidthEstimator), and which rendition follows from that
// (RenditionChooser).
//
// The estimate is never less than what the smallest rendition takes: nothing less can be sent, and whatever the path
// came to carry again would be found later. It lives on transport-wide feedback as soon as there is any; until then,
// and where there is none, on the losses in receiver reports; on REMB in either case. While nothing is heard nothing
// changes. Whatever arrives is checked before it is used. Time is handed in. Not thread-safe.
#pragma once

#include <array>
#include <vector>

#include "core/rate/bandwidth_estimator.hpp"
#include "core/rate/rendition_chooser.hpp"
#include "core/rate/repair_budget.hpp"
#include "core/rate/send_history.hpp"

namespace avc::rate {

// What the far side said of one stream, last.
struct HeardStream {
  std::uint64_t reports = 0;      // blocks about it
  double loss_percent = 0;        // since the report before
  std::int64_t packets_lost = 0;  // of all; goes down when one comes late
  double jitter_ms = 0;
  std::optional<double> round_trip_ms{};      // none while no report answers one of ours
  std::optional<std::uint64_t> duplicates{};  // summed over extended reports; none without one
};

struct Heard {
  static constexpr std::size_t kStreams = 2;
  std::array<HeardStream, kStreams> streams;  // in the order of the settings
  std::uint64_t nacked = 0;                   // packets asked for again; more than once if asked more than once
  std::uint64_t plis = 0, firs = 0, rembs = 0, transport_feedbacks = 0, extended_reports = 0;
  std::uint64_t malformed = 0;  // datagrams that ended where they should not
};

class AdaptiveSender {
 public:
  struct Stream {
    std::uint32_t ssrc = 0;
    double clock_rate = 0;  // Hz
  };
  struct Settings {
    std::array<Stream, Heard::kStreams> streams;
    // What each rendition takes on the way, with the other stream and all headers, from the best to the smallest.
    std::vector<double> kbps;
    Nanos burst_period = std::chrono::seconds(1);  // from one keyframe to the next
  };
  explicit AdaptiveSender(const Settings &settings);

  void sent(std::uint16_t transport_sequence, Instant at, std::size_t bytes) {
    history_.sent(transport_sequence, at, bytes);
  }
  // A datagram of RTCP; `ntp` is the time of the clock that our own reports tell.
  void hear(rtp::Bytes datagram, Instant now, std::uint64_t ntp);

  // Of the first stream. False: it was asked for, and is not to be sent again now.
  bool may_repair(std::uint16_t sequence, Instant now);

  std::size_t rendition() const { return chooser_.current(); }
  std::uint64_t switches() const { return switches_; }
  std::uint64_t repairs_withheld() const { return repairs_withheld_; }
  const Heard &heard() const { return heard_; }
  const BandwidthEstimator &estimator() const { return estimator_; }

 private:
  struct Before {  // of a stream, when its last report came
    std::int64_t lost = 0;
    std::uint32_t highest_sequence = 0;
    bool known = false;
  };
  void hear_report(const rtp::Report &report, Instant now, std::uint64_t ntp);
  void hear_losses(std::size_t stream, const rtp::ReportBlock &block, Instant now);
  void hear_feedback(const rtp::RtcpPacket &packet, Instant now);
  void hear_extended(const rtp::RtcpPacket &packet);
  std::optional<std::size_t> stream_of(std::uint32_t ssrc) const;

  const std::array<Stream, Heard::kStreams> streams_;
  std::array<Before, Heard::kStreams> before_;
  RenditionChooser chooser_;
  BandwidthEstimator estimator_;
  SendHistory history_;
  Heard heard_;
  RepairBudget repairs_;
  std::uint64_t switches_ = 0, repairs_withheld_ = 0;
  std::vector<PacketResult> results_;  // of the feedback under way
};

}  // namespace avc::rate
