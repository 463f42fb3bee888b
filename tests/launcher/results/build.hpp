// Makes up runs for the tests of results: participants whose counters are set by hand.
#pragma once

#include "launcher/results/samples.hpp"

namespace avc::test {

using results::Media;
using results::ParticipantSnapshot;

inline Instant seconds(double t) { return {from_seconds(t)}; }

// One participant of which `packets` audio packets were made, `lost` taken by the link, and the rest received.
inline ParticipantSnapshot participant(std::uint32_t id, std::uint64_t packets, std::uint64_t lost = 0) {
  ParticipantSnapshot out{.id = id, .state = results::ParticipantState::running};
  auto &sent = out.sent_of(Media::audio);
  sent.packets = packets;
  sent.bytes = packets * 100;
  sent.frames = packets;
  sent.lost = lost;
  auto &received = out.received_of(Media::audio);
  received.packets_expected = static_cast<std::int64_t>(packets);
  received.packets_lost = static_cast<std::int64_t>(lost);
  received.packets_received = received.packets_expected - received.packets_lost;
  received.bytes_received = received.packets_received * 100;
  received.payload_bytes = received.packets_received * 80;
  received.loss_runs = static_cast<std::int64_t>(lost);
  received.loss_run_lengths[0] = static_cast<std::int64_t>(lost);
  received.jitter_samples = received.packets_received;
  received.jitter_ms_sum = static_cast<double>(received.packets_received) * 2;
  return out;
}

inline spike::Planned planned(std::string id, std::string type, double start, double end) {
  return {.spike = {.id = std::move(id), .type = std::move(type)}, .start = seconds(start), .end = seconds(end)};
}

}  // namespace avc::test
