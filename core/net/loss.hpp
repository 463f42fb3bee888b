// Which packets a link loses: each alone with one probability (random), or in runs (burst: the simple Gilbert
// model, a two-state Markov chain that loses everything in its bad state).
//
// Both are functions of (key, packet number) alone. A chain would normally remember its state; ours can find it
// again from any packet number, so a participant that joins late or a link asked out of order loses the same
// packets. Formulas and limits: docs/model.md.
#pragma once

#include <array>
#include <cstdint>

#include "core/net/impairment.hpp"
#include "core/net/packet.hpp"
#include "core/random.hpp"

namespace avc::net {

// Transition probabilities per packet, 0..1.
struct Gilbert {
  double to_bad = 0;
  double to_good = 1;
};

// The chain that loses `loss_percent` in the long run, in runs of `burst_length` packets on average. Where both
// cannot be had (90 % in runs of 2), the percentage is kept and the runs become longer.
Gilbert gilbert(double loss_percent, double burst_length);

// Is the packet lost, given that the one before it was (or was not)? One draw.
bool gilbert_step(const Gilbert &chain, bool before_lost, Draws draws);

class Loss {
 public:
  explicit Loss(const Rng &rng);

  bool lost(const Impairment &settings, const Packet &packet);

 private:
  struct PerStream {
    Rng rng;
    // The chain's state after packet number `n`, valid for `chain` only.
    Gilbert chain;
    std::uint64_t n = 0;
    bool known = false, lost = false;
  };
  static bool burst_lost(PerStream &stream, const Gilbert &chain, std::uint64_t n);

  std::array<PerStream, kStreamCount> streams_;
};

}  // namespace avc::net
