// The encoding half of a preparation pipeline: raw pictures in, one H.264 stream per bit rate out; raw sound in,
// Opus out. Pictures are converted once and teed. All renditions have the same size and frame rate, keyframes at the
// same pictures (every second, none in between), parameter sets in band before each, and no B-frames.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "elements/media/pass.hpp"
#include "elements/media/request.hpp"

namespace avc::media {

// Of the pictures to encode.
struct PictureFormat {
  int width = 0, height = 0;
  int fps_n = 30, fps_d = 1;
};

// The bit rates to encode at: the request's, or one that suits the pictures.
std::vector<double> encode_rates(const Request &request, const PictureFormat &format);

struct VideoEncode {
  GstElement *piece = nullptr;  // has a pad "sink"; null when it could not be made
  std::vector<double> kbps;
  std::vector<std::shared_ptr<Collected>> renditions;

  std::vector<CodedVideo> take_videos();  // when the pass is over
};
// `head` is in front of the converters, in gst-launch syntax: "" or "videotestsrc … !".
VideoEncode add_video_encode(Pass &pass, const Request &request, PictureFormat format, const std::string &head);

struct AudioEncode {
  GstElement *piece = nullptr;
  std::shared_ptr<Collected> opus;

  CodedAudio take_audio();
};
AudioEncode add_audio_encode(Pass &pass, const std::string &head);

}  // namespace avc::media
