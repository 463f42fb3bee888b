// RTP payloads for H.264 as rtph264pay makes them (RFC 6184), without RTP headers: those are each participant's own.
// An Opus packet is an RTP payload already (RFC 7587).
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "core/result.hpp"
#include "elements/media/coded.hpp"
#include "elements/media/pass.hpp"

namespace avc::media {

// Leaves room within 1200 bytes for the RTP header, extensions, a retransmission's OSN and an SRTP tag.
inline constexpr std::size_t kMaxPayload = 1152;

struct UnitPayloads {
  std::vector<std::string> payloads;  // of one access unit, in order
};

Result<std::vector<UnitPayloads>> payload_video(const CodedVideo &video, Stop &stop);

}  // namespace avc::media
