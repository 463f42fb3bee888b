// `avchaos profiles` and `avchaos spikes`: what they print, as text and as JSON.
#include <cstdio>
#include <cstdlib>
#include <map>

#include <unistd.h>

#include "core/net/profiles.hpp"
#include "core/net/settings.hpp"
#include "core/spike/effect.hpp"
#include "tests/tools/fake_server.hpp"
#include "tests/tools/same.hpp"
#include "tools/commands.hpp"
#include "tools/common/child.hpp"
#include "tools/common/files.hpp"
#include "tools/common/json.hpp"

using namespace avc;
using namespace avc::tools;
using namespace std::chrono_literals;

namespace {

// What `avchaos ARGUMENTS` prints; the way it ends is `ended`.
std::string said(std::vector<std::string> arguments, const std::string &ended = "exited with 0") {
  const TemporaryDirectory home;
  Child child(std::getenv("AVCHAOS"), arguments, {}, home.path() / "log");
  std::string text;
  while (const auto line = child.read_line(60s)) text += *line + "\n";
  child.end(60s);
  ck_same(child.how_it_ended(), ended);
  return ended == "exited with 0" ? text : child.last_words();
}

bool holds(const std::string &text, std::string_view part) { return text.find(part) != std::string::npos; }

}  // namespace

START_TEST(profiles_as_json_are_the_programs_own) {
  const auto parsed = parse_json(said({"profiles", "--json"}));
  ck_assert(static_cast<bool>(parsed));
  const Json list = Json(parsed->get())["profiles"];
  ck_assert_uint_eq(list.size(), net::profiles().size());
  for (std::size_t i = 0; i < list.size(); ++i) {
    const Json one = list.at(i);
    std::map<std::string, net::SettingValue> settings;
    for (const std::string &name : one["settings"].members()) {
      const Json value = one["settings"][name.c_str()];
      settings[name] = value.number() ? net::SettingValue(*value.number()) : net::SettingValue(value.text_or(""));
    }
    const auto again = net::impairment_of(settings);
    ck_assert(again && *again == *net::profile(one["name"].text_or("")));
    ck_assert(!one["source"].text_or("").empty());
  }
}
END_TEST

START_TEST(profiles_and_spike_types_are_all_in_the_tables) {
  const std::string profiles = said({"profiles"}), spikes = said({"spikes"});
  for (const auto &profile : net::profiles())
    ck_assert(holds(profiles, profile.name) && holds(profiles, profile.source));
  ck_assert(holds(profiles, "bandwidth_kbps 1200, delay_ms 250, jitter_ms 50, loss_percent 0.5"));
  for (const auto &type : spike::types()) {
    ck_assert(holds(spikes, type.name) && holds(spikes, type.summary));
    for (const auto &param : type.params) ck_assert(holds(spikes, param.name));
  }
}
END_TEST

START_TEST(a_daemons_profiles_are_asked_for) {
  avc::test::FakeServer server;
  server.replies["GET /healthz"] = {{200, R"({"status":"healthy"})"}};
  server.replies["GET /api/v1/profiles"] = {
      {200, R"({"profiles":[{"name":"office","source":"this daemon's file","settings":{"delay_ms":8}}]})"}};
  // The server lives on this thread's main context, so the command is called and not started.
  const TemporaryDirectory home;
  const auto file = home.path() / "out";
  std::fflush(stdout);
  const int kept = dup(STDOUT_FILENO);
  ck_assert(std::freopen(file.c_str(), "w", stdout) != nullptr);
  const Exit code = profiles(server.url, false);
  std::fflush(stdout);
  dup2(kept, STDOUT_FILENO);
  close(kept);
  ck_assert(code == Exit::ok);
  const std::string text = read_file(file);
  ck_assert_msg(holds(text, "office") && holds(text, "delay_ms 8"), "%s", text.c_str());
}
END_TEST

START_TEST(a_daemon_that_does_not_answer_is_named) {
  ck_assert(holds(said({"profiles", "--base-url", "http://127.0.0.1:1"}, "exited with 106"), "http://127.0.0.1:1"));
}
END_TEST

AVC_TESTS("info", profiles_as_json_are_the_programs_own, profiles_and_spike_types_are_all_in_the_tables,
          a_daemons_profiles_are_asked_for, a_daemon_that_does_not_answer_is_named)
