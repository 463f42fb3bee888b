#include "core/net/mangle.hpp"

#include "tests/check.hpp"
#include "tests/core/net/statistics.hpp"

using namespace avc;
using namespace avc::test;
using net::Impairment, net::Mangle, net::Packet, net::Stream;

namespace {

constexpr std::size_t kMany = 1'000'000;

std::vector<bool> chosen(const Impairment &settings, std::uint64_t seed, std::uint64_t from = 0,
                         std::size_t count = kMany) {
  net::Reorder reorder{Rng(seed)};
  reorder.set(settings);
  std::vector<bool> series;
  for (std::uint64_t n = from; n < from + count; ++n) series.push_back(reorder.chosen(n));
  return series;
}

std::optional<std::uint32_t> bit_at(const Impairment &settings, const Packet &packet, double u) {
  const double uniforms[] = {u};
  return net::corrupted_bit(settings, packet, Draws(uniforms));
}

}  // namespace

// 1000 bytes behind 12 of header: bits 96 to 7999.
START_TEST(one_bit_behind_the_header_changes) {
  const Packet packet{.bytes = 1000, .header_bytes = 12};
  ck_assert_uint_eq(*bit_at({}, packet, 0), 96);
  ck_assert_uint_eq(*bit_at({}, packet, 0.5), 96 + 988 * 4);
  ck_assert_uint_eq(*bit_at({}, packet, 0.9999999), 7999);
  ck_assert_uint_eq(*bit_at({.corrupt_headers = true}, packet, 0), 0);
  ck_assert(!bit_at({}, {.bytes = 12, .header_bytes = 12}, 0));
}
END_TEST

// n = 1e6: share 1 % within 4*sqrt(0.0099/n) = 0.0004; about 1e4 bits spread evenly over 80 cells of 100 bits
// (chi-square).
START_TEST(corrupt_packets_have_their_share_and_bits_are_spread_evenly) {
  Mangle mangle{Rng(5)};
  const Impairment settings{.corrupt_percent = 1, .corrupt_headers = true};
  mangle.set(settings);
  std::vector<double> cells(80);
  double count = 0;
  for (std::uint64_t n = 0; n < kMany; ++n) {
    if (const auto bit = mangle.corrupted(settings, {.n = n, .bytes = 1000})) {
      cells[*bit / 100] += 1;
      ++count;
    }
  }
  ck_assert_double_eq_tol(count / kMany, 0.01, 0.0004);
  ck_assert(chi_square_fits(cells, std::vector<double>(80, count / 80)));
}
END_TEST

// 5 % in runs: correlation 40 %, autocorrelation bound as in loss_models. Share: 4*sqrt(0.0475/n*1.4/0.6) = 0.0013.
START_TEST(duplicates_have_their_share_and_correlation) {
  Mangle mangle{Rng(6)};
  mangle.set({.duplicate_percent = 5, .duplicate_correlation = 40});
  std::vector<bool> series;
  for (std::uint64_t n = 0; n < kMany; ++n) series.push_back(mangle.duplicated({.stream = Stream::video, .n = n}));
  ck_assert_double_eq_tol(mean(series), 0.05, 0.0013);
  ck_assert_double_eq_tol(autocorrelation(series, 1), 0.4, 0.012);
  ck_assert(runs_are_geometric(series, true, 0.4 + 0.6 * 0.05));
}
END_TEST

START_TEST(reordering_without_gap_takes_each_packet_by_chance) {
  const auto series = chosen({.reorder_percent = 25, .reorder_correlation = 50}, 7);
  ck_assert_double_eq_tol(mean(series), 0.25, 4 * std::sqrt(0.1875 / kMany * 3));
  ck_assert_double_eq_tol(autocorrelation(series, 1), 0.5, 0.012);
}
END_TEST

START_TEST(all_of_every_gap_is_every_gapth_packet) {
  const auto series = chosen({.reorder_percent = 100, .reorder_gap = 5}, 7, 0, 5000);
  for (std::size_t i = 0; i < series.size(); ++i) ck_assert(series[i] == (i % 5 == 4));
}
END_TEST

// gap 5, 25 %: never closer than 5, then after each further packet with 25 %: distances 5 + geometric, mean 8.
START_TEST(a_gap_keeps_chosen_packets_apart) {
  const auto series = chosen({.reorder_percent = 25, .reorder_gap = 5}, 8);
  std::vector<double> counted(60), expected(60);
  double total = 0;
  std::size_t last = 0;
  for (std::size_t i = 0; i < series.size(); ++i) {
    if (!series[i]) continue;
    const std::size_t distance = i - last;
    // Distances over the beginning of a block, where the count begins anew, have a distribution of their own.
    if (last > 0 && i / net::Reorder::kBlock == last / net::Reorder::kBlock) {
      ck_assert_uint_ge(distance, 5);
      counted[std::min<std::size_t>(distance - 5, 59)] += 1;
      ++total;
    }
    last = i;
  }
  for (std::size_t k = 0; k < 60; ++k)
    expected[k] = total * std::pow(0.75, static_cast<double>(k)) * (k < 59 ? 0.25 : 1);
  ck_assert(chi_square_fits(counted, expected));
  ck_assert_double_eq_tol(mean(series), 1 / 8.0, 0.001);  // one in 8; four sigma 0.0006, block starts 0.0002
}
END_TEST

START_TEST(choice_is_a_function_of_the_packet_number) {
  const Impairment settings{.reorder_percent = 30, .reorder_correlation = 20, .reorder_gap = 4};
  const auto whole = chosen(settings, 9, 0, 10'000);
  for (const std::uint64_t from : {3u, 4096u, 7777u})
    ck_assert(chosen(settings, 9, from, 2000) == std::vector<bool>(whole.begin() + static_cast<long>(from),
                                                                   whole.begin() + static_cast<long>(from) + 2000));
}
END_TEST

START_TEST(frames_are_dropped_whole_and_by_their_share) {
  Mangle mangle{Rng(10)};
  mangle.set({.frame_drop_percent = 20});
  int dropped = 0;
  for (std::uint32_t frame = 0; frame < 100'000; ++frame) {
    const Packet first{.stream = Stream::video, .n = frame * 3, .rtp_timestamp = frame * 3000 + 7};
    Packet last = first;
    last.n += 2;
    ck_assert(mangle.frame_dropped(first) == mangle.frame_dropped(last));
    dropped += mangle.frame_dropped(first);
    ck_assert(!mangle.frame_dropped({.stream = Stream::audio, .rtp_timestamp = first.rtp_timestamp}));
  }
  ck_assert_double_eq_tol(dropped / 1e5, 0.2, 0.0051);  // four sigma, n = 1e5
}
END_TEST

START_TEST(models_have_chance_of_their_own) {
  Mangle mangle{Rng(11)};
  const Impairment settings{.duplicate_percent = 50, .corrupt_percent = 50};
  mangle.set(settings);
  int same = 0;
  for (std::uint64_t n = 0; n < 10'000; ++n) {
    const Packet packet{.n = n, .bytes = 100};
    same += mangle.duplicated(packet) == mangle.corrupted(settings, packet).has_value();
  }
  ck_assert_int_ge(same, 4800);  // 5000 by chance, four sigma 200
  ck_assert_int_le(same, 5200);
}
END_TEST

AVC_TESTS("mangle", one_bit_behind_the_header_changes, corrupt_packets_have_their_share_and_bits_are_spread_evenly,
          duplicates_have_their_share_and_correlation, reordering_without_gap_takes_each_packet_by_chance,
          all_of_every_gap_is_every_gapth_packet, a_gap_keeps_chosen_packets_apart,
          choice_is_a_function_of_the_packet_number, frames_are_dropped_whole_and_by_their_share,
          models_have_chance_of_their_own)
