// What is in a file, and what of it can be sent as it is: H.264 in order (no B-frames) that begins with a keyframe,
// and Opus in packets of 20 ms that fit into one RTP packet.
#pragma once

#include <optional>

#include "elements/media/bare.hpp"
#include "elements/media/coded.hpp"
#include "elements/media/pass.hpp"
#include "elements/media/request.hpp"

namespace avc::media {

struct Contents {
  bool has_video = false;
  bool has_audio = false;
  std::optional<CodedVideo> video;  // where it can be sent as it is
  std::optional<CodedAudio> audio;
  FrameRate frame_rate;  // of a file that has no times
};

// The errors of this and the other steps have no field: the caller knows the file.
Result<Contents> probe(const Source &source, const Request &request, Stop &stop, const Pass::Progress &progress);

// How long an Opus packet plays, from its first bytes (RFC 6716 section 3.1); 0 for a malformed one.
Nanos opus_duration(const std::uint8_t *packet, std::size_t size);

}  // namespace avc::media
