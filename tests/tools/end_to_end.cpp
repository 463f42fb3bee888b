// The command with a real daemon, a real sender and a real receiver, on loopback.
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <sstream>

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/tools/same.hpp"
#include "tools/common/child.hpp"
#include "tools/common/files.hpp"
#include "tools/common/json.hpp"

using namespace avc::tools;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

namespace {

const char *const kScenario = R"({"seed": 3, "num_participants": 2, "duration_seconds": 3, // short
  "video": {"width": 320, "height": 180, "fps": 15, "bitrate_kbps": 300},
  "spike_distribution": {"strategy": "legacy"},
  "spikes": [{"spike_id": "loss", "type": "rtp_packet_loss", "start_offset_seconds": 1, "duration_seconds": 1,
              "participant_ids": [1001], "params": {"loss_percentage": 50}}]})";
const char *const kEndless = R"({"num_participants": 1, "duration_seconds": 600,
  "video": {"width": 320, "height": 180, "fps": 15, "bitrate_kbps": 300}})";

struct Command {
  TemporaryDirectory home;
  std::string scenario = (home.path() / "scenario.json").string();
  std::string report = (home.path() / "report").string();
  std::unique_ptr<Child> child;

  // With the scenario's file as the first argument, or what stands in its place.
  void start(const std::string &text, std::vector<std::string> arguments, const std::string &first = "") {
    write_file(scenario, text);
    const char *program = std::getenv("AVCHAOS");
    ck_assert_msg(program, "AVCHAOS names the command under test");
    arguments.insert(arguments.begin() + 1, first.empty() ? scenario : first);
    child = std::make_unique<Child>(program, arguments, std::vector<std::string>{}, home.path() / "log");
  }
  void run(const std::string &text) { start(text, {"run", "--report-dir", report}); }

  // Reads until a line has `part`; the test's time limit ends a wait in vain.
  std::string line_with(const std::string &part) {
    std::string all;
    while (const auto line = child->read_line(60s)) {
      if (line->find(part) != std::string::npos) return *line;
      all += *line + "\n";
    }
    ck_abort_msg("no line with \"%s\" in\n%s%s", part.c_str(), all.c_str(), child->last_words().c_str());
    return {};
  }
  std::string rest() {
    std::string all;
    while (const auto line = child->read_line(60s)) all += *line + "\n";
    child->end(60s);
    return all;
  }
  // The daemon this run started, from the line that names it.
  std::uint16_t daemon_port() {
    const std::string line = line_with("daemon: http://127.0.0.1:");
    return static_cast<std::uint16_t>(std::atoi(line.c_str() + line.rfind(':') + 1));
  }
};

bool answers(std::uint16_t port) {
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(port);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const bool connected = connect(fd, reinterpret_cast<sockaddr *>(&to), sizeof to) == 0;
  close(fd);
  return connected;
}

// A machine too busy to keep time makes a run invalid, which comes before most else: then that has to be the answer.
std::string expected_end(const Command &command, int code) {
  const auto report = parse_json(read_file(command.report + "/report.json"));
  ck_assert(static_cast<bool>(report));
  const double late = Json(report->get())["generator"]["late_p99_ms"].number_or(0);
  return "exited with " + std::to_string(late > 20 ? 110 : code);
}

// The lines of a decision log by stream, SSRC and n: all that stands before the fate, and the end.
std::map<std::string, std::string> decisions(const std::string &path) {
  std::map<std::string, std::string> lines;
  std::istringstream text(read_file(path));
  for (std::string line; std::getline(text, line);)
    lines[line.substr(0, line.find("\"fate\"")) + line.substr(line.find("\"ssrc\""))] = line;
  return lines;
}

void has(const std::string &text, const std::string &part) {
  ck_assert_msg(text.find(part) != std::string::npos, "no \"%s\" in\n%s", part.c_str(), text.c_str());
}

}  // namespace

START_TEST(a_short_run_is_measured_reported_and_judged) {
  Command command;
  command.run(kScenario);
  const std::uint16_t port = command.daemon_port();
  const std::string text = command.rest();
  const std::string expected = expected_end(command, 0);
  ck_same(command.child->how_it_ended(), expected);
  has(text, "spike loss started: rtp_packet_loss on 1 participant");
  has(text, "spike loss ended");
  has(text, "Injected versus measured");
  has(text, expected == "exited with 0" ? "PASSED" : "INVALID");
  ck_assert(!answers(port));

  const auto report = parse_json(read_file(command.report + "/report.json"));
  ck_assert(static_cast<bool>(report));
  const Json json(report->get());
  ck_assert_double_eq(json["seed"].number_or(0), 3);
  ck_assert_uint_eq(json["spikes"].size(), 1);
  ck_assert_double_gt(json["spikes"].at(0)["measured"]["during"]["loss_percent"].number_or(0), 20);
  ck_assert_double_gt(json["received"]["packets"].number_or(0), 200);
  has(read_file(command.report + "/report.html"), "<html");
  has(read_file(command.report + "/samples.csv"), "loss_percent");
}
END_TEST

// The log comes from loss, delay, duplicates, bit errors, a queue and a spike; the replay's scenario has none of them.
// A run ends by the clock, so either log may have a few packets more at its streams' ends.
START_TEST(a_replay_gives_each_packet_the_fate_that_the_log_has) {
  Command recorded;
  recorded.run(R"({"decision_log": true, "network_profile": {"loss_percent": 5, "delay_ms": 20, "jitter_ms": 10,
    "duplicate_percent": 5, "corrupt_percent": 5, "bandwidth_kbps": 600}, )" +
               std::string(kScenario).substr(1));
  has(recorded.rest(), "replay: avchaos replay " + recorded.report + "/decisions.jsonl");
  ck_same(recorded.child->how_it_ended(), expected_end(recorded, 0));

  Command replay;
  const std::string log = recorded.report + "/decisions.jsonl";
  replay.start(R"({"seed": 3, "decision_log": true, "num_participants": 2, "duration_seconds": 3, "target":
    {"transport": "loopback"}, "video": {"width": 320, "height": 180, "fps": 15, "bitrate_kbps": 300}})",
               {"replay", "--report-dir", replay.report, "--scenario", replay.scenario}, log);
  replay.rest();
  ck_same(replay.child->how_it_ended(), expected_end(replay, 0));
  const auto wanted = decisions(log), got = decisions(replay.report + "/decisions.jsonl");
  std::map<std::string, int> fates;
  for (const auto &[packet, line] : got) {
    const auto fate = wanted.find(packet);
    if (fate == wanted.end()) continue;
    ck_same(line, fate->second);
    const auto from = line.find("\"fate\"");
    fates[line.substr(from, line.find(',', from) - from)]++;
  }
  ck_assert_uint_ge(fates.size(), 4);
  ck_assert_uint_ge(got.size(), 300);
  ck_assert_uint_le(std::max(got.size(), wanted.size()) - std::min(got.size(), wanted.size()), 20);
}
END_TEST

START_TEST(a_replay_of_nothing_is_104_and_says_what_is_missing) {
  const auto refused = [](const char *log, const std::string &message) {
    Command command;
    const std::string path = (command.home.path() / "log.jsonl").string();
    write_file(path, log);
    command.start(kScenario, {"replay", "--report-dir", command.report}, *log ? path : path + ".none");
    command.rest();
    ck_same(command.child->how_it_ended(), "exited with 104");
    has(command.child->last_words(), message);
  };
  refused("", "log.jsonl.none: no such file");
  refused("{}\n", "replay_log: \"");
  refused("{}\n", "log.jsonl\", line 1: stream is missing");
}
END_TEST

START_TEST(a_bad_scenario_is_104_and_names_the_field) {
  const std::vector<std::pair<const char *, const char *>> cases{
      {R"({"num_participants": -1})", "num_participants"},
      {R"({"num_participants": 1, "durations_seconds": 3})", "durations_seconds"},
      {R"({"num_participants": 1, "duration_seconds": 1, "spikes": [{"spike_id": "a", "type": "nonsense"}]})",
       "spikes[0].type"},
      {R"({"num_participants": 1, "duration_seconds": 1, "media_path": "missing.mp4"})", "media_path"},
      {R"({"num_participants": 1, "duration_seconds": 1, "target": {"host": "192.0.2.1", "port": 0}})", "target.port"}};
  for (const auto &[text, field] : cases) {
    Command command;
    command.run(text);
    command.rest();
    ck_assert_msg(command.child->how_it_ended() == "exited with 104", "%s: %s", text,
                  command.child->how_it_ended().c_str());
    has(command.child->last_words(), std::string("avchaos: ") + command.scenario + ": ");
    has(command.child->last_words(), field);
    ck_assert(!fs::exists(command.report));
  }
}
END_TEST

START_TEST(a_target_that_policy_refuses_is_106) {
  Command command;
  command.run(R"({"num_participants": 1, "duration_seconds": 1, "target": {"host": "192.0.2.1", "port": 5000}})");
  command.rest();
  ck_same(command.child->how_it_ended(), "exited with 106");
  has(command.child->last_words(), "target.host: 192.0.2.1 is neither loopback nor a private address");
}
END_TEST

START_TEST(a_signal_in_the_middle_gives_105_a_report_and_no_daemon_left) {
  Command command;
  command.run(kEndless);
  const std::uint16_t port = command.daemon_port();
  command.line_with("measured:");  // it runs
  command.child->end(60s);
  ck_same(command.child->how_it_ended(), expected_end(command, 105));
  const auto report = parse_json(read_file(command.report + "/report.json"));
  ck_assert(static_cast<bool>(report));
  ck_same(Json(report->get())["reason"].text_or(""), "stopped");
  ck_assert(!answers(port));
}
END_TEST

START_TEST(a_run_that_is_killed_takes_its_daemon_with_it) {
  Command command;
  command.run(kEndless);
  const std::uint16_t port = command.daemon_port();
  ck_assert(answers(port));
  command.child->end(0ms);  // SIGTERM, and SIGKILL at once
  ck_same(command.child->how_it_ended(), "ended by signal 9");
  while (answers(port)) {
  }
}
END_TEST

START_TEST(an_old_config_file_runs_without_its_server) {
  Command command;
  command.run(R"({"base_url": "http://127.0.0.1:1", "media_path": "", "num_participants": 1, "duration_seconds": 2,
    "spikes": {"count": 1, "interval_seconds": 1, "duration_seconds_min": 1, "duration_seconds_max": 1,
               "types": {"rtp_packet_loss": {"weight": 1, "params": {"loss_percentage_min": 5, "loss_percentage_max": 9}}}},
    "metrics": {"display_interval_seconds": 1}})");
  command.line_with("no daemon answers at base_url http://127.0.0.1:1: this run starts its own");
  const std::string text = command.rest();
  ck_same(command.child->how_it_ended(), expected_end(command, 0));
  has(text, "rtp_packet_loss");
}
END_TEST

START_TEST(a_plan_shows_times_and_load_without_running) {
  Command command;
  command.start(kScenario, {"plan"});
  const std::string text = command.rest();
  ck_same(command.child->how_it_ended(), "exited with 0");
  has(text, "2 participants for 00:03, seed 3, strategy legacy\nexpected load: ");
  has(text, "loss   rtp_packet_loss  00:01 – 00:02   1  loss_percentage 50\n");
}
END_TEST

START_TEST(the_doctor_finds_daemon_and_elements) {
  Command command;
  command.home.path();
  const char *program = std::getenv("AVCHAOS");
  Child doctor(program, {"doctor"}, {}, command.home.path() / "log");
  std::string text;
  while (const auto line = doctor.read_line(60s)) text += *line + "\n";
  doctor.end(60s);
  ck_assert_msg(doctor.how_it_ended() == "exited with 0", "%s", text.c_str());
  has(text, "ok    daemon");
}
END_TEST

AVC_TESTS("tools_end_to_end", a_short_run_is_measured_reported_and_judged,
          a_replay_gives_each_packet_the_fate_that_the_log_has, a_replay_of_nothing_is_104_and_says_what_is_missing,
          a_bad_scenario_is_104_and_names_the_field, a_target_that_policy_refuses_is_106,
          a_signal_in_the_middle_gives_105_a_report_and_no_daemon_left, a_run_that_is_killed_takes_its_daemon_with_it,
          an_old_config_file_runs_without_its_server, a_plan_shows_times_and_load_without_running,
          the_doctor_finds_daemon_and_elements)
