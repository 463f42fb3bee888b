// What arrived of one RTP stream (one SSRC): RFC 3550 sequence validation, loss and jitter, reordering, duplicates,
// loss runs, video frames and freezes, and the one-way delay where sender reports come from a clock shared with us.
//
// Arrivals are instants of any one clock; for the delay it has to be the clock of the sender reports. The object is
// about 3 KB for video, 0.6 KB for audio, allocates only with the first video packet, and is not thread-safe.
#pragma once

#include <limits>
#include <optional>

#include "core/net/packet.hpp"
#include "core/rtp/extended_report.hpp"
#include "core/rtp/header.hpp"
#include "core/rtp/rtcp.hpp"
#include "core/rtp/seqnum.hpp"
#include "core/stats/frames.hpp"
#include "core/stats/sequence.hpp"
#include "core/stats/stream_stats.hpp"

namespace avc::stats {

// The contract's payload types: 96 is H.264 video, 111 is Opus audio.
net::Stream media_of(std::uint8_t payload_type);

class Receiver {
 public:
  // `clock_rate` 0: 48000 for audio, else 90000. Frames are put together for video only, as H.264.
  explicit Receiver(net::Stream media, std::uint32_t clock_rate = 0);

  void receive(const rtp::Header &header, std::size_t packet_bytes, Instant at);
  void prefetch() const;  // the memory that receive() is going to need, for who has many streams
  // A sender report, for the reports we send back and, where the sender's clock is also that of the arrivals (the
  // wall clock of one machine), for the one-way delay.
  void sender_report(const rtp::SenderInfo &info, Instant arrived, bool clock_is_shared);
  // What RFC 3550 reports of the stream; each call begins a new interval for the fraction lost.
  rtp::ReportBlock report_block(std::uint32_t ssrc, Instant now);
  // What RFC 3611 tells of the packets since the last call, 1024 at most: a statistics summary (lost, duplicates) and
  // which were lost. Writes nothing where nothing came. False: no room for kExtendedReport bytes, nothing is told.
  static constexpr std::size_t kExtendedReport = rtp::ExtendedReportWriter::most_bytes(SequenceTracker::kWindow);
  bool extended_report(rtp::ExtendedReportWriter &out, std::uint32_t ssrc);

  net::Stream media() const { return media_; }
  std::uint32_t clock_rate() const { return clock_rate_; }
  bool trusted() const { return sequence_.trusted(); }  // two packets in sequence came: it is a stream
  StreamStats snapshot() const;

 private:
  struct Packet {
    std::uint16_t sequence = 0;
    std::uint32_t timestamp = 0;
    bool marker = false, begins_frame = false, keyframe = false;
    std::size_t bytes = 0, payload_bytes = 0;
    Instant at{};
  };

  Packet describe(const rtp::Header &header, std::size_t packet_bytes, Instant at) const;
  int believable_gap(const Packet &packet) const;
  void count(const Packet &packet, std::int64_t number);
  void begin_row();
  void update_jitter(const Packet &packet);
  void update_delay(const Packet &packet);

  net::Stream media_;
  std::uint32_t clock_rate_;
  SequenceTracker sequence_;
  FrameAssembler frames_;
  rtp::TimestampExtender timestamps_;
  std::optional<Packet> held_, last_;  // last_: the one before in order of arrival, of this row of numbers
  StreamStats counted_;                // what is counted here; the rest is filled in by snapshot()
  double jitter_ = 0;                  // in timestamp units, as RFC 3550 keeps it

  struct Report {
    std::uint32_t rtp_timestamp;
    Instant sent;
  };
  std::optional<Report> report_;  // with a shared clock only
  std::uint32_t last_sr_ = 0;
  Instant sr_arrived_{};
  std::int64_t reported_expected_ = 0, reported_received_ = 0;
  std::int64_t extended_to_ = std::numeric_limits<std::int64_t>::min();  // numbers below were told of in a report
  std::int64_t extended_duplicates_ = 0;                                 // as were these
};

}  // namespace avc::stats
