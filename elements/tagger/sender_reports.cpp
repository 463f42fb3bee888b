#include "elements/tagger/sender_reports.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "core/rtp/rtcp.hpp"

namespace avc::tagger {
namespace {

constexpr std::size_t kLongestReport = 128;  // an SR without blocks, an SDES with a short CNAME, a BYE

}  // namespace

SenderReports::Source &SenderReports::source_of(Stream &stream, std::uint32_t ssrc) {
  auto &[current, others] = stream;
  if (current && current->last.ssrc == ssrc) return *current;
  const auto known = std::ranges::find(others, ssrc, [](const Source &source) { return source.last.ssrc; });
  if (known != others.end()) {
    std::swap(*current, *known);
  } else {
    if (current) others.push_back(*current);
    current.emplace();
  }
  return *current;
}

void SenderReports::prefetch() const {
  for (const Stream &stream : streams_) {
    __builtin_prefetch(&stream.current, 1);
    __builtin_prefetch(&stream.others, 1);
  }
}

void SenderReports::count(net::Stream kind, const Sent &sent) {
  Source &source = source_of(streams_[static_cast<std::size_t>(kind)], sent.ssrc);
  source.last = sent;
  source.packets += sent.packets;
  source.octets += static_cast<std::uint32_t>(sent.payload_bytes);
}

std::size_t SenderReports::write(const Source &source, std::uint32_t participant_id, gint64 ntp_offset,
                                 std::span<std::uint8_t> out) {
  const Instant wall_clock{Nanos(ntp_offset) + Nanos(static_cast<gint64>(source.last.running_time))};
  const std::string cname = "participant-" + std::to_string(participant_id) + "@avchaos";
  return rtp::write_sender_report(out,
                                  {.ssrc = source.last.ssrc,
                                   .ntp = rtp::ntp_from_unix(wall_clock),
                                   .rtp_timestamp = source.last.rtp_timestamp,
                                   .packets = source.packets,
                                   .octets = source.octets},
                                  cname);
}

Ptr<GstBuffer> SenderReports::due(net::Stream kind, std::uint32_t participant_id, GstClockTime interval,
                                  gint64 ntp_offset) {
  Stream &stream = streams_[static_cast<std::size_t>(kind)];
  if (!stream.current) return nullptr;
  Source &source = *stream.current;
  const GstClockTime now = source.last.running_time;
  if (!GST_CLOCK_TIME_IS_VALID(now)) return nullptr;
  if (GST_CLOCK_TIME_IS_VALID(source.reported) && now < source.reported + interval) return nullptr;
  source.reported = now;

  std::array<std::uint8_t, kLongestReport> bytes;
  const std::size_t size = write(source, participant_id, ntp_offset, bytes);
  auto buffer = take(gst_buffer_new_memdup(bytes.data(), size));
  GST_BUFFER_PTS(buffer.get()) = source.last.pts;
  return buffer;
}

Ptr<GstBuffer> SenderReports::farewell(net::Stream kind, std::uint32_t participant_id, GstClockTime pts,
                                       gint64 ntp_offset) const {
  const Stream &stream = streams_[static_cast<std::size_t>(kind)];
  if (!stream.current) return nullptr;
  const Source &source = *stream.current;
  if (!GST_CLOCK_TIME_IS_VALID(source.last.running_time)) return nullptr;
  std::array<std::uint8_t, kLongestReport> bytes;
  std::size_t size = write(source, participant_id, ntp_offset, bytes);
  size += rtp::write_bye(std::span(bytes).subspan(size), source.last.ssrc);
  auto buffer = take(gst_buffer_new_memdup(bytes.data(), size));
  GST_BUFFER_PTS(buffer.get()) = pts;
  return buffer;
}

}  // namespace avc::tagger
