// The delay distributions and their correlation: exact quantiles from chosen uniforms, moments, correlation. Their
// distribution functions: delay_theory.cpp.
#include "core/net/delay.hpp"

#include "tests/check.hpp"
#include "tests/core/net/statistics.hpp"

using namespace avc;
using namespace avc::test;
using namespace std::chrono_literals;
using net::DelayDistribution, net::Impairment;

namespace {

constexpr std::size_t kMany = 1'000'000;

Impairment with(DelayDistribution kind, double delay, double jitter, double correlation = 0) {
  return {.delay_ms = delay, .jitter_ms = jitter, .delay_correlation = correlation, .delay_distribution = kind};
}

double at_uniform(const Impairment &settings, double u) {
  const double uniforms[] = {u};
  return to_ms(net::delay_of(settings, Draws(uniforms)));
}

std::vector<double> drawn(const Impairment &settings, std::uint64_t seed, std::size_t count = kMany) {
  net::Delay delay{Rng(seed)};
  std::vector<double> series;
  for (std::uint64_t n = 0; n < count; ++n) series.push_back(to_ms(delay.draw(settings, {.n = n})));
  return series;
}

const Impairment kCases[] = {
    with(DelayDistribution::uniform, 50, 30), with(DelayDistribution::normal, 50, 10),
    with(DelayDistribution::pareto, 50, 10),  with(DelayDistribution::paretonormal, 50, 10),
    with(DelayDistribution::gamma, 100, 50),  with(DelayDistribution::normal, 10, 20),
};

}  // namespace

// netem's table: z = (u^(-1/3) - 1.5)*4/3 with u from above, cut off at 4. At u = 1/8: (2-1.5)*4/3 = 2/3.
START_TEST(pareto_jitter_is_that_of_netems_table) {
  const auto settings = with(DelayDistribution::pareto, 100, 30);
  ck_assert_double_eq_tol(at_uniform(settings, 0), 80, 1e-6);
  ck_assert_double_eq_tol(at_uniform(settings, 7.0 / 8), 120, 1e-6);
  ck_assert_double_eq_tol(at_uniform(settings, 0.9999), 220, 1e-6);
}
END_TEST

// A quarter of the normal quantile and three quarters of the Pareto one: at the median 0.75*(2^(1/3)-1.5)*4/3.
START_TEST(paretonormal_jitter_is_that_of_netems_table) {
  const auto settings = with(DelayDistribution::paretonormal, 100, 30);
  ck_assert_double_eq_tol(at_uniform(settings, 0.5), 100 + 30 * (std::cbrt(2.0) - 1.5), 1e-5);
  ck_assert_double_eq_tol(at_uniform(settings, 0.975), 100 + 30 * (0.25 * 1.959963984540054 + std::cbrt(40.0) - 1.5),
                          1e-5);
}
END_TEST

// What the tables of iproute2 6.1 hold at these places of 4096, divided by 8192: within a step of the table.
START_TEST(quantiles_agree_with_netems_tables) {
  const struct {
    DelayDistribution kind;
    int place;
    double table;
  } rows[] = {{DelayDistribution::pareto, 0, -0.66663},          {DelayDistribution::pareto, 1024, -0.53247},
              {DelayDistribution::pareto, 2048, -0.32007},       {DelayDistribution::pareto, 3072, 0.11658},
              {DelayDistribution::pareto, 3686, 0.87170},        {DelayDistribution::pareto, 4090, 3.99988},
              {DelayDistribution::paretonormal, 1024, -0.56787}, {DelayDistribution::paretonormal, 2048, -0.23999},
              {DelayDistribution::paretonormal, 3072, 0.25598},  {DelayDistribution::paretonormal, 3686, 0.97400}};
  for (const auto &row : rows)
    ck_assert_double_eq_tol(at_uniform(with(row.kind, 100, 1), row.place / 4096.0) - 100, row.table, 0.002);
}
END_TEST

START_TEST(gamma_delay_has_mean_and_deviation) {
  // n = 1e6: four sigma of the mean 4*s/1000; of the deviation with kurtosis 6/k: s*2*sqrt(2+6/k)/1000.
  for (const auto &[mean_ms, deviation] : {std::pair{100.0, 50.0}, {50.0, 50.0}, {50.0, 100.0}}) {
    const auto series = drawn(with(DelayDistribution::gamma, mean_ms, deviation), 5);
    const double k = mean_ms * mean_ms / deviation / deviation;
    double square = 0;
    for (const double ms : series) square += (ms - mean_ms) * (ms - mean_ms) / kMany;
    ck_assert_double_eq_tol(mean(series), mean_ms, 4 * deviation / 1000);
    ck_assert_double_eq_tol(std::sqrt(square), deviation, deviation * 2 * std::sqrt(2 + 6 / k) / 1000);
  }
  ck_assert(net::delay_of(with(DelayDistribution::gamma, 0, 5), Rng(1).at(0)) == 0ns);
}
END_TEST

// Normal: c^k over k packets, less k/4096 for the new beginnings. Uniform: 6/pi*asin(c^k/2). The estimate's sd is
// below 0.0044 for these: bound 0.018.
START_TEST(correlation_is_that_asked_for) {
  for (const double c : {0.25, 0.5, 0.9}) {
    const auto normal = drawn(with(DelayDistribution::normal, 500, 10, c * 100), 9);
    const auto uniform = drawn(with(DelayDistribution::uniform, 500, 10, c * 100), 10);
    for (const std::size_t lag : {1, 2, 5}) {
      ck_assert_double_eq_tol(autocorrelation(normal, lag), std::pow(c, lag), 0.018);
      ck_assert_double_eq_tol(autocorrelation(uniform, lag), 6 / M_PI * std::asin(std::pow(c, lag) / 2), 0.018);
    }
  }
}
END_TEST

// z(n) = 0.6*z(n-1) + 0.8*e(n), from z(0) = e(0).
START_TEST(correlated_jitter_steps_as_its_normals_say) {
  const Rng rng = Rng(3).split("other").split("delay");
  net::Delay delay{Rng(3)};
  double z = 0;
  for (std::uint64_t n = 0; n < 5000; ++n) {
    z = n % 4096 == 0 ? rng.at(n).normal() : 0.6 * z + 0.8 * rng.at(n).normal();
    ck_assert(delay.draw(with(DelayDistribution::normal, 100, 10, 60), {.n = n}) == from_ms(100 + 10 * z));
  }
}
END_TEST

START_TEST(correlated_delays_do_not_depend_on_where_one_begins) {
  for (Impairment settings : kCases) {
    settings.delay_correlation = 70;
    const auto whole = drawn(settings, 12, 9000);
    net::Delay late{Rng(12)}, backwards{Rng(12)};
    for (std::uint64_t n = 5000; n < 9000; n += 3) ck_assert(to_ms(late.draw(settings, {.n = n})) == whole[n]);
    for (std::uint64_t n = 8999; n > 101; n -= 101) ck_assert(to_ms(backwards.draw(settings, {.n = n})) == whole[n]);
  }
}
END_TEST

AVC_TESTS("delay_models", pareto_jitter_is_that_of_netems_table, paretonormal_jitter_is_that_of_netems_table,
          quantiles_agree_with_netems_tables, gamma_delay_has_mean_and_deviation, correlation_is_that_asked_for,
          correlated_jitter_steps_as_its_normals_say, correlated_delays_do_not_depend_on_where_one_begins)
