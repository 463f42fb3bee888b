#include <csignal>
#include <cstdlib>
#include <filesystem>

#include "tests/tools/fake_server.hpp"
#include "tools/commands.hpp"
#include "tools/common/files.hpp"
#include "tools/common/http_client.hpp"
#include "tools/scenario.hpp"

using namespace avc::tools;
using avc::test::FakeServer;

namespace {

const std::string kReport = R"({"format":1,"verdict":{"result":"passed","exit_code":0,"reasons":[]},"spikes":[]})";
const std::string kOver = "id: 3\nevent: state\ndata: {\"test_id\":\"t/1\",\"state\":\"stopped\"}\n\n";
constexpr const char *kBase = "/api/v1/test/t/1";  // the server decodes "t%2F1"

std::string at(const char *method, const char *rest) { return std::string(method) + " " + kBase + rest; }

// A daemon that runs a test called "t/1" and is done with it as soon as it is listened to.
struct Scene {
  Scene() {
    server.replies["POST /api/v1/test/create"] = {{201, R"({"test_id":"t/1","seed":7})"}};
    server.replies[at("GET", "/plan")] = {{200, R"({"participants":2,"duration_seconds":3,"seed":7,"spikes":[]})"}};
    server.replies[at("POST", "/start")] = {{200, R"({"started":true})"}};
    server.replies[at("GET", "/events")] = {{200, kOver, "text/event-stream"}};
    server.replies[at("GET", "/report.json")] = {{200, kReport}};
    server.replies[at("GET", "/report.html")] = {{200, "<html></html>", "text/html"}};
    server.replies[at("GET", "/report.csv")] = {{200, "t,participants\n", "text/csv"}};
    file = (home.path() / "a.json").string();
    write_file(file, "{\"num_participants\": 2 /* two */}");
    options.scenario = file;
    options.base_url = server.url;
    options.report_dir = (home.path() / "report").string();
    options.quiet = true;
  }

  // What run() ended with, or the failure's code; `said` is then its message.
  Exit go() {
    try {
      return run(options);
    } catch (const Failure &failure) {
      said = failure.what();
      return failure.code;
    }
  }
  void verdict(const char *result, int code) {
    server.replies[at("GET", "/report.json")] = {
        {200, std::string(R"({"verdict":{"result":")") + result + R"(","exit_code":)" + std::to_string(code) + "}}"}};
  }

  FakeServer server;
  TemporaryDirectory home;
  RunOptions options;
  std::string file, said;
};

}  // namespace

START_TEST(a_run_sends_the_text_as_it_is_and_brings_the_report_home) {
  Scene scene;
  ck_assert_int_eq(static_cast<int>(scene.go()), 0);
  ck_same(scene.server.of("POST /api/v1/test/create").at(0).body, "{\"num_participants\": 2 /* two */}");
  ck_same(read_file(scene.options.report_dir + "/report.json"), kReport);
  ck_same(read_file(scene.options.report_dir + "/report.html"), "<html></html>");
  ck_same(read_file(scene.options.report_dir + "/samples.csv"), "t,participants\n");
  ck_assert_uint_eq(scene.server.count(at("POST", "/start")), 1);
  ck_assert_uint_eq(scene.server.count(at("POST", "/stop")), 0);
}
END_TEST

START_TEST(flags_change_the_scenario_that_is_sent) {
  Scene scene;
  scene.options.overrides = {"9", "4", "25m", {"video.fps=15", "name=x"}, {"team=a=b"}, "see \"here\"", "2.5/s"};
  ck_assert_int_eq(static_cast<int>(scene.go()), 0);
  ck_same(scene.server.of("POST /api/v1/test/create").at(0).body,
          "{\"num_participants\":4,\"video\":{\"fps\":15},\"name\":\"x\",\"seed\":9,\"duration_seconds\":1500,"
          "\"ramp\":{\"spawn_rate\":2.5},\"tags\":{\"team\":\"a=b\",\"note\":\"see \\\"here\\\"\"}}");
}
END_TEST

START_TEST(a_ramp_may_be_a_time_and_replaces_that_of_the_scenario) {
  Scene scene;
  write_file(scene.file, R"({"ramp": {"spawn_rate": 4}})");
  scene.options.overrides.ramp = "1m30s";
  ck_assert_int_eq(static_cast<int>(scene.go()), 0);
  ck_same(scene.server.of("POST /api/v1/test/create").at(0).body, "{\"ramp\":{\"seconds\":90}}");
}
END_TEST

START_TEST(bad_flags_are_named_before_anything_is_asked_of_a_server) {
  Scene scene;
  scene.options.overrides.duration = "soon";
  ck_assert(scene.go() == Exit::bad_input);
  ck_assert_msg(scene.said.find("--duration \"soon\"") == 0, "%s", scene.said.c_str());
  for (const char *bad : {"soon", "/s", "0/s", "-5/s", "x/s", "5 / s"}) {
    scene.options.overrides = {};
    scene.options.overrides.ramp = bad;
    ck_assert(scene.go() == Exit::bad_input);
    ck_assert_msg(scene.said.starts_with("--ramp \"" + std::string(bad) + "\": "), "%s", scene.said.c_str());
  }
  scene.options.overrides = {};
  scene.options.overrides.set = {"fps"};
  ck_assert(scene.go() == Exit::bad_input);
  ck_assert_msg(scene.said.find("--set \"fps\"") == 0, "%s", scene.said.c_str());
  ck_assert_uint_eq(scene.server.seen.size(), 0);
}
END_TEST

START_TEST(a_file_that_is_no_scenario_is_named) {
  Scene scene;
  for (const char *text : {"", "[1]", "{\"a\":", "nonsense", "{\"a\":nan}"}) {
    write_file(scene.file, text);
    ck_assert(scene.go() == Exit::bad_input);
    ck_assert_msg(scene.said.starts_with(scene.file + ": "), "%s", scene.said.c_str());
  }
  scene.options.scenario = scene.home.path().string();
  ck_assert(scene.go() == Exit::bad_input);
  scene.options.scenario = "/nonexistent/x.json";
  ck_assert(scene.go() == Exit::bad_input);
  ck_assert_msg(scene.said.starts_with("/nonexistent/x.json: "), "%s", scene.said.c_str());
}
END_TEST

START_TEST(a_refusal_names_file_and_field_and_decides_the_exit_code) {
  Scene scene;
  const std::vector<std::pair<unsigned, Exit>> cases{{400, Exit::bad_input}, {413, Exit::bad_input},
                                                     {403, Exit::no_start},  {429, Exit::no_start},
                                                     {503, Exit::no_start},  {500, Exit::other}};
  for (const auto &[status, code] : cases) {
    scene.server.replies["POST /api/v1/test/create"] = {
        {status, R"({"title":"t","detail":"must be a number","field":"video.fps"})", "application/problem+json"}};
    ck_assert_msg(scene.go() == code, "%u", status);
    ck_assert_msg(scene.said.ends_with(": video.fps: must be a number"), "%s", scene.said.c_str());
    ck_assert(scene.said.starts_with(code == Exit::bad_input ? scene.file : scene.server.url));
  }
  ck_assert(!std::filesystem::exists(scene.options.report_dir));
}
END_TEST

START_TEST(the_servers_verdict_is_the_exit_code) {
  Scene scene;
  for (const int code : {99, 103, 106, 107, 110}) {
    scene.verdict("failed", code);
    ck_assert_int_eq(static_cast<int>(scene.go()), code);
  }
  scene.verdict("warned", 98);
  ck_assert(scene.go() == Exit::ok);
  scene.options.strict = true;
  ck_assert(scene.go() == Exit::warnings);
}
END_TEST

START_TEST(a_broken_stream_is_resumed_where_it_broke) {
  Scene scene;
  scene.server.replies[at("GET", "/events")] = {
      {200,
       "id: 1\nevent: state\ndata: {\"state\":\"running\"}\n\nid: 2\nevent: sample\ndata: {\"t\":1}\n\nid: 9\ndata: ha",
       "text/event-stream"},
      {503, "", "text/plain"},
      {200, kOver, "text/event-stream"}};
  ck_assert(scene.go() == Exit::ok);
  const auto calls = scene.server.of(at("GET", "/events"));
  ck_assert_uint_eq(calls.size(), 3);
  ck_same(calls[0].last_event_id, "");
  ck_same(calls[1].last_event_id, "9");
}
END_TEST

START_TEST(the_report_is_waited_for_while_the_test_winds_up) {
  Scene scene;
  scene.server.replies[at("GET", "/report.json")] = {{409, "{}"}, {409, "{}"}, {200, kReport}};
  ck_assert(scene.go() == Exit::ok);
  ck_assert_uint_eq(scene.server.count(at("GET", "/report.json")), 3);
}
END_TEST

START_TEST(a_report_that_is_not_json_is_an_error_and_leaves_no_file) {
  Scene scene;
  scene.server.replies[at("GET", "/report.json")] = {{200, "{\"cut"}};
  ck_assert(scene.go() == Exit::other);
  ck_assert(std::filesystem::is_empty(scene.options.report_dir));
}
END_TEST

START_TEST(the_first_signal_stops_the_test_and_still_writes_the_report) {
  Scene scene;
  scene.server.replies[at("GET", "/events")] = {
      {200, "event: state\ndata: {\"state\":\"running\"}\n\n", "text/event-stream"}, {503, "", "text/plain"}};
  scene.server.replies[at("POST", "/stop")] = {{200, "{}"}};
  scene.server.when[at("POST", "/start")] = [] { raise(SIGINT); };
  scene.server.when[at("POST", "/stop")] = [&scene] {
    scene.server.replies[at("GET", "/events")] = {{200, kOver, "text/event-stream"}};
  };
  scene.verdict("invalid", 103);
  ck_assert(scene.go() == Exit::signal);
  ck_assert_uint_eq(scene.server.count(at("POST", "/stop")), 1);
  ck_assert(std::filesystem::exists(scene.options.report_dir + "/report.json"));
}
END_TEST

START_TEST(without_a_server_there_is_no_start) {
  Scene scene;
  scene.options.base_url = "http://127.0.0.1:1";
  ck_assert(scene.go() == Exit::no_start);
  ck_assert_msg(scene.said.find("http://127.0.0.1:1") != std::string::npos, "%s", scene.said.c_str());
  scene.options.base_url = "ftp://x";
  ck_assert(scene.go() == Exit::bad_input);
}
END_TEST

START_TEST(the_token_goes_along_with_every_request) {
  setenv("AVCHAOS_TOKEN", "secret", 1);
  Scene scene;
  ck_assert(scene.go() == Exit::ok);
  for (const auto &one : scene.server.seen) ck_same(one.authorization, "Bearer secret");
  ck_assert_uint_ge(scene.server.seen.size(), 6);
  unsetenv("AVCHAOS_TOKEN");
}
END_TEST

START_TEST(a_plan_leaves_no_test_behind) {
  Scene scene;
  scene.server.replies[at("DELETE", "")] = {{200, "{}"}};
  scene.options.dry_run = true;
  ck_assert(scene.go() == Exit::ok);
  ck_assert_uint_eq(scene.server.count(at("DELETE", "")), 1);
  ck_assert_uint_eq(scene.server.count(at("POST", "/start")), 0);
}
END_TEST

START_TEST(base_urls_are_completed_or_refused) {
  ck_same(*normal_base_url("127.0.0.1:8080"), "http://127.0.0.1:8080");
  ck_same(*normal_base_url("https://a.example/"), "https://a.example");
  for (const char *bad : {"", "http://", "ftp://x", "http:// x"}) ck_assert_msg(!normal_base_url(bad), "%s", bad);
}
END_TEST

AVC_TESTS("tools_run", a_run_sends_the_text_as_it_is_and_brings_the_report_home, flags_change_the_scenario_that_is_sent,
          a_ramp_may_be_a_time_and_replaces_that_of_the_scenario,
          bad_flags_are_named_before_anything_is_asked_of_a_server, a_file_that_is_no_scenario_is_named,
          a_refusal_names_file_and_field_and_decides_the_exit_code, the_servers_verdict_is_the_exit_code,
          a_broken_stream_is_resumed_where_it_broke, the_report_is_waited_for_while_the_test_winds_up,
          a_report_that_is_not_json_is_an_error_and_leaves_no_file,
          the_first_signal_stops_the_test_and_still_writes_the_report, without_a_server_there_is_no_start,
          the_token_goes_along_with_every_request, a_plan_leaves_no_test_behind, base_urls_are_completed_or_refused)
