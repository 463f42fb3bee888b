// A ramp through the API: participants join one after the other, each at its time, and meet what is in force by then.
#include "tests/launcher/daemon_fixture.hpp"

using namespace avc::launcher;
using namespace avc::test;

START_TEST(the_plan_tells_how_the_load_grows_to_the_one_of_all) {
  DaemonFixture f;
  ck_assert_uint_eq(f.create("a", R"("num_participants":4,"duration_seconds":10,"ramp":{"seconds":2})").status, 201);
  const Answer plan = f.get("test/a/plan");
  ck_assert_double_eq(number_at(plan.body, "ramp.seconds"), 2);
  ck_assert_double_eq(number_at(plan.body, "ramp.spawn_rate"), 2);
  const double all = number_at(plan.body, "load.packets_per_second");
  ck_assert_double_eq(number_at(plan.body, "ramp.load.0.participants"), 1);
  ck_assert_double_eq(number_at(plan.body, "ramp.load.5.seconds"), 1);
  ck_assert_double_eq(number_at(plan.body, "ramp.load.5.participants"), 3);
  ck_assert_double_eq_tol(number_at(plan.body, "ramp.load.5.packets_per_second"), all * 3 / 4, 1e-6);
  ck_assert_double_eq_tol(number_at(plan.body, "ramp.load.10.packets_per_second"), all, 1e-6);
  avc_assert_text(at(f.get("test/a").body, "config.ramp.seconds"), "2");
  ck_assert_uint_eq(f.create("b").status, 201);
  avc_assert_text(at(f.get("test/b/plan").body, "ramp"), "(none)");
}
END_TEST

START_TEST(participants_join_one_after_the_other_and_meet_what_was_injected_before) {
  DaemonFixture f;
  f.run("a", R"("num_participants":3,"ramp":{"seconds":9})");  // the second joins in 3 s: a slow machine may ask late
  avc_assert_text(at(f.get("test/a").body, "participants_joined"), "1");
  avc_assert_text(at(f.get("test/a/participants/1001").body, "state"), "running");
  avc_assert_text(at(f.get("test/a/participants/1003").body, "state"), "created");
  const Answer spike =
      f.post("test/a/spike", R"({"spike_id":"s","type":"rtp_packet_loss","participant_ids":[1002,1003],)"
                             R"("params":{"loss_percentage":100}})");
  avc_assert_text(at(spike.body, "participants"), "2");
  f.wait_until("test/a", "\"participants_joined\":3");
  f.wait_until("test/a/participants/1003", "packets_lost_on_purpose");
  avc_assert_text(at(f.get("test/a/participants/1001").body, "packets_lost_on_purpose"), "(none)");
  avc_assert_text(at(f.get("test/a/participants/1003").body, "state"), "running");
  const std::string metrics = f.client->call("GET", "/metrics").body;
  ck_assert(metrics.find("av_chaos_monkey_participants_total{test_id=\"a\",partition=\"0\"} 3") != std::string::npos);
}
END_TEST

START_TEST(who_joins_while_it_is_away_is_away) {
  DaemonFixture f;
  f.run("a", R"("num_participants":2,"ramp":{"seconds":1},"spikes":[{"spike_id":"l","type":"participant_leave",)"
             R"("participant_ids":[1002],"start_offset_seconds":0,"duration_seconds":60}],"duration_seconds":100,)"
             R"("spike_distribution":{"strategy":"legacy"})");
  f.wait_until("test/a/participants/1002", "\"left\"");
  avc_assert_text(at(f.get("test/a").body, "participants_joined"), "2");
}
END_TEST

START_TEST(who_had_not_joined_when_the_test_was_stopped_is_not_missed) {
  DaemonFixture f;
  f.run("a", R"("num_participants":2,"ramp":{"seconds":600})");
  f.wait_until("test/a/participants/1001", "a keyframe",
               [](const std::string &body) { return number_at(body, "received.video.keyframes_complete") > 0; });
  ck_assert_uint_eq(f.post("test/a/stop").status, 200);
  const Answer report = f.get("test/a/report.json");
  ck_assert_double_eq(number_at(report.body, "ramp_seconds"), 600);
  ck_assert_double_eq(number_at(report.body, "received.participants_seen"), 1);
  ck_assert_msg(report.body.find("no media arrived") == std::string::npos, "%s", at(report.body, "verdict").c_str());
}
END_TEST

START_TEST(a_spike_that_nobody_can_meet_is_warned_of) {
  DaemonFixture f;
  const Answer created =
      f.create("a", R"("num_participants":10,"duration_seconds":20,"ramp":{"spawn_rate":1},"spikes":[)"
                    R"({"spike_id":"early","type":"audio_silence","participant_ids":[1009,1010],"duration_seconds":7},)"
                    R"({"spike_id":"met","type":"audio_silence","participant_ids":[1002,1010],"duration_seconds":7}],)"
                    R"("spike_distribution":{"strategy":"legacy"})");
  const std::string warnings = at(created.body, "warnings");
  ck_assert_msg(warnings.find("early") != std::string::npos && warnings.find("met") == std::string::npos, "%s",
                created.body.c_str());
}
END_TEST

int main() {
  return run_daemon(
      "daemon_ramp",
      {the_plan_tells_how_the_load_grows_to_the_one_of_all,
       participants_join_one_after_the_other_and_meet_what_was_injected_before, who_joins_while_it_is_away_is_away,
       who_had_not_joined_when_the_test_was_stopped_is_not_missed, a_spike_that_nobody_can_meet_is_warned_of});
}
