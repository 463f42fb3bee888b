// Which packets a link loses: each alone or correlated (random), in runs (burst: the simple Gilbert model), by
// netem's two-state chain with losses in either state (Gilbert-Elliott) or four-state chain (Markov), or as a
// repeating pattern says.
//
// All are functions of (key, packet number) alone; see chain.hpp. Formulas and limits: docs/model.md.
#pragma once

#include <array>
#include <cstdint>

#include "core/net/chain.hpp"
#include "core/net/events.hpp"
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
Gilbert gilbert_elliott(const Impairment &settings);  // netem's p and r

// netem's "loss state": its states 1 (received), 2 (received within a burst), 3 (lost within a burst) and 4 (lost
// alone) are 0 to 3 here.
Chain four_states(const Impairment &settings);

bool loses(const Impairment &settings);  // whether any packet could be lost

class Loss {
 public:
  explicit Loss(const Rng &rng);

  void set(const Impairment &settings);
  bool lost(const Packet &packet);

 private:
  struct PerStream {
    Rng rng;
    Events events;
    ChainWalk walk;
  };
  bool lost_in_chain(PerStream &stream, std::uint64_t n) const;

  std::array<PerStream, kStreamCount> streams_;
  LossModel model_ = LossModel::random;
  double bad_ = 100, good_ = 0;  // percent lost in either state of Gilbert-Elliott
  LossPattern pattern_;
  bool active_ = false;
};

}  // namespace avc::net
