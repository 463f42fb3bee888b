// Which files a test may play: those in the media directories, whatever links and dots their path is made of.
#pragma once

#include <string>
#include <vector>

#include "core/result.hpp"

namespace avc::session {

// The files of a test: real paths, and the keys that the user named them by. Empty ones are generated.
struct MediaFiles {
  struct File {
    std::string path, key;
  };
  File location;        // picture, and sound unless that has a file of its own
  File audio_location;  // sound
};

class MediaDirectories {
 public:
  // The default files (MEDIA_PATH and the like) are allowed with their directories; relative paths are looked up in the
  // directories in order.
  explicit MediaDirectories(const std::vector<std::string> &directories = {},
                            const std::vector<std::string> &default_files = {});

  // The file's real path. The error has no field; it does not tell an outsider what exists elsewhere.
  Result<std::string> find(const std::string &path) const;

 private:
  bool contains(const std::string &real_path) const;

  std::vector<std::string> directories_;  // real paths
};

}  // namespace avc::session
