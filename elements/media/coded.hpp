// Coded media between the steps of preparation: what a demuxer or an encoder gave, before it becomes a Clip.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/time.hpp"
#include "elements/support/ptr.hpp"

namespace avc::media {

struct CodedUnit {
  Ptr<GstBuffer> data;
  Nanos pts{};       // running time in the file
  Nanos duration{};  // 0 when unknown
  bool keyframe = false;
};

struct CodedVideo {
  double kbps = 0;  // as asked of the encoder; 0 when taken as it is
  Ptr<GstCaps> caps;
  std::vector<CodedUnit> units;  // H.264 byte-stream access units in order, without B-frames
};

struct CodedAudio {
  Ptr<GstCaps> caps;
  std::vector<CodedUnit> units;  // Opus packets of 20 ms
};

}  // namespace avc::media
