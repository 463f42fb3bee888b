#include "core/rate/rate_control.hpp"

#include "tests/check.hpp"

using namespace avc;
using namespace std::chrono_literals;
using rate::RateControl, rate::Usage;

namespace {

constexpr RateControl::Settings kSettings{1000, 50, 50'000, 1.5};

// Ten updates a second for so many seconds; what arrives follows the estimate, to a limit.
void go(RateControl &control, int &tenths, int seconds, double carried = 1e9, Usage usage = Usage::normal) {
  for (const int end = tenths + 10 * seconds; tenths < end; ++tenths) {
    control.update({usage, std::min(control.kbps(), carried), 200ms, 1000, {tenths * 100ms}});
  }
}

RateControl past_the_start() {
  RateControl control(kSettings);
  control.leave_start();
  return control;
}

}  // namespace

START_TEST(it_grows_by_8_percent_a_second) {
  RateControl control = past_the_start();
  int tenths = 0;
  go(control, tenths, 10);
  ck_assert_double_eq_tol(control.kbps(), 1000 * std::pow(1.08, 9.9), 1);
}
END_TEST

START_TEST(it_grows_faster_until_the_first_decrease) {
  RateControl control(kSettings);
  int tenths = 0;
  go(control, tenths, 4);
  ck_assert_double_eq_tol(control.kbps(), 1000 * std::pow(1.5, 3.9), 1);
  ck_assert(control.update({Usage::over, 4000, 200ms, 1000, {tenths * 100ms}}));
  go(control, ++tenths, 1, 2000);
  const double before = control.kbps();
  go(control, tenths, 1, 2500);
  ck_assert_double_lt(control.kbps(), 1.09 * before);
}
END_TEST

START_TEST(it_falls_to_85_percent_of_what_arrives) {
  RateControl control(kSettings);
  ck_assert(control.update({Usage::over, 800, 200ms, 1000, {0ms}}));
  ck_assert_double_eq(control.kbps(), 0.85 * 800);
  ck_assert(!control.update({Usage::over, 900, 200ms, 1000, {0ms}}));  // and not up
  ck_assert_double_eq(control.kbps(), 0.85 * 800);
}
END_TEST

// Half a packet of 1000 bytes each response time of 200 ms: 20 kbit/s a second.
START_TEST(near_where_it_fell_it_grows_by_half_a_packet_a_response_time) {
  RateControl control = past_the_start();
  control.update({Usage::over, 1100, 200ms, 1000, {0ms}});
  control.update({Usage::normal, 1100, 200ms, 1000, {100ms}});  // holds first
  const double before = control.kbps();
  for (int tenths = 2; tenths < 12; ++tenths) control.update({Usage::normal, 1080, 200ms, 1000, {tenths * 100ms}});
  ck_assert_double_eq_tol(control.kbps() - before, 20, 0.1);
  const double near = control.kbps();
  control.update({Usage::normal, 1300, 200ms, 1000, {1200ms}});  // the path carries more than it did
  ck_assert_double_eq_tol(control.kbps(), near * std::pow(1.08, 0.1), 0.1);
}
END_TEST

START_TEST(it_does_not_grow_beyond_the_ceiling_and_takes_nothing_back) {
  RateControl control(kSettings);
  int tenths = 0;
  go(control, tenths, 20, 800);
  ck_assert_double_eq(control.kbps(), 1200);
  go(control, tenths, 20, 300);
  ck_assert_double_eq(control.kbps(), 1200);
}
END_TEST

START_TEST(queues_that_drain_hold_it) {
  RateControl control(kSettings);
  int tenths = 0;
  go(control, tenths, 5, 1e9, Usage::under);
  ck_assert_double_eq(control.kbps(), 1000);
}
END_TEST

START_TEST(it_stays_within_its_bounds) {
  RateControl control({1000, 600, 1500, 1.5});
  int tenths = 0;
  go(control, tenths, 30);
  ck_assert_double_eq(control.kbps(), 1500);
  control.update({Usage::over, 100, 200ms, 1000, {tenths * 100ms}});
  ck_assert_double_eq(control.kbps(), 600);
}
END_TEST

AVC_TESTS("rate control", it_grows_by_8_percent_a_second, it_grows_faster_until_the_first_decrease,
          it_falls_to_85_percent_of_what_arrives, near_where_it_fell_it_grows_by_half_a_packet_a_response_time,
          it_does_not_grow_beyond_the_ceiling_and_takes_nothing_back, queues_that_drain_hold_it,
          it_stays_within_its_bounds)
