// Bare video: NAL units one after another in a file of their own (Annex B), without a container and so without times.
// Pictures then come at one rate; where it is H.264 without B-frames the coded order is the order of the pictures.
#pragma once

#include <string>

#include "core/time.hpp"
#include "elements/media/pass.hpp"

namespace avc::media {

struct FrameRate {
  int n = 0, d = 1;  // pictures in d seconds; n = 0: none known

  static FrameRate of(const GstStructure *caps);  // none where the caps have none that is of use
  static FrameRate of(double per_second);         // 0: none

  explicit operator bool() const { return n > 0; }
  Nanos time_of(std::uint64_t picture) const;
};

bool is_bare_video(const std::string &path);  // by its content

// For H.264 access units without times: are they in the order in which they are shown?
bool in_order_of_pictures(const Collected &video);

void stamp(Collected &video, const FrameRate &rate);

}  // namespace avc::media
