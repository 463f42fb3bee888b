// Spikes and base conditions through the API: that they happen, and what is refused.
#include "core/spike/effect.hpp"
#include "tests/launcher/daemon_fixture.hpp"

using namespace avc::launcher;
using namespace avc::test;

START_TEST(bad_spikes_name_the_field) {
  DaemonFixture f;
  f.run("a");
  const struct {
    const char *body, *field;
    unsigned status;
  } cases[] = {
      {"{}", "spike_id", 400},
      {R"({"spike_id":"s"})", "type", 400},
      {R"({"spike_id":"s","type":"no_such_type"})", "type", 400},
      {R"({"spike_id":"s","type":"rtp_packet_loss","params":{"loss_percentage":"-1"}})", "params.loss_percentage", 400},
      {R"({"spike_id":"s","type":"rtp_packet_loss","params":{"loss_percentage":"NaN"}})", "params.loss_percentage",
       400},
      {R"({"spike_id":"s","type":"bitrate_reduce"})", "params.new_bitrate_kbps", 400},
      {R"({"spike_id":"s","type":"rtp_packet_loss","participant_ids":[-1]})", "participant_ids[0]", 400},
      {R"({"spike_id":"s","type":"rtp_packet_loss","participant_ids":[77]})", "participant_ids", 404},
  };
  for (const auto &one : cases) {
    const Answer answer = f.post("test/a/spike", one.body);
    ck_assert_msg(answer.status == one.status && at(answer.body, "field") == one.field, "%s: %u %s", one.body,
                  answer.status, answer.body.c_str());
  }
  const Answer partly =
      f.post("test/a/spike", R"({"spike_id":"s","type":"audio_silence","participant_ids":[1001,77]})");
  avc_assert_text(at(partly.body, "participants"), "1");
  ck_assert(at(partly.body, "warnings.0").find("77") != std::string::npos);
  refused(f.remove("test/a/spike/nobody"), 404, "spike_id");
}
END_TEST

START_TEST(a_spike_happens_is_listed_and_ends_by_itself) {
  DaemonFixture f;
  f.run("a", R"("num_participants":2)");
  const Answer spike = f.post("test/a/spike", R"({"spike_id":"s","type":"rtp_packet_loss","participant_ids":[1002],)"
                                              R"("duration_seconds":1,"params":{"loss_percentage":100}})");
  avc_assert_text(at(spike.body, "participants"), "1");
  avc_assert_text(at(f.get("test/a/spikes").body, "spikes.0.spike_id"), "s");
  f.wait_until("test/a/spikes", "\"ended\"");
  const Answer one = f.get("test/a/participants/1001"), two = f.get("test/a/participants/1002");
  avc_assert_text(at(one.body, "packets_lost_on_purpose"), "(none)");
  ck_assert_msg(number_at(two.body, "packets_lost_on_purpose") > 0, "%s", two.body.c_str());
  avc_assert_text(at(one.body, "state"), "running");
}
END_TEST

START_TEST(a_spike_can_be_cancelled_and_its_id_used_again) {
  DaemonFixture f;
  f.run("a");
  const char *silence = R"({"spike_id":"s","type":"audio_silence"})";
  ck_assert_uint_eq(f.post("test/a/spike", silence).status, 200);
  f.wait_until("test/a/spikes", "\"active\"");
  ck_assert_uint_eq(f.remove("test/a/spike/s").status, 200);
  f.wait_until("test/a/spikes", "\"cancelled\"");
  refused(f.remove("test/a/spike/s"), 409, "");
  avc_assert_text(at(f.post("test/a/spike", silence).body, "spike_id"), "s#2");
}
END_TEST

START_TEST(a_reduction_says_which_rendition_it_gets) {
  DaemonFixture f;
  f.run("a");
  const Answer spike =
      f.post("test/a/spike", R"({"spike_id":"s","type":"bitrate_reduce","params":{"new_bitrate_kbps":"150"}})");
  ck_assert_msg(spike.status == 200, "%s", spike.body.c_str());
  avc_assert_text(at(spike.body, "rendition_kbps"), "100");
}
END_TEST

START_TEST(the_same_seed_gives_the_same_plan) {
  DaemonFixture f;
  const std::string spikes = R"("duration_seconds":100,"spike_distribution":{"strategy":"random"},"spikes":[)"
                             R"({"spike_id":"x","type":"audio_silence","duration_seconds":3},)"
                             R"({"spike_id":"y","type":"audio_silence","duration_seconds":3}],"seed":)";
  f.create("a", spikes + "1");
  f.create("b", spikes + "1");
  f.create("c", spikes + "2");
  const auto starts = [&](const char *id) {
    const std::string plan = f.get(std::string("test/") + id + "/plan").body;
    return at(plan, "spikes.0.start_seconds") + " " + at(plan, "spikes.1.start_seconds");
  };
  avc_assert_text(starts("a"), starts("b"));
  ck_assert(starts("a") != starts("c"));
}
END_TEST

START_TEST(every_type_is_taken_while_a_test_runs_and_by_a_plan) {
  DaemonFixture f;
  f.run("a", R"("num_participants":1)");
  std::string plan;
  for (const auto &type : avc::spike::types()) {
    const std::string name(type.name);
    if (avc::spike::needs_connection(name)) {
      refused(f.post("test/a/spike", R"({"spike_id":"x","type":")" + name + "\"}"), 400, "type");
      continue;
    }
    const std::string params = name == "network_profile"  ? R"({"profile":"3g","loss_percent":"2"})"
                               : name == "link_trace"     ? R"({"trace":"lte"})"
                               : name == "frame_drop"     ? R"({"drop_percentage":10})"
                               : name == "bitrate_reduce" ? R"({"new_bitrate_kbps":150})"
                                                          : "{}";
    const std::string spike =
        R"({"spike_id":")" + name + R"(","type":")" + name + R"(","duration_seconds":30,"params":)" + params + "}";
    plan += (plan.empty() ? "" : ",") + spike;
    const Answer answer = f.post("test/a/spike", spike);
    ck_assert_msg(answer.status == 200 && at(answer.body, "participants") == "1", "%s: %s", name.c_str(),
                  answer.body.c_str());
    const Answer bad = f.post("test/a/spike", R"({"spike_id":"x","type":")" + name + R"(","params":{"nonsense":1}})");
    refused(bad, 400, "params.nonsense");
  }
  f.wait_until("test/a/participants/1001", "\"left\"");
  ck_assert_uint_eq(f.remove("test/a/spike/participant_leave").status, 200);
  f.wait_until("test/a/participants/1001", "\"running\"");
  const Answer planned = f.create("b", R"("num_participants":1,"duration_seconds":60,"spikes":[)" + plan + "]");
  ck_assert_msg(planned.status == 201, "%s", planned.body.c_str());
}
END_TEST

START_TEST(what_begins_while_a_participant_is_away_is_in_force_on_its_return) {
  DaemonFixture f;
  f.run("a", R"("num_participants":1)");
  f.post("test/a/spike", R"({"spike_id":"away","type":"participant_leave"})");
  f.wait_until("test/a/participants/1001", "\"left\"");
  const Answer late = f.post("test/a/spike", R"({"spike_id":"dark","type":"blackout"})");
  avc_assert_text(at(late.body, "participants"), "1");
  f.remove("test/a/spike/away");
  f.wait_until("test/a/participants/1001", "\"running\"");
  f.wait_until("test/a/participants/1001", "packets_lost_on_purpose");
}
END_TEST

START_TEST(a_base_condition_acts_from_the_start) {
  DaemonFixture f;
  f.run("object", R"("num_participants":1,"network_profile":{"loss_percent":100})");
  f.wait_until("test/object/participants/1001", "packets_lost_on_purpose");
  f.run("name", R"("num_participants":1,"network_profile":"high-latency")");
  f.wait_until("test/name/participants/1001", "packets_sent");
  f.wait_until("test/name", "\"running\"");
  refused(f.create("x", R"("network_profile":"no-such")"), 400, "network_profile");
  refused(f.create("x", R"("network_profile":{"queue_ms":-2})"), 400, "network_profile.queue_ms");
  refused(f.create("x", R"("replay_log":"../lock")"), 400, "replay_log");
}
END_TEST

START_TEST(a_decision_log_is_repeated_and_never_overwritten_by_its_own_repetition) {
  DaemonFixture f;
  const fs::path log = f.folder / "state" / "again.decisions.jsonl";
  std::ofstream(log) << "{}\n";
  const Answer over_itself = f.create("again", R"("decision_log":true,"replay_log":"again.decisions.jsonl")");
  refused(over_itself, 400, "replay_log");
  ck_assert_uint_eq(fs::file_size(log), 3);
  ck_assert_uint_eq(f.create("faulty", R"("replay_log":"again.decisions.jsonl")").status, 201);
  const Answer faulty = f.post("test/faulty/start");
  refused(faulty, 400, "replay_log");
  ck_assert_msg(faulty.body.find("line 1: stream is missing") != std::string::npos, "%s", faulty.body.c_str());
  // A stranger's packet: none of ours has a line, so all pass, whatever the base condition.
  std::ofstream(log) << R"({"stream":"7/video","n":0,"fate":"lost","delay_us":0,"seq":0,"ssrc":0})";
  f.run("stranger", R"("replay_log":"again.decisions.jsonl","network_profile":{"loss_percent":100})");
  f.wait_until("test/stranger/participants/1001", R"("packets_sent")");
  f.wait_until("test/stranger", "\"running\"");
  ck_assert(f.get("test/stranger/participants/1001").body.find("packets_lost_on_purpose") == std::string::npos);
}
END_TEST

int main() {
  return run_daemon("daemon_spikes",
                    {a_decision_log_is_repeated_and_never_overwritten_by_its_own_repetition,
                     every_type_is_taken_while_a_test_runs_and_by_a_plan,
                     what_begins_while_a_participant_is_away_is_in_force_on_its_return,
                     a_base_condition_acts_from_the_start, bad_spikes_name_the_field,
                     a_spike_happens_is_listed_and_ends_by_itself, a_spike_can_be_cancelled_and_its_id_used_again,
                     a_reduction_says_which_rendition_it_gets, the_same_seed_gives_the_same_plan});
}
