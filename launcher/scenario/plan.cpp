// What follows from a scenario once its seed is known.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/spike/effect.hpp"
#include "launcher/scenario/scenario.hpp"

namespace avc::scenario {

std::vector<std::uint32_t> participant_ids(const Scenario &scenario) {
  std::vector<std::uint32_t> ids(scenario.num_participants);
  std::iota(ids.begin(), ids.end(), scenario.first_participant);
  return ids;
}

spike::Plan plan_of(const Scenario &scenario, std::uint64_t seed) {
  const Rng rng(seed);
  std::vector<spike::Spike> spikes = scenario.spikes;
  if (scenario.random) {
    const auto ids = participant_ids(scenario);
    const spike::Population population{ids, static_cast<double>(scenario.video.bitrate_kbps)};
    // Only the legacy strategy keeps the interval; the others choose the moments themselves, for all of them.
    const bool legacy = scenario.distribution.strategy == spike::Strategy::legacy;
    const Nanos length = legacy ? scenario.duration : Nanos(0);
    for (auto &spike : spike::generate(*scenario.random, population, length, rng.split("spikes"))) {
      if (!legacy) spike.offset = Nanos(0);
      spikes.push_back(std::move(spike));
    }
  }
  return spike::make_plan(std::move(spikes), scenario.distribution, scenario.duration, rng.split("plan"));
}

std::vector<std::uint32_t> renditions_of(const Scenario &scenario, const spike::Plan &plan) {
  constexpr std::size_t kMost = 6;  // each is one more encode and one more copy in memory
  if (!scenario.renditions_kbps.empty()) return scenario.renditions_kbps;
  std::vector<std::uint32_t> asked;
  for (const spike::Planned &planned : plan.spikes) {
    const auto effect = spike::effect_of(planned.spike.type, planned.spike.effective());
    if (!effect || !effect->source.max_bitrate_kbps) continue;
    const auto kbps = static_cast<std::uint32_t>(std::max(10.0, *effect->source.max_bitrate_kbps));
    if (kbps < scenario.video.bitrate_kbps) asked.push_back(kbps);
  }
  std::sort(asked.begin(), asked.end());
  asked.erase(std::unique(asked.begin(), asked.end()), asked.end());
  // Of many, some spread over the whole range, the lowest among them: each spike then finds one not above it.
  std::vector<std::uint32_t> renditions{scenario.video.bitrate_kbps};
  const std::size_t count = std::min(asked.size(), kMost - 1);
  for (std::size_t i = count; i-- > 0;) renditions.push_back(asked[i * asked.size() / count]);
  return renditions;
}

std::optional<Nanos> join_time(const Scenario &scenario, std::uint32_t participant) {
  if (scenario.ramp == Nanos(0)) return std::nullopt;
  const Nanos::rep place = participant - scenario.first_participant;
  const Nanos exact = scenario.ramp * place / scenario.num_participants;
  return std::chrono::floor<std::chrono::milliseconds>(exact);  // as sources are told
}

double spawn_rate(const Scenario &scenario) {
  return scenario.ramp > Nanos(0) ? scenario.num_participants / to_seconds(scenario.ramp) : 0;
}

namespace {

Load load_of(double participants, const MediaFacts &facts) {
  return {participants * facts.packets_per_second, participants * facts.kbps / 1000};
}

}  // namespace

Load planned_load(const Scenario &scenario, const MediaFacts &facts) {
  return load_of(scenario.num_participants, facts);
}

std::vector<LoadAt> ramp_load(const Scenario &scenario, const MediaFacts &facts) {
  constexpr int kSteps = 10;
  std::vector<LoadAt> all;
  if (scenario.ramp == Nanos(0)) return all;
  const auto ids = participant_ids(scenario);
  for (int step = 0; step <= kSteps; ++step) {
    const Nanos at = scenario.ramp * step / kSteps;
    const auto later =
        std::partition_point(ids.begin(), ids.end(), [&](std::uint32_t id) { return *join_time(scenario, id) <= at; });
    const auto joined = static_cast<std::uint32_t>(later - ids.begin());
    all.push_back({to_seconds(at), joined, load_of(joined, facts)});
  }
  return all;
}

std::vector<std::string> ramp_warnings(const Scenario &scenario, const spike::Plan &plan) {
  std::vector<std::string> warnings;
  if (scenario.ramp == Nanos(0)) return warnings;
  for (const spike::Planned &planned : plan.spikes) {
    const auto &ids = planned.spike.participants;
    if (ids.empty()) continue;  // the first is there from the beginning
    const Nanos first = *join_time(scenario, *std::min_element(ids.begin(), ids.end()));
    if (planned.end.since_origin > first) continue;
    warnings.push_back("spike \"" + planned.spike.id + "\" is over before any of its participants has joined (ramp)");
  }
  return warnings;
}

}  // namespace avc::scenario
