// Parts of a scenario, one reader each. They note faults on the object they are given and fill in what is sound.
#pragma once

#include <optional>
#include <vector>

#include "core/json/json.hpp"
#include "launcher/scenario/scenario.hpp"

namespace avc::scenario {

// readers_spikes.cpp
std::optional<spike::Spike> read_spike(json::Object &event, bool id_required, const json::Conditions &conditions);
std::vector<spike::Spike> read_spike_list(const std::vector<json::Value> &events, const json::Conditions &conditions);
spike::RandomSpikes read_random(json::Object &settings, const json::Conditions &conditions);
void read_distribution(json::Object &settings, spike::Distribution &distribution);

// readers_parts.cpp
void read_video(json::Object &object, Video &video);
void read_audio(json::Object &object, Audio &audio);
void read_media(json::Object &root, Media &media);
// How long `participants` take to join; a fault if that is longer than `duration`, unless that is 0.
Nanos read_ramp(json::Object &object, std::uint32_t participants, Nanos duration);
void read_target(json::Object &object, Target &target);
// Of a test with so many participants.
void read_subscribers(json::Object &object, std::uint32_t participants, Subscribers &subscribers);
void read_tags(const json::Value &value, std::map<std::string, std::string> &tags);
void read_renditions(const json::Value &value, std::vector<std::uint32_t> &renditions);
void read_outputs(json::Object &root, std::vector<std::string> &outputs);

// readers_thresholds.cpp
void read_thresholds(json::Object &object, std::vector<Threshold> &thresholds);

}  // namespace avc::scenario
