// Puts coded audio and video on one time line that begins with the first picture and is as long as the video: audio
// is cut, or filled with silence, to that. Where one of the two was generated it is repeated to the other's length, as
// is sound from a file of its own.
#pragma once

#include "elements/media/clip.hpp"
#include "elements/media/coded.hpp"
#include "elements/media/pass.hpp"

namespace avc::media {

enum class Fit { as_they_are, repeat_audio, repeat_video };

Result<Prepared> assemble(const std::vector<CodedVideo> &videos, const CodedAudio &audio, Fit fit, Stop &stop);

}  // namespace avc::media
