// Every delay distribution over a million packets through the whole link: what was decided against the distribution
// function, and the correlation of what was decided; reordering, duplicates and corruption beside them.
#include "core/net/link.hpp"
#include "tests/check.hpp"
#include "tests/core/net/theory.hpp"

using namespace avc;
using namespace avc::test;
using namespace std::chrono_literals;
using net::DelayDistribution, net::Impairment, net::Send;

namespace {

constexpr std::size_t kMany = 1'000'000;

struct Case {
  const char *name;
  double delay, jitter;
  DelayDistribution distribution;
};
const Case kCases[] = {
    {"uniform", 50, 30, DelayDistribution::uniform},      {"uniform, clipped", 10, 30, DelayDistribution::uniform},
    {"normal", 50, 10, DelayDistribution::normal},        {"normal, clipped", 10, 20, DelayDistribution::normal},
    {"pareto", 50, 10, DelayDistribution::pareto},        {"paretonormal", 50, 10, DelayDistribution::paretonormal},
    {"gamma, shape 1", 30, 30, DelayDistribution::gamma}, {"gamma, shape 4", 100, 50, DelayDistribution::gamma},
};

Impairment settings_of(const Case &c, double correlation) {
  return {.delay_ms = c.delay,
          .jitter_ms = c.jitter,
          .delay_correlation = correlation,
          .delay_distribution = c.distribution,
          .allow_reordering = true};
}

Send admit(net::Link &link, std::uint64_t n) {
  return std::get<Send>(
      link.admit({.stream = net::Stream::audio, .n = n, .bytes = 200, .header_bytes = 12}, {Nanos(n * 1'000'000)}));
}

std::vector<double> decided(const Impairment &settings, std::uint64_t seed, std::size_t count = kMany) {
  net::Link link{Rng(seed)};
  link.set_base(settings, {});
  std::vector<double> series;
  series.reserve(count);
  for (std::uint64_t n = 0; n < count; ++n) series.push_back(to_ms(admit(link, n).at - Instant{Nanos(n * 1'000'000)}));
  return series;
}

// Kolmogorov-Smirnov. A share's variance grows by no more than (1+c)/(1-c) with the packets' correlation c^k.
void check_distribution(const Case &c, double correlation) {
  const Impairment settings = settings_of(c, correlation);
  const double a = correlation / 100, bound = ks_bound(kMany) * std::sqrt((1 + a) / (1 - a));
  const auto series = decided(settings, 201);
  const double d = ks_distance(series, [&](double ms) { return delay_share(settings, ms); });
  ck_assert_msg(d < bound, "%s, correlation %g: %g", c.name, correlation, d);
  // The tail, where the distance sees little: shares above, within four standard deviations.
  for (const double z : {2.0, 3.0, 3.99}) {
    const double from = c.delay + z * c.jitter, share = 1 - delay_share(settings, from);
    double above = 0;
    for (const double ms : series) above += ms > from;
    const double deviation = std::sqrt(share * (1 - share) / kMany * (1 + a) / (1 - a));
    ck_assert_msg(std::fabs(above / kMany - share) <= 4 * deviation, "%s, correlation %g: %g above %g ms, not %g",
                  c.name, correlation, above / kMany, from, share);
  }
}

}  // namespace

// n = 1e6: D below 0.0022. A standard deviation off by 1 % makes a normal's D 0.0024, a mean off by 0.6 % of it too.
START_TEST(decided_delays_follow_their_distribution) {
  for (const Case &c : kCases) check_distribution(c, 0);
}
END_TEST

// D below 0.0028 (25 %) and 0.0066 (80 %). netem's filter would narrow a normal to 79 % and 82 %: D = 0.055.
START_TEST(correlated_delays_follow_the_same_distribution) {
  for (const Case &c : kCases) {
    check_distribution(c, 25);
    check_distribution(c, 80);
  }
}
END_TEST

// The delays' ranks have correlation 6/pi*asin(c^k/2) whatever the distribution (Pearson 1907), less the share k/4096
// of new beginnings; without delay_correlation none. Gamma, whose draws are not a function of one rank, has
// up to 5 % less with shape 4 and up to 25 % less with shape 1. The
// estimate's sd is below sqrt((1+c^2)/(1-c^2)/n) = 0.0021 for c = 0.8; bound 0.009. Clipped ones tie: left out.
START_TEST(ranks_of_delays_have_the_correlation_asked_for) {
  for (const Case &c : kCases) {
    if (c.delay < c.jitter) continue;
    const double less = c.distribution != DelayDistribution::gamma ? 1 : c.delay > c.jitter ? 0.95 : 0.75;
    for (const double correlation : {0.0, 25.0, 80.0}) {
      const Impairment settings = settings_of(c, correlation);
      auto ranks = decided(settings, 202);
      for (double &x : ranks) x = delay_share(settings, x);
      for (const std::size_t lag : {1, 2, 5}) {
        const double most = 6 / M_PI * std::asin(std::pow(correlation / 100, lag) / 2);
        const double found = autocorrelation(ranks, lag);
        ck_assert_msg(found < most + 0.009 && found > most * less - 0.009, "%s, correlation %g, lag %zu: %g, not %g",
                      c.name, correlation, lag, found, most);
      }
    }
  }
}
END_TEST

START_TEST(a_larger_normal_is_a_longer_delay) {
  for (const Case &c : kCases) {
    const double uniforms[] = {0.1};
    Nanos last = Nanos(-1);
    for (const double normal : {-0.2, 0.0, 0.5, 1.0}) {
      const Nanos delay = net::delay_of(settings_of(c, 50), normal, Draws(uniforms));
      ck_assert_msg(delay > last, "%s", c.name);
      last = delay;
    }
  }
}
END_TEST

// Shape 4, scale 25 ms: d = 4 - 1/3. Normal 0 gives v = 1, accepted by any uniform: 25*d = 91.667 ms. Normal 1.96
// gives v = (1 + 1.96/sqrt(9d))^3 = 2.4692 and is accepted below exp(1.9207 + d*(1 - v + ln v)) = 0.9853; refused, the
// next two draws count.
START_TEST(gamma_delay_steps_as_its_uniforms_say) {
  const Impairment settings = settings_of(kCases[7], 0);
  const auto at = [&](std::initializer_list<double> uniforms) {
    return to_ms(net::delay_of(settings, Draws(std::span(uniforms.begin(), uniforms.size()))));
  };
  const double d = 4 - 1.0 / 3, v = std::pow(1 + 1.959963984540054 / std::sqrt(9 * d), 3);
  const double accepted = std::exp(0.5 * 1.959963984540054 * 1.959963984540054 + d * (1 - v + std::log(v)));
  ck_assert(accepted > 0.9 && accepted < 1);
  ck_assert_double_eq_tol(at({0.5, 0.999}), 25 * d, 1e-5);
  ck_assert_double_eq_tol(at({0.975, accepted - 1e-6, 0.5, 0.5}), 25 * d * v, 1e-5);
  ck_assert_double_eq_tol(at({0.975, accepted + 1e-6, 0.5, 0.5}), 25 * d, 1e-5);
}
END_TEST

// n = 1e6: 10 % +- 4*sqrt(0.09/n*(1.3/0.7)) = 0.0017; runs go on with 0.3 + 0.7*0.1. Chosen packets are due at once.
START_TEST(reordered_packets_have_their_share_and_runs) {
  const auto series = decided({.delay_ms = 20, .reorder_percent = 10, .reorder_correlation = 30}, 203);
  std::vector<bool> ahead;
  for (const double ms : series) {
    ck_assert(ms == 0 || ms == 20);
    ahead.push_back(ms == 0);
  }
  ck_assert_double_eq_tol(mean(ahead), 0.1, 0.0017);
  ck_assert(runs_are_geometric(ahead, true, 0.37, 12));
  ck_assert(autocorrelation_fits(ahead, 0.1, 1, 0.3) && autocorrelation_fits(ahead, 0.1, 2, 0.09));
}
END_TEST

// With gap 4: not before three others passed, then each with 40 %, as the packet's uniform says.
START_TEST(reordering_with_a_gap_steps_as_its_uniforms_say) {
  net::Link link{Rng(204)};
  link.set_base({.delay_ms = 20, .reorder_percent = 40, .reorder_gap = 4}, {});
  const Rng rng = Rng(204).split("link").split("base").split("audio").split("reorder");
  int passed = 0;
  for (std::uint64_t n = 0; n < 4000; ++n) {
    const bool expected = passed >= 3 && rng.at(n).uniform() < 0.4;
    passed = expected ? 0 : passed + 1;
    ck_assert(admit(link, n).sent_ahead == expected);
  }
}
END_TEST

// n = 1e6, 4 % each with correlation 50 %: four sigma 4*sqrt(0.0384/n*3) = 0.0014; runs go on with 0.52. The copy's
// corruption is decided apart, without memory: 4 % of 40 000, four sigma 0.004.
START_TEST(duplicates_and_corruption_have_their_share_and_correlation) {
  net::Link link{Rng(205)};
  link.set_base({.duplicate_percent = 4, .duplicate_correlation = 50, .corrupt_percent = 4, .corrupt_correlation = 50},
                {});
  std::vector<bool> twice, corrupt;
  double copies = 0;
  for (std::uint64_t n = 0; n < kMany; ++n) {
    const Send send = admit(link, n);
    twice.push_back(send.duplicate.has_value());
    corrupt.push_back(send.corrupt_bit.has_value());
    copies += send.duplicate && send.duplicate->corrupt_bit;
  }
  for (const auto &series : {twice, corrupt}) {
    ck_assert_double_eq_tol(mean(series), 0.04, 0.0014);
    ck_assert(runs_are_geometric(series, true, 0.52, 15));
    ck_assert(autocorrelation_fits(series, 0.04, 1, 0.5) && autocorrelation_fits(series, 0.04, 3, 0.125));
  }
  ck_assert_double_eq_tol(copies / kMany / mean(twice), 0.04, 0.004);
}
END_TEST

// Copies travel on their own: the same distribution, independent of their originals. n = 1e6: D below 0.0022, the
// correlation of original and copy within 4/sqrt(n) = 0.004.
START_TEST(copies_have_jitter_of_their_own) {
  Impairment settings = settings_of(kCases[2], 50);
  settings.duplicate_percent = 100;
  net::Link link{Rng(206)};
  link.set_base(settings, {});
  std::vector<double> copies;
  double product = 0;
  for (std::uint64_t n = 0; n < kMany; ++n) {
    const Send send = admit(link, n);
    const Instant arrival{Nanos(n * 1'000'000)};
    copies.push_back(to_ms(send.duplicate->at - arrival));
    product += (copies.back() - 50) / 10 * (to_ms(send.at - arrival) - 50) / 10;
  }
  ck_assert_double_eq_tol(product / kMany, 0, 0.004);
  ck_assert_double_lt(ks_distance(copies, [&](double ms) { return delay_share(settings, ms); }), ks_bound(kMany));
}
END_TEST

AVC_TESTS("delay_theory", decided_delays_follow_their_distribution, correlated_delays_follow_the_same_distribution,
          ranks_of_delays_have_the_correlation_asked_for, a_larger_normal_is_a_longer_delay,
          gamma_delay_steps_as_its_uniforms_say, reordered_packets_have_their_share_and_runs,
          reordering_with_a_gap_steps_as_its_uniforms_say, duplicates_and_corruption_have_their_share_and_correlation,
          copies_have_jitter_of_their_own)
