#include "core/net/trace_models.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <vector>

#include "core/random.hpp"

namespace avc::net {
namespace {

constexpr std::array<std::string_view, 3> kNames{"lte", "wifi", "tunnel"};
constexpr std::uint64_t kSeed = 5;
constexpr std::uint32_t kSeconds = 30;
constexpr double kBytesPerKbit = 125;

// Lines of a trace from a capacity in kbit/s for each millisecond: an opportunity whenever enough bytes have
// gathered.
class Gatherer {
 public:
  void pass(std::uint32_t ms, double kbps) {
    bytes_ += kbps * kBytesPerKbit / 1000;
    while (bytes_ >= LinkTrace::kOpportunity) {
      bytes_ -= LinkTrace::kOpportunity;
      times_.push_back(ms);
    }
  }
  // Closes the trace: its length is the last line's time.
  std::vector<std::uint32_t> done(std::uint32_t length_ms) {
    times_.push_back(length_ms);
    return std::move(times_);
  }

 private:
  std::vector<std::uint32_t> times_;
  double bytes_ = 0;
};

// A logarithm of capacity that wanders and comes back (Ornstein-Uhlenbeck, one step each 100 ms).
class Wander {
 public:
  Wander(const Rng &rng, double deviation, double seconds)
      : rng_(rng), deviation_(deviation), keep_(std::exp(-0.1 / seconds)) {}

  double factor(std::uint32_t ms) {
    if (ms % 100 == 0) {
      const double fresh = rng_.at(ms / 100).normal();
      z_ = ms == 0 ? fresh : keep_ * z_ + std::sqrt(1 - keep_ * keep_) * fresh;
    }
    return std::exp(deviation_ * z_ - deviation_ * deviation_ / 2);  // mean 1
  }

 private:
  Rng rng_;
  double deviation_, keep_;
  double z_ = 0;
};

// A moving terminal: 4 Mbit/s times slow fading; the scheduler grants every 10 ms with exponential weight; now
// and then a handover stops everything for 30 to 150 ms.
std::vector<std::uint32_t> lte(const Rng &rng, std::uint32_t length_ms) {
  Gatherer out;
  Wander fading(rng.split("fading"), 0.6, 4);
  double grant = 1;
  std::uint32_t silent_until = 0;
  for (std::uint32_t ms = 0; ms < length_ms; ++ms) {
    const double fade = fading.factor(ms);
    if (ms % 10 == 0) grant = -std::log(1 - rng.split("grant").at(ms).uniform());
    if (ms % 1000 == 0) {
      Draws draws = rng.split("handover").at(ms);
      if (draws.uniform() < 0.08) silent_until = ms + static_cast<std::uint32_t>(draws.uniform(30, 150));
    }
    if (ms >= silent_until && ms % 10 < 5) out.pass(ms, 2 * 4000 * fade * grant);
  }
  return out.done(length_ms);
}

// A shared channel: 14 Mbit/s while it is ours, in bursts of 2 to 8 ms between waits of 1 to 12 ms for other stations;
// every few seconds interference divides the rate by four for 100 to 600 ms.
std::vector<std::uint32_t> wifi(const Rng &rng, std::uint32_t length_ms) {
  Gatherer out;
  Wander load(rng.split("load"), 0.25, 2);
  std::uint32_t bad_until = 0, burst = 0;
  double next_burst = 0, burst_end = 0;
  for (std::uint32_t ms = 0; ms < length_ms; ++ms) {
    const double factor = load.factor(ms);
    if (ms >= next_burst) {
      Draws draws = rng.split("burst").at(burst++);
      burst_end = ms + draws.uniform(2, 8);
      next_burst = burst_end + draws.uniform(1, 12) / factor;
    }
    if (ms % 500 == 0) {
      Draws draws = rng.split("interference").at(ms);
      if (draws.uniform() < 0.12) bad_until = ms + static_cast<std::uint32_t>(draws.uniform(100, 600));
    }
    if (ms < burst_end) out.pass(ms, (ms < bad_until ? 0.25 : 1) * 14000);
  }
  return out.done(length_ms);
}

// A train: the LTE model with 3 Mbit/s, fading out over 3 s before a tunnel, nothing for 8 s, back over 2 s; a tunnel
// every 30 s.
std::vector<std::uint32_t> tunnel(const Rng &rng, std::uint32_t length_ms) {
  Gatherer out;
  Wander fading(rng.split("fading"), 0.5, 4);
  double grant = 1;
  for (std::uint32_t ms = 0; ms < length_ms; ++ms) {
    const double fade = fading.factor(ms);
    if (ms % 10 == 0) grant = -std::log(1 - rng.split("grant").at(ms).uniform());
    const double at = ms % 30000 / 1000.0;  // tunnel from 15 s to 23 s
    const double cover = at < 12 ? 1 : at < 15 ? (15 - at) / 3 : at < 23 ? 0 : at < 25 ? (at - 23) / 2 : 1;
    if (ms % 10 < 5) out.pass(ms, 2 * 3000 * fade * grant * cover * cover);
  }
  return out.done(length_ms);
}

}  // namespace

std::span<const std::string_view> built_in_traces() { return kNames; }

std::shared_ptr<const LinkTrace> make_trace(std::string_view name, std::uint64_t seed, std::uint32_t seconds) {
  const Rng rng = Rng(seed).split("link trace").split(name);
  const std::uint32_t length_ms = std::clamp(seconds, 1u, 3600u) * 1000;
  if (name == "lte") return LinkTrace::of(lte(rng, length_ms));
  if (name == "wifi") return LinkTrace::of(wifi(rng, length_ms));
  if (name == "tunnel") return LinkTrace::of(tunnel(rng, length_ms));
  return nullptr;
}

std::shared_ptr<const LinkTrace> built_in_trace(std::string_view name) {
  static const auto traces = [] {
    std::array<std::shared_ptr<const LinkTrace>, kNames.size()> made;
    for (std::size_t i = 0; i < kNames.size(); ++i) made[i] = make_trace(kNames[i], kSeed, kSeconds);
    return made;
  }();
  const auto found = std::find(kNames.begin(), kNames.end(), name);
  return found == kNames.end() ? nullptr : traces[static_cast<std::size_t>(found - kNames.begin())];
}

}  // namespace avc::net
