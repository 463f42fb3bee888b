#include "core/net/loss.hpp"

#include <algorithm>
#include <memory>

namespace avc::net {
namespace {

Chain::Row row(std::initializer_list<std::pair<double, std::uint8_t>> parts) {
  Chain::Row row;
  double sum = 0;
  std::size_t i = 0;
  for (const auto &[share, to] : parts) {
    row.to[i] = to;
    if (i < row.below.size()) row.below[i] = sum += share;
    ++i;
  }
  return row;
}

// Balance of the flows 1-3, 3-2-3 and 1-4-1. What cannot be left again holds everything in the long run.
std::array<double, 4> long_run(double p13, double p31, double p32, double p23, double p14) {
  std::array<double, 4> share{1, 0, 0, p14};
  if (p13 > 0) {
    if (p32 > 0 && !(p23 > 0)) return {0, 1, 0, 0};
    if (p31 > 0) {
      share[2] = p13 / p31;
    } else {
      share = {0, 0, 1, 0};
    }
    if (p32 > 0) share[1] = share[2] * p32 / p23;
  }
  const double sum = share[0] + share[1] + share[2] + share[3];
  for (double &s : share) s /= sum;
  return share;
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

Gilbert gilbert_elliott(const Impairment &settings) {
  const double p = settings.ge_p / 100;
  return {p, settings.ge_r < 0 ? 1 - p : settings.ge_r / 100};
}

// Low uniforms lead to "lost in a burst" and high ones to "received" from as many states as possible, so that few
// draws decide the state.
Chain four_states(const Impairment &settings) {
  const double p13 = settings.markov_p13 / 100, p14 = settings.markov_p14 / 100;
  const double p31 = settings.markov_p31 < 0 ? 1 - p13 : settings.markov_p31 / 100;
  const double p32 = settings.markov_p32 / 100, p23 = settings.markov_p23 / 100;
  Chain chain;
  chain.rows[0] = row({{p13, 2}, {p14, 3}, {1 - p13 - p14, 0}, {0, 0}});
  chain.rows[1] = row({{p23, 2}, {1 - p23, 1}, {0, 1}, {0, 1}});
  chain.rows[2] = row({{1 - p31 - p32, 2}, {p32, 1}, {p31, 0}, {0, 0}});
  chain.rows[3] = row({{1, 0}, {0, 0}, {0, 0}, {0, 0}});
  chain.long_run = long_run(p13, p31, p32, p23, p14);
  return chain;
}

bool loses(const Impairment &settings) {
  switch (settings.loss_model) {
    case LossModel::random:
    case LossModel::burst:
      break;
    case LossModel::gilbert_elliott:
      return settings.ge_k > 0 || (settings.ge_p > 0 && settings.ge_h > 0);
    case LossModel::markov4:
      return settings.markov_p13 > 0 || settings.markov_p14 > 0;
    case LossModel::pattern:
      return !settings.loss_pattern.empty();
  }
  return settings.loss_percent > 0;
}

Loss::Loss(const Rng &rng) {
  for (std::size_t i = 0; i < kStreamCount; ++i) {
    const Rng own = rng.split(name(static_cast<Stream>(i))).split("loss");
    streams_[i] = {own, Events(own), ChainWalk(own)};
  }
}

void Loss::set(const Impairment &settings) {
  active_ = loses(settings);
  model_ = settings.loss_model;
  pattern_ = settings.loss_pattern;
  bad_ = 100;
  good_ = 0;
  if (model_ == LossModel::gilbert_elliott) {
    bad_ = settings.ge_h;
    good_ = settings.ge_k;
  }
  const Gilbert pair =
      model_ == LossModel::burst ? gilbert(settings.loss_percent, settings.burst_length) : gilbert_elliott(settings);
  const auto chain = std::make_shared<const Chain>(
      model_ == LossModel::markov4 ? four_states(settings) : two_states(pair.to_bad, pair.to_good));
  for (PerStream &stream : streams_) {
    if (model_ == LossModel::random)
      stream.events.set(settings.loss_percent, settings.loss_correlation);
    else
      stream.walk.set(chain);
  }
}

bool Loss::lost(const Packet &packet) {
  if (!active_) return false;
  auto &stream = streams_[static_cast<std::size_t>(packet.stream)];
  switch (model_) {
    case LossModel::random:
      return stream.events.happens(packet.n);
    case LossModel::pattern:
      return pattern_.lost(packet.n);
    default:
      return lost_in_chain(stream, packet.n);
  }
}

bool Loss::lost_in_chain(PerStream &stream, std::uint64_t n) const {
  const std::uint8_t state = stream.walk.at(n);
  if (model_ == LossModel::markov4) return state >= 2;
  const double percent = state == 1 ? bad_ : good_;
  if (!(percent > 0)) return false;
  if (percent >= 100) return true;
  Draws draws = stream.rng.at(n);
  draws.uniform();  // was the chain's
  return draws.chance(percent);
}

}  // namespace avc::net
