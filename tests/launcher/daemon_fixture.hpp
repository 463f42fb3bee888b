// The whole daemon in this process, on port 0, with an HTTP client beside it on the same main context.
#pragma once

#include "launcher/daemon.hpp"

#include <gst/gst.h>
#include <json-glib/json-glib.h>

#include <filesystem>
#include <fstream>

#include "launcher/plugin.hpp"
#include "launcher/receiver/embedded.hpp"
#include "tests/launcher/http_client.hpp"

namespace avc::test {

using launcher::Config;
using launcher::Daemon;
namespace fs = std::filesystem;

// A small picture: media is then ready in well under a second.
inline constexpr const char *kSmall =
    R"("video":{"width":160,"height":120,"fps":10,"bitrate_kbps":200},"renditions":[200,100],)"
    R"("target":{"transport":"loopback"})";

struct DaemonFixture {
  explicit DaemonFixture(std::function<void(Config &)> change = {}) {
    folder = fs::temp_directory_path() / ("avchaosd-test-" + std::to_string(g_random_int()));
    fs::create_directories(folder / "media");
    std::ofstream(folder / "media" / "text.mp4") << "this is no media at all";
    std::ofstream(folder / "media" / "empty.mp4");
    Config config;
    config.listen_port = 0;
    config.state_dir = (folder / "state").string();
    config.media_dirs = {(folder / "media").string()};
    if (change) change(config);
    daemon = std::make_unique<Daemon>(config);
    auto started = daemon->start();
    ck_assert_msg(bool(started), "%s", started ? "" : started.error().text().c_str());
    url = *started;
    client = std::make_unique<Client>(url);
  }
  ~DaemonFixture() {
    client.reset();
    daemon.reset();
    fs::remove_all(folder);
  }

  Answer post(const std::string &path, const std::string &body = "{}") {
    return client->call("POST", "/api/v1/" + path, body);
  }
  Answer get(const std::string &path) { return client->call("GET", "/api/v1/" + path); }
  Answer remove(const std::string &path) { return client->call("DELETE", "/api/v1/" + path); }
  Answer create(const std::string &id, const std::string &more = "") {
    return post("test/create", "{\"test_id\":\"" + id + "\"," + kSmall + (more.empty() ? "" : ",") + more + "}");
  }
  void run(const std::string &id, const std::string &more = "") {
    const Answer created = create(id, more), started = post("test/" + id + "/start");
    ck_assert_msg(created.status == 201, "%s", created.body.c_str());
    ck_assert_msg(started.status == 200, "%s", started.body.c_str());
  }
  void wait_until(const std::string &path, const std::string &text) {
    wait_until(path, text, [&](const std::string &body) { return body.find(text) != std::string::npos; });
  }
  void wait_until(const std::string &path, const std::string &what,
                  const std::function<bool(const std::string &)> &so) {
    std::string last;
    for (int i = 0; i < 400; ++i) {
      last = get(path).body;
      if (so(last)) return;
      bool over = false;
      g_timeout_add(
          50, [](gpointer flag) -> gboolean { return !(*static_cast<bool *>(flag) = true); }, &over);
      iterate_until([&] { return over; });
    }
    ck_abort_msg("%s never said %s: %s", path.c_str(), what.c_str(), last.c_str());
  }

  fs::path folder;
  std::unique_ptr<Daemon> daemon;
  std::string url;
  std::unique_ptr<Client> client;
};

// The value at a path such as "aggregate.total_packets_sent" or "participants.0.participant_id", as text.
inline std::string at(const std::string &json, const std::string &path) {
  JsonNode *root = json_from_string(json.c_str(), nullptr);
  ck_assert_msg(root != nullptr, "not JSON: %s", json.c_str());
  JsonNode *node = root;
  std::string rest = path;
  while (node != nullptr && !rest.empty()) {
    const auto dot = rest.find('.');
    const std::string key = rest.substr(0, dot);
    rest = dot == std::string::npos ? "" : rest.substr(dot + 1);
    if (JSON_NODE_HOLDS_ARRAY(node)) {
      JsonArray *array = json_node_get_array(node);
      const auto index = static_cast<guint>(std::stoul(key));
      node = index < json_array_get_length(array) ? json_array_get_element(array, index) : nullptr;
    } else {
      node = JSON_NODE_HOLDS_OBJECT(node) ? json_object_get_member(json_node_get_object(node), key.c_str()) : nullptr;
    }
  }
  std::string text = "(none)";
  if (node != nullptr) {
    char *raw = json_to_string(node, FALSE);
    text = raw;
    g_free(raw);
    if (text.size() > 1 && text.front() == '"') text = text.substr(1, text.size() - 2);
  }
  json_node_unref(root);
  return text;
}

inline double number_at(const std::string &json, const std::string &path) {
  const std::string text = at(json, path);
  ck_assert_msg(text != "(none)", "no %s in %s", path.c_str(), json.c_str());
  return g_ascii_strtod(text.c_str(), nullptr);
}

inline void refused(const Answer &answer, unsigned status, const std::string &field) {
  ck_assert_msg(answer.status == status, "%u: %s", answer.status, answer.body.c_str());
  avc_assert_text(answer.type, "application/problem+json");
  avc_assert_text(at(answer.body, "field"), field.empty() ? "(none)" : field);
  ck_assert_msg(at(answer.body, "detail").size() > 10, "%s", answer.body.c_str());
}

// main() of a file of tests.
inline int run_daemon(const char *name, std::initializer_list<const TTest *> tests) {
  gst_init(nullptr, nullptr);
  return run(name, tests);
}

}  // namespace avc::test
