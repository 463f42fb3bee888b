// Makes a file's video and audio usable where it is not as it is: decodes once, encodes to every rendition asked for.
#pragma once

#include "elements/media/coded.hpp"
#include "elements/media/pass.hpp"
#include "elements/media/request.hpp"

namespace avc::media {

struct Transcoded {
  std::vector<CodedVideo> video;  // empty when not wanted
  CodedAudio audio;
};

Result<Transcoded> transcode(const Request &request, bool video, bool audio, Stop &stop,
                             const Pass::Progress &progress);

}  // namespace avc::media
