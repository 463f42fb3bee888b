// Counter-based chance: the value of every draw is a function of (key, packet number, draw number) and of nothing
// else, so threads, batches and machines that ask in another order get the same answers.
//
// The generator is Philox4x32-10 (Salmon, Moraes, Dror, Shaw: "Parallel random numbers: as easy as 1, 2, 3", SC11).
// The distributions are our own because those of the standard library differ between implementations.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>
#include <string_view>

namespace avc {

inline std::array<std::uint32_t, 2> halves(std::uint64_t value) {
  return {static_cast<std::uint32_t>(value), static_cast<std::uint32_t>(value >> 32)};
}
inline std::uint64_t joined(std::uint32_t low, std::uint32_t high) { return std::uint64_t{high} << 32 | low; }

// Inline, as is what calls it for every packet: one packet's rounds can then go on beside another's.
inline std::array<std::uint32_t, 4> philox4x32(std::array<std::uint32_t, 4> counter, std::array<std::uint32_t, 2> key) {
  constexpr std::uint32_t kMultiplier0 = 0xD2511F53, kMultiplier1 = 0xCD9E8D57;
  constexpr std::uint32_t kWeyl0 = 0x9E3779B9, kWeyl1 = 0xBB67AE85;
#pragma GCC unroll 10
  for (int round = 0; round < 10; ++round) {
    const auto p0 = halves(std::uint64_t{kMultiplier0} * counter[0]);
    const auto p1 = halves(std::uint64_t{kMultiplier1} * counter[2]);
    counter = {p1[1] ^ counter[1] ^ key[0], p1[0], p0[1] ^ counter[3] ^ key[1], p0[0]};
    key = {key[0] + kWeyl0, key[1] + kWeyl1};
  }
  return counter;
}

// The inverse of the standard normal's distribution function, 0 < p < 1 (Wichura AS 241, about 1e-16).
double normal_quantile(double p);

// The draws that one packet (or one spike, or one frame) may spend in one model, in a written order.
class Draws {
 public:
  Draws(std::uint64_t key, std::uint64_t n) : key_(key), n_(n) {}
  // Fixed values in place of chance, for tests by hand; they must outlive the Draws. Repeats the last value.
  explicit Draws(std::span<const double> uniforms) : scripted_(uniforms) {}

  double uniform();                           // [0, 1), 53 bits; one draw
  double uniform(double low, double high);    // [low, high); one draw
  std::uint64_t below(std::uint64_t count);   // 0 .. count-1, count > 0; one draw
  bool chance(double percent);                // true in `percent` of all packets; one draw
  double normal();                            // mean 0, standard deviation 1 (Wichura AS 241); one draw
  double pareto(double shape);                // Pareto with minimum 1; one draw
  double gamma(double shape);                 // scale 1 (Marsaglia and Tsang 2000); any number of draws
  double gamma(double shape, double normal);  // the same, its first trial from a standard normal drawn elsewhere

 private:
  double open_uniform();  // (0, 1)
  double gamma_trials(double shape, double normal);

  std::uint64_t key_ = 0;
  std::uint64_t n_ = 0;
  std::uint32_t next_ = 0;
  std::array<std::uint64_t, 2> block_{};
  std::span<const double> scripted_{};
};

inline double Draws::uniform() {
  if (!scripted_.empty()) return scripted_[std::min<std::size_t>(next_++, scripted_.size() - 1)];
  if (next_ % 2 == 0) {
    const auto n = halves(n_);
    const auto out = philox4x32({n[0], n[1], next_ / 2, 0}, halves(key_));
    block_ = {joined(out[0], out[1]), joined(out[2], out[3])};
  }
  return static_cast<double>(block_[next_++ % 2] >> 11) * 0x1.0p-53;
}

inline double Draws::uniform(double low, double high) { return low + (high - low) * uniform(); }

// A source of chance. Splitting by label or number gives sources that have nothing to do with one another:
// rng = Rng(seed).split(participant).split("video").split("loss"); rng.at(packet number).uniform().
class Rng {
 public:
  explicit Rng(std::uint64_t seed = 0) : key_(seed) {}

  Rng split(std::string_view label) const;
  Rng split(std::uint64_t number) const;
  Draws at(std::uint64_t n) const { return Draws(key_, n); }

  friend bool operator==(const Rng &, const Rng &) = default;

 private:
  std::uint64_t key_;
};

}  // namespace avc
