#include "core/rate/overuse_detector.hpp"

#include "tests/check.hpp"

using namespace avc;
using namespace std::chrono_literals;
using rate::OveruseDetector, rate::Usage;

START_TEST(overuse_takes_two_groups_and_10_ms_that_do_not_fall) {
  OveruseDetector detector;
  detector.update(0, {0ms});
  ck_assert(detector.update(20, {6ms}) == Usage::normal);   // one group, 6 ms
  ck_assert(detector.update(19, {12ms}) == Usage::normal);  // two groups, 12 ms, but falling
  ck_assert(detector.update(20, {18ms}) == Usage::over);
  ck_assert(detector.update(20, {24ms}) == Usage::over);
  ck_assert(detector.update(5, {30ms}) == Usage::normal);
  ck_assert(detector.update(-20, {36ms}) == Usage::under);
  ck_assert(detector.update(20, {42ms}) == Usage::normal);  // counts anew
}
END_TEST

// K_u 0.01 per ms: a time constant of 100 ms. K_d 0.00018: 5.6 s.
START_TEST(the_threshold_follows_fast_up_and_slowly_down) {
  OveruseDetector detector;
  for (int ms = 0; ms <= 1000; ms += 10) detector.update(20, {ms * 1ms});
  ck_assert_double_eq_tol(detector.threshold_ms(), 20, 0.01);
  for (int ms = 1010; ms <= 2000; ms += 10) detector.update(0, {ms * 1ms});
  ck_assert_double_eq_tol(detector.threshold_ms(), 20 * std::exp(-0.18), 0.1);
  for (int ms = 2010; ms <= 30000; ms += 10) detector.update(0, {ms * 1ms});
  ck_assert_double_eq(detector.threshold_ms(), 6);
}
END_TEST

START_TEST(exceptions_do_not_move_the_threshold) {
  OveruseDetector detector;
  for (int ms = 0; ms <= 1000; ms += 10) detector.update(28, {ms * 1ms});  // 15.5 above
  ck_assert_double_eq(detector.threshold_ms(), 12.5);
}
END_TEST

START_TEST(a_restart_keeps_the_threshold) {
  OveruseDetector detector;
  for (int ms = 0; ms <= 1000; ms += 10) detector.update(20, {ms * 1ms});
  ck_assert(detector.update(30, {1010ms}) == Usage::over);
  detector.restart();
  ck_assert(detector.usage() == Usage::normal);
  ck_assert_double_gt(detector.threshold_ms(), 19);
}
END_TEST

AVC_TESTS("overuse detector", overuse_takes_two_groups_and_10_ms_that_do_not_fall,
          the_threshold_follows_fast_up_and_slowly_down, exceptions_do_not_move_the_threshold,
          a_restart_keeps_the_threshold)
