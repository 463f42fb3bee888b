// How often which value was seen: a log-linear histogram of whole numbers from 0 (lateness and delays in
// nanoseconds, sizes in bytes).
//
// Values below 32 have a bucket each; above that every power of two is cut into 32 equal buckets. A quantile is the
// middle of its bucket, so it is off by at most 1/64 of its value (1.6 %); count, sum, minimum and maximum are exact.
// Two histograms merge without loss, which percentiles do not: merge over threads and machines first, ask then.
// A power of two has its buckets (256 bytes) from the first value within it on: there are thousands of histograms, and
// the values of most lie close together.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/time.hpp"

namespace avc::stats {

// What is asked of a histogram most often, in one go.
struct Summary {
  std::uint64_t count = 0;
  double mean = 0;
  std::int64_t p50 = 0, p95 = 0, p99 = 0, max = 0;
};

class Histogram {
 public:
  void record(std::int64_t value, std::uint64_t times = 1);  // below 0 counts as 0
  void record(Nanos span) { record(span.count()); }
  // Fetches what many calls of record() are going to write to, for who has thousands of these.
  void prefetch() const;
  void merge(const Histogram &other);
  void clear() { *this = Histogram(); }

  std::uint64_t count() const { return count_; }
  double sum() const { return sum_; }
  double mean() const { return count_ ? sum_ / static_cast<double>(count_) : 0; }
  std::int64_t min() const { return count_ ? min_ : 0; }
  std::int64_t max() const { return max_; }
  // The smallest recorded value (within the error bound) that `share` (0..1) of all values do not exceed; 0 when empty.
  std::int64_t quantile(double share) const;
  Summary summary() const { return {count(), mean(), quantile(0.5), quantile(0.95), quantile(0.99), max()}; }
  std::uint64_t count_at_most(std::int64_t value) const;  // by bucket: counts the whole bucket that `value` is in

  // For exporting: bucket n holds the values from lowest_in(n) up to, not including, lowest_in(n + 1).
  std::uint64_t count_in(std::size_t bucket) const;
  static std::int64_t lowest_in(std::size_t bucket);
  static std::size_t bucket_of(std::int64_t value);

 private:
  static constexpr int kBits = 5;  // 2^5 buckets in a power of two
  static constexpr std::int64_t kLinear = 1 << kBits;
  static constexpr std::size_t kOctaves = 64 - kBits;
  using Octave = std::array<std::uint64_t, kLinear>;

  Octave &octave(std::size_t which);  // made when it is first asked for

  std::array<std::uint8_t, kOctaves> places_{};  // in octaves_, from 1; 0: not there
  std::vector<Octave> octaves_;                  // in the order that they came
  std::uint64_t count_ = 0;
  double sum_ = 0;
  std::int64_t min_ = 0, max_ = 0;
};

// Called for every packet.
inline std::size_t Histogram::bucket_of(std::int64_t value) {
  if (value < kLinear) return static_cast<std::size_t>(std::max<std::int64_t>(value, 0));
  const int octave = static_cast<int>(std::bit_width(static_cast<std::uint64_t>(value))) - 1 - kBits;  // 0 for 32..63
  return static_cast<std::size_t>(octave) * kLinear + static_cast<std::size_t>(value >> octave);
}

inline Histogram::Octave &Histogram::octave(std::size_t which) {
  std::uint8_t &place = places_[which];
  if (place == 0) {
    octaves_.reserve(octaves_.size() + 1);
    octaves_.emplace_back();
    place = static_cast<std::uint8_t>(octaves_.size());
  }
  return octaves_[place - 1u];
}

inline void Histogram::record(std::int64_t value, std::uint64_t times) {
  if (times == 0) return;
  value = std::max<std::int64_t>(value, 0);
  const std::size_t bucket = bucket_of(value);
  octave(bucket / kLinear)[bucket % kLinear] += times;
  min_ = count_ ? std::min(min_, value) : value;
  max_ = std::max(max_, value);
  count_ += times;
  sum_ += static_cast<double>(value) * static_cast<double>(times);
}

}  // namespace avc::stats
