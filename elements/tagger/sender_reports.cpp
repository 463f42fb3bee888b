#include "elements/tagger/sender_reports.hpp"

#include <string>

#include "core/rtp/rtcp.hpp"

namespace avc::tagger {
namespace {

constexpr std::size_t kLongestReport = 128;  // an SR without blocks, and an SDES with a short CNAME

}  // namespace

void SenderReports::count(net::Stream stream, const Sent &sent) {
  State &state = streams_[static_cast<std::size_t>(stream)];
  state.last = sent;
  state.packets += sent.packets;
  state.octets += static_cast<std::uint32_t>(sent.payload_bytes);
}

Ptr<GstBuffer> SenderReports::due(net::Stream stream, std::uint32_t participant_id, GstClockTime interval,
                                  gint64 ntp_offset) {
  State &state = streams_[static_cast<std::size_t>(stream)];
  const GstClockTime now = state.last.running_time;
  if (!GST_CLOCK_TIME_IS_VALID(now)) return nullptr;
  if (GST_CLOCK_TIME_IS_VALID(state.reported) && now < state.reported + interval) return nullptr;
  state.reported = now;

  const Instant wall_clock{Nanos(ntp_offset) + Nanos(static_cast<gint64>(now))};
  const std::string cname = "participant-" + std::to_string(participant_id) + "@avchaos";
  std::array<std::uint8_t, kLongestReport> bytes;
  const std::size_t size = rtp::write_sender_report(bytes,
                                                    {.ssrc = state.last.ssrc,
                                                     .ntp = rtp::ntp_from_unix(wall_clock),
                                                     .rtp_timestamp = state.last.rtp_timestamp,
                                                     .packets = state.packets,
                                                     .octets = state.octets},
                                                    cname);
  auto buffer = take(gst_buffer_new_memdup(bytes.data(), size));
  GST_BUFFER_PTS(buffer.get()) = state.last.pts;
  return buffer;
}

}  // namespace avc::tagger
