#include "core/net/loss.hpp"

#include "tests/check.hpp"

using namespace avc;
using net::Impairment, net::LossModel, net::Packet, net::Stream;

namespace {

Impairment random_loss(double percent) { return {.loss_percent = percent}; }
Impairment burst_loss(double percent, double length) {
  return {.loss_model = LossModel::burst, .loss_percent = percent, .burst_length = length};
}
bool lost(net::Loss &loss, const Impairment &settings, const Packet &packet) {
  loss.set(settings);
  return loss.lost(packet);
}
std::vector<bool> fates(net::Loss &loss, const Impairment &settings, std::uint64_t from, std::uint64_t to) {
  std::vector<bool> lost;
  loss.set(settings);
  for (auto n = from; n < to; ++n) lost.push_back(loss.lost({.stream = Stream::video, .n = n}));
  return lost;
}

}  // namespace

START_TEST(random_loss_compares_one_uniform_with_the_percentage) {
  net::Loss loss{Rng(1)};
  auto uniforms = Rng(1).split("video").split("loss");
  for (std::uint64_t n = 0; n < 200; ++n)
    ck_assert(lost(loss, random_loss(30), {.stream = Stream::video, .n = n}) == (uniforms.at(n).uniform() < 0.3));
}
END_TEST

START_TEST(none_and_all_are_exact) {
  net::Loss loss{Rng(1)};
  for (std::uint64_t n = 0; n < 1000; ++n) {
    const Packet packet{.n = n};
    ck_assert(!lost(loss, random_loss(0), packet) && !lost(loss, burst_loss(0, 4), packet));
    ck_assert(lost(loss, random_loss(100), packet) && lost(loss, burst_loss(100, 4), packet));
  }
}
END_TEST

// 20 % in runs of 4: r = 1/4, p = r * 0.2/0.8 = 1/16.
START_TEST(gilbert_solves_for_share_and_mean_run) {
  const auto chain = net::gilbert(20, 4);
  ck_assert_double_eq_tol(chain.to_good, 0.25, 1e-15);
  ck_assert_double_eq_tol(chain.to_bad, 0.0625, 1e-15);
}
END_TEST

START_TEST(gilbert_keeps_the_share_where_runs_are_too_short_for_it) {
  const auto chain = net::gilbert(90, 2);  // would need p = 4.5
  ck_assert_double_eq_tol(chain.to_bad, 1, 1e-15);
  ck_assert_double_eq_tol(chain.to_bad / (chain.to_bad + chain.to_good), 0.9, 1e-12);
  ck_assert_double_eq_tol(net::gilbert(20, 0).to_good, 1, 1e-15);  // a run has at least one packet
}
END_TEST

START_TEST(gilbert_steps_as_its_uniforms_say) {
  const auto chain = net::two_states(net::gilbert(20, 4).to_bad, net::gilbert(20, 4).to_good);
  ck_assert(chain.step(0, 0.0624) == 1 && chain.step(0, 0.0626) == 0);
  ck_assert(chain.step(1, 0.7499) == 1 && chain.step(1, 0.7501) == 0);
}
END_TEST

// Random: n = 1e6 at 10 %, four sigma = 4*sqrt(0.09/n) = 0.0012.
START_TEST(random_loss_keeps_its_share) {
  net::Loss loss{Rng(42)};
  const auto lost = fates(loss, random_loss(10), 0, 1'000'000);
  ck_assert_double_eq_tol(static_cast<double>(std::count(lost.begin(), lost.end(), true)) / 1e6, 0.1, 0.0012);
}
END_TEST

// Burst: the share's variance is that of independent packets times (1+a)/(1-a), a = 1-p-r the chain's correlation.
// 10 % in runs of 4: a = 0.7222, factor 6.2, four sigma = 0.0012*2.49 = 0.003. Runs: about 25000 of geometric
// length with mean 4, sd sqrt(12) = 3.46: four sigma = 0.088.
START_TEST(burst_loss_keeps_its_share_and_its_mean_run) {
  net::Loss loss{Rng(42)};
  const auto lost = fates(loss, burst_loss(10, 4), 0, 1'000'000);
  double total = 0, runs = 0;
  for (std::size_t i = 0; i < lost.size(); ++i) {
    total += lost[i];
    runs += lost[i] && (i == 0 || !lost[i - 1]);
  }
  ck_assert_double_eq_tol(total / 1e6, 0.1, 0.003);
  ck_assert_double_eq_tol(total / runs, 4, 0.088);
}
END_TEST

START_TEST(burst_fates_do_not_depend_on_where_one_begins_or_on_gaps) {
  const auto settings = burst_loss(20, 8);
  net::Loss whole{Rng(9)}, late{Rng(9)}, backwards{Rng(9)};
  const auto expected = fates(whole, settings, 0, 5000);
  const auto tail = fates(late, settings, 1234, 5000);
  ck_assert(std::equal(tail.begin(), tail.end(), expected.begin() + 1234));
  for (std::uint64_t n = 5000; n-- > 0;)
    ck_assert(lost(backwards, settings, {.stream = Stream::video, .n = n}) == expected[n]);
}
END_TEST

// 10 % in runs of 8 over 1e5 seeds, the first packet of each: four sigma = 4*sqrt(0.09/1e5) = 0.0038. The second
// tells that the chain goes on as it should: P(both lost) = 0.1 * 7/8, four sigma 0.0036.
START_TEST(a_chain_behaves_from_its_first_packet_as_if_it_had_always_run) {
  int first = 0, both = 0;
  for (std::uint64_t seed = 0; seed < 100'000; ++seed) {
    net::Loss loss{Rng(seed)};
    const bool zero = lost(loss, burst_loss(10, 8), {.n = 0}), one = lost(loss, burst_loss(10, 8), {.n = 1});
    first += zero;
    both += zero && one;
  }
  ck_assert_double_eq_tol(first / 1e5, 0.1, 0.0038);
  ck_assert_double_eq_tol(both / 1e5, 0.0875, 0.0036);
}
END_TEST

START_TEST(streams_and_seeds_have_chance_of_their_own) {
  net::Loss loss{Rng(1)}, other{Rng(2)};
  int streams_differ = 0, seeds_differ = 0;
  for (std::uint64_t n = 0; n < 1000; ++n) {
    const bool video = lost(loss, random_loss(50), {.stream = Stream::video, .n = n});
    streams_differ += video != lost(loss, random_loss(50), {.stream = Stream::audio, .n = n});
    seeds_differ += video != lost(other, random_loss(50), {.stream = Stream::video, .n = n});
  }
  ck_assert_int_gt(streams_differ, 400);
  ck_assert_int_gt(seeds_differ, 400);
}
END_TEST

START_TEST(an_extremely_slow_chain_answers_in_bounded_time) {
  net::Loss loss{Rng(5)};
  int losses = 0;
  for (std::uint64_t n = 0; n < 40; ++n) losses += lost(loss, burst_loss(50, 1e12), {.n = n * 1'000'000'007});
  ck_assert_int_gt(losses, 6);  // 40 starts at 50 %: 20 - 4*sqrt(10) = 7.3, and as far above
  ck_assert_int_lt(losses, 34);
}
END_TEST

AVC_TESTS("loss", random_loss_compares_one_uniform_with_the_percentage, none_and_all_are_exact,
          gilbert_solves_for_share_and_mean_run, gilbert_keeps_the_share_where_runs_are_too_short_for_it,
          gilbert_steps_as_its_uniforms_say, random_loss_keeps_its_share, burst_loss_keeps_its_share_and_its_mean_run,
          burst_fates_do_not_depend_on_where_one_begins_or_on_gaps,
          a_chain_behaves_from_its_first_packet_as_if_it_had_always_run, streams_and_seeds_have_chance_of_their_own,
          an_extremely_slow_chain_answers_in_bounded_time)
