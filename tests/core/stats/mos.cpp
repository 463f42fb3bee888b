#include "core/stats/mos.hpp"

#include "tests/check.hpp"

using namespace avc;
using namespace avc::stats;

namespace {
void near(double value, double expected, double within = 0.01) {
  ck_assert_msg(std::abs(value - expected) <= within, "%f, not %f", value, expected);
}
}  // namespace

START_TEST(a_clean_path_gives_the_best_score_of_the_scale) {
  near(r_factor({}), 93.2);
  near(mos({}), 4.409, 0.001);
}
END_TEST

START_TEST(random_loss_costs_what_the_formula_says) {
  // Ie,eff = 95 * Ppl / (Ppl + 10)
  near(r_factor({.loss_percent = 1}), 93.2 - 95.0 / 11);
  near(r_factor({.loss_percent = 10}), 93.2 - 47.5);
  near(mos({.loss_percent = 10}), 1 + 0.035 * 45.7 + 7e-6 * 45.7 * (45.7 - 60) * (100 - 45.7), 1e-9);
}
END_TEST

START_TEST(the_same_loss_in_bursts_costs_more) {
  // Ie,eff = 95 * 10 / (10 / 2 + 10) = 63.33
  near(r_factor({.loss_percent = 10, .burst_ratio = 2}), 93.2 - 63.333);
  ck_assert(mos({.loss_percent = 3, .burst_ratio = 4}) < mos({.loss_percent = 3}));
}
END_TEST

START_TEST(total_loss_is_the_worst_whatever_the_burst_ratio_computes_to) {
  // Mean run * (1 - p) is 0 when everything is lost; taken literally that would cancel the loss.
  ck_assert(mos({.loss_percent = 100, .burst_ratio = 0}) < 1.1);
  ck_assert(mos({.loss_percent = 100, .burst_ratio = 500}) == 1.0);
}
END_TEST

START_TEST(delay_costs_nothing_up_to_100_ms_and_what_g107_says_beyond) {
  near(delay_impairment(0), 0);
  near(delay_impairment(100), 0);
  // X = 1: 25 * (2^(1/6) - 3 * (1 + 3^-6)^(1/6) + 2)
  near(delay_impairment(200), 25 * (1.122462 - 3 * 1.000228 + 2), 0.01);
  near(delay_impairment(400), 24.1, 0.5);  // X = 2: close to the 24 points of the figures of G.107
  ck_assert(delay_impairment(400) > delay_impairment(300));
}
END_TEST

START_TEST(jitter_counts_as_the_buffer_it_needs) {
  near(r_factor({.jitter_ms = 100}), 93.2 - delay_impairment(226.5));
  near(r_factor({.jitter_ms = 10}), 93.2);
}
END_TEST

START_TEST(the_score_never_leaves_its_scale) {
  for (double r = -10; r <= 110; r += 0.5) {
    ck_assert(mos_from_r(r) >= 1.0);
    ck_assert(mos_from_r(r) <= 4.5);
  }
  ck_assert(mos({.loss_percent = 1e9, .burst_ratio = 1, .jitter_ms = 1e9, .delay_ms = 1e9}) == 1.0);
}
END_TEST

AVC_TESTS("mos", a_clean_path_gives_the_best_score_of_the_scale, random_loss_costs_what_the_formula_says,
          the_same_loss_in_bursts_costs_more, total_loss_is_the_worst_whatever_the_burst_ratio_computes_to,
          delay_costs_nothing_up_to_100_ms_and_what_g107_says_beyond, jitter_counts_as_the_buffer_it_needs,
          the_score_never_leaves_its_scale)
