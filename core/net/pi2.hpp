// The coupled controller of DualPI2, RFC 9332, on one queue: a probability p' that a PI controller moves every 16 ms.
// Scalable traffic, which says ECT(1), is marked with 2p' and whenever it waits longer than a step; all else is
// dropped, or marked where it says ECT(0), with p'^2. Left out: the RFC's second queue. It keeps scalable traffic from
// waiting behind other traffic, and a participant's packets are all of one kind: then the other queue is empty and both
// are the same. Where they are mixed, the scalable ones wait here with the rest.
#pragma once

#include "core/net/packet.hpp"
#include "core/time.hpp"

namespace avc::net {

class Pi2 {
 public:
  static constexpr Nanos kUpdate = std::chrono::milliseconds(16);
  static constexpr double kMost = 0.5;  // of p': all scalable packets marked, a quarter of the others dropped

  // As Pie's; `step`: the wait from which every ECT(1) packet is marked, `wait`: this packet's.
  Mark decide(Nanos target, Nanos step, Instant now, Instant free_at, Nanos wait, Ecn ecn, double u);

  double probability() const { return probability_; }

 private:
  Instant next_{Nanos::min()};
  double probability_ = 0;
  Nanos delay_before_{};
};

}  // namespace avc::net
