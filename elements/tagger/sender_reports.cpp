#include "elements/tagger/sender_reports.hpp"

#include <gst/rtp/rtp.h>

#include <string>

namespace avc::tagger {
namespace {

constexpr guint kMtu = 1200;
constexpr guint64 kUnixToNtpSeconds = 2208988800u;  // 1900 to 1970

// 32.32 fixed point seconds since 1900.
guint64 ntp_time(gint64 unix_ns) {
  const auto ns = static_cast<guint64>(unix_ns) + kUnixToNtpSeconds * GST_SECOND;
  return gst_util_uint64_scale(ns, guint64{1} << 32, GST_SECOND);
}

}  // namespace

void SenderReports::count(net::Stream stream, const Sent &sent) {
  State &state = streams_[static_cast<std::size_t>(stream)];
  state.last = sent;
  state.packets++;
  state.octets += static_cast<std::uint32_t>(sent.payload_bytes);
}

Ptr<GstBuffer> SenderReports::due(net::Stream stream, std::uint32_t participant_id, GstClockTime interval,
                                  gint64 ntp_offset) {
  State &state = streams_[static_cast<std::size_t>(stream)];
  const GstClockTime now = state.last.running_time;
  if (!GST_CLOCK_TIME_IS_VALID(now)) return nullptr;
  if (GST_CLOCK_TIME_IS_VALID(state.reported) && now < state.reported + interval) return nullptr;
  state.reported = now;

  auto buffer = take(gst_rtcp_buffer_new(kMtu));
  GstRTCPBuffer rtcp = GST_RTCP_BUFFER_INIT;
  GstRTCPPacket packet;
  gst_rtcp_buffer_map(buffer.get(), GST_MAP_READWRITE, &rtcp);
  gst_rtcp_buffer_add_packet(&rtcp, GST_RTCP_TYPE_SR, &packet);
  gst_rtcp_packet_sr_set_sender_info(&packet, state.last.ssrc, ntp_time(ntp_offset + static_cast<gint64>(now)),
                                     state.last.rtp_timestamp, state.packets, state.octets);
  const std::string cname = "participant-" + std::to_string(participant_id) + "@avchaos";
  gst_rtcp_buffer_add_packet(&rtcp, GST_RTCP_TYPE_SDES, &packet);
  gst_rtcp_packet_sdes_add_item(&packet, state.last.ssrc);
  gst_rtcp_packet_sdes_add_entry(&packet, GST_RTCP_SDES_CNAME, static_cast<guint8>(cname.size()),
                                 reinterpret_cast<const guint8 *>(cname.data()));
  gst_rtcp_buffer_unmap(&rtcp);
  GST_BUFFER_PTS(buffer.get()) = state.last.pts;
  return buffer;
}

}  // namespace avc::tagger
