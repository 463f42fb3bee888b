#include "core/net/chain.hpp"

#include <bit>
#include <utility>

namespace avc::net {
namespace {

constexpr std::uint64_t kLongestStep = 64;  // gaps up to here are walked, others looked up

}  // namespace

std::uint8_t Chain::from_long_run(double u) const {
  std::uint8_t last = 0;
  for (std::uint8_t s = 0; s < kStates; ++s) {
    if (!(long_run[s] > 0)) continue;
    last = s;
    if (u < long_run[s]) return s;
    u -= long_run[s];
  }
  return last;
}

Chain two_states(double to_one, double to_zero) {
  Chain chain;
  chain.rows[0] = {{to_one, to_one, to_one}, {1, 0, 0, 0}};
  chain.rows[1] = {{1 - to_zero, 1 - to_zero, 1 - to_zero}, {1, 0, 0, 0}};
  const double sum = to_one + to_zero;
  const double one = sum > 0 ? to_one / sum : 0;
  chain.long_run = {1 - one, one, 0, 0};
  return chain;
}

void ChainWalk::set(std::shared_ptr<const Chain> chain) {
  if (chain_ && *chain == *chain_) return;
  chain_ = std::move(chain);
  known_ = false;
  everywhere_ = 0;
  for (std::uint8_t s = 0; s < Chain::kStates; ++s)
    if (chain_->long_run[s] > 0) everywhere_ = static_cast<std::uint8_t>(everywhere_ | 1u << s);
}

std::uint8_t ChainWalk::at(std::uint64_t n) {
  if (!known_ || n - n_ > kLongestStep) {
    state_ = find(n);
    n_ = n;
    known_ = true;
    image_ = image_so_far(n);
    return state_;
  }
  while (n_ != n) advance();
  return state_;
}

void ChainWalk::advance() {
  ++n_;
  const double u = draw(n_);
  if (n_ % kBlock == 0) {
    state_ = std::has_single_bit(image_) ? chain_->step(state_, u) : chain_->from_long_run(u);
    image_ = everywhere_;
  } else {
    state_ = chain_->step(state_, u);
  }
  if (std::has_single_bit(image_)) return;  // nothing further to learn in this block
  std::uint8_t image = 0;
  for (std::uint8_t s = 0; s < Chain::kStates; ++s)
    if (image_ >> s & 1) image = static_cast<std::uint8_t>(image | 1u << chain_->step(s, u));
  image_ = image;
}

std::uint8_t ChainWalk::image_so_far(std::uint64_t n) const {
  Map map{0, 1, 2, 3};
  if (const auto state = decided(n - n % kBlock, n + 1, map)) return static_cast<std::uint8_t>(1u << *state);
  std::uint8_t image = 0;
  for (std::uint8_t s = 0; s < Chain::kStates; ++s)
    if (everywhere_ >> s & 1) image = static_cast<std::uint8_t>(image | 1u << map[s]);
  return image;
}

std::optional<std::uint8_t> ChainWalk::constant(const Map &map) const {
  std::optional<std::uint8_t> only;
  for (std::uint8_t s = 0; s < Chain::kStates; ++s) {
    if (!(everywhere_ >> s & 1)) continue;
    if (only && *only != map[s]) return std::nullopt;
    only = map[s];
  }
  return only;
}

// Puts the steps of packets [from, to) before `map`, from the last back to the first, and stops as soon as all
// states lead to one.
std::optional<std::uint8_t> ChainWalk::decided(std::uint64_t from, std::uint64_t to, Map &map) const {
  for (std::uint64_t n = to; n-- != from;) {
    const double u = draw(n);
    Map longer{};
    for (std::uint8_t s = 0; s < Chain::kStates; ++s) longer[s] = map[chain_->step(s, u)];
    map = longer;
    if (const auto state = constant(map)) return state;
  }
  return std::nullopt;
}

// Numbers before 0 wrap round and serve as the history of a chain that has always run.
std::uint8_t ChainWalk::find(std::uint64_t n) const {
  const std::uint64_t first = n - n % kBlock;
  Map map{0, 1, 2, 3};
  if (const auto state = decided(first + 1, n + 1, map)) return *state;
  const double u = draw(first);
  Map before{0, 1, 2, 3};
  const auto end = decided(first - kBlock, first, before);
  return map[end ? chain_->step(*end, u) : chain_->from_long_run(u)];
}

}  // namespace avc::net
