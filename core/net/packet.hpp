// What a network model may know of a packet: numbers, never the bytes themselves.
#pragma once

#include <cstddef>
#include <cstdint>

namespace avc::net {

// Which of a participant's streams a packet belongs to. Each stream has chance of its own.
enum class Stream : std::uint8_t { video, audio, rtcp, other };
inline constexpr std::size_t kStreamCount = 4;

constexpr const char *name(Stream stream) {
  switch (stream) {
    case Stream::video:
      return "video";
    case Stream::audio:
      return "audio";
    case Stream::rtcp:
      return "rtcp";
    case Stream::other:
      break;
  }
  return "other";
}

struct Packet {
  Stream stream = Stream::other;
  std::uint64_t n = 0;  // number within its stream, from 0; the random draws are keyed by it
  std::size_t bytes = 0;
  std::size_t header_bytes = 0;  // the RTP header's part of them, with CSRCs and extension; 0 if it is not RTP
  std::uint32_t rtp_timestamp = 0;
  bool keyframe = false;  // belongs to a video keyframe
  bool headers = false;   // carries parameter sets
};

}  // namespace avc::net
