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
constexpr int kRecipe = 4;
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

std::vector<Source> sources_of(const Request &request) {
  std::vector<Source> sources;
  const bool apart = !request.audio_location.empty();
  if (!request.location.empty()) sources.push_back({"location", request.location, true, !apart});
  if (apart) sources.push_back({"audio-location", request.audio_location, false, true});
  return sources;
}

std::optional<Error> file_fault(const Request &request) {
  for (const Source &source : sources_of(request)) {
    struct stat status {};
    if (stat(source.path.c_str(), &status) != 0) return source.fault(std::strerror(errno));
    if (S_ISDIR(status.st_mode)) return source.fault("is a directory");
    if (!S_ISREG(status.st_mode)) return source.fault("is not a file that can be read again and again");
    if (status.st_size == 0) return source.fault("is empty");
    if (access(source.path.c_str(), R_OK) != 0) return source.fault(std::strerror(errno));
  }
  return std::nullopt;
}

std::string settings_key(const Request &request) {
  std::ostringstream key;
  key << kRecipe << ' ' << request.encoder << ' ' << request.bitrate_kbps << ' ' << request.width << 'x'
      << request.height << '@' << request.fps << ' ' << request.file_fps;
  for (const double kbps : request.renditions) key << ' ' << kbps;
  return key.str();
}

std::string cache_directory(const Request &request) {
  if (!request.directory.empty()) return request.directory;
  if (const char *named = std::getenv("AVCHAOS_CACHE_DIR"); named != nullptr && *named != '\0') return named;
  return std::string(g_get_user_cache_dir()) + "/gst-avchaos";
}

}  // namespace avc::media
