// The life of a daemon's tests and of the daemon: events, ends, reports, and what is left to the next.
#include <cstdio>

#include "tests/launcher/daemon_fixture.hpp"

using namespace avc::launcher;
using namespace avc::test;

START_TEST(the_daemon_ends_a_test_when_its_time_is_over_and_reports) {
  DaemonFixture f;
  f.run("a", R"("duration_seconds":2,"seed":7,"spike_distribution":{"strategy":"legacy"},"spikes":[{"spike_id":"p",)"
             R"("type":"rtp_packet_loss","start_offset_seconds":0.5,"duration_seconds":0.5,)"
             R"("params":{"loss_percentage":"50"}}])");
  f.wait_until("test/a", "\"stopped\"");
  const Answer report = f.get("test/a/report.json");
  ck_assert_msg(report.status == 200, "%s", report.body.c_str());
  avc_assert_text(at(report.body, "test_id"), "a");
  avc_assert_text(at(report.body, "seed"), "7");
  avc_assert_text(at(report.body, "reason"), "completed");
  avc_assert_text(at(report.body, "spikes.0.state"), "ended");
  avc_assert_text(at(report.body, "spikes.0.participants"), "5");
  const double seconds = number_at(report.body, "duration_seconds");
  ck_assert_msg(seconds > 1.95 && seconds < 10, "%g s", seconds);  // a slow machine notices the end late
  avc_assert_text(f.get("test/a/report.html").type, "text/html; charset=utf-8");
}
END_TEST

START_TEST(a_threshold_that_says_so_ends_the_test) {
  DaemonFixture f;
  f.run("t", R"("num_participants":1,"duration_seconds":60,"network_profile":{"loss_percent":30},)"
             R"("thresholds":{"loss_percent":[{"expr":"avg < 5","abort_on_fail":true,"for_seconds":2}]})");
  f.wait_until("test/t", "stopped");
  const std::string report = f.get("test/t/report.json").body;
  avc_assert_text(at(report, "reason"), "aborted");
  avc_assert_text(at(report, "verdict.exit_code"), "99");
  ck_assert_msg(number_at(report, "duration_seconds") > 1.5 && number_at(report, "duration_seconds") < 10, "%s",
                at(report, "duration_seconds").c_str());
  // When the first sample comes depends on the machine; results/thresholds has the exact times.
  const std::string detail = at(report, "detail");
  const auto found = detail.find("did not hold from ");
  double from = 0, to = 0;
  ck_assert_msg(found != std::string::npos &&
                    std::sscanf(detail.c_str() + found, "did not hold from %lf s to %lf s", &from, &to) == 2,
                "%s", detail.c_str());
  ck_assert_msg(to - from >= 1.5 && to < 10, "%s", detail.c_str());
}
END_TEST

START_TEST(state_and_samples_come_as_events) {
  DaemonFixture f;
  f.create("a", R"("duration_seconds":2)");
  RawConnection events(f.url);
  events.write("GET /api/v1/test/a/events HTTP/1.1\r\nHost: x\r\n\r\n");
  ck_assert(events.wait_for(": avchaosd"));
  f.post("test/a/start");
  ck_assert_msg(events.wait_for("event: sample"), "%s", events.got.c_str());
  ck_assert_msg(events.wait_for("\"state\":\"stopped\""), "%s", events.got.c_str());
  ck_assert(events.wait_for("\r\n0\r\n\r\n"));
}
END_TEST

START_TEST(a_test_that_is_over_leaves_its_port_and_its_log_to_the_next) {
  DaemonFixture f;
  auto receiver = avc::receiver::Embedded::open();
  const std::string port = std::to_string((*receiver)->port());
  receiver->reset();
  const std::string target = R"({"transport":"loopback","port":)" + port + "}";
  const std::string again = R"({"test_id":"again","decision_log":true,"num_participants":1,"video":{"width":160,)"
                            R"("height":120,"fps":10,"bitrate_kbps":200},"renditions":[200,100],"target":)" +
                            target + "}";
  std::string logs[2];
  for (std::string &log : logs) {
    const Answer created = f.post("test/create", again);
    ck_assert_msg(created.status == 201, "%s", created.body.c_str());
    ck_assert_uint_eq(f.post("test/again/start").status, 200);
    f.wait_until("test/again/metrics", "total_packets_sent");
    ck_assert_uint_eq(f.post("test/again/stop").status, 200);
    // Asked about, it still says what was received.
    ck_assert(f.get("test/again/participants/1001").body.find("\"received\"") != std::string::npos);
    const Answer other = f.post("test/create", R"({"test_id":"other","target":)" + target + "}");
    ck_assert_msg(other.status == 201, "%s", other.body.c_str());
    f.remove("test/other");
    f.remove("test/again");
    std::ifstream file(f.folder / "state" / "again.decisions.jsonl");
    log.assign(std::istreambuf_iterator<char>(file), {});
  }
  const std::string first = R"("1001/video","n":0,)";
  for (const std::string &log : logs) {
    const auto at = log.find(first);
    ck_assert(at != std::string::npos);
    ck_assert(log.find(first, at + 1) == std::string::npos);
  }
}
END_TEST

START_TEST(ending_the_daemon_stops_its_tests_and_keeps_their_results) {
  DaemonFixture f;
  f.run("a");
  f.daemon->stop(avc::results::EndReason::signal);
  ck_assert(f.daemon->context().pool().find("a")->state() == avc::participant::TestState::stopped);
  const auto kept = f.daemon->context().history()->report_json("a");
  ck_assert(kept && at(*kept, "reason") == "signal");
}
END_TEST

START_TEST(a_state_directory_has_one_daemon) {
  DaemonFixture f;
  Config config;
  config.listen_port = 0;
  config.state_dir = (f.folder / "state").string();
  Daemon second(config);
  const auto started = second.start();
  ck_assert(!started);
  avc_assert_text(started.error().field, "--state-dir");
  ck_assert(started.error().message.find("in use by another avchaosd") != std::string::npos);
  f.run("a");  // the first one is as it was
}
END_TEST

START_TEST(a_bad_profile_ends_the_daemon_at_its_start) {
  const auto folder = fs::temp_directory_path() / ("avchaosd-test-" + std::to_string(g_random_int()));
  fs::create_directories(folder);
  std::ofstream(folder / "profiles.json") << R"({"office": {"loss_percent": 101}, "3g": {}})";
  Config config;
  config.listen_port = 0;
  config.state_dir = (folder / "state").string();
  config.profiles = (folder / "profiles.json").string();
  {
    Daemon daemon(config);
    const auto started = daemon.start();
    ck_assert(!started);
    avc_assert_text(started.error().field, "--profiles");
    for (const char *part : {"office.loss_percent: 101", "3g: is the name of a built-in profile"})
      ck_assert(started.error().message.find(part) != std::string::npos);
    ck_assert(started.error().message.find('\n') == std::string::npos);
  }
  fs::remove_all(folder);
}
END_TEST

int main() {
  return run_daemon("daemon_life",
                    {a_state_directory_has_one_daemon, a_bad_profile_ends_the_daemon_at_its_start,
                     a_threshold_that_says_so_ends_the_test, the_daemon_ends_a_test_when_its_time_is_over_and_reports,
                     state_and_samples_come_as_events, a_test_that_is_over_leaves_its_port_and_its_log_to_the_next,
                     ending_the_daemon_stops_its_tests_and_keeps_their_results});
}
