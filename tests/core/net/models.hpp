// Every model of the link with settings that show it on packets of 1000 bytes each millisecond (8 Mbit/s): the one
// list that costs, allocations and determinism are measured over.
#pragma once

#include <string>
#include <vector>

#include "core/net/delay_table.hpp"
#include "core/net/impairment.hpp"
#include "core/net/profiles.hpp"
#include "core/net/trace_models.hpp"

namespace avc::test {

struct Model {
  std::string name;
  net::Impairment settings;
};

inline net::Impairment jittered(net::DelayDistribution distribution, double correlation = 0) {
  return {.delay_ms = 100, .jitter_ms = 20, .delay_correlation = correlation, .delay_distribution = distribution};
}
inline net::Impairment overtaking(net::Impairment settings) {
  settings.allow_reordering = true;
  return settings;
}
inline constexpr const char *kTable = "-8192 -4096 -1024 0 512 2048 4096 16384";
inline net::Impairment tabled(net::Impairment settings) {
  settings.delay_distribution = net::DelayDistribution::table;
  settings.delay_table = *net::DelayTable::parse(kTable);
  return settings;
}
inline net::Impairment line_of(net::QueueDiscipline discipline, double kbps) {
  return {.bandwidth_kbps = kbps, .queue_discipline = discipline};
}

inline std::vector<Model> every_model() {
  using enum net::DelayDistribution;
  using enum net::QueueDiscipline;
  using net::LossModel;
  const net::Impairment cells{.bandwidth_kbps = 9000, .cell_bytes = 48, .cell_overhead = 5};
  std::vector<Model> all = {
      {"loss random", {.loss_percent = 5}},
      {"loss random, correlated", {.loss_percent = 5, .loss_correlation = 25}},
      {"loss burst", {.loss_model = LossModel::burst, .loss_percent = 5}},
      {"loss gilbert-elliott",
       {.loss_model = LossModel::gilbert_elliott, .ge_p = 1, .ge_r = 20, .ge_h = 70, .ge_k = 1}},
      {"loss markov4",
       {.loss_model = LossModel::markov4, .markov_p13 = 2, .markov_p31 = 20, .markov_p32 = 30, .markov_p23 = 40}},
      {"drop next", {.drop_packets = 1000}},
      {"loss pattern", {.loss_model = LossModel::pattern, .loss_pattern = *net::LossPattern::parse("0001")}},
      {"loss marked", {.loss_percent = 5, .ecn = net::EcnMode::ect0}},
      {"on and off", {.on_ms = 80, .off_ms = 20}},
      {"frame drop", {.frame_drop_percent = 5}},
      {"delay fixed", {.delay_ms = 100}},
      {"delay uniform", jittered(uniform)},
      {"delay normal", jittered(normal)},
      {"delay normal, overtaking", overtaking(jittered(normal))},
      {"delay of a share", {.delay_ms = 30, .delay_percent = 40}},
      {"delay, limited", {.delay_ms = 30, .limit_packets = 20}},
      {"delay pareto", jittered(pareto)},
      {"delay paretonormal", jittered(paretonormal)},
      {"delay gamma", jittered(gamma)},
      {"delay table", tabled({.delay_ms = 100, .jitter_ms = 20})},
      {"delay table, correlated", tabled({.delay_ms = 100, .jitter_ms = 20, .delay_correlation = 25})},
      {"delay uniform, correlated", jittered(uniform, 25)},
      {"delay normal, correlated", jittered(normal, 25)},
      {"delay pareto, correlated", jittered(pareto, 25)},
      {"delay paretonormal, correlated", jittered(paretonormal, 25)},
      {"delay gamma, correlated", jittered(gamma, 25)},
      {"reorder", {.delay_ms = 20, .reorder_percent = 25}},
      {"reorder, correlated", {.delay_ms = 20, .reorder_percent = 25, .reorder_correlation = 50}},
      {"reorder, gap", {.delay_ms = 20, .reorder_percent = 25, .reorder_gap = 5}},
      {"duplicate", {.duplicate_percent = 5}},
      {"duplicate, correlated", {.duplicate_percent = 5, .duplicate_correlation = 25}},
      {"corrupt", {.corrupt_percent = 5}},
      {"corrupt, correlated", {.corrupt_percent = 5, .corrupt_correlation = 25}},
      {"rate, with room", line_of(droptail, 20'000)},
      {"rate, overloaded", line_of(droptail, 7000)},
      {"rate, ATM cells", cells},
      {"rate, token bucket", {.bandwidth_kbps = 9000, .burst_bytes = 20'000}},
      {"rate, PIE", line_of(pie, 7000)},
      {"rate, PI2", line_of(pi2, 7000)},
      {"rate, PI2 and ECN", {.bandwidth_kbps = 7000, .queue_discipline = pi2, .ecn = net::EcnMode::ect1}},
      {"rate, CoDel and ECN", {.bandwidth_kbps = 8300, .queue_discipline = codel, .ecn = net::EcnMode::ect0}},
      {"limit", {.delay_ms = 100, .limit_packets = 90}},
      {"rate, drop head", line_of(drophead, 7000)},
      {"rate, CoDel", line_of(codel, 7000)},
      {"rate, bursts", {.bandwidth_kbps = 9000, .burst_bytes = 20'000}},
      {"trace", {.link_trace = net::built_in_trace("lte")}},
      {"trace, CoDel", {.link_trace = net::built_in_trace("lte"), .queue_discipline = codel}},
      {"slots", {.slot_min_ms = 2, .slot_max_ms = 8}},
      {"slots, full", {.slot_min_ms = 2, .slot_max_ms = 8, .slot_packets = 4}},
      {"slots, normal", {.slot_delay_ms = 5, .slot_jitter_ms = 2}},
      {"slots, CoDel", {.bandwidth_kbps = 7000, .slot_min_ms = 2, .slot_max_ms = 8, .queue_discipline = codel}},
  };
  for (const char *name : {"3g", "wifi-congested", "lte-moving"})
    all.push_back({std::string("profile ") + name, *net::profile(name)});
  return all;
}

}  // namespace avc::test
