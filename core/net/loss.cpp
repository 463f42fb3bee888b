#include "core/net/loss.hpp"

#include <algorithm>

namespace avc::net {
namespace {

constexpr std::uint64_t kLookBack = 4096;

bool same(const Gilbert &a, const Gilbert &b) { return a.to_bad == b.to_bad && a.to_good == b.to_good; }

// The state after packet n without knowing any earlier one ("coupling from the past", Propp and Wilson 1996): a draw
// below both states' thresholds, or above both, decides the state whatever came before, so going back to the last
// such draw is enough. Numbers before 0 wrap round and serve as the history of a chain that has always run. A chain
// so slow that nothing was decided for kLookBack packets starts there, from its long-run distribution.
bool state_at(const Rng &rng, const Gilbert &chain, std::uint64_t n) {
  const double low = std::min(chain.to_bad, 1 - chain.to_good), high = std::max(chain.to_bad, 1 - chain.to_good);
  std::uint64_t back = 0;
  bool lost = false;
  for (;; ++back) {
    const double u = rng.at(n - back).uniform();
    if (u < low || u >= high) {
      lost = u < low;
      break;
    }
    if (back == kLookBack) {
      lost = u < chain.to_bad / (chain.to_bad + chain.to_good);
      break;
    }
  }
  while (back-- > 0) lost = gilbert_step(chain, lost, rng.at(n - back));
  return lost;
}

}  // namespace

Gilbert gilbert(double loss_percent, double burst_length) {
  const double share = loss_percent / 100;
  if (!(share > 0)) return {0, 1};
  if (share >= 1) return {1, 0};
  const double to_good = 1 / std::max(burst_length, 1.0);
  const double to_bad = to_good * share / (1 - share);
  return to_bad <= 1 ? Gilbert{to_bad, to_good} : Gilbert{1, (1 - share) / share};
}

bool gilbert_step(const Gilbert &chain, bool before_lost, Draws draws) {
  return draws.uniform() < (before_lost ? 1 - chain.to_good : chain.to_bad);
}

Loss::Loss(const Rng &rng) {
  for (std::size_t i = 0; i < kStreamCount; ++i)
    streams_[i].rng = rng.split(name(static_cast<Stream>(i))).split("loss");
}

bool Loss::lost(const Impairment &settings, const Packet &packet) {
  if (!(settings.loss_percent > 0)) return false;
  auto &stream = streams_[static_cast<std::size_t>(packet.stream)];
  if (settings.loss_model == LossModel::burst)
    return burst_lost(stream, gilbert(settings.loss_percent, settings.burst_length), packet.n);
  return stream.rng.at(packet.n).chance(settings.loss_percent);
}

bool Loss::burst_lost(PerStream &stream, const Gilbert &chain, std::uint64_t n) {
  const bool follows = stream.known && n == stream.n + 1 && same(chain, stream.chain);
  stream.lost = follows ? gilbert_step(chain, stream.lost, stream.rng.at(n)) : state_at(stream.rng, chain, n);
  stream.chain = chain;
  stream.n = n;
  stream.known = true;
  return stream.lost;
}

}  // namespace avc::net
