// Spikes as JSON text: an array of spikes, or an object whose "spikes" is one (what GET plan answers).
//
//   [{"spike_id": "a", "type": "rtp_packet_loss", "start_seconds": 5, "duration_seconds": 10,
//     "participant_ids": [1001], "params": {"loss_percent": 10}}]
//
// start_seconds may be called start_offset_seconds; end_seconds may stand in place of duration_seconds; with neither,
// or a duration that is not above 0, the spike lasts until it is cancelled. Keys match with '-' or '_'.
#pragma once

#include <string>
#include <vector>

#include "core/result.hpp"
#include "core/spike/spike.hpp"

namespace avc::scheduler {

inline constexpr std::size_t kMostSpikes = 10'000;

// Each spike's offset is its start. The error's field is the path of what is wrong: "spikes[2].type".
Result<std::vector<spike::Spike>> read_spikes(const std::string &json);

// The same at exactly those times.
std::vector<spike::Planned> as_planned(std::vector<spike::Spike> spikes);

}  // namespace avc::scheduler
