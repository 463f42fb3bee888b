// How long a packet is under way on a link, apart from queueing: a fixed time plus jitter drawn for each packet.
// Never negative: what a draw would take below zero arrives at once, so jitter beyond the fixed delay raises the
// mean (docs/model.md). Whether packets may overtake is decided by the link.
//
// Correlated jitter is a first-order autoregression of standard normals, mapped to the distribution asked for, which
// therefore stays what it is without correlation. It begins anew every kDriftBlock packets: its state is found from
// any packet number by walking from there.
#pragma once

#include <array>

#include "core/net/impairment.hpp"
#include "core/net/packet.hpp"
#include "core/random.hpp"
#include "core/time.hpp"

namespace avc::net {

inline constexpr double kLongestMs = 3'600'000;  // no single model delays or queues for more than an hour
inline constexpr std::uint64_t kDriftBlock = 4096;

// netem's jitter: `width_ms` times a draw from the distribution, whose mean is about 0, on top of `mean_ms`. One draw,
// more for gamma; none without width. Whole nanoseconds, 0 .. kLongestMs. `table` only for the distribution of that
// name.
Nanos spread(double mean_ms, double width_ms, DelayDistribution distribution, const DelayTable *table, Draws &&draws);

// Without correlation. One draw, more for gamma, none without jitter. Whole nanoseconds, 0 .. kLongestMs.
Nanos delay_of(const Impairment &settings, Draws &&draws);
// The same from a standard normal; `draws` is used by gamma alone.
Nanos delay_of(const Impairment &settings, double normal, Draws &&draws);

class Delay {
 public:
  explicit Delay(const Rng &rng);

  Nanos draw(const Impairment &settings, const Packet &packet);
  // For a packet's duplicate, which travels on its own: independent even with correlation.
  Nanos draw_for_copy(const Impairment &settings, const Packet &packet) const;

 private:
  struct PerStream {
    Rng rng, copies, share;
    double correlation = 0, value = 0;  // of the autoregression after packet n
    std::uint64_t n = 0;
    bool known = false;
  };
  static double drift(PerStream &stream, double correlation, std::uint64_t n);

  std::array<PerStream, kStreamCount> streams_;
};

}  // namespace avc::net
