// Random spikes for a test: how many, how often, which types in which proportion, how strong, whom. The settings are
// those of the old command line's config file ("spikes" as an object), all checked before anything is drawn.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "core/random.hpp"
#include "core/result.hpp"
#include "core/spike/spike.hpp"

namespace avc::spike {

// A parameter's setting, by name: NAME_min and NAME_max bound a uniform draw (of whole numbers if both are whole),
// NAME fixes it. rtp_packet_loss takes "patterns", network_profile "profiles" and link_trace "traces" (lists to pick
// from), bitrate_reduce "reduction_percent_min" and
// "_max" (of the test's bitrate).
using Choice = std::variant<double, std::string, std::vector<std::string>>;

struct WeightedType {
  std::string name;
  double weight = 0;  // >= 0, relative
  std::map<std::string, Choice> params;
};

struct Selection {
  double single_weight = 40, multiple_weight = 35, all_weight = 25;  // >= 0, relative
  std::int64_t multiple_count_min = 2, multiple_count_max = 5;       // >= 1
};

struct RandomSpikes {
  std::int64_t count = 70;                   // 0..10000
  Nanos interval = std::chrono::seconds(5);  // > 0
  double duration_min_seconds = 2, duration_max_seconds = 8;
  std::vector<WeightedType> types;  // empty: default_types()
  Selection selection;
};

std::vector<WeightedType> default_types();  // the old tool's: loss 40, jitter, frame drop and bitrate 20 each

// Who and what there is to hurt.
struct Population {
  std::span<const std::uint32_t> participants;
  double bitrate_kbps = 2500;
};

// Everything wrong with the settings; fields are keys such as "types.rtp_packet_loss.params.loss_percentage_min".
std::vector<Error> check(const RandomSpikes &settings, const Population &population);

// Spike i is "chaos_spike_<i+1>" at (i+1) * interval; those that would not start before `length` are not made
// (length <= 0: all are). The settings must have passed check(). Everybody addressed at once is an empty list.
std::vector<Spike> generate(const RandomSpikes &settings, const Population &population, Nanos length, const Rng &rng);

}  // namespace avc::spike
