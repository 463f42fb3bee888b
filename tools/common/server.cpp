#include "tools/common/server.hpp"

#include <algorithm>
#include <cstdlib>
#include <system_error>
#include <vector>

#include <glib.h>

#include "tools/common/json.hpp"

namespace avc::tools {
namespace fs = std::filesystem;
namespace {

constexpr std::chrono::seconds kReadyWithin(20);
constexpr std::string_view kListening = "listening on ";

std::string token() {
  const char *value = std::getenv("AVCHAOS_TOKEN");
  const std::string token = value ? value : "";
  if (!std::all_of(token.begin(), token.end(), [](unsigned char c) { return c > 0x20 && c < 0x7f; }))
    throw Failure(Exit::bad_input, "AVCHAOS_TOKEN: must be one word of printable ASCII");
  return token;
}

// Beside us (installed), in the build tree, or on the PATH.
fs::path find_daemon() {
  const fs::path here = own_directory();
  for (const fs::path &candidate : {here / "avchaosd", here / ".." / "launcher" / "avchaosd"})
    if (std::error_code fault; fs::is_regular_file(candidate, fault)) return candidate.lexically_normal();
  const auto found = take(g_find_program_in_path("avchaosd"));
  if (!found)
    throw Failure(Exit::no_start, "avchaosd: not found beside " + (here / "avchaos").string() + " nor on PATH");
  return found.get();
}

// In the build tree the plugin is beside us too; an installed one is found by GStreamer itself.
std::vector<std::string> plugin_environment() {
  const fs::path folder = (own_directory() / ".." / "plugins").lexically_normal();
  std::error_code fault;
  if (!fs::is_regular_file(folder / "libgstavchaos.so", fault)) return {};
  const char *before = std::getenv("GST_PLUGIN_PATH_1_0");
  return {"GST_PLUGIN_PATH_1_0=" + folder.string() + (before && *before ? std::string(":") + before : "")};
}

// Waits in small steps, so that Ctrl-C is served meanwhile.
std::optional<std::string> first_line(Child &child) {
  const std::chrono::milliseconds step(100);
  for (auto waited = std::chrono::milliseconds(0); waited < kReadyWithin; waited += step) {
    if (auto line = child.read_line(step)) return line;
    while (g_main_context_iteration(nullptr, FALSE)) {
    }
    if (!child.running()) break;
  }
  return std::nullopt;
}

}  // namespace

bool Server::answers(const std::string &base_url) {
  HttpClient http(base_url, token());
  const auto reply = http.request("GET", "/healthz", {}, std::chrono::seconds(3));
  if (!reply || !reply->ok()) return false;
  const auto parsed = parse_json(reply->body);
  return parsed && Json(parsed->get())["status"].text_or("") == "healthy";
}

Server Server::at(const std::string &base_url) {
  const auto url = normal_base_url(base_url);
  if (!url) throw Failure(Exit::bad_input, url.error().text());
  Server server;
  server.http_ = std::make_unique<HttpClient>(*url, token());
  const auto reply = server.http_->request("GET", "/healthz", {}, std::chrono::seconds(10));
  if (!reply) throw Failure(Exit::no_start, "no daemon answers at " + reply.error().text());
  if (!reply->ok())
    throw Failure(Exit::no_start, *url + "/healthz: HTTP " + std::to_string(reply->status) + ", not an avchaosd");
  return server;
}

Server Server::own(const std::vector<fs::path> &media_directories, const std::vector<std::string> &more_flags) {
  Server server;
  server.state_ = std::make_unique<TemporaryDirectory>();
  const fs::path state = server.state_->path();
  const fs::path log = state / "avchaosd.log";
  std::vector<std::string> arguments{"--listen", "127.0.0.1:0", "--state-dir", state.string()};
  for (const auto &directory : media_directories)
    arguments.insert(arguments.end(), {"--media-dir", directory.string()});
  arguments.insert(arguments.end(), more_flags.begin(), more_flags.end());
  server.child_ = std::make_unique<Child>(find_daemon(), arguments, plugin_environment(), log);
  const auto line = first_line(*server.child_);
  if (!line || !line->starts_with(kListening)) {
    const bool late = !line && server.child_->running();
    const std::string why = late ? "did not say where it listens within 20 s" : server.child_->how_it_ended();
    throw Failure(Exit::no_start, "avchaosd " + why + server.child_->last_words());
  }
  const auto url = normal_base_url(line->substr(kListening.size()));
  if (!url) throw Failure(Exit::no_start, "avchaosd: cannot read \"" + *line + "\"");
  server.http_ = std::make_unique<HttpClient>(*url, token());
  return server;
}

std::optional<fs::path> Server::state_directory() const {
  return state_ ? std::optional(state_->path()) : std::nullopt;
}

std::optional<std::string> Server::death() {
  if (!child_ || child_->running()) return std::nullopt;
  return "avchaosd " + child_->how_it_ended() + child_->last_words();
}

}  // namespace avc::tools
