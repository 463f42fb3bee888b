// What a source asks the media cache for. Two sources that ask for the same share one clip.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/result.hpp"

namespace avc::media {

struct Request {
  std::string location;        // file; empty: generated picture, and tone unless there is the next
  std::string audio_location;  // file with the sound, beside `location` with the picture; empty: one file for both
  unsigned width = 1280;       // width, height and fps are for generated pictures
  unsigned height = 720;
  unsigned fps = 30;
  double file_fps = 0;             // of a file without times; 0: what its own headers say, else fps
  double bitrate_kbps = 0;         // of the one encoding when there are no renditions; 0: by size and frame rate
  std::vector<double> renditions;  // kbps, falling; empty: one, which is the file's own where it can be
  std::string encoder = "openh264enc";
  std::string directory;  // of the cache on disk; empty: AVCHAOS_CACHE_DIR, or the user's cache directory

  friend bool operator==(const Request &, const Request &) = default;
};

// "2500,1200,600": falling, each 10..100000, at most 8; empty is none. The error's field is "renditions".
Result<std::vector<double>> parse_renditions(const std::string &text);

// One file of a request and what is taken from it.
struct Source {
  const char *key;  // the property that names it
  std::string path;
  bool picture = true, sound = true;

  Error fault(const std::string &what) const { return {key, path + ": " + what}; }
};
std::vector<Source> sources_of(const Request &request);  // none: all is generated

// What is wrong with the files themselves, seen without reading them.
std::optional<Error> file_fault(const Request &request);

// Everything that decides what comes out, apart from the files' content.
std::string settings_key(const Request &request);

std::string cache_directory(const Request &request);

}  // namespace avc::media
