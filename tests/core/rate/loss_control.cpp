#include "core/rate/loss_control.hpp"

#include "tests/check.hpp"

using namespace avc;
using namespace std::chrono_literals;
using rate::LossControl;

START_TEST(more_than_10_percent_lowers_it_by_half_the_share_lost) {
  LossControl control;
  control.update(0, 0, 1000, {0ms});
  ck_assert(control.update(20, 100, 1000, {500ms}));
  ck_assert_double_eq(*control.limit_kbps(), 900);
  ck_assert_double_eq(*control.percent(), 20);
}
END_TEST

START_TEST(less_than_2_percent_raises_it_between_it_stays) {
  LossControl control;
  control.update(0, 0, 1000, {0ms});
  control.update(20, 100, 1000, {500ms});
  ck_assert(!control.update(10, 100, 900, {1000ms}));
  ck_assert_double_eq(*control.limit_kbps(), 900);
  ck_assert(!control.update(2, 100, 900, {1500ms}));
  ck_assert_double_eq(*control.limit_kbps(), 900);
  ck_assert(!control.update(1, 100, 900, {2000ms}));
  ck_assert_double_eq_tol(*control.limit_kbps(), 1.05 * 901, 1e-9);
}
END_TEST

START_TEST(without_losses_there_is_no_limit) {
  LossControl control;
  for (int i = 0; i < 20; ++i) control.update(5, 100, 1000, {i * 500ms});
  ck_assert(!control.limit_kbps());
}
END_TEST

START_TEST(small_reports_are_added_up) {
  LossControl control;
  ck_assert(!control.update(3, 10, 1000, {0ms}));
  for (int i = 1; i < 5; ++i) ck_assert(!control.update(3, 10, 1000, {i * 100ms}));  // 50 packets, 400 ms
  ck_assert(control.update(3, 10, 1000, {500ms}));
  ck_assert(!control.update(9, 10, 1000, {2000ms}));  // 10 packets, 1.5 s
}
END_TEST

AVC_TESTS("loss control", more_than_10_percent_lowers_it_by_half_the_share_lost,
          less_than_2_percent_raises_it_between_it_stays, without_losses_there_is_no_limit, small_reports_are_added_up)
