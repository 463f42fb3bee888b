// What a source asks the media cache for. Two sources that ask for the same share one clip.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/result.hpp"

namespace avc::media {

struct Request {
  std::string location;   // file; empty: generated picture and tone
  unsigned width = 1280;  // width, height and fps are for generated pictures
  unsigned height = 720;
  unsigned fps = 30;
  double bitrate_kbps = 0;         // of the one encoding when there are no renditions; 0: by size and frame rate
  std::vector<double> renditions;  // kbps, falling; empty: one, which is the file's own where it can be
  std::string encoder = "openh264enc";
  std::string directory;  // of the cache on disk; empty: AVCHAOS_CACHE_DIR, or the user's cache directory

  friend bool operator==(const Request &, const Request &) = default;
};

// "2500,1200,600": falling, each 10..100000, at most 8; empty is none. The error's field is "renditions".
Result<std::vector<double>> parse_renditions(const std::string &text);

// What is wrong with the file itself, seen without reading it.
std::optional<Error> file_fault(const std::string &location);

// Everything that decides what comes out, apart from the file's content.
std::string settings_key(const Request &request);

std::string cache_directory(const Request &request);

}  // namespace avc::media
