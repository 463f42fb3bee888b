// What an RTP payload says about the H.264 it carries (RFC 6184): single NAL units, STAP-A and FU-A. Nothing is
// decoded; the interleaved forms (STAP-B, MTAP, FU-B) are not looked into.
#pragma once

#include "core/rtp/bytes.hpp"

namespace avc::rtp {

struct H264Content {
  bool slice = false;           // some part of a coded picture
  bool idr = false;             // of an IDR picture: the frame is a keyframe
  bool parameter_sets = false;  // SPS or PPS
  bool nal_start = false;       // the first byte of some NAL unit is here (a whole one, or a FU-A with S set)
  bool nal_end = false;         // the last byte of some NAL unit is here (a whole one, or a FU-A with E set)
  // Nothing of the same access unit comes before: an access unit delimiter, an SPS, or the first slice of a picture
  // that is not IDR (parameter sets usually go before an IDR slice, so that one proves nothing).
  bool begins_access_unit = false;

  friend constexpr bool operator==(const H264Content &, const H264Content &) = default;
};

// All false for empty or foreign payloads.
H264Content inspect_h264(Bytes payload);

}  // namespace avc::rtp
