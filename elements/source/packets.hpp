// RTP headers of one participant's streams. Payloads are shared by all participants; sequence numbers, timestamps
// and SSRCs are each stream's own, and begin at random values that follow from the seed.
#pragma once

#include <gst/gst.h>

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "core/random.hpp"
#include "core/time.hpp"
#include "elements/media/clip.hpp"
#include "elements/support/ptr.hpp"

namespace avc::source {

// After its 12 bytes a header memory has room for extensions, so that participanttagger grows it in place.
inline constexpr std::size_t kHeaderRoom = 20;

class RtpStream {
 public:
  RtpStream(std::uint32_t ssrc, std::uint8_t payload_type, std::uint32_t clock_rate, Rng rng);

  std::uint32_t ssrc() const { return ssrc_; }
  std::uint8_t payload_type() const { return payload_type_; }
  std::uint32_t clock_rate() const { return clock_rate_; }
  std::uint16_t first_sequence() const { return first_sequence_; }
  std::uint32_t first_timestamp() const { return first_timestamp_; }
  std::uint16_t numbers_taken() const { return static_cast<std::uint16_t>(next_sequence_ - first_sequence_); }
  std::uint32_t timestamp_at(Nanos running_time) const;

  // Takes the next sequence numbers, for packets that every consumer of the stream gets alike.
  std::uint16_t take_sequence(std::uint32_t count);

 private:
  std::uint32_t ssrc_;
  std::uint8_t payload_type_;
  std::uint32_t clock_rate_;
  std::uint16_t first_sequence_;
  std::uint32_t first_timestamp_;
  std::uint16_t next_sequence_;
};

// What all packets of an access unit or audio frame have in common.
struct Frame {
  Nanos running_time{}, duration{};
  bool delta = false;  // not of a video keyframe
  std::uint16_t sequence = 0;
  bool marker = false;  // on the last packet
};

// The packets of a frame as everybody knows them, and behind others in one buffer for our own elements (rtp_frame.hpp).
[[nodiscard]] Ptr<GstBufferList> make_packets(const RtpStream &stream, const Frame &frame,
                                              std::span<const FramePayload> payloads);
void append_packets(const RtpStream &stream, const Frame &frame, std::span<const FramePayload> payloads,
                    std::vector<FramePacket> &out);
[[nodiscard]] Ptr<GstBuffer> make_coded(const Frame &frame, GstMemory *data, bool headers);

}  // namespace avc::source
