#include "core/net/delay.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/net/delay_table.hpp"

namespace avc::net {
namespace {

constexpr double kSqrtHalf = 0.70710678118654752440;

// netem's table "pareto": shape 3, shifted and scaled to mean 0 and cut off at 4. `above` is the share of draws
// above the one asked for, in (0, 1].
double pareto(double above) { return std::min((1 / std::cbrt(above) - 1.5) * (4.0 / 3.0), 4.0); }

// netem's table "paretonormal": a quarter of the normal and three quarters of the Pareto quantile.
double pareto_normal(double normal, double above) { return 0.25 * normal + 0.75 * pareto(above); }

// The share of a standard normal's draws above this one.
double share_above(double normal) { return std::max(0.5 * std::erfc(normal * kSqrtHalf), 1e-300); }

double bounded_shape(double mean, double deviation) { return mean / deviation * (mean / deviation); }

Nanos whole(double ms) { return ms > 0 ? from_ms(std::min(ms, kLongestMs)) : Nanos{}; }

}  // namespace

Nanos spread(double mean_ms, double width_ms, DelayDistribution distribution, const DelayTable *table, Draws &&draws) {
  if (!(width_ms > 0)) return whole(mean_ms);
  switch (distribution) {
    case DelayDistribution::uniform:
      return whole(mean_ms + width_ms * draws.uniform(-1, 1));
    case DelayDistribution::normal:
      return whole(mean_ms + width_ms * draws.normal());
    case DelayDistribution::pareto:
      return whole(mean_ms + width_ms * pareto(1 - draws.uniform()));
    case DelayDistribution::paretonormal: {
      const double u = std::max(draws.uniform(), 0x1.0p-54);
      return whole(mean_ms + width_ms * pareto_normal(normal_quantile(u), 1 - u));
    }
    case DelayDistribution::table:
      return whole(mean_ms + (table ? width_ms * table->quantile(draws.uniform()) : 0));
    case DelayDistribution::gamma:
      break;
  }
  if (!(mean_ms > 0)) return {};
  return whole(draws.gamma(bounded_shape(mean_ms, width_ms)) * width_ms * (width_ms / mean_ms));
}

Nanos delay_of(const Impairment &s, Draws &&draws) {
  return spread(s.delay_ms, s.jitter_ms, s.delay_distribution, s.delay_table.get(), std::move(draws));
}

Nanos delay_of(const Impairment &s, double normal, Draws &&draws) {
  if (!(s.jitter_ms > 0)) return whole(s.delay_ms);
  switch (s.delay_distribution) {
    case DelayDistribution::uniform:
      return whole(s.delay_ms + s.jitter_ms * std::erf(normal * kSqrtHalf));
    case DelayDistribution::normal:
      return whole(s.delay_ms + s.jitter_ms * normal);
    case DelayDistribution::pareto:
      return whole(s.delay_ms + s.jitter_ms * pareto(share_above(normal)));
    case DelayDistribution::paretonormal:
      return whole(s.delay_ms + s.jitter_ms * pareto_normal(normal, share_above(normal)));
    case DelayDistribution::table:
      return whole(s.delay_ms + (s.delay_table ? s.jitter_ms * s.delay_table->quantile(1 - share_above(normal)) : 0));
    case DelayDistribution::gamma:
      break;
  }
  if (!(s.delay_ms > 0)) return {};
  return whole(draws.gamma(bounded_shape(s.delay_ms, s.jitter_ms), normal) * s.jitter_ms * (s.jitter_ms / s.delay_ms));
}

Delay::Delay(const Rng &rng) {
  for (std::size_t i = 0; i < kStreamCount; ++i) {
    streams_[i].rng = rng.split(name(static_cast<Stream>(i))).split("delay");
    streams_[i].copies = streams_[i].rng.split("copy");
    streams_[i].share = streams_[i].rng.split("share");
  }
}

Nanos Delay::draw(const Impairment &settings, const Packet &packet) {
  auto &stream = streams_[static_cast<std::size_t>(packet.stream)];
  if (settings.delay_percent < 100 && !stream.share.at(packet.n).chance(settings.delay_percent)) return {};
  if (!(settings.delay_correlation > 0) || !(settings.jitter_ms > 0))
    return delay_of(settings, stream.rng.at(packet.n));
  const double normal = drift(stream, settings.delay_correlation / 100, packet.n);
  Draws draws = stream.rng.at(packet.n);
  if (settings.delay_distribution == DelayDistribution::gamma) draws.uniform();  // was the drift's
  return delay_of(settings, normal, std::move(draws));
}

Nanos Delay::draw_for_copy(const Impairment &settings, const Packet &packet) const {
  const auto &stream = streams_[static_cast<std::size_t>(packet.stream)];
  if (settings.delay_percent < 100) {
    Draws draws = stream.share.at(packet.n);
    draws.uniform();  // was the original's
    if (!draws.chance(settings.delay_percent)) return {};
  }
  return delay_of(settings, stream.copies.at(packet.n));
}

// Always walked from the same packet in the same steps, so that rounding is the same too.
double Delay::drift(PerStream &stream, double correlation, std::uint64_t n) {
  const bool follows =
      stream.known && correlation == stream.correlation && n >= stream.n && n / kDriftBlock == stream.n / kDriftBlock;
  if (!follows) {
    stream.correlation = correlation;
    stream.n = n - n % kDriftBlock;
    stream.value = stream.rng.at(stream.n).normal();
    stream.known = true;
  }
  const double fresh = std::sqrt(1 - correlation * correlation);
  while (stream.n < n) stream.value = correlation * stream.value + fresh * stream.rng.at(++stream.n).normal();
  return stream.value;
}

}  // namespace avc::net
