// What a stretch of time did to a group of participants, from the snapshots at its two ends: as the sender decided it
// and as the receiver saw it.
//
// Loss, frames and bitrate are of all the group's packets together; MOS is the mean over its audio streams, jitter
// the mean over its packets. What was on the way at one end of the window counts where it arrived.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "launcher/results/samples.hpp"

namespace avc::results {

using Snapshots = std::vector<ParticipantSnapshot>;  // ordered by id

// A copy in order of ids.
Snapshots ordered(std::span<const ParticipantSnapshot> participants);
const ParticipantSnapshot *find(const Snapshots &snapshots, std::uint32_t id);

SenderCounters operator-(const SenderCounters &later, const SenderCounters &earlier);
SenderCounters &operator+=(SenderCounters &sum, const SenderCounters &other);

// What was added in between; the maximum stays the later one's.
DelayCounters difference(const DelayCounters &later, const DelayCounters &earlier);

// The state of some participants at one moment. One that is absent counts as not yet begun: all zero.
struct Moment {
  double t = 0;
  const Snapshots *snapshots = nullptr;
};

Injected injected_between(const Moment &from, const Moment &to, std::span<const std::uint32_t> ids);
Window measured_between(const Moment &from, const Moment &to, std::span<const std::uint32_t> ids);

// The score of one audio stream over a stretch; none where nothing was sent. Nothing arriving at all scores 1.
std::optional<double> mos_of(const SenderCounters &sent, const ReceiverCounters &received);

}  // namespace avc::results
