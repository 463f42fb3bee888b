#include "elements/degrader/replay_log.hpp"

#include <glib/gstdio.h>

#include <map>
#include <mutex>
#include <string_view>
#include <utility>

#include "elements/support/ptr.hpp"

namespace avc::degrader {
namespace {

constexpr const char *kProperty = "replay-log";

struct Known {
  std::weak_ptr<const net::Recording> recording;
  GStatBuf file{};
};

struct Logs {
  std::mutex mutex;  // held while a log is read, so that others wait for it instead of reading it too
  std::map<std::string, Known> by_path;
};

Logs &logs() {
  static Logs all;
  return all;
}

bool unchanged(const GStatBuf &a, const GStatBuf &b) {
  return a.st_dev == b.st_dev && a.st_ino == b.st_ino && a.st_size == b.st_size &&
         a.st_mtim.tv_sec == b.st_mtim.tv_sec && a.st_mtim.tv_nsec == b.st_mtim.tv_nsec;
}

Error fault(const std::string &path, const std::string &what) { return {kProperty, "\"" + path + "\"" + what}; }

// Mapped, not copied: the log of a long test has more bytes than what is made of it.
Result<std::shared_ptr<const net::Recording>> read(const std::string &path) {
  GError *error = nullptr;
  const std::unique_ptr<GMappedFile, decltype(&g_mapped_file_unref)> file(
      g_mapped_file_new(path.c_str(), FALSE, &error), &g_mapped_file_unref);
  if (!file) return fault(path, std::string(" cannot be read: ") + take(error)->message);
  const char *text = g_mapped_file_get_contents(file.get());
  auto recording = net::Recording::parse({text ? text : "", g_mapped_file_get_length(file.get())});
  if (!recording) return fault(path, ", " + recording.error().message);
  return recording;
}

}  // namespace

Result<std::shared_ptr<const net::Recording>> open_recording(const std::string &path) {
  GStatBuf file{};
  if (g_stat(path.c_str(), &file) != 0 || !S_ISREG(file.st_mode)) return fault(path, " is no file");
  const std::lock_guard hold(logs().mutex);
  Known &known = logs().by_path[path];
  if (auto recording = known.recording.lock(); recording && unchanged(known.file, file)) return recording;
  auto recording = read(path);
  if (recording) known = {*recording, file};
  if (!recording) logs().by_path.erase(path);
  return recording;
}

bool is_same_file(const std::string &path, const std::string &other) {
  if (path == other) return true;
  GStatBuf a{}, b{};
  return g_stat(path.c_str(), &a) == 0 && g_stat(other.c_str(), &b) == 0 && a.st_dev == b.st_dev &&
         a.st_ino == b.st_ino;
}

}  // namespace avc::degrader
