// A Markov chain of up to four states whose state is a function of (key, packet number) alone.
//
// A chain would normally remember its state. This one finds it again from any packet number, so that a participant
// that joins late and a link that is asked out of order see the same states as everybody else: it goes back over the
// packets' draws until they lead to one state whatever came before ("coupling from the past", Propp and Wilson
// 1996). Packets are divided into blocks of kBlock. Where the draws of a whole block leave the state open, the next
// block begins anew from the long-run distribution; that decides the state of chains too slow to be found, and it
// bounds the search by two blocks.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>

#include "core/random.hpp"

namespace avc::net {

struct Chain {
  static constexpr std::uint8_t kStates = 4;
  // The state after `from`, by one uniform u: to[0] for u < below[0], else to[1] for u < below[1], ..., else to[3].
  struct Row {
    std::array<double, kStates - 1> below{};
    std::array<std::uint8_t, kStates> to{};

    friend bool operator==(const Row &, const Row &) = default;
  };
  std::array<Row, kStates> rows;
  std::array<double, kStates> long_run{1, 0, 0, 0};  // share of packets in each state; 0: never there

  std::uint8_t step(std::uint8_t from, double u) const {
    const Row &row = rows[from];
    return row.to[u < row.below[0] ? 0 : u < row.below[1] ? 1 : u < row.below[2] ? 2 : 3];
  }
  std::uint8_t from_long_run(double u) const;

  friend bool operator==(const Chain &, const Chain &) = default;
};

// Two states, 0 and 1, with the probabilities of leaving each (0..1). State 1 lies on the low uniforms.
Chain two_states(double to_one, double to_zero);

class ChainWalk {
 public:
  static constexpr std::uint64_t kBlock = 4096;

  explicit ChainWalk(const Rng &rng = Rng()) : rng_(rng) {}

  void set(std::shared_ptr<const Chain> chain);  // one may serve many walks
  // The state after packet n; one draw for each packet. Asked in order this is one step, and so are small gaps.
  std::uint8_t at(std::uint64_t n);

 private:
  using Map = std::array<std::uint8_t, Chain::kStates>;
  double draw(std::uint64_t n) const { return rng_.at(n).uniform(); }
  std::optional<std::uint8_t> constant(const Map &map) const;
  std::optional<std::uint8_t> decided(std::uint64_t from, std::uint64_t to, Map &map) const;
  std::uint8_t find(std::uint64_t n) const;
  std::uint8_t image_so_far(std::uint64_t n) const;
  void advance();

  Rng rng_;
  std::shared_ptr<const Chain> chain_;  // none: it is not asked
  std::uint8_t everywhere_ = 1;  // bit s: the chain can be in state s
  bool known_ = false;
  std::uint64_t n_ = 0;     // the packet whose state is known
  std::uint8_t state_ = 0;  // after packet n_
  std::uint8_t image_ = 0;  // states that the draws of n_'s block so far allow, whatever came before
};

}  // namespace avc::net
