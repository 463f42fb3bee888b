// Every loss model over a million packets through the whole link, against matrices: share, correlation over lags,
// and the lengths of runs of losses and of what passes between them.
#include "core/net/link.hpp"
#include "tests/check.hpp"
#include "tests/core/net/theory.hpp"

using namespace avc;
using namespace avc::test;
using net::Impairment, net::LossModel;

namespace {

constexpr std::size_t kMany = 1'000'000;

struct Case {
  const char *name;
  Impairment settings;
  std::size_t longest;  // run of losses counted alone
};
const Case kCases[] = {
    {"random 1 %", {.loss_percent = 1}, 5},
    {"random 30 %", {.loss_percent = 30}, 15},
    {"correlated 10 %, 25 %", {.loss_percent = 10, .loss_correlation = 25}, 15},
    {"correlated 5 %, 60 %", {.loss_percent = 5, .loss_correlation = 60}, 30},
    {"burst 10 % in runs of 4", {.loss_model = LossModel::burst, .loss_percent = 10, .burst_length = 4}, 40},
    {"burst 1 % in runs of 2", {.loss_model = LossModel::burst, .loss_percent = 1, .burst_length = 2}, 20},
    {"Gilbert-Elliott, simple", {.loss_model = LossModel::gilbert_elliott, .ge_p = 2, .ge_r = 20}, 40},
    {"Gilbert-Elliott with 1-h", {.loss_model = LossModel::gilbert_elliott, .ge_p = 5, .ge_r = 25, .ge_h = 60}, 20},
    {"Gilbert-Elliott with 1-h, 1-k",
     {.loss_model = LossModel::gilbert_elliott, .ge_p = 10, .ge_r = 50, .ge_h = 80, .ge_k = 5},
     15},
    {"Markov, all ways",
     {.loss_model = LossModel::markov4,
      .markov_p13 = 4,
      .markov_p31 = 20,
      .markov_p32 = 30,
      .markov_p23 = 40,
      .markov_p14 = 2},
     20},
    {"Markov, 1 and 3", {.loss_model = LossModel::markov4, .markov_p13 = 5, .markov_p31 = 40}, 20},
};

std::vector<bool> lost(const Impairment &settings, std::uint64_t seed) {
  net::Link link{Rng(seed)};
  link.set_base(settings, {});
  std::vector<bool> series;
  series.reserve(kMany);
  for (std::uint64_t n = 0; n < kMany; ++n) {
    const auto verdict = link.admit({.stream = net::Stream::video, .n = n, .bytes = 1000}, {Nanos(n * 1'000'000)});
    series.push_back(std::holds_alternative<net::Drop>(verdict));
  }
  return series;
}

}  // namespace

// n = 1e6, four standard deviations: 0.0004 at 1 %, 0.003 for 10 % in runs of 4.
START_TEST(shares_are_those_of_theory) {
  for (const Case &c : kCases) {
    const auto theory = loss_theory(c.settings);
    const double share = mean(lost(c.settings, 101)), bound = theory.share_bound(kMany);
    ck_assert_msg(std::fabs(share - theory.share()) < bound, "%s: %g, not %g +- %g", c.name, share, theory.share(),
                  bound);
  }
}
END_TEST

// n = 1e6; bound: autocorrelation_fits(), four standard errors, from 0.004 (30 %) to 0.05 (1 % in runs).
START_TEST(correlations_are_those_of_theory) {
  for (const Case &c : kCases) {
    const auto theory = loss_theory(c.settings);
    const auto series = lost(c.settings, 102);
    for (const std::size_t lag : {1, 2, 5, 20})
      ck_assert_msg(autocorrelation_fits(series, theory.share(), lag, theory.autocorrelation(lag)), "%s", c.name);
  }
}
END_TEST

// Chi-square on all runs of 1e6 packets (10 000 to 210 000 of them).
START_TEST(run_lengths_are_those_of_theory) {
  for (const Case &c : kCases) {
    const auto theory = loss_theory(c.settings);
    const auto series = lost(c.settings, 103);
    ck_assert_msg(shares_fit(runs(series, true, c.longest), theory.run_shares(true, c.longest)), "%s: lost", c.name);
    ck_assert_msg(shares_fit(runs(series, false, 300), theory.run_shares(false, 300)), "%s: passed", c.name);
  }
}
END_TEST

// Of 1e6 packets exactly those whose digit is 1.
START_TEST(a_pattern_is_kept_to_the_packet) {
  const std::string_view text = "0010000000011";
  const auto series = lost({.loss_model = LossModel::pattern, .loss_pattern = *net::LossPattern::parse(text)}, 104);
  for (std::size_t n = 0; n < kMany; ++n) ck_assert((text[n % text.size()] == '1') == series[n]);
}
END_TEST

// 250 000 frames of 4 packets: 20 % of the frames, four sigma 4*sqrt(0.16/250000) = 0.0032; independent of one
// another, so that runs of frames are geometric; never a part of one.
START_TEST(frames_are_lost_whole_and_alone) {
  net::Link link{Rng(105)};
  link.set_base({.frame_drop_percent = 20}, {});
  std::vector<bool> frames;
  for (std::uint64_t n = 0; n < kMany; ++n) {
    const auto verdict = link.admit({.stream = net::Stream::video,
                                     .n = n,
                                     .bytes = 1000,
                                     .rtp_timestamp = static_cast<std::uint32_t>(4'000'000'000u + n / 4 * 3000)},
                                    {Nanos(n * 1'000'000)});
    const auto *drop = std::get_if<net::Drop>(&verdict);
    ck_assert(!drop || drop->why == net::Drop::Why::frame);
    if (n % 4 == 0)
      frames.push_back(drop);
    else
      ck_assert(frames.back() == (drop != nullptr));
  }
  ck_assert_double_eq_tol(mean(frames), 0.2, 0.0032);
  ck_assert(runs_are_geometric(frames, true, 0.2, 10) && runs_are_geometric(frames, false, 0.8, 60));
  ck_assert(autocorrelation_fits(frames, 0.2, 1, 0));
}
END_TEST

// A frame's draw is that of its timestamp.
START_TEST(frame_loss_compares_one_uniform_with_the_percentage) {
  net::Link link{Rng(106)};
  link.set_base({.frame_drop_percent = 30}, {});
  const Rng rng = Rng(106).split("link").split("base").split("video").split("frame");
  for (std::uint32_t n = 0; n < 1000; ++n) {
    const auto verdict = link.admit({.stream = net::Stream::video, .n = n, .rtp_timestamp = n * 3000}, {});
    ck_assert(std::holds_alternative<net::Drop>(verdict) == (rng.at(n * 3000).uniform() < 0.3));
  }
}
END_TEST

AVC_TESTS("loss_theory", shares_are_those_of_theory, correlations_are_those_of_theory, run_lengths_are_those_of_theory,
          a_pattern_is_kept_to_the_packet, frames_are_lost_whole_and_alone,
          frame_loss_compares_one_uniform_with_the_percentage)
