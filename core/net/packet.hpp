// What a network model may know of a packet: numbers, never the bytes themselves.
#pragma once

#include <cstddef>
#include <cstdint>

namespace avc::net {

// Which of a participant's streams a packet belongs to. Each stream has chance of its own, so that what feedback sets
// off (retransmissions, RFC 4588) and feedback itself, the RTCP of the way back, change nothing about the media.
enum class Stream : std::uint8_t { video, audio, rtcp, other, rtx, feedback };
inline constexpr std::size_t kStreamCount = 6;

constexpr const char *name(Stream stream) {
  switch (stream) {
    case Stream::video:
      return "video";
    case Stream::audio:
      return "audio";
    case Stream::rtcp:
      return "rtcp";
    case Stream::rtx:
      return "rtx";
    case Stream::feedback:
      return "feedback";
    case Stream::other:
      break;
  }
  return "other";
}

// Explicit congestion notification, RFC 3168: what a packet's IP header says of it, as the two bits there.
enum class Ecn : std::uint8_t { not_capable = 0, ect1 = 1, ect0 = 2, ce = 3 };

// What a network does to a packet because of congestion.
enum class Mark : std::uint8_t { none, ce, drop };

struct Packet {
  Stream stream = Stream::other;
  std::uint64_t n = 0;  // number within its stream, from 0; the random draws are keyed by it
  std::size_t bytes = 0;
  std::size_t header_bytes = 0;  // the RTP header's part of them, with CSRCs and extension; 0 if it is not RTP
  std::uint32_t rtp_timestamp = 0;
  bool keyframe = false;  // belongs to a video keyframe
  bool headers = false;   // carries parameter sets
  Ecn ecn = Ecn::not_capable;
};

}  // namespace avc::net
