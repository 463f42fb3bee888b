// Links that go on and off: the times they stay so, and that any moment can be asked for.
#include "core/net/on_off.hpp"

#include "core/net/link.hpp"
#include "tests/check.hpp"
#include "tests/core/net/statistics.hpp"

using namespace avc;
using namespace avc::test;
using namespace std::chrono_literals;
using net::OnOff;

START_TEST(a_link_without_off_times_is_always_on) {
  OnOff never, always(Rng(1), 0, 10, false);
  ck_assert(!never.active() && !never.off({5s}));
  ck_assert(always.off({}) && always.off({5s}));
}
END_TEST

// On for 30, off for 20 ms: over any 50 ms in steps of 1 ms exactly 20 are off, in one piece round the cycle.
START_TEST(fixed_times_are_exact) {
  OnOff link(Rng(3), 30, 20, true);
  for (const auto from : {0s, 3600s, -7s}) {
    int off = 0, changes = 0;
    for (int ms = 0; ms < 50; ++ms) {
      off += link.off({from + ms * 1ms});
      changes += link.off({from + ms * 1ms}) != link.off({from + (ms + 1) * 1ms});
    }
    ck_assert_int_eq(off, 20);
    ck_assert_int_eq(changes, 2);
  }
  OnOff other(Rng(4), 30, 20, true);
  int alike = 0;
  for (int ms = 0; ms < 50; ++ms) alike += other.off({ms * 1ms}) == link.off({ms * 1ms});
  ck_assert_int_lt(alike, 50);
}
END_TEST

// On 60 ms and off 40 ms on average, asked each millisecond 2 * 10^6 times. The series is a two-state chain: it stays
// off with e^(-1/40) (and switching twice within a millisecond, which adds 1/40 * 1/60 / 2), and 40 % of it is off,
// with standard deviation sqrt(0.24 / 2e6 * 48) = 0.24 %. Its autocorrelation over k ms is e^(-k/24).
START_TEST(exponential_times_have_their_means_and_no_memory) {
  OnOff link(Rng(5), 60, 40, false);
  std::vector<bool> off;
  for (int ms = 0; ms < 2'000'000; ++ms) off.push_back(link.off({ms * 1ms}));
  ck_assert_double_eq_tol(mean(off), 0.4, 0.0096);
  const double a = std::exp(-1 / 24.0), stays = 0.4 + 0.6 * a;
  ck_assert(runs_are_geometric(off, true, stays, 200));
  ck_assert(runs_are_geometric(off, false, 0.6 + 0.4 * a, 200));
  for (const std::size_t k : {1U, 10U, 50U})
    ck_assert_double_eq_tol(autocorrelation(off, k), std::exp(-static_cast<double>(k) / 24), 0.03);
}
END_TEST

START_TEST(any_moment_can_be_asked_for) {
  OnOff forward(Rng(6), 50, 50, false), back(Rng(6), 50, 50, false);
  std::vector<bool> off;
  for (int i = 0; i < 40'000; ++i) off.push_back(forward.off({i * 7ms}));
  for (int i = 40'000; i-- > 0;) {
    if (i % 97 == 0) ck_assert(back.off({i * 7ms}) == off[static_cast<std::size_t>(i)]);
  }
}
END_TEST

START_TEST(a_link_loses_what_comes_while_it_is_off) {
  net::Link link{Rng(7)};
  link.set_base({.on_ms = 10, .off_ms = 10, .switch_times = net::SwitchTimes::fixed}, {});
  std::size_t lost = 0;
  for (int i = 0; i < 2000; ++i) {
    const auto verdict = link.admit({.n = static_cast<std::uint64_t>(i), .bytes = 100}, {i * 1ms});
    if (const auto *drop = std::get_if<net::Drop>(&verdict)) {
      ck_assert(drop->why == net::Drop::Why::loss);
      ++lost;
    }
  }
  ck_assert_uint_eq(lost, 1000);
}
END_TEST

AVC_TESTS("on_off", a_link_without_off_times_is_always_on, fixed_times_are_exact,
          exponential_times_have_their_means_and_no_memory, any_moment_can_be_asked_for,
          a_link_loses_what_comes_while_it_is_off)
