// Media made from nothing: a moving picture with the clip's clock and frame number burnt in, and a tone. It does not
// depend on the participant, so everybody shares it.
#pragma once

#include "elements/media/coded.hpp"
#include "elements/media/pass.hpp"
#include "elements/media/request.hpp"

namespace avc::media {

inline constexpr Nanos kGeneratedLength = std::chrono::seconds(5);

Result<std::vector<CodedVideo>> generate_video(const Request &request, Stop &stop, const Pass::Progress &progress);
Result<CodedAudio> generate_tone(Stop &stop);

// A rectangle of 8 bit samples: one plane of a picture.
struct Plane {
  std::uint8_t *data;
  int stride, width, height;
};
// Writes "00:01.467 #0044" black on white in the top left corner; digits are at least 1/40 of the width wide.
void burn_clock(const Plane &luma, Nanos time, unsigned frame);

}  // namespace avc::media
