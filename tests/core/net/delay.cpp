#include "core/net/delay.hpp"

#include <limits>

#include "tests/check.hpp"

using namespace avc;
using namespace std::chrono_literals;
using net::DelayDistribution, net::Impairment;

namespace {

Nanos at_uniform(const Impairment &settings, double u) {
  const double uniforms[] = {u};
  return net::delay_of(settings, Draws(uniforms));
}

}  // namespace

START_TEST(fixed_delay_is_exact_and_draws_nothing) {
  ck_assert(at_uniform({.delay_ms = 12.5}, 0.999) == 12500us);
  ck_assert(at_uniform({.delay_ms = 0.0000014}, 0.5) == 1ns);
}
END_TEST

START_TEST(uniform_jitter_spreads_over_its_half_width) {
  const Impairment settings{.delay_ms = 50, .jitter_ms = 30, .delay_distribution = DelayDistribution::uniform};
  ck_assert(at_uniform(settings, 0) == 20ms);
  ck_assert(at_uniform(settings, 0.5) == 50ms);
  ck_assert(at_uniform(settings, 0.75) == 65ms);
}
END_TEST

// The 97.5 % quantile of the normal distribution is 1.959963984540054.
START_TEST(normal_jitter_is_a_standard_deviation) {
  const Impairment settings{.delay_ms = 100, .jitter_ms = 10};
  ck_assert(at_uniform(settings, 0.5) == 100ms);
  ck_assert_int_eq(at_uniform(settings, 0.975).count(), 119'599'640);
}
END_TEST

START_TEST(delay_is_never_negative_nor_endless) {
  ck_assert(at_uniform({.delay_ms = 10, .jitter_ms = 100}, 0.01) == 0ns);
  ck_assert(at_uniform({.delay_ms = -5}, 0.5) == 0ns);
  ck_assert(at_uniform({.delay_ms = 1e300}, 0.5) == 1h);
  ck_assert(at_uniform({.delay_ms = std::numeric_limits<double>::quiet_NaN()}, 0.5) == 0ns);
}
END_TEST

// n = 1e5, normal(50 ms, 10 ms): four sigma of the mean 4*10/316 = 0.127 ms; of the deviation 4*10/447 = 0.09 ms.
START_TEST(drawn_delays_have_the_mean_and_deviation_asked_for) {
  net::Delay delay{Rng(42)};
  const Impairment settings{.delay_ms = 50, .jitter_ms = 10};
  double sum = 0, squares = 0;
  const int n = 100'000;
  for (int i = 0; i < n; ++i) {
    const double ms = to_ms(delay.draw(settings, {.n = static_cast<std::uint64_t>(i)}));
    sum += ms;
    squares += ms * ms;
  }
  const double mean = sum / n;
  ck_assert_double_eq_tol(mean, 50, 0.127);
  ck_assert_double_eq_tol(std::sqrt(squares / n - mean * mean), 10, 0.09);
}
END_TEST

// docs/model.md: 100*Phi(0.5) + 200*phi(0.5) = 139.56 ms. The clipped draw's deviation is 148.8 ms, n = 1e5:
// four sigma 1.88 ms.
START_TEST(clipping_raises_the_mean_as_documented) {
  net::Delay delay{Rng(3)};
  double sum = 0;
  for (std::uint64_t n = 0; n < 100'000; ++n) sum += to_ms(delay.draw({.delay_ms = 100, .jitter_ms = 200}, {.n = n}));
  ck_assert_double_eq_tol(sum / 1e5, 139.56, 1.88);
}
END_TEST

// Kolmogorov-Smirnov against the uniform distribution on 20..80 ms: n = 1e5, D below 2.2/sqrt(n) = 0.00696, which
// chance exceeds in 1 of 8000 seeds (two-sided, about four sigma).
START_TEST(uniform_delays_follow_their_distribution_function) {
  net::Delay delay{Rng(7)};
  const Impairment settings{.delay_ms = 50, .jitter_ms = 30, .delay_distribution = DelayDistribution::uniform};
  std::vector<double> drawn;
  for (std::uint64_t i = 0; i < 100'000; ++i) drawn.push_back(to_ms(delay.draw(settings, {.n = i})));
  std::sort(drawn.begin(), drawn.end());
  double d = 0;
  for (std::size_t i = 0; i < drawn.size(); ++i) {
    const double expected = (drawn[i] - 20) / 60, seen = static_cast<double>(i) / 1e5;
    d = std::max({d, std::fabs(expected - seen), std::fabs(expected - seen - 1e-5)});
  }
  ck_assert_double_lt(d, 0.00696);
}
END_TEST

AVC_TESTS("delay", fixed_delay_is_exact_and_draws_nothing, uniform_jitter_spreads_over_its_half_width,
          normal_jitter_is_a_standard_deviation, delay_is_never_negative_nor_endless,
          drawn_delays_have_the_mean_and_deviation_asked_for, clipping_raises_the_mean_as_documented,
          uniform_delays_follow_their_distribution_function)
