// What one participant did in a stretch of time: as its receiver measured it, or, where nobody receives for us, as
// the link decided it.
#pragma once

#include <span>
#include <vector>

#include "launcher/results/samples.hpp"

namespace avc::session {

struct ParticipantRates {
  std::uint32_t id = 0;
  double loss_percent = 0;
  double jitter_ms = 0;  // RFC 3550; 0 without a receiver
  double mos_score = 0;  // 0 where no audio was sent
  double kbps = 0;       // RTP into the link
};

// Both in the order of the participants; `before` is empty for the first stretch.
std::vector<ParticipantRates> rates_between(std::span<const results::ParticipantSnapshot> before,
                                            std::span<const results::ParticipantSnapshot> now, double seconds,
                                            bool has_receiver);

// Means of those that sent, and the sum of their bitrates.
ParticipantRates summary(std::span<const ParticipantRates> rates);

}  // namespace avc::session
