// Lateness counted in fixed classes, as Prometheus wants it: two readings can be subtracted, so that a second of a long
// run can be looked at by itself, and the readings of several threads added. A quantile is as exact as its class.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "core/time.hpp"

namespace avc::stats {

struct LateCounts {
  // Upper ends, inclusive, in microseconds; what is later than the last has a class of its own.
  static constexpr std::array<std::int64_t, 14> kUpToUs{100,    250,    500,    1'000,   2'000,   3'000,   5'000,
                                                        10'000, 20'000, 50'000, 100'000, 200'000, 500'000, 1'000'000};
  std::array<std::uint64_t, kUpToUs.size() + 1> in_class{};

  void record(Nanos late, std::uint64_t times = 1) {
    std::size_t i = 0;
    while (i < kUpToUs.size() && late.count() > kUpToUs[i] * 1000) ++i;
    in_class[i] += times;
  }
  std::uint64_t total() const {
    std::uint64_t sum = 0;
    for (const auto count : in_class) sum += count;
    return sum;
  }
  // What `share` (0..1) of all do not exceed, in milliseconds: even within a class; 0 when empty.
  double quantile_ms(double share) const {
    const double wanted = share * static_cast<double>(total());
    double below = 0, from = 0;
    for (std::size_t i = 0; i < kUpToUs.size(); ++i) {
      const auto here = static_cast<double>(in_class[i]);
      const double to = static_cast<double>(kUpToUs[i]) / 1e3;
      if (here > 0 && below + here >= wanted) return from + (to - from) * (wanted - below) / here;
      below += here;
      from = to;
    }
    return below < static_cast<double>(total()) ? from : 0;
  }

  LateCounts &operator+=(const LateCounts &other) {
    for (std::size_t i = 0; i < in_class.size(); ++i) in_class[i] += other.in_class[i];
    return *this;
  }
  // Of what was recorded since `before`; a class that went back (another thread by that name) counts from 0.
  LateCounts since(const LateCounts &before) const {
    LateCounts made = *this;
    for (std::size_t i = 0; i < in_class.size(); ++i)
      if (made.in_class[i] >= before.in_class[i]) made.in_class[i] -= before.in_class[i];
    return made;
  }
  friend bool operator==(const LateCounts &, const LateCounts &) = default;
};

}  // namespace avc::stats
