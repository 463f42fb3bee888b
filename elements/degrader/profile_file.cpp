#include "elements/degrader/profile_file.hpp"

#include <glib/gstdio.h>

#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "core/net/profiles.hpp"
#include "core/text.hpp"
#include "elements/degrader/trace_file.hpp"
#include "elements/support/ptr.hpp"

namespace avc::degrader {
namespace {

constexpr goffset kLargest = goffset{1} << 20;  // bytes; the JSON reader takes no more

Result<std::string> checked_trace(const std::string &path) {
  const auto trace = find_trace(path);
  if (!trace) return trace.error();
  return path;
}

}  // namespace

Result<json::Conditions> read_profiles(const std::string &path) {
  const std::string name = "\"" + path + "\"";
  GStatBuf file{};
  if (g_stat(path.c_str(), &file) != 0 || !S_ISREG(file.st_mode)) return Error{"", name + " is no file"};
  if (file.st_size > kLargest) return Error{"", name + " has more than 1 MB"};
  gchar *text = nullptr;
  gsize size = 0;
  GError *error = nullptr;
  if (!g_file_get_contents(path.c_str(), &text, &size, &error)) return Error{"", take(error)->message};
  const auto owned = take(text);
  auto parsed = json::Conditions::parse({text, size}, checked_trace);
  if (auto *conditions = std::get_if<0>(&parsed)) return std::move(*conditions);
  std::string faults;
  for (const Error &fault : std::get<1>(parsed)) faults += (faults.empty() ? ": " : "; ") + fault.text();
  return Error{"", name + faults};
}

Result<json::Network> named_network(const json::Conditions &own, const std::string &name) {
  if (!own.profiles().contains(name) && !net::profile(name)) {
    std::vector<std::string_view> names(net::profile_names().begin(), net::profile_names().end());
    for (const auto &[mine, settings] : own.profiles()) names.push_back(mine);
    return Error{"profile", unknown_text("profile", name, names)};
  }
  auto network = own.network({{"profile", name}});
  if (!network) return Error{"profile", network.error().text()};
  return network;
}

}  // namespace avc::degrader
