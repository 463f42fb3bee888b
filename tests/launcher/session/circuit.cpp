// The circuit that keeps new tests away from a generator that is late; every moment is the test's own.
#include "launcher/session/circuit.hpp"

#include "tests/check.hpp"

using namespace avc;
using namespace avc::session;
using std::chrono::seconds;
using State = Circuit::State;

namespace {

constexpr double kLate = 150, kFine = 2;

struct Bench {
  Circuit circuit{Circuit::Limits{
      .late_ms = 100, .seconds = 3, .wait = seconds(10), .longest_wait = seconds(30), .trial = seconds(5)}};
  Instant now{};

  void run(int count, double ms) {
    for (int i = 0; i < count; ++i) {
      now = now + seconds(1);
      circuit.second(ms, now);
    }
  }
  void wait(Nanos span) { now = now + span; }
  State state() const { return circuit.state(now); }
  Nanos retry_after() const { return circuit.retry_after(now); }
};

}  // namespace

START_TEST(hiccups_do_not_open_it) {
  Bench bench;
  for (int i = 0; i < 100; ++i) {
    bench.run(2, kLate);
    bench.run(1, kFine);
  }
  bench.run(100, 100);  // at the limit is not above it
  ck_assert(bench.state() == State::closed && bench.circuit.takes(bench.now));
}
END_TEST

START_TEST(late_seconds_in_a_row_open_it_and_each_more_begins_the_wait_anew) {
  Bench bench;
  bench.run(3, kLate);
  ck_assert(bench.state() == State::open && bench.retry_after() == seconds(10));
  bench.wait(seconds(4));
  ck_assert(bench.retry_after() == seconds(6));
  bench.run(1, kLate);
  ck_assert(bench.retry_after() == seconds(10));
  bench.wait(seconds(10) - Nanos(1));
  ck_assert(bench.state() == State::open);
  bench.wait(Nanos(1));
  ck_assert(bench.state() == State::half_open && bench.circuit.takes(bench.now));
}
END_TEST

START_TEST(half_open_takes_one_and_closes_when_that_kept_time) {
  Bench bench;
  bench.run(3, kLate);
  bench.wait(seconds(10));
  bench.circuit.taken(bench.now);
  ck_assert(!bench.circuit.takes(bench.now) && bench.retry_after() == seconds(5));
  bench.run(4, kFine);
  ck_assert(bench.state() == State::half_open);
  bench.run(1, kFine);
  ck_assert(bench.state() == State::closed);
  bench.run(2, kLate);  // all over again: one hiccup is none
  ck_assert(bench.state() == State::closed);
}
END_TEST

START_TEST(a_test_that_was_there_before_shows_health_too) {
  Bench bench;
  bench.run(3, kLate);
  bench.run(9, kFine);
  ck_assert(bench.state() == State::open);
  bench.run(1 + 4, kFine);
  ck_assert(bench.state() == State::half_open);
  bench.run(1, kFine);
  ck_assert(bench.state() == State::closed);
}
END_TEST

START_TEST(a_failed_trial_doubles_the_wait_up_to_the_longest) {
  Bench bench;
  bench.run(3, kLate);
  for (const int wanted : {20, 30, 30}) {
    bench.wait(bench.retry_after());
    bench.circuit.taken(bench.now);
    bench.run(1, kLate);
    ck_assert(bench.state() == State::open && bench.retry_after() == seconds(wanted));
  }
  bench.wait(seconds(30));
  bench.run(1 + 5, kFine);
  ck_assert(bench.state() == State::closed);
  bench.run(3, kLate);
  ck_assert(bench.retry_after() == seconds(10));  // forgotten
}
END_TEST

START_TEST(a_trial_that_never_runs_keeps_nobody_out) {
  Bench bench;
  bench.run(3, kLate);
  bench.wait(seconds(10));
  bench.circuit.taken(bench.now);
  bench.wait(seconds(5));
  ck_assert(bench.state() == State::half_open && bench.circuit.takes(bench.now));
}
END_TEST

AVC_TESTS("circuit", hiccups_do_not_open_it, late_seconds_in_a_row_open_it_and_each_more_begins_the_wait_anew,
          half_open_takes_one_and_closes_when_that_kept_time, a_test_that_was_there_before_shows_health_too,
          a_failed_trial_doubles_the_wait_up_to_the_longest, a_trial_that_never_runs_keeps_nobody_out)
