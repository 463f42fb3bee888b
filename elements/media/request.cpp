#include "elements/media/request.hpp"

#include <glib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <sstream>

namespace avc::media {
namespace {

// Changes whenever the same request would be prepared differently; old files are then left alone and not read.
constexpr int kRecipe = 2;
constexpr std::size_t kMostRenditions = 8;

}  // namespace

Result<std::vector<double>> parse_renditions(const std::string &text) {
  std::vector<double> kbps;
  std::istringstream fields(text);
  for (std::string field; std::getline(fields, field, ',');) {
    gchar *end = nullptr;
    const double value = g_ascii_strtod(field.c_str(), &end);
    while (end != nullptr && g_ascii_isspace(*end)) ++end;
    const bool number = end != field.c_str() && *end == '\0';
    if (!number || !(value >= 10 && value <= 100000))
      return Error{"renditions", "\"" + field + "\" is not a bit rate of 10 to 100000 kbps"};
    kbps.push_back(value);
  }
  if (kbps.size() > kMostRenditions) return Error{"renditions", "more than 8 bit rates"};
  std::sort(kbps.rbegin(), kbps.rend());
  kbps.erase(std::unique(kbps.begin(), kbps.end()), kbps.end());
  return kbps;
}

std::optional<Error> file_fault(const std::string &location) {
  struct stat status {};
  const auto fault = [&](const char *what) { return Error{location, what}; };
  if (stat(location.c_str(), &status) != 0) return fault(std::strerror(errno));
  if (S_ISDIR(status.st_mode)) return fault("is a directory");
  if (!S_ISREG(status.st_mode)) return fault("is not a file that can be read again and again");
  if (status.st_size == 0) return fault("is empty");
  if (access(location.c_str(), R_OK) != 0) return fault(std::strerror(errno));
  return std::nullopt;
}

std::string settings_key(const Request &request) {
  std::ostringstream key;
  key << kRecipe << ' ' << request.encoder << ' ' << request.bitrate_kbps << ' ' << request.width << 'x'
      << request.height << '@' << request.fps;
  for (const double kbps : request.renditions) key << ' ' << kbps;
  return key.str();
}

std::string cache_directory(const Request &request) {
  if (!request.directory.empty()) return request.directory;
  if (const char *named = std::getenv("AVCHAOS_CACHE_DIR"); named != nullptr && *named != '\0') return named;
  return std::string(g_get_user_cache_dir()) + "/gst-avchaos";
}

}  // namespace avc::media
