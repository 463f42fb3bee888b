// Makes a file's video and audio usable where it is not as it is: decodes once, encodes to every rendition asked for.
#pragma once

#include <string>

#include "elements/media/bare.hpp"
#include "elements/media/coded.hpp"
#include "elements/media/pass.hpp"
#include "elements/media/request.hpp"

namespace avc::media {

struct Transcoded {
  std::vector<CodedVideo> video;  // empty when not wanted
  CodedAudio audio;
};

struct Untranscoded {
  std::string path;
  FrameRate frame_rate;  // where the file has no times
  bool video, audio;     // what to make of it
};

Result<Transcoded> transcode(const Request &request, const Untranscoded &from, Stop &stop,
                             const Pass::Progress &progress);

}  // namespace avc::media
