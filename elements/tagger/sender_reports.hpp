// RTCP of streams that have no rtpsession. Sender reports (RFC 3550 section 6.4.1): how much was sent, and which wall
// clock time its RTP time stands for. One with each SSRC's first packet, then one per interval of media time. The
// interval is not randomised: participants start at different moments anyway. And a farewell (6.6) when one leaves.
#pragma once

#include <gst/gst.h>

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "core/net/packet.hpp"
#include "elements/support/ptr.hpp"

namespace avc::tagger {

class SenderReports {
 public:
  void restart() { streams_ = {}; }

  // Packets of one timestamp of the stream, as they leave. What has no PTS counts but is no place for a report.
  struct Sent {
    std::uint32_t ssrc = 0, rtp_timestamp = 0;
    std::uint32_t packets = 1;
    std::size_t payload_bytes = 0;
    GstClockTime pts = GST_CLOCK_TIME_NONE, running_time = GST_CLOCK_TIME_NONE;
  };
  void count(net::Stream stream, const Sent &sent);
  void prefetch() const;  // what count() is going to write to, for who has many participants

  // The stream's report if its time has come, else nothing. `ntp_offset`: unix time of running time 0, ns.
  [[nodiscard]] Ptr<GstBuffer> due(net::Stream stream, std::uint32_t participant_id, GstClockTime interval,
                                   gint64 ntp_offset);
  // A last report with BYE; nothing for a stream that never sent.
  [[nodiscard]] Ptr<GstBuffer> farewell(net::Stream stream, std::uint32_t participant_id, GstClockTime pts,
                                        gint64 ntp_offset) const;

 private:
  // What was sent under one SSRC: each counts for itself.
  struct Source {
    Sent last;
    std::uint32_t packets = 0, octets = 0;        // wrap as their fields on the wire do
    GstClockTime reported = GST_CLOCK_TIME_NONE;  // running time of the last report
  };
  struct Stream {
    std::optional<Source> current;
    std::vector<Source> others;
  };

  static Source &source_of(Stream &stream, std::uint32_t ssrc);
  static std::size_t write(const Source &source, std::uint32_t participant_id, gint64 ntp_offset,
                           std::span<std::uint8_t> out);

  std::array<Stream, net::kStreamCount> streams_;
};

}  // namespace avc::tagger
