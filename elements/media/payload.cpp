#include "elements/media/payload.hpp"

#include <gst/app/gstappsrc.h>
#include <gst/rtp/gstrtpbuffer.h>

#include <algorithm>
#include <iterator>
#include <span>

namespace avc::media {
namespace {

constexpr unsigned kRtpHeader = 12;

std::string payload_of(GstBuffer *packet) {
  GstRTPBuffer rtp = GST_RTP_BUFFER_INIT;
  std::string bytes;
  if (!gst_rtp_buffer_map(packet, GST_MAP_READ, &rtp)) return bytes;
  bytes.assign(static_cast<const char *>(gst_rtp_buffer_get_payload(&rtp)), gst_rtp_buffer_get_payload_len(&rtp));
  gst_rtp_buffer_unmap(&rtp);
  return bytes;
}

// Where the unit's first NAL unit is a delimiter: where the next begins. RTP tells access units apart by itself (RFC
// 6184 section 5.1); browsers send no delimiters, which would be a packet of two bytes before every frame.
gsize after_delimiter(GstBuffer *unit) {
  constexpr std::uint8_t kDelimiter[] = {0, 0, 0, 1, 0x09};  // in the form that h264parse gives
  constexpr gsize kSize = 6;
  std::uint8_t begin[kSize + 3];
  if (gst_buffer_extract(unit, 0, begin, sizeof begin) != sizeof begin) return 0;
  const bool another = begin[kSize] == 0 && begin[kSize + 1] == 0 && begin[kSize + 2] <= 1;
  return std::ranges::equal(kDelimiter, std::span(begin).first<std::size(kDelimiter)>()) && another ? kSize : 0;
}

// The payloader's input is numbered instead of timed: one second apart, so that no rounding can join two units.
void feed(GstAppSrc *source, const CodedVideo &video) {
  GstClockTime pts = 0;
  for (const CodedUnit &unit : video.units) {
    GstBuffer *buffer = gst_buffer_copy_region(unit.data.get(), GST_BUFFER_COPY_ALL,
                                               after_delimiter(unit.data.get()), static_cast<gsize>(-1));
    GST_BUFFER_PTS(buffer) = GST_BUFFER_DTS(buffer) = pts;
    GST_BUFFER_DURATION(buffer) = GST_SECOND;
    gst_app_src_push_buffer(source, buffer);
    pts += GST_SECOND;
  }
  gst_app_src_end_of_stream(source);
}

}  // namespace

Result<std::vector<UnitPayloads>> payload_video(const CodedVideo &video, Stop &stop) {
  Pass pass;
  const std::string mtu = std::to_string(kMaxPayload + kRtpHeader);
  GstElement *piece =
      pass.add_text("appsrc name=in format=time max-bytes=0 ! rtph264pay aggregate-mode=zero-latency mtu=" + mtu +
                    " ! appsink name=out");
  std::shared_ptr<Collected> packets;
  if (piece != nullptr) {
    packets = pass.collect(piece, "out");
    const auto source = take(gst_bin_get_by_name(GST_BIN(piece), "in"));
    gst_app_src_set_caps(GST_APP_SRC(source.get()), video.caps.get());
    feed(GST_APP_SRC(source.get()), video);
  }
  if (auto error = pass.run(stop, nullptr)) return *error;

  std::vector<UnitPayloads> units(video.units.size());
  for (const CodedUnit &packet : packets->units) {
    const auto unit = static_cast<std::size_t>(packet.pts / std::chrono::seconds(1));
    std::string bytes = payload_of(packet.data.get());
    if (!packets->timed || unit >= units.size() || bytes.empty() || bytes.size() > kMaxPayload)
      return Error{"", "rtph264pay gave packets that do not belong to an access unit"};
    units[unit].payloads.push_back(std::move(bytes));
  }
  for (const UnitPayloads &unit : units)
    if (unit.payloads.empty()) return Error{"", "rtph264pay left out an access unit"};
  return units;
}

}  // namespace avc::media
