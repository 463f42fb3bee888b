// How long a packet is under way on a link, apart from queueing: a fixed time plus jitter drawn for each packet
// alone. Never negative: what a draw would take below zero arrives at once, so jitter beyond the fixed delay raises
// the mean (docs/model.md). Whether packets may overtake is decided by the link.
#pragma once

#include <array>

#include "core/net/impairment.hpp"
#include "core/net/packet.hpp"
#include "core/random.hpp"
#include "core/time.hpp"

namespace avc::net {

inline constexpr double kLongestMs = 3'600'000;  // no single model delays or queues for more than an hour

// At most one draw, none without jitter. Whole nanoseconds, 0 .. kLongestMs.
Nanos delay_of(const Impairment &settings, Draws draws);

class Delay {
 public:
  explicit Delay(const Rng &rng);

  Nanos draw(const Impairment &settings, const Packet &packet) const;

 private:
  std::array<Rng, kStreamCount> rngs_;
};

}  // namespace avc::net
