// PIE, RFC 8033: packets are dropped at random when they arrive, with a probability that a controller moves every 15 ms
// so that the wait stays near a target. The algorithm of the RFC's appendix A, on the packets' own time line; the wait
// is known exactly and not estimated from a rate. Without the RFC's optional parts, of which only ECN is here: below
// a probability of 10 % a packet that can be marked is.
#pragma once

#include <cstdint>

#include "core/net/packet.hpp"
#include "core/time.hpp"

namespace avc::net {

class Pie {
 public:
  static constexpr Nanos kUpdate = std::chrono::milliseconds(15);
  static constexpr std::uint64_t kMeanPacket = 1024;  // bytes; no drop while no more than two of these wait

  // What becomes of a packet that finds `backlog` bytes waiting; `u` is its chance, evenly spread over 0..1. Ask in
  // the order of arrival. `free_at`: when the line has sent all that came before.
  Mark decide(Nanos target, Nanos burst, Instant now, Instant free_at, std::uint64_t backlog, bool markable, double u);

  double probability() const { return probability_; }

 private:
  void update(Nanos target, Nanos delay);

  Instant next_{Nanos::min()};
  double probability_ = 0;
  Nanos delay_{}, delay_before_{}, burst_left_{};
};

}  // namespace avc::net
