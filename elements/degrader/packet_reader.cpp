#include "elements/degrader/packet_reader.hpp"

#include <algorithm>
#include <array>
#include <span>
#include <string_view>

#include "core/rtp/extension.hpp"
#include "core/rtp/header.hpp"
#include "core/spike/tagger_effects.hpp"
#include "elements/support/ecn.hpp"
#include "elements/support/mapped.hpp"

namespace avc::degrader {
namespace {

constexpr std::uint8_t kAudioPayload = 111;                // where nothing else tells audio from video
constexpr std::size_t kLongestLook = 128;                  // enough for the participant's extension behind any CSRCs
constexpr std::size_t kFront = rtp::kFixedHeaderSize + 4;  // with the length of an extension that no CSRCs precede

std::optional<std::uint32_t> participant_in(GstBuffer *buffer, std::span<const std::uint8_t> front) {
  std::array<std::uint8_t, kLongestLook> bytes;
  const auto header = rtp::parse_header(frame_of(buffer) ? front : copy_front(buffer, bytes));
  return header ? rtp::find_participant(*header) : std::nullopt;
}

// Header, CSRCs and extension as far as the packet has them. `front` are the packet's first bytes.
std::size_t header_bytes(GstBuffer *buffer, std::span<const std::uint8_t> front, std::size_t packet_bytes) {
  const std::size_t with_csrcs = rtp::kFixedHeaderSize + 4 * (front[0] & 0x0fu);
  if (!(front[0] & 0x10)) return std::min(with_csrcs, packet_bytes);
  std::array<std::uint8_t, 2> words{};
  if (with_csrcs + 4 <= front.size()) {
    std::ranges::copy(front.subspan(with_csrcs + 2, 2), words.begin());
  } else {
    gst_buffer_extract(buffer, with_csrcs + 2, words.data(), words.size());
  }
  return std::min(with_csrcs + 4 + 4 * std::size_t{rtp::read16(words, 0)}, packet_bytes);
}

}  // namespace

void PacketReader::restart() {
  const Options options = options_;
  *this = PacketReader();
  options_ = options;
}

void PacketReader::set_caps(const GstCaps *caps) {
  const GstStructure *structure = gst_caps_get_structure(caps, 0);
  const std::string_view name = gst_structure_get_name(structure);
  constexpr std::array<std::string_view, 5> network = {"application/x-rtp", "application/x-rtcp", "application/x-srtp",
                                                       "application/x-srtcp", "application/x-dtls"};
  network_ = std::ranges::find(network, name) != network.end();
  const char *media = gst_structure_get_string(structure, "media");
  media_ = !media ? Media::any : std::string_view(media) == "audio" ? Media::audio : Media::video;
}

std::uint32_t PacketReader::participant_id() const { return info_ ? info_->participant_id : id_in_header_.value_or(0); }

net::Stream PacketReader::kind_of(std::uint32_t ssrc, std::uint8_t payload_type) const {
  if (info_ && ssrc == info_->audio_ssrc) return net::Stream::audio;
  if (info_ && ssrc == info_->video_ssrc) return net::Stream::video;
  if (payload_type != 0 && payload_type == options_.rtx_payload_type) return net::Stream::rtx;
  const bool flood =
      info_ && (ssrc == info_->video_ssrc + spike::kFloodSsrc || ssrc == info_->audio_ssrc + spike::kFloodSsrc);
  if (flood && payload_type == spike::kFloodPayloadType) return net::Stream::other;  // loads the link like media
  if (media_ != Media::any) return media_ == Media::audio ? net::Stream::audio : net::Stream::video;
  const std::uint32_t audio = info_ ? info_->audio_pt : kAudioPayload;
  return payload_type == audio ? net::Stream::audio : net::Stream::video;
}

PacketReader::Stream &PacketReader::stream_of(std::uint32_t ssrc, std::uint16_t sequence,
                                              std::span<const std::uint8_t> front, GstBuffer *buffer) {
  if (latest_ < streams_.size() && streams_[latest_].ssrc == ssrc) return streams_[latest_];
  auto place = std::ranges::find(streams_, ssrc, &Stream::ssrc);
  if (place == streams_.end()) {
    if (!info_ && !id_in_header_) id_in_header_ = participant_in(buffer, front);
    Stream stream{ssrc, kind_of(ssrc, front[1] & 0x7f), {}, 0, read_};
    stream.first = stream.extender.extend(sequence);
    if (streams_.size() < kMostStreams) {
      place = streams_.insert(place, stream);
    } else {
      place = std::ranges::min_element(streams_, {}, &Stream::last_seen);
      *place = stream;
    }
  }
  latest_ = static_cast<std::size_t>(place - streams_.begin());
  return *place;
}

Reading PacketReader::read(GstBuffer *buffer) {
  std::array<std::uint8_t, kFront> front;
  const auto bytes = copy_front(buffer, front);
  return read_datagram(bytes, gst_buffer_get_size(buffer), buffer);
}

Reading PacketReader::read_datagram(std::span<const std::uint8_t> bytes, std::size_t size, GstBuffer *buffer) {
  Reading reading;
  net::Packet &packet = reading.packet;
  packet.bytes = size;
  packet.ecn = ecn_of(buffer);
  const auto kind = network_ || options_.way_back ? rtp::classify(bytes) : rtp::Datagram::other;
  if (kind == rtp::Datagram::rtp && bytes.size() >= rtp::kFixedHeaderSize) {
    read_rtp(bytes, buffer, GST_BUFFER_FLAG_IS_SET(buffer, GST_BUFFER_FLAG_DELTA_UNIT), reading);
    packet.header_bytes = header_bytes(buffer, bytes, packet.bytes);
    packet.headers = GST_BUFFER_FLAG_IS_SET(buffer, GST_BUFFER_FLAG_HEADER);
  } else if (kind == rtp::Datagram::rtcp) {
    packet.stream = options_.way_back ? net::Stream::feedback : net::Stream::rtcp;
    packet.n = rtcp_++;
    if (bytes.size() >= 8) reading.ssrc = rtp::read32(bytes, 4);
  } else {
    packet.n = other_++;
    reading.media = false;
    reading.bypass = !options_.all_datagrams && (kind == rtp::Datagram::dtls || kind == rtp::Datagram::stun);
  }
  return reading;
}

Reading PacketReader::read(GstBuffer *buffer, const RtpFrame &frame, guint packet) {
  Reading reading;
  if (frame.header_bytes == 0) {
    reading = read_datagram(frame.payload(packet), frame.bytes(packet), buffer);
  } else {
    read_rtp(frame.header(packet), buffer, frame.packets[packet].delta, reading);
    reading.packet.bytes = frame.bytes(packet);
    reading.packet.header_bytes = frame.header_bytes;
    reading.packet.headers = frame.packets[packet].payload->headers;
  }
  return reading;
}

void PacketReader::read_rtp(std::span<const std::uint8_t> front, GstBuffer *buffer, bool delta, Reading &reading) {
  reading.sequence = rtp::read16(front, 2);
  reading.ssrc = rtp::read32(front, 8);
  Stream &stream = stream_of(reading.ssrc, reading.sequence, front, buffer);
  stream.last_seen = ++read_;
  net::Packet &packet = reading.packet;
  packet.stream = stream.kind;
  // A packet that comes before the one we took for the first has no number of its own: it shares the first's.
  const std::int64_t n = stream.extender.extend(reading.sequence) - stream.first;
  packet.n = static_cast<std::uint64_t>(std::max<std::int64_t>(n, 0));
  packet.rtp_timestamp = rtp::read32(front, 4);
  packet.keyframe = packet.stream == net::Stream::video && !delta;
}

}  // namespace avc::degrader
