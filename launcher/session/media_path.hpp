// Which files a test may play: those in the media directories, whatever links and dots their path is made of.
#pragma once

#include <string>
#include <vector>

#include "core/result.hpp"

namespace avc::session {

class MediaDirectories {
 public:
  // `default_file` (MEDIA_PATH) is allowed with its directory; relative paths are looked up in the directories in
  // order.
  explicit MediaDirectories(const std::vector<std::string> &directories = {}, const std::string &default_file = "");

  // The file's real path. The error has no field; it does not tell an outsider what exists elsewhere.
  Result<std::string> find(const std::string &path) const;

 private:
  bool contains(const std::string &real_path) const;

  std::vector<std::string> directories_;  // real paths
};

}  // namespace avc::session
