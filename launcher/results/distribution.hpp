// The samples of one metric: exact while they are few, a histogram with an error of at most 1.6 % when they are many.
// Percentiles are nearest-rank values, so min <= p(a) <= p(b) <= max for a <= b always holds.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/stats/histogram.hpp"

namespace avc::results {

class Distribution {
 public:
  static constexpr std::size_t kExact = 200'000;

  void add(double value);  // value >= 0

  std::uint64_t count() const { return count_; }
  double avg() const { return count_ ? sum_ / static_cast<double>(count_) : 0; }
  double min() const { return min_; }
  double max() const { return max_; }
  double last() const { return last_; }
  double percentile(double percent) const;  // 0..100

 private:
  mutable std::vector<double> exact_;  // sorted when asked
  mutable bool sorted_ = true;
  stats::Histogram many_;  // of value * kScale, once exact_ is full
  std::uint64_t count_ = 0;
  double sum_ = 0, min_ = 0, max_ = 0, last_ = 0;
};

}  // namespace avc::results
