#include "elements/degrader/trace_file.hpp"

#include <glib/gstdio.h>

#include <map>
#include <mutex>
#include <utility>

#include "core/net/trace_models.hpp"
#include "elements/support/ptr.hpp"

namespace avc::degrader {
namespace {

constexpr goffset kLargest = goffset{128} << 20;  // bytes; more than the longest trace has

struct Known {
  std::weak_ptr<const net::LinkTrace> trace;
  GStatBuf file{};
};

struct Files {
  std::mutex mutex;
  std::map<std::string, Known> by_path;
};

Files &files() {
  static Files all;
  return all;
}

bool same_file(const GStatBuf &a, const GStatBuf &b) {
  return a.st_dev == b.st_dev && a.st_ino == b.st_ino && a.st_size == b.st_size &&
         a.st_mtim.tv_sec == b.st_mtim.tv_sec && a.st_mtim.tv_nsec == b.st_mtim.tv_nsec;
}

Result<std::string> read(const std::string &path) {
  gchar *text = nullptr;
  gsize size = 0;
  GError *error = nullptr;
  if (!g_file_get_contents(path.c_str(), &text, &size, &error)) {
    const auto owned = take(error);
    return Error{"", owned->message};
  }
  const auto owned = take(text);
  return std::string(text, size);
}

bool is_file(const std::string &path, GStatBuf &file) {
  return g_stat(path.c_str(), &file) == 0 && S_ISREG(file.st_mode);
}

Error in_file(const std::string &path, const Error &error) { return {"", "\"" + path + "\", " + error.message}; }

Error too_large(const std::string &path) { return {"", "\"" + path + "\" has more than 128 MB"}; }

Result<std::shared_ptr<const net::LinkTrace>> read_trace(const std::string &path) {
  const auto text = read(path);
  if (!text) return text.error();
  auto trace = net::LinkTrace::parse(*text);
  if (!trace) return in_file(path, trace.error());
  return trace;
}

}  // namespace

Result<std::shared_ptr<const net::LinkTrace>> find_trace(const std::string &name_or_path) {
  if (auto built_in = net::built_in_trace(name_or_path)) return built_in;
  GStatBuf file{};
  if (!is_file(name_or_path, file)) {
    std::string names;
    for (const auto name : net::built_in_traces()) names.append(names.empty() ? "" : ", ").append(name);
    return Error{"", "\"" + name_or_path + "\" is neither a file nor a built-in trace (" + names + ")"};
  }
  if (file.st_size > kLargest) return too_large(name_or_path);
  const std::lock_guard hold(files().mutex);
  Known &known = files().by_path[name_or_path];
  if (auto trace = known.trace.lock(); trace && same_file(known.file, file)) return trace;
  auto trace = read_trace(name_or_path);
  if (trace) known = {*trace, file};
  if (!trace) files().by_path.erase(name_or_path);
  return trace;
}

Result<std::shared_ptr<const net::DelayTable>> find_table(const std::string &path_or_numbers) {
  GStatBuf file{};
  if (!is_file(path_or_numbers, file)) return net::DelayTable::parse(path_or_numbers);
  if (file.st_size > kLargest) return too_large(path_or_numbers);
  const auto text = read(path_or_numbers);
  if (!text) return text.error();
  auto table = net::DelayTable::parse(*text);
  if (!table) return in_file(path_or_numbers, table.error());
  return table;
}

}  // namespace avc::degrader
