#include "launcher/session/media_path.hpp"

#include <algorithm>
#include <filesystem>

namespace avc::session {
namespace fs = std::filesystem;
namespace {
constexpr std::size_t kMostShown = 200;  // bytes of a name, in one line of error
}

MediaDirectories::MediaDirectories(const std::vector<std::string> &directories,
                                   const std::vector<std::string> &default_files) {
  auto all = directories;
  for (const std::string &file : default_files)
    if (!file.empty()) all.push_back(fs::absolute(file).parent_path().string());
  for (const std::string &directory : all) {
    std::error_code fault;
    const fs::path real = fs::canonical(directory, fault);
    if (!fault) directories_.push_back(real.string());
  }
}

bool MediaDirectories::contains(const std::string &real_path) const {
  return std::any_of(directories_.begin(), directories_.end(), [&](const std::string &directory) {
    return real_path.starts_with(directory.ends_with('/') ? directory : directory + "/");
  });
}

Result<std::string> MediaDirectories::find(const std::string &path) const {
  const std::string shown = "\"" + (path.size() > kMostShown ? path.substr(0, kMostShown) + "…" : path) + "\"";
  const Error outside{"", shown + " is not in a media directory (avchaosd --media-dir)"};
  if (path.find('\0') != std::string::npos) return outside;
  std::vector<fs::path> candidates;
  if (fs::path(path).is_absolute()) {
    candidates.emplace_back(path);
  } else {
    for (const std::string &directory : directories_) candidates.push_back(fs::path(directory) / path);
  }
  for (const fs::path &candidate : candidates) {
    std::error_code fault;
    const fs::path real = fs::canonical(candidate, fault);
    if (fault || !contains(real.string())) continue;
    if (!fs::is_regular_file(real, fault)) return Error{"", shown + " is not a file"};
    if (fs::file_size(real, fault) == 0) return Error{"", shown + " is empty"};
    return real.string();
  }
  // A path that is inside by its spelling may be called missing; about all others nothing is said.
  for (const fs::path &candidate : candidates) {
    std::error_code fault;
    const fs::path spelled = fs::weakly_canonical(candidate, fault);
    if (!fault && contains(spelled.string())) return Error{"", "there is no file " + shown};
  }
  return outside;
}

}  // namespace avc::session
