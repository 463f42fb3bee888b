#include "core/stats/histogram.hpp"

#include "core/random.hpp"
#include "tests/check.hpp"

using namespace avc;
using stats::Histogram;

START_TEST(small_values_are_exact) {
  Histogram h;
  for (int value : {3, 1, 2, 2, 31}) h.record(value);
  ck_assert_uint_eq(h.count(), 5);
  ck_assert_int_eq(h.min(), 1);
  ck_assert_int_eq(h.max(), 31);
  ck_assert_int_eq(h.quantile(0), 1);
  ck_assert_int_eq(h.quantile(0.5), 2);
  ck_assert_int_eq(h.quantile(1), 31);
  ck_assert(h.mean() == 39.0 / 5);
}
END_TEST

START_TEST(buckets_meet_without_gap_or_overlap) {
  for (std::size_t bucket = 0; bucket < 58 * 32; ++bucket) {
    const std::int64_t low = Histogram::lowest_in(bucket);
    ck_assert_uint_eq(Histogram::bucket_of(low), bucket);
    ck_assert_uint_eq(Histogram::bucket_of(Histogram::lowest_in(bucket + 1) - 1), bucket);
  }
}
END_TEST

START_TEST(quantiles_stay_within_the_stated_error) {
  // 10 000 values spread over nine decades, against the same values sorted.
  Histogram h;
  std::vector<std::int64_t> all;
  for (std::uint64_t n = 0; n < 10000; ++n) {
    const auto value = static_cast<std::int64_t>(std::pow(10.0, Rng(7).at(n).uniform(0, 9)));
    h.record(value);
    all.push_back(value);
  }
  std::sort(all.begin(), all.end());
  for (double share : {0.001, 0.01, 0.25, 0.5, 0.9, 0.99, 0.999, 1.0}) {
    const auto exact = static_cast<double>(all[static_cast<std::size_t>(std::ceil(share * 10000)) - 1]);
    ck_assert(std::abs(static_cast<double>(h.quantile(share)) - exact) <= exact / 64 + 1);
  }
}
END_TEST

START_TEST(merging_equals_recording_everything_in_one) {
  Histogram a, b, both;
  for (std::uint64_t n = 0; n < 1000; ++n) {
    const auto value = static_cast<std::int64_t>(Rng(3).at(n).below(n < 500 ? 1000 : 1000000000));
    (n < 500 ? a : b).record(value);
    both.record(value);
  }
  a.merge(b);
  a.merge(Histogram());
  for (std::size_t bucket = 0; bucket < 58 * 32; ++bucket)
    ck_assert_uint_eq(a.count_in(bucket), both.count_in(bucket));
  ck_assert_uint_eq(a.count(), both.count());
  ck_assert_int_eq(a.min(), both.min());
  ck_assert_int_eq(a.max(), both.max());
  ck_assert(a.sum() == both.sum());
}
END_TEST

START_TEST(negative_and_huge_values_have_a_place) {
  Histogram h;
  h.record(Nanos(-5));
  h.record(std::int64_t{1} << 62);
  ck_assert_int_eq(h.min(), 0);
  ck_assert_int_eq(h.max(), std::int64_t{1} << 62);
  ck_assert_uint_eq(h.count_at_most(0), 1);
  ck_assert_uint_eq(h.count_at_most(std::int64_t{1} << 62), 2);
}
END_TEST

START_TEST(an_empty_histogram_answers_nought) {
  const Histogram h;
  ck_assert_int_eq(h.quantile(0.99), 0);
  ck_assert_int_eq(h.max(), 0);
  ck_assert(h.mean() == 0);
}
END_TEST

AVC_TESTS("histogram", small_values_are_exact, buckets_meet_without_gap_or_overlap,
          quantiles_stay_within_the_stated_error, merging_equals_recording_everything_in_one,
          negative_and_huge_values_have_a_place, an_empty_histogram_answers_nought)
