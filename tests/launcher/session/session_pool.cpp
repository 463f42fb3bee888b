// How many tests and participants there may be, and the states of a test that has no pipeline yet.
#include "launcher/session/session_pool.hpp"

#include "tests/check.hpp"

using namespace avc::session;
using avc::participant::TestState;

namespace {

struct Quiet : SessionObserver {
  void state_changed(TestSession &session) override { states.push_back(session.state()); }
  void spike_changed(TestSession &, const SpikeEntry &, double) override {}
  void sampled(TestSession &, const avc::results::Sample &) override {}

  std::vector<TestState> states;
};

SessionSetup setup(std::string id, std::uint32_t participants) {
  SessionSetup made;
  made.test_id = std::move(id);
  made.scenario.num_participants = participants;
  for (std::uint32_t i = 0; i < participants; ++i) made.participants.push_back(1001 + i);
  return made;
}

std::string refused(SessionPool &pool, const std::string &id, std::uint32_t participants, double pps = 10) {
  const auto admitted = pool.admit(id, participants, pps);
  return admitted ? "admitted" : admitted.error().field;
}

}  // namespace

START_TEST(participants_of_all_tests_together_are_limited) {
  Quiet quiet;
  SessionPool pool({.max_participants = 10, .cores = 100}, quiet);
  avc_assert_text(refused(pool, "a", 10), "admitted");
  avc_assert_text(refused(pool, "a", 11), "num_participants");
  pool.add(setup("a", 7));
  avc_assert_text(refused(pool, "b", 3), "admitted");
  avc_assert_text(refused(pool, "b", 4), "num_participants");
  ck_assert_uint_eq(pool.rejected(), 2);
}
END_TEST

START_TEST(a_machine_carries_so_many_packets_and_no_more) {
  Quiet quiet;
  SessionPool pool({.max_participants = 100000, .cores = 1}, quiet);
  const double most = SessionPool::kShare / SessionPool::kSecondsPerPacket;
  avc_assert_text(refused(pool, "a", 100, most / 100 - 1), "admitted");
  avc_assert_text(refused(pool, "a", 100, most / 100 + 1), "num_participants");
  const auto added = setup("a", 10);
  const double taken = 10 * packets_per_second(added.scenario);
  pool.add(setup("a", 10));
  avc_assert_text(refused(pool, "b", 1, most - taken - 1), "admitted");
  avc_assert_text(refused(pool, "b", 1, most - taken + 1), "num_participants");
}
END_TEST

START_TEST(a_test_that_is_over_takes_no_room_but_keeps_its_id) {
  Quiet quiet;
  SessionPool pool({.max_participants = 10, .cores = 100}, quiet);
  TestSession &first = pool.add(setup("a", 10));
  ck_assert(bool(first.stop(avc::results::EndReason::stopped, "")));
  ck_assert(first.state() == TestState::stopped);
  ck_assert_uint_eq(pool.participants(), 0);
  avc_assert_text(refused(pool, "a", 1), "test_id");
  avc_assert_text(refused(pool, "b", 10), "admitted");
  pool.forget("a");
  avc_assert_text(refused(pool, "a", 10), "admitted");
}
END_TEST

START_TEST(what_is_not_running_takes_no_spike_and_no_second_end) {
  Quiet quiet;
  SessionPool pool({}, quiet);
  TestSession &session = pool.add(setup("a", 1));
  avc_assert_text(session.inject({}).error().field, "state");
  ck_assert(bool(session.stop(avc::results::EndReason::stopped, "")));
  avc_assert_text(session.stop(avc::results::EndReason::stopped, "").error().field, "state");
  std::string field;
  session.start([&](avc::Result<bool> outcome) { field = outcome.error().field; });
  avc_assert_text(field, "state");
  ck_assert(quiet.states == std::vector<TestState>{TestState::stopped});
}
END_TEST

START_TEST(a_spike_cancelled_before_the_start_is_in_no_plan) {
  Quiet quiet;
  SessionPool pool({}, quiet);
  SessionSetup made = setup("a", 1);
  made.plan.spikes.push_back({});
  made.plan.spikes.back().spike.id = "s";
  TestSession &session = pool.add(std::move(made));
  ck_assert(bool(session.cancel("s")));
  ck_assert(session.setup().plan.spikes.empty());
  avc_assert_text(session.cancel("s").error().field, "state");
  avc_assert_text(session.cancel("t").error().field, "spike_id");
}
END_TEST

START_TEST(packets_per_second_follow_bitrate_and_frame_rate) {
  avc::scenario::Scenario scenario;  // 2500 kbit/s at 30 fps: 10417 bytes a frame are 10 packets
  ck_assert_double_eq(packets_per_second(scenario), 350);
  scenario.video.bitrate_kbps = 200;
  scenario.video.fps = 10;
  ck_assert_double_eq(packets_per_second(scenario), 80);
}
END_TEST

AVC_TESTS("session_pool", participants_of_all_tests_together_are_limited, a_machine_carries_so_many_packets_and_no_more,
          a_test_that_is_over_takes_no_room_but_keeps_its_id, what_is_not_running_takes_no_spike_and_no_second_end,
          a_spike_cancelled_before_the_start_is_in_no_plan, packets_per_second_follow_bitrate_and_frame_rate)
