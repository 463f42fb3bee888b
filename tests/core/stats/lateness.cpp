// Lateness in classes: what is counted where, and what is asked of it.
#include "core/stats/lateness.hpp"

#include "tests/check.hpp"

using namespace avc;
using stats::LateCounts;
using std::chrono::microseconds;

START_TEST(an_upper_end_belongs_to_its_class) {
  LateCounts counts;
  for (const std::int64_t us : {-5, 0, 100, 101, 1'000'000, 1'000'001}) counts.record(microseconds(us));
  ck_assert_uint_eq(counts.in_class[0], 3);
  ck_assert_uint_eq(counts.in_class[1], 1);
  ck_assert_uint_eq(counts.in_class[13], 1);
  ck_assert_uint_eq(counts.in_class[14], 1);
  ck_assert_uint_eq(counts.total(), 6);
}
END_TEST

START_TEST(quantiles_are_even_within_a_class) {
  LateCounts counts;
  ck_assert_double_eq(counts.quantile_ms(0.99), 0);
  for (int i = 0; i < 90; ++i) counts.record(microseconds(50));
  for (int i = 0; i < 10; ++i) counts.record(microseconds(15'000));  // in 10 to 20 ms
  ck_assert_double_eq_tol(counts.quantile_ms(0.45), 0.05, 1e-12);
  ck_assert_double_eq_tol(counts.quantile_ms(0.95), 15, 1e-9);
  ck_assert_double_eq_tol(counts.quantile_ms(1), 20, 1e-9);
  counts = {};
  counts.record(std::chrono::seconds(7));
  ck_assert_double_eq(counts.quantile_ms(0.5), 1000);  // or more
}
END_TEST

START_TEST(a_second_is_the_difference_of_two_readings) {
  LateCounts before, now;
  before.record(microseconds(1));
  now += before;
  now += before;
  now.record(microseconds(700));
  const LateCounts second = now.since(before);
  ck_assert_uint_eq(second.in_class[0], 1);
  ck_assert_uint_eq(second.in_class[3], 1);
  ck_assert(before.since(now) == before);  // another thread by that name: from the start
}
END_TEST

AVC_TESTS("lateness", an_upper_end_belongs_to_its_class, quantiles_are_even_within_a_class,
          a_second_is_the_difference_of_two_readings)
