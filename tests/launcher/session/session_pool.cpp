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

std::string refused(SessionPool &pool, const std::string &id, std::uint32_t participants, const Load &each = {10}) {
  const auto refusal = pool.admit(id, participants, each);
  return refusal ? refusal->error.field : "admitted";
}

constexpr PacketCost kCost{.sender = 2e-6, .receiver = 1e-6, .measured = true};

avc::results::Sample late(double ms) {
  avc::results::Sample sample;
  sample.generator.second_late_p99_ms = ms;
  return sample;
}

}  // namespace

START_TEST(participants_of_all_tests_together_are_limited) {
  Quiet quiet;
  SessionPool pool({.max_participants = 10}, quiet);
  avc_assert_text(refused(pool, "a", 10), "admitted");
  avc_assert_text(refused(pool, "a", 11), "num_participants");
  pool.add(setup("a", 7));
  avc_assert_text(refused(pool, "b", 3), "admitted");
  avc_assert_text(refused(pool, "b", 4), "num_participants");
  ck_assert_uint_eq(pool.rejected(), 2);
}
END_TEST

START_TEST(a_test_gets_as_many_contexts_as_it_needs_and_those_with_the_least_to_do) {
  Quiet quiet;
  SessionPool pool({.max_participants = 100000, .capacity = Capacity(kCost, 4, 4)}, quiet);
  using Contexts = std::vector<unsigned>;
  const double one = 0.6 / kCost.sender;  // packets a second
  ck_assert((pool.least_used_contexts(1, 4) == Contexts{0}));
  ck_assert((pool.least_used_contexts(one * 0.99, 4) == Contexts{0}));
  ck_assert((pool.least_used_contexts(one * 1.01, 4) == Contexts{0, 1}));
  ck_assert((pool.least_used_contexts(one * 100, 3) == Contexts{0, 1, 2}));
  auto first = setup("a", 10);
  first.contexts = {0, 1};
  pool.add(std::move(first));
  ck_assert((pool.least_used_contexts(1, 4) == Contexts{2}));
  ck_assert((pool.least_used_contexts(1, 2) == Contexts{0}));
  auto second = setup("b", 3);
  second.contexts = {2};
  pool.add(std::move(second));
  ck_assert((pool.least_used_contexts(one * 100, 4) == Contexts{3, 2, 0, 1}));
}
END_TEST

START_TEST(a_machine_carries_so_many_packets_and_no_more) {
  Quiet quiet;
  SessionPool pool({.max_participants = 100000, .capacity = Capacity(kCost, 1, 1)}, quiet);
  const double most = Capacity::kShare / kCost.sender;
  avc_assert_text(refused(pool, "a", 100, {most / 100 - 1}), "admitted");
  avc_assert_text(refused(pool, "a", 100, {most / 100 + 1}), "num_participants");
  const auto added = setup("a", 10);
  const double taken = 10 * packets_per_second(added.scenario);
  pool.add(setup("a", 10));
  avc_assert_text(refused(pool, "b", 1, {most - taken - 1}), "admitted");
  avc_assert_text(refused(pool, "b", 1, {most - taken + 1}), "num_participants");
}
END_TEST

START_TEST(room_is_what_threads_and_processors_leave) {
  const double share = Capacity::kShare;
  constexpr double kTolerance = 1e-3;
  // One processor for all; two of which senders use one; four, of which a receiver's thread is the narrow place.
  ck_assert_double_eq_tol(Capacity(kCost, 1, 4).room(true), share / 3e-6, kTolerance);
  ck_assert_double_eq_tol(Capacity(kCost, 2, 1).room(false), share / 2e-6, kTolerance);
  ck_assert_double_eq_tol(Capacity(kCost, 8, 4).room(true), share / 1e-6, kTolerance);
  ck_assert_double_eq_tol(Capacity(kCost, 8, 4).room(false), 4 * share / 2e-6, kTolerance);
  Capacity busy(kCost, 2, 2);
  busy.add({.packets_per_second = 2 * share / 3e-6, .received = true});
  ck_assert_double_eq_tol(busy.room(true), 0, kTolerance);
  busy.add({.packets_per_second = 1e9});
  ck_assert_double_eq(busy.room(false), 0);  // never less
}
END_TEST

START_TEST(a_generator_that_is_late_takes_nothing_until_it_has_been_on_time) {
  Quiet quiet;
  avc::Instant now{};
  SessionPool pool({.circuit = {.late_ms = 100, .seconds = 3}, .now = [&] { return now; }}, quiet);
  const auto seconds = [&](int count, double ms) {
    for (int i = 0; i < count; ++i) {
      now = now + std::chrono::seconds(1);
      pool.sampled(late(ms));
    }
  };
  seconds(2, 500);
  avc_assert_text(refused(pool, "a", 1), "admitted");
  seconds(1, 500);
  const auto refusal = pool.admit("a", 1, {10});
  ck_assert(refusal && refusal->why == Refusal::Why::late && refusal->retry_after == std::chrono::seconds(10));
  ck_assert_uint_eq(pool.rejected(), 1);
  now = now + std::chrono::seconds(10);
  ck_assert(pool.circuit() == Circuit::State::half_open);
  avc_assert_text(refused(pool, "a", 1), "admitted");
  pool.add(setup("a", 1));  // on trial
  ck_assert(pool.admit("b", 1, {10})->why == Refusal::Why::late);
  seconds(5, 1);
  ck_assert(pool.circuit() == Circuit::State::closed);
  avc_assert_text(refused(pool, "b", 1), "admitted");
}
END_TEST

START_TEST(a_test_that_is_over_takes_no_room_but_keeps_its_id) {
  Quiet quiet;
  SessionPool pool({.max_participants = 10}, quiet);
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

AVC_TESTS("session_pool", participants_of_all_tests_together_are_limited,
          a_test_gets_as_many_contexts_as_it_needs_and_those_with_the_least_to_do,
          a_machine_carries_so_many_packets_and_no_more, room_is_what_threads_and_processors_leave, a_generator_that_is_late_takes_nothing_until_it_has_been_on_time,
          a_test_that_is_over_takes_no_room_but_keeps_its_id, what_is_not_running_takes_no_spike_and_no_second_end,
          a_spike_cancelled_before_the_start_is_in_no_plan, packets_per_second_follow_bitrate_and_frame_rate)
