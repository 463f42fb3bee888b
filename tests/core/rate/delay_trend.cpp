#include "core/rate/delay_trend.hpp"

#include "tests/check.hpp"

using namespace avc;
using namespace std::chrono_literals;
using rate::DelayTrend;

namespace {

// Groups every 20 ms whose delay at each time is as said; the trend after the last.
double trend(DelayTrend &filter, int from, int to, const std::function<double(int)> &delay_ms) {
  double m = 0;
  for (int i = from; i < to; ++i) m = filter.add(from_ms(delay_ms(i) - delay_ms(i - 1)), Instant{i * 20ms});
  return m;
}

// 100 ms at once each second, drained within half a second: what keyframes do.
double keyframes(int i) { return std::max(0.0, 100.0 - 4 * (i % 50)); }

}  // namespace

// Sending 10 % too fast: 2 ms more each group. Slope 0.1, times 60 groups, times 4.
START_TEST(a_steady_overload_is_its_slope) {
  DelayTrend filter(0ms);
  ck_assert_double_eq_tol(trend(filter, 1, 400, [](int i) { return 2.0 * i; }), 0.1 * 60 * 4, 0.1);
  ck_assert_double_eq_tol(trend(filter, 400, 900, [](int i) { return 800 - 1.0 * i; }), -0.05 * 60 * 4, 0.1);
}
END_TEST

START_TEST(nothing_is_said_before_there_are_20_groups) {
  DelayTrend filter(0ms);
  ck_assert_double_eq(trend(filter, 1, 20, [](int i) { return 5.0 * i; }), 0);
  ck_assert_double_gt(trend(filter, 20, 21, [](int i) { return 5.0 * i; }), 0);
  filter.restart();
  ck_assert_double_eq(trend(filter, 21, 30, [](int i) { return 5.0 * i; }), 0);
}
END_TEST

START_TEST(bursts_are_a_trend_without_a_floor_and_none_with_it) {
  DelayTrend plain(0ms), floored(1s);
  double most = 0, most_floored = 0;
  for (int i = 100; i < 600; ++i) {
    most = std::max(most, trend(plain, i, i + 1, keyframes));
    most_floored = std::max(most_floored, trend(floored, i, i + 1, keyframes));
  }
  ck_assert_double_gt(most, 20);
  ck_assert_double_lt(most_floored, 1);
}
END_TEST

START_TEST(an_overload_beneath_bursts_shows_within_the_floors_period) {
  DelayTrend filter(1s);
  trend(filter, 1, 500, keyframes);
  const auto overloaded = [](int i) { return keyframes(i) + 2.0 * (i - 500); };
  ck_assert_double_gt(trend(filter, 500, 500 + 75, overloaded), 12.5);
}
END_TEST

AVC_TESTS("delay trend", a_steady_overload_is_its_slope, nothing_is_said_before_there_are_20_groups,
          bursts_are_a_trend_without_a_floor_and_none_with_it,
          an_overload_beneath_bursts_shows_within_the_floors_period)
