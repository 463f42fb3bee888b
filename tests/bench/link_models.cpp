// What each model of the link costs: nanoseconds per packet, and how many times that of a link that does nothing.
// Not a test: figures depend on the machine. Build with --buildtype=release, run on an idle machine:
//   build/tests/bench/link_models
// Packets are a video stream's, 1000 bytes each millisecond. The best of five rounds counts, so that what else the
// machine does weighs little.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <string>
#include <vector>

#include "core/net/link.hpp"
#include "core/net/profiles.hpp"
#include "core/net/trace_models.hpp"

using namespace avc;
using net::Impairment, net::Link, net::LossModel;

namespace {

constexpr std::uint64_t kPackets = 500'000;
constexpr int kRounds = 5;

std::uint64_t checksum = 0;  // printed, so that no work is left out

struct Case {
  std::string name;
  Impairment settings;
};

Impairment delayed(net::DelayDistribution distribution, double correlation = 0) {
  return {.delay_ms = 100, .jitter_ms = 20, .delay_correlation = correlation, .delay_distribution = distribution};
}

Impairment line(net::QueueDiscipline discipline, double kbps) {
  return {.bandwidth_kbps = kbps, .queue_discipline = discipline};
}

std::vector<Case> cases() {
  using enum net::DelayDistribution;
  using enum net::QueueDiscipline;
  std::vector<Case> all = {
      {"disabled", {}},
      {"loss random", {.loss_percent = 5}},
      {"loss random, correlated", {.loss_percent = 5, .loss_correlation = 25}},
      {"loss burst", {.loss_model = LossModel::burst, .loss_percent = 5}},
      {"loss gilbert-elliott",
       {.loss_model = LossModel::gilbert_elliott, .ge_p = 1, .ge_r = 20, .ge_h = 70, .ge_k = 1}},
      {"loss markov4",
       {.loss_model = LossModel::markov4, .markov_p13 = 2, .markov_p31 = 20, .markov_p32 = 30, .markov_p23 = 40}},
      {"loss pattern", {.loss_model = LossModel::pattern, .loss_pattern = *net::LossPattern::parse("0001")}},
      {"frame drop", {.frame_drop_percent = 5}},
      {"delay fixed", {.delay_ms = 100}},
      {"delay uniform", delayed(uniform)},
      {"delay normal", delayed(normal)},
      {"delay pareto", delayed(pareto)},
      {"delay paretonormal", delayed(paretonormal)},
      {"delay gamma", delayed(gamma)},
      {"delay uniform, correlated", delayed(uniform, 25)},
      {"delay normal, correlated", delayed(normal, 25)},
      {"delay pareto, correlated", delayed(pareto, 25)},
      {"delay paretonormal, correlated", delayed(paretonormal, 25)},
      {"delay gamma, correlated", delayed(gamma, 25)},
      {"reorder", {.delay_ms = 20, .reorder_percent = 25}},
      {"reorder, gap", {.delay_ms = 20, .reorder_percent = 25, .reorder_gap = 5}},
      {"duplicate", {.duplicate_percent = 5}},
      {"corrupt", {.corrupt_percent = 5}},
      {"rate, idle", line(droptail, 20'000)},
      {"rate, overloaded", line(droptail, 7000)},
      {"rate, drop head", line(drophead, 7000)},
      {"rate, codel", line(codel, 7000)},
      {"trace", {.link_trace = net::built_in_trace("lte")}},
      {"slots", {.slot_min_ms = 2, .slot_max_ms = 8}},
  };
  for (const char *name : {"3g", "wifi-congested", "lte-moving"}) all.push_back({name, *net::profile(name)});
  return all;
}

double nanoseconds_per_packet(const Impairment &settings) {
  double best = 1e9;
  std::uint64_t sum = 0;
  for (int round = 0; round < kRounds; ++round) {
    Link link{Rng(static_cast<std::uint64_t>(round))};
    link.set_base(settings, {});
    const auto begin = std::chrono::steady_clock::now();
    for (std::uint64_t n = 0; n < kPackets; ++n) {
      const auto verdict = link.admit({.stream = net::Stream::video,
                                       .n = n,
                                       .bytes = 1000,
                                       .header_bytes = 12,
                                       .rtp_timestamp = static_cast<std::uint32_t>(n / 4 * 3000)},
                                      {Nanos(static_cast<std::int64_t>(n) * 1'000'000)});
      sum += verdict.index();
      if (const auto *wait = std::get_if<net::Wait>(&verdict)) sum += wait->ticket;
      while (const auto fate = link.fate()) sum += fate->ticket;
    }
    const std::chrono::duration<double, std::nano> spent = std::chrono::steady_clock::now() - begin;
    best = std::min(best, spent.count() / static_cast<double>(kPackets));
  }
  checksum += sum;
  return best;
}

}  // namespace

int main() {
  const double idle = nanoseconds_per_packet({});
  std::printf("| model | ns per packet | times disabled |\n|---|---|---|\n");
  for (const Case &c : cases()) {
    const double ns = nanoseconds_per_packet(c.settings);
    std::printf("| %s | %.1f | %.1f |\n", c.name.c_str(), ns, ns / idle);
  }
  std::printf("\n(checksum %llu)\n", static_cast<unsigned long long>(checksum));
}
