// The models once more, as chaosdegrader carries them out: 1e5 packets for each, decided as its log tells, against
// theory; and when packets were really handed on against what was decided.
#include <glib/gstdio.h>

#include "tests/elements/link_bench.hpp"

#include "core/net/link.hpp"
#include "tests/core/net/models.hpp"
#include "tests/core/net/theory.hpp"

using namespace avc;
using namespace avc::test;
using net::DelayDistribution, net::Impairment, net::LossModel;

namespace {

constexpr std::size_t kMany = 100'000;
constexpr guint kTogether = 200;  // packets in a list: the test is about numbers, not about batches

LogFolder &folder() {
  static LogFolder folder;
  return folder;
}

void near(double found, double expected, double bound) {
  ck_assert_msg(std::fabs(found - expected) < bound, "%g, not %g +- %g", found, expected, bound);
}

struct Given {
  GstClockTime at;
  std::size_t bytes;
};

std::vector<Given> one_a_millisecond(std::size_t count = kMany) {
  std::vector<Given> packets;
  for (std::size_t n = 0; n < count; n++) packets.push_back({n * GST_MSECOND, 1000});
  return packets;
}
std::vector<Given> poisson(std::uint64_t seed, double per_ms) {
  std::vector<Given> packets;
  double ms = 0;
  for (std::size_t n = 0; n < kMany; n++) {
    ms += -std::log(1 - Rng(seed).at(n).uniform()) / per_ms;
    packets.push_back({static_cast<GstClockTime>(from_ms(ms).count()), 1000});
  }
  return packets;
}

// What the log tells of these packets. All that was sent must have come out.
std::vector<Logged> decided(const Impairment &settings, guint64 seed, const std::vector<Given> &packets) {
  const std::string path = folder().fresh();
  LinkBench bench(settings, path, seed);
  for (std::size_t n = 0; n < packets.size();) {
    if (n > 0) bench.advance(packets[n - 1].at);
    auto list = take(gst_buffer_list_new_sized(kTogether));
    for (guint i = 0; i < kTogether && n < packets.size(); i++, n++) {
      const auto timestamp = static_cast<guint32>(n / 4 * 3000);
      gst_buffer_list_add(list.get(), give(LinkBench::packet(n, packets[n].at, packets[n].bytes, false, timestamp)));
    }
    bench.push(std::move(list));
  }
  bench.finish();
  bench.stop();
  const auto log = read_log(path);
  g_unlink(path.c_str());
  ck_assert_uint_eq(log.size(), packets.size());
  std::size_t sent = 0;
  for (std::size_t n = 0; n < log.size(); n++) {
    ck_assert_uint_eq(log[n].n, n);
    ck_assert_uint_eq(log[n].sequence, n & 0xffff);
    sent += !log[n].dropped() + (log[n].copy_delay_ns >= 0);
  }
  ck_assert_uint_eq(bench.arrived().size(), sent);
  return log;
}

std::vector<bool> fates(const std::vector<Logged> &log, const std::function<bool(const Logged &)> &is) {
  std::vector<bool> series;
  for (const Logged &line : log) series.push_back(is(line));
  return series;
}
std::vector<double> delays_ms(const std::vector<Logged> &log) {
  std::vector<double> series;
  for (const Logged &line : log)
    if (!line.dropped()) series.push_back(static_cast<double>(line.delay_ns) / 1e6);
  return series;
}

Impairment jitter(double delay, double width, DelayDistribution distribution, double correlation) {
  return {.delay_ms = delay,
          .jitter_ms = width,
          .delay_correlation = correlation,
          .delay_distribution = distribution,
          .allow_reordering = true};
}

}  // namespace

// n = 1e5. Share within four standard deviations (10 % alone: 0.0038; 10 % in runs of 4: 0.0094), correlation of
// neighbours within four standard errors of 100 blocks, runs by chi-square.
GST_START_TEST(losses_are_those_of_theory) {
  const struct {
    const char *name;
    Impairment settings;
    std::size_t longest;
  } rows[] = {{"random", {.loss_percent = 10}, 8},
              {"correlated", {.loss_percent = 10, .loss_correlation = 30}, 10},
              {"burst", {.loss_model = LossModel::burst, .loss_percent = 10, .burst_length = 4}, 30},
              {"Gilbert-Elliott",
               {.loss_model = LossModel::gilbert_elliott, .ge_p = 10, .ge_r = 50, .ge_h = 80, .ge_k = 5},
               12},
              {"Markov",
               {.loss_model = LossModel::markov4,
                .markov_p13 = 4,
                .markov_p31 = 20,
                .markov_p32 = 30,
                .markov_p23 = 40,
                .markov_p14 = 2},
               15}};
  for (const auto &row : rows) {
    const auto lost = fates(decided(row.settings, 1, one_a_millisecond()), [](auto &l) { return l.fate == "lost"; });
    const auto theory = loss_theory(row.settings);
    ck_assert_msg(std::fabs(mean(lost) - theory.share()) < theory.share_bound(kMany), "%s: %g, not %g", row.name,
                  mean(lost), theory.share());
    ck_assert_msg(mean_fits(products(lost, theory.share(), 1), theory.autocorrelation(1), 0.04), "%s", row.name);
    ck_assert_msg(shares_fit(runs(lost, true, row.longest), theory.run_shares(true, row.longest)), "%s", row.name);
    ck_assert_msg(shares_fit(runs(lost, false, 200), theory.run_shares(false, 200)), "%s", row.name);
  }
}
GST_END_TEST

GST_START_TEST(a_pattern_is_kept_to_the_packet) {
  const auto log = decided({.loss_model = LossModel::pattern, .loss_pattern = *net::LossPattern::parse("0010011")}, 1,
                           one_a_millisecond());
  for (const Logged &line : log) ck_assert(line.dropped() == ("0010011"[line.n % 7] == '1'));
}
GST_END_TEST

// 25 000 frames of 4 packets, 20 % lost: four sigma 4*sqrt(0.16/25000) = 0.0101.
GST_START_TEST(frames_are_dropped_whole) {
  const auto log = decided({.frame_drop_percent = 20}, 2, one_a_millisecond());
  const auto dropped = fates(log, [](auto &l) { return l.fate == "frame-dropped"; });
  std::vector<bool> frames;
  for (std::size_t n = 0; n < kMany; n++) {
    if (n % 4 == 0) frames.push_back(dropped[n]);
    ck_assert(dropped[n] == frames.back());
  }
  near(mean(frames), 0.2, 0.0101);
  ck_assert(runs_are_geometric(frames, true, 0.2, 8));
}
GST_END_TEST

// Kolmogorov-Smirnov on the decided delay, n = 1e5: D below 0.007, with correlation 25 % below 0.009.
GST_START_TEST(delays_follow_their_distribution) {
  const struct {
    const char *name;
    double delay, width;
    DelayDistribution distribution;
  } rows[] = {{"uniform", 50, 30, DelayDistribution::uniform},           {"normal", 50, 10, DelayDistribution::normal},
              {"normal, clipped", 10, 20, DelayDistribution::normal},    {"pareto", 50, 10, DelayDistribution::pareto},
              {"paretonormal", 50, 10, DelayDistribution::paretonormal}, {"gamma", 100, 50, DelayDistribution::gamma}};
  for (const auto &row : rows) {
    for (const double correlation : {0.0, 25.0}) {
      const bool skewed = row.distribution > DelayDistribution::normal;
      if (skewed && correlation > 0) continue;  // core's tests have them
      const Impairment settings = jitter(row.delay, row.width, row.distribution, correlation);
      auto delays = delays_ms(decided(settings, 3, one_a_millisecond()));
      const double d = ks_distance(delays, [&](double ms) { return delay_share(settings, ms); });
      const double c = correlation / 100, bound = ks_bound(kMany) * std::sqrt((1 + c) / (1 - c));
      ck_assert_msg(d < bound, "%s, correlation %g: %g", row.name, correlation, d);
      for (double &x : delays) x = delay_share(settings, x);
      const double less = row.distribution == DelayDistribution::gamma || row.delay < row.width ? 0.9 : 1;
      const double rank = 6 / M_PI * std::asin(c / 2), found = autocorrelation(delays, 1);  // sd 0.0033
      ck_assert_msg(found < rank + 0.014 && found > rank * less - 0.014, "%s: %g, not %g", row.name, found, rank);
    }
  }
}
GST_END_TEST

// 10 % with correlation 30 %: four sigma 4*sqrt(0.09/1e5*1.3/0.7) = 0.0052.
GST_START_TEST(reordering_duplicates_and_corruption_have_their_shares) {
  const auto check = [](const std::vector<bool> &series) {
    near(mean(series), 0.1, 0.0052);
    ck_assert(runs_are_geometric(series, true, 0.37, 8));
  };
  check(fates(decided({.delay_ms = 20, .reorder_percent = 10, .reorder_correlation = 30}, 4, one_a_millisecond()),
              [](auto &l) { return l.delay_ns == 0; }));
  check(fates(decided({.duplicate_percent = 10, .duplicate_correlation = 30}, 5, one_a_millisecond()),
              [](auto &l) { return l.fate == "duplicated" && l.copy_delay_ns == 0; }));
  const auto log = decided({.corrupt_percent = 10, .corrupt_correlation = 30}, 6, one_a_millisecond());
  check(fates(log, [](auto &l) { return l.fate == "corrupted"; }));
  // The bits: 96 to 7999, about 1e4 of them spread evenly over 76 cells of 104 bits (chi-square).
  std::vector<double> cells(76);
  double count = 0;
  for (const Logged &line : log) {
    if (line.bit < 0) continue;
    ck_assert(line.bit >= 96 && line.bit < 8000);
    cells[static_cast<std::size_t>(line.bit - 96) / 104] += 1;
    count++;
  }
  ck_assert(chi_square_fits(cells, std::vector<double>(76, count / 76)));
  const auto gaps = decided({.delay_ms = 20, .reorder_percent = 100, .reorder_gap = 5}, 7, one_a_millisecond());
  for (const Logged &line : gaps) ck_assert((line.delay_ns == 0) == (line.n % 5 == 4));
}
GST_END_TEST

// M/D/1 at load 0.7, S = 1 ms (1000 bytes at 8000 kbit/s), formula at md1_share(): the decided delay is wait + S.
// M/D/1/5 at load 1: the share refused, formula at md1k_refused().
GST_START_TEST(queue_delay_and_drops_are_those_of_the_analytic_queue) {
  Impairment line{.bandwidth_kbps = 8000, .packet_overhead = 0, .queue_ms = 1e6};
  const auto delays = delays_ms(decided(line, 8, poisson(8, 0.7)));
  ck_assert_uint_eq(delays.size(), kMany);
  for (const double t : {0.0, 0.5, 1.0, 2.0, 4.0}) {
    std::vector<double> within;
    for (const double delay : delays) within.push_back(delay - 1 <= t + 1e-7);
    ck_assert_msg(mean_fits(within, md1_share(t, 0.7), 0.006), "%g ms", t);
  }
  line.queue_packets = 4;
  std::vector<double> dropped;
  for (const Logged &l : decided(line, 9, poisson(9, 1))) dropped.push_back(l.fate == "queue-dropped");
  ck_assert(mean_fits(dropped, md1k_refused(5, 1), 0.002));
}
GST_END_TEST

// Residual times as in tests/core/net/queue_theory.cpp, packets 10 ms apart at least; n = 1e5.
GST_START_TEST(waits_for_slots_are_residual_times) {
  std::vector<Given> packets;
  for (std::size_t n = 0; n < kMany; n++) {
    const double ms = static_cast<double>(n) * 20 + Rng(10).at(n).uniform(0, 10);
    packets.push_back({static_cast<GstClockTime>(from_ms(ms).count()), 1000});
  }
  const auto delays = delays_ms(decided({.slot_min_ms = 2, .slot_max_ms = 8}, 10, packets));
  const double d =
      ks_distance(delays, [](double x) { return x <= 2 ? x / 5 : (2 + (36 - (8 - x) * (8 - x)) / 12) / 5; });
  ck_assert_msg(d < ks_bound(kMany) + 1.0 / 1024, "%g", d);
}
GST_END_TEST

// Every model through the element is the link itself, asked with the same numbers: packet by packet. The core's own
// tests (traces, CoDel and drop head among them) thus hold here, too. 8000 packets each.
GST_START_TEST(the_log_tells_what_a_link_decides) {
  for (const auto &[name, settings] : every_model()) {
    const auto packets = one_a_millisecond(8000);
    const auto log = decided(settings, 11, packets);
    net::Link link(Rng(11).split(std::uint64_t{1001}));
    link.set_base(settings, {});
    std::vector<std::int64_t> wanted(packets.size(), -1);  // the delay, or dropped
    std::vector<std::uint64_t> waiting;
    const auto told = [&](std::uint64_t n, bool copy, const std::variant<net::Drop, net::Send> &fate) {
      const auto *send = std::get_if<net::Send>(&fate);
      if (send && !copy) wanted[n] = (send->at - Instant{Nanos(packets[n].at)}).count();
    };
    const auto fetch = [&](const std::optional<net::Fate> &fate) {
      if (fate) told(waiting[fate->ticket], fate->duplicate, fate->verdict);
      return fate.has_value();
    };
    for (std::uint64_t n = 0; n < packets.size(); n++) {
      const net::Packet packet{net::Stream::video, n, 1000, 12, static_cast<std::uint32_t>(n / 4 * 3000)};
      const auto verdict = link.admit(packet, {Nanos(packets[n].at)});
      if (const auto *send = std::get_if<net::Send>(&verdict)) told(n, false, *send);
      if (std::holds_alternative<net::Wait>(verdict)) waiting.push_back(n);
      while (fetch(link.fate())) {
      }
    }
    while (fetch(link.last_fate())) {
    }
    for (const Logged &line : log)
      ck_assert_msg(line.dropped() ? wanted[line.n] == -1 : line.delay_ns == wanted[line.n],
                    "%s: packet %" G_GUINT64_FORMAT, name.c_str(), line.n);
  }
}
GST_END_TEST

// Time passes from one moment that something is due to the next: on a test clock every packet is handed on exactly
// when it was decided.
GST_START_TEST(packets_are_handed_on_when_it_was_decided) {
  const std::string path = folder().fresh();
  LinkBench bench(jitter(200, 50, DelayDistribution::normal, 0), path, 12);
  constexpr std::size_t kCount = 2000;
  std::size_t pushed = 0;
  for (; pushed < kCount; pushed++) bench.push(LinkBench::packet(pushed, pushed * 2 * GST_MSECOND));
  while (bench.arrived_count() < kCount) {
    if (gst_test_clock_timed_wait_for_multiple_pending_ids(bench.test_clock(), 1, 1, nullptr))
      gst_test_clock_crank(bench.test_clock());
  }
  bench.finish();
  bench.stop();
  std::vector<GstClockTime> decided(kCount);
  for (const Logged &line : read_log(path))
    decided[line.n] = line.n * 2 * GST_MSECOND + static_cast<GstClockTime>(line.delay_ns);
  for (const auto &arrived : bench.arrived()) ck_assert_uint_eq(arrived.at, decided[arrived.sequence]);
}
GST_END_TEST

// On the system's clock: never early. How late is told and not judged: it is the machine's.
GST_START_TEST(packets_are_never_early_on_the_systems_clock) {
  const std::string path = folder().fresh();
  const auto clock = take(gst_system_clock_obtain());
  constexpr std::size_t kCount = 1000;
  LinkBench bench(jitter(300, 80, DelayDistribution::uniform, 0), path, 13, 1001, "", clock.get());
  gst_element_set_base_time(bench.element(), gst_clock_get_time(clock.get()));
  ck_assert_int_eq(gst_element_set_state(bench.element(), GST_STATE_PAUSED), GST_STATE_CHANGE_SUCCESS);
  ck_assert_int_eq(gst_element_set_state(bench.element(), GST_STATE_PLAYING), GST_STATE_CHANGE_SUCCESS);
  for (std::size_t n = 0; n < kCount; n++) bench.push(LinkBench::packet(n, n * GST_MSECOND));
  bench.finish();
  bench.stop();
  std::vector<GstClockTime> decided(kCount);
  for (const Logged &line : read_log(path))
    decided[line.n] = line.n * GST_MSECOND + static_cast<GstClockTime>(line.delay_ns);
  std::vector<double> late_ms;
  for (const auto &arrived : bench.arrived()) {
    ck_assert_uint_ge(arrived.at, decided[arrived.sequence]);
    late_ms.push_back(static_cast<double>(arrived.at - decided[arrived.sequence]) / 1e6);
  }
  ck_assert_uint_eq(late_ms.size(), kCount);
  std::sort(late_ms.begin(), late_ms.end());
  std::printf("handed on after the decided time, system clock: p50 %.3f ms, p95 %.3f ms, p99 %.3f ms, max %.3f ms\n",
              late_ms[kCount / 2], late_ms[kCount * 95 / 100], late_ms[kCount * 99 / 100], late_ms.back());
}
GST_END_TEST

AVC_GST_TESTS("link_statistics", losses_are_those_of_theory, a_pattern_is_kept_to_the_packet, frames_are_dropped_whole,
              delays_follow_their_distribution, reordering_duplicates_and_corruption_have_their_shares,
              queue_delay_and_drops_are_those_of_the_analytic_queue, waits_for_slots_are_residual_times,
              the_log_tells_what_a_link_decides, packets_are_handed_on_when_it_was_decided,
              packets_are_never_early_on_the_systems_clock)
