// Something that happens to a share of all packets, each alone or with a tendency to follow one another: the losses,
// duplicates, corruptions and reorderings of netem's "PERCENT [CORRELATION]".
//
// Unlike netem's filter the correlation keeps the share: the event is a two-state chain with
//   P(happens | did before) = c + (1-c)*share,  P(happens | did not) = (1-c)*share
// whose long-run share is `share` and whose autocorrelation over k packets is c^k.
#pragma once

#include <cstdint>
#include <memory>

#include "core/net/chain.hpp"
#include "core/random.hpp"

namespace avc::net {

class Events {
 public:
  explicit Events(const Rng &rng = Rng()) : rng_(rng), walk_(rng) {}

  void set(double percent, double correlation_percent) {
    percent_ = percent;
    const double share = percent / 100, c = correlation_percent / 100;
    correlated_ = c > 0 && percent > 0 && percent < 100;
    if (!correlated_) return;
    Chain chain = two_states((1 - c) * share, (1 - c) * (1 - share));
    chain.long_run = {1 - share, share, 0, 0};  // also where the chain never changes (c = 1)
    walk_.set(std::make_shared<const Chain>(chain));
  }

  // 0 and 100 percent are exact; 0 draws nothing, all else one draw.
  bool happens(std::uint64_t n) {
    if (!(percent_ > 0)) return false;
    return correlated_ ? walk_.at(n) == 1 : rng_.at(n).chance(percent_);
  }

 private:
  Rng rng_;
  ChainWalk walk_;
  double percent_ = 0;
  bool correlated_ = false;
};

}  // namespace avc::net
