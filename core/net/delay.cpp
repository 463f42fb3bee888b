#include "core/net/delay.hpp"

#include <algorithm>

namespace avc::net {

Nanos delay_of(const Impairment &settings, Draws draws) {
  double ms = settings.delay_ms;
  if (settings.jitter_ms > 0)
    ms += settings.jitter_ms *
          (settings.delay_distribution == DelayDistribution::normal ? draws.normal() : draws.uniform(-1, 1));
  return ms > 0 ? from_ms(std::min(ms, kLongestMs)) : Nanos{};
}

Delay::Delay(const Rng &rng) {
  for (std::size_t i = 0; i < kStreamCount; ++i) rngs_[i] = rng.split(name(static_cast<Stream>(i))).split("delay");
}

Nanos Delay::draw(const Impairment &settings, const Packet &packet) const {
  return delay_of(settings, rngs_[static_cast<std::size_t>(packet.stream)].at(packet.n));
}

}  // namespace avc::net
