// The delay distributions and their correlation: exact quantiles from chosen uniforms, distribution functions over
// a million decided delays.
#include "core/net/delay.hpp"

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

// Share of delays not above x, with jitter on top of m in units of s, cut off at zero.
double pareto_share(double z) { return z >= 4 ? 1 : z <= -2.0 / 3 ? 0 : 1 - std::pow(1.5 + 0.75 * z, -3); }

// The quantile is monotone: tabulated over 40001 normals from -8 to 8, and read backwards between two of them.
double pareto_normal_share(double z) {
  static const auto table = [] {
    std::vector<double> values;
    for (int i = 0; i <= 40'000; ++i) {
      const double normal = (i - 20'000) / 2500.0;
      const double above = std::max(normal_share(-normal), 1e-300);
      values.push_back(0.25 * normal + 0.75 * std::min((std::pow(above, -1.0 / 3) - 1.5) * 4 / 3, 4.0));
    }
    return values;
  }();
  const auto next =
      std::clamp<std::ptrdiff_t>(std::lower_bound(table.begin(), table.end(), z) - table.begin(), 1, 40'000);
  const auto i = static_cast<std::size_t>(next);
  const double part = (z - table[i - 1]) / (table[i] - table[i - 1]);
  return normal_share((static_cast<double>(i) - 1 + part - 20'000) / 2500);
}

double erlang4_share(double x) {  // gamma with shape 4
  return x <= 0 ? 0 : 1 - std::exp(-x) * (1 + x + x * x / 2 + x * x * x / 6);
}

struct Case {
  const char *name;
  Impairment settings;
  double (*share)(double);
};
const Case kCases[] = {
    {"uniform", with(DelayDistribution::uniform, 50, 30), [](double ms) { return (ms - 20) / 60; }},
    {"normal", with(DelayDistribution::normal, 50, 10), [](double ms) { return normal_share((ms - 50) / 10); }},
    {"pareto", with(DelayDistribution::pareto, 50, 10), [](double ms) { return pareto_share((ms - 50) / 10); }},
    {"paretonormal", with(DelayDistribution::paretonormal, 50, 10),
     [](double ms) { return pareto_normal_share((ms - 50) / 10); }},
    {"gamma", with(DelayDistribution::gamma, 100, 50), [](double ms) { return erlang4_share(ms / 25); }},
    {"clipped normal", with(DelayDistribution::normal, 10, 20), [](double ms) { return normal_share((ms - 10) / 20); }},
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

// Kolmogorov-Smirnov, n = 1e6: D below 2.2/sqrt(n) = 0.0022.
START_TEST(delays_follow_their_distribution) {
  for (const Case &c : kCases) {
    const double d = ks_distance(drawn(c.settings, 7), c.share);
    ck_assert_msg(d < ks_bound(kMany), "%s: %g", c.name, d);
  }
}
END_TEST

// The same with correlation 80 %, of every 50th of 1e6 packets (0.8^50 = 1e-5: as good as independent):
// n = 20000, D below 0.0156.
START_TEST(correlation_leaves_the_distribution) {
  for (Case c : kCases) {
    c.settings.delay_correlation = 80;
    const auto series = drawn(c.settings, 8);
    std::vector<double> thinned;
    for (std::size_t i = 0; i < series.size(); i += 50) thinned.push_back(series[i]);
    const double d = ks_distance(thinned, c.share);
    ck_assert_msg(d < ks_bound(static_cast<double>(thinned.size())), "%s: %g", c.name, d);
  }
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
  for (const Case &c : kCases) {
    Impairment settings = c.settings;
    settings.delay_correlation = 70;
    const auto whole = drawn(settings, 12, 9000);
    net::Delay late{Rng(12)}, backwards{Rng(12)};
    for (std::uint64_t n = 5000; n < 9000; n += 3) ck_assert(to_ms(late.draw(settings, {.n = n})) == whole[n]);
    for (std::uint64_t n = 8999; n > 101; n -= 101) ck_assert(to_ms(backwards.draw(settings, {.n = n})) == whole[n]);
  }
}
END_TEST

AVC_TESTS("delay_models", pareto_jitter_is_that_of_netems_table, paretonormal_jitter_is_that_of_netems_table,
          quantiles_agree_with_netems_tables, gamma_delay_has_mean_and_deviation, delays_follow_their_distribution,
          correlation_leaves_the_distribution, correlation_is_that_asked_for,
          correlated_jitter_steps_as_its_normals_say, correlated_delays_do_not_depend_on_where_one_begins)
