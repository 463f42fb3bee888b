// The loss models beyond the random and burst ones of loss.cpp: exact steps from chosen uniforms, and their
// statistics over a million packets.
#include "core/net/loss.hpp"

#include "tests/check.hpp"
#include "tests/core/net/statistics.hpp"

using namespace avc;
using namespace avc::test;
using net::Impairment, net::LossModel;

namespace {

constexpr std::size_t kMany = 1'000'000;

std::vector<bool> lost(const Impairment &settings, std::uint64_t seed, std::uint64_t from = 0,
                       std::size_t count = kMany) {
  net::Loss loss{Rng(seed)};
  loss.set(settings);
  std::vector<bool> series;
  for (std::uint64_t n = from; n < from + count; ++n) series.push_back(loss.lost({.n = n}));
  return series;
}

Impairment correlated(double percent, double correlation) {
  return {.loss_percent = percent, .loss_correlation = correlation};
}
Impairment elliott(double p, double r, double h, double k) {
  return {.loss_model = LossModel::gilbert_elliott, .ge_p = p, .ge_r = r, .ge_h = h, .ge_k = k};
}
Impairment markov(double p13, double p31, double p32, double p23, double p14) {
  return {.loss_model = LossModel::markov4,
          .markov_p13 = p13,
          .markov_p31 = p31,
          .markov_p32 = p32,
          .markov_p23 = p23,
          .markov_p14 = p14};
}
Impairment pattern(std::string_view text) {
  return {.loss_model = LossModel::pattern, .loss_pattern = *net::LossPattern::parse(text)};
}

// The share's standard deviation when losses have autocorrelation a^k: that of independent packets, widened.
double share_bound(double share, double a) {
  return 4 * std::sqrt(share * (1 - share) / static_cast<double>(kMany) * (1 + a) / (1 - a));
}

}  // namespace

// 10 %, correlation 50 %: after a loss 0.5 + 0.5*0.1 = 0.55, after none 0.05.
START_TEST(correlated_loss_steps_as_its_uniforms_say) {
  net::Events events{Rng(1)};
  events.set(10, 50);
  bool before = events.happens(0);
  for (std::uint64_t n = 1; n < 2000; ++n) {
    before = Rng(1).at(n).uniform() < (before ? 0.55 : 0.05);
    ck_assert(events.happens(n) == before);
  }
}
END_TEST

// Share within four sigma; runs geometric with 1-(1-c)(1-L) to go on; autocorrelation over k packets c^k, whose
// estimate has sd about sqrt((1+c*c)/(1-c*c)/n) <= 0.0044 at 95 %: bound 0.018, 0.006 at 50 % and less.
START_TEST(correlation_keeps_the_share_of_losses) {
  for (const auto &[percent, correlation] : {std::pair{1.0, 25.0}, {10.0, 50.0}, {30.0, 90.0}, {5.0, 95.0}}) {
    const double share = percent / 100, c = correlation / 100;
    const auto series = lost(correlated(percent, correlation), 11);
    ck_assert_double_eq_tol(mean(series), share, share_bound(share, c));
    ck_assert(runs_are_geometric(series, true, c + (1 - c) * share, 200));
    ck_assert(runs_are_geometric(series, false, 1 - (1 - c) * share, 2000));
    for (const std::size_t lag : {1, 2, 5})
      ck_assert_double_eq_tol(autocorrelation(series, lag), std::pow(c, lag), c > 0.9 ? 0.018 : 0.012);
  }
}
END_TEST

START_TEST(full_correlation_loses_whole_blocks_with_the_share) {
  int blocks = 0;
  for (std::uint64_t seed = 0; seed < 1000; ++seed) {
    const auto series = lost(correlated(30, 100), seed, 0, 100);
    ck_assert(std::count(series.begin(), series.end(), series[0]) == 100);
    blocks += series[0];
  }
  ck_assert_int_ge(blocks, 300 - 58);  // four sigma: 4*sqrt(1000*0.21) = 58
  ck_assert_int_le(blocks, 300 + 58);
}
END_TEST

// netem: loss gemodel p 10% r 50% 1-h 80% 1-k 1%. State by the packet's first uniform, loss by its second.
START_TEST(gilbert_elliott_steps_as_its_uniforms_say) {
  const Rng rng = Rng(5).split("other").split("loss");
  net::Loss loss{Rng(5)};
  loss.set(elliott(10, 50, 80, 1));
  // 200 packets before the first one compared: the start does not matter by then.
  bool bad = false;
  for (std::uint64_t n = 0; n < 3000; ++n) {
    Draws draws = rng.at(n);
    bad = draws.uniform() < (bad ? 0.5 : 0.1);
    const bool expected = draws.uniform() < (bad ? 0.8 : 0.01);
    if (n >= 200) ck_assert(loss.lost({.n = n}) == expected);
  }
}
END_TEST

START_TEST(gilbert_elliott_has_netems_special_cases) {
  ck_assert_double_eq_tol(net::gilbert_elliott(elliott(30, -1, 100, 0)).to_good, 0.7, 1e-15);
  // Simple Gilbert: the burst model's chain with the same draws.
  const auto pair = net::gilbert(20, 4);
  ck_assert(lost(elliott(pair.to_bad * 100, pair.to_good * 100, 100, 0), 3, 0, 10'000) ==
            lost({.loss_model = LossModel::burst, .loss_percent = 20, .burst_length = 4}, 3, 0, 10'000));
  // No memory: Bernoulli. Runs of losses go on with p, n = 1e6.
  const auto series = lost(elliott(10, -1, 100, 0), 4);
  ck_assert_double_eq_tol(mean(series), 0.1, 0.0012);
  ck_assert(runs_are_geometric(series, true, 0.1));
}
END_TEST

// Share (p*h + r*k)/(p+r); autocorrelation of the indicator: at lag k it is a^k*V with a = 1-p-r and V the share of
// the variance that the state makes, pi_b*pi_g*(h-k)^2/(L(1-L)).
START_TEST(gilbert_elliott_keeps_share_and_autocorrelation) {
  for (const auto &[p, r, h, k] : {std::array{1.0, 10.0, 100.0, 0.0}, {5.0, 20.0, 70.0, 1.0}, {2.0, 40.0, 50.0, 5.0}}) {
    const auto series = lost(elliott(p, r, h, k), 21);
    const double bad = p / (p + r), a = 1 - (p + r) / 100, share = (bad * h + (1 - bad) * k) / 100;
    const double part = bad * (1 - bad) * (h - k) * (h - k) / 1e4 / (share * (1 - share));
    ck_assert_double_eq_tol(mean(series), share, share_bound(share, a));
    for (const std::size_t lag : {1, 3, 8})
      ck_assert_double_eq_tol(autocorrelation(series, lag), part * std::pow(a, lag), 0.02);
  }
}
END_TEST

// Four intervals of the uniform in each state, in the order written in loss.cpp: p13 5 %, p31 20 %, p32 30 %,
// p23 40 %, p14 2 %.
START_TEST(four_state_chain_steps_as_its_uniforms_say) {
  const auto chain = net::four_states(markov(5, 20, 30, 40, 2));
  const struct {
    int from;
    double u;
    int to;
  } rows[] = {{0, 0.049, 2}, {0, 0.051, 3}, {0, 0.069, 3}, {0, 0.071, 0}, {1, 0.399, 2}, {1, 0.401, 1},
              {2, 0.499, 2}, {2, 0.501, 1}, {2, 0.799, 1}, {2, 0.801, 0}, {3, 0.0, 0},   {3, 0.999, 0}};
  for (const auto &row : rows) ck_assert_int_eq(chain.step(static_cast<std::uint8_t>(row.from), row.u), row.to);
}
END_TEST

// Balance: with w = p13/p31, shares 1 : w*p32/p23 : w : p14. Runs of losses: those from state 4 are single; those
// from state 3 go on with 1-p31-p32; a run begins in 3 with p13 (from 1) or p23 (from 2). n = 1e6.
START_TEST(four_state_chain_keeps_share_and_runs) {
  const double p13 = 0.02, p31 = 0.2, p32 = 0.3, p23 = 0.4, p14 = 0.01;
  const auto series = lost(markov(2, 20, 30, 40, 1), 31);
  const double w = p13 / p31, sum = 1 + w * p32 / p23 + w + p14;
  ck_assert_double_eq_tol(mean(series), (w + p14) / sum, share_bound((w + p14) / sum, 0.8));

  const double single = p14 / sum, burst = (p13 + w * p32 / p23 * p23) / sum, stays = 1 - p31 - p32;
  const auto counted = runs(series, true, 20);
  double total = 0;
  for (const double c : counted) total += c;
  std::vector<double> expected;
  for (std::size_t k = 0; k < 20; ++k) {
    const double of_burst = std::pow(stays, static_cast<double>(k)) * (k < 19 ? 1 - stays : 1);
    expected.push_back(total * ((k == 0 ? single : 0) + burst * of_burst) / (single + burst));
  }
  ck_assert(chi_square_fits(counted, expected));
}
END_TEST

START_TEST(four_state_chain_has_netems_special_cases) {
  // p13 alone: Bernoulli.
  const auto series = lost(markov(10, -1, 0, 100, 0), 41);
  ck_assert_double_eq_tol(mean(series), 0.1, 0.0012);
  ck_assert(runs_are_geometric(series, true, 0.1));
  // p13 and p31: simple Gilbert.
  ck_assert(runs_are_geometric(lost(markov(2, 25, 0, 100, 0), 42), true, 0.75));
  // What cannot be left holds everything: state 3, then state 2.
  ck_assert(mean(lost(markov(1, 0, 0, 100, 0), 43, 0, 1000)) == 1);
  ck_assert(mean(lost(markov(1, 10, 10, 0, 0), 43, 0, 1000)) == 0);
  ck_assert_double_eq_tol(mean(lost(markov(0, -1, 0, 100, 100), 43)), 0.5, 0.002);
}
END_TEST

START_TEST(a_pattern_repeats_from_packet_zero) {
  const auto series = lost(pattern("0001"), 1, 0, 12);
  for (std::size_t i = 0; i < 12; ++i) ck_assert(series[i] == (i % 4 == 3));
  const std::string longest = std::string(255, '0') + "1";
  for (const std::uint64_t n : {255u, 511u}) ck_assert(lost(pattern(longest), 1, n, 1)[0]);
  ck_assert(!lost(pattern(longest), 1, 256, 1)[0]);
  avc_assert_text(net::LossPattern::parse("0101")->text(), "0101");
}
END_TEST

START_TEST(bad_patterns_are_refused) {
  ck_assert(!net::LossPattern::parse("") && !net::LossPattern::parse(std::string(257, '0')));
  avc_assert_text(net::LossPattern::parse("01x1").error().message, "digit 3 is neither 0 (passes) nor 1 (lost)");
}
END_TEST

// Late joiners, gaps and the wrong order: everybody sees the same losses, over several blocks of 4096, of fast
// chains and of one so slow that blocks begin anew.
START_TEST(every_chain_is_a_function_of_the_packet_number) {
  for (const auto &settings : {correlated(10, 90), correlated(30, 100), elliott(1, 10, 80, 1), markov(2, 20, 30, 40, 1),
                               elliott(0.01, 0.01, 100, 0), markov(0.01, 0.02, 0.01, 0.01, 0.01)}) {
    const auto whole = lost(settings, 51, 0, 20'000);
    for (const std::uint64_t from : {1u, 4095u, 4096u, 4097u, 12'345u})
      ck_assert(lost(settings, 51, from, 3000) == std::vector<bool>(whole.begin() + static_cast<long>(from),
                                                                    whole.begin() + static_cast<long>(from) + 3000));
    net::Loss backwards{Rng(51)}, leaping{Rng(51)};
    backwards.set(settings);
    leaping.set(settings);
    for (std::uint64_t n = 20'000; n > 37; n -= 37) ck_assert(backwards.lost({.n = n - 1}) == whole[n - 1]);
    for (std::uint64_t n = 0; n < 20'000; n += 1 + n % 150) ck_assert(leaping.lost({.n = n}) == whole[n]);
  }
}
END_TEST

// The first packet of 1e5 chains that begin somewhere: long-run share, four sigma 0.0038 at 10 %.
START_TEST(a_chain_has_its_long_run_share_from_the_first_packet) {
  int first = 0;
  const auto settings = elliott(1, 9, 100, 0);
  for (std::uint64_t seed = 0; seed < 100'000; ++seed) first += lost(settings, seed, seed * 31, 1)[0];
  ck_assert_double_eq_tol(first / 1e5, 0.1, 0.0038);
}
END_TEST

AVC_TESTS("loss_models", correlated_loss_steps_as_its_uniforms_say, correlation_keeps_the_share_of_losses,
          full_correlation_loses_whole_blocks_with_the_share, gilbert_elliott_steps_as_its_uniforms_say,
          gilbert_elliott_has_netems_special_cases, gilbert_elliott_keeps_share_and_autocorrelation,
          four_state_chain_steps_as_its_uniforms_say, four_state_chain_keeps_share_and_runs,
          four_state_chain_has_netems_special_cases, a_pattern_repeats_from_packet_zero, bad_patterns_are_refused,
          every_chain_is_a_function_of_the_packet_number, a_chain_has_its_long_run_share_from_the_first_packet)
