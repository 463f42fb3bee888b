#include "core/stats/histogram.hpp"

#include <cmath>

namespace avc::stats {
std::int64_t Histogram::lowest_in(std::size_t bucket) {
  if (bucket < 2 * kLinear) return static_cast<std::int64_t>(bucket);
  const auto octave = bucket / kLinear - 1;
  return static_cast<std::int64_t>((bucket % kLinear + kLinear) << octave);
}

std::uint64_t Histogram::count_in(std::size_t bucket) const {
  const std::uint8_t place = bucket / kLinear < kOctaves ? places_[bucket / kLinear] : std::uint8_t{0};
  return place ? octaves_[place - 1u][bucket % kLinear] : 0;
}

void Histogram::prefetch() const {
  constexpr std::size_t kInLine = 64 / sizeof(Octave::value_type);
  for (const Octave &octave : octaves_)
    for (std::size_t i = 0; i < octave.size(); i += kInLine) __builtin_prefetch(&octave[i], 1);
}

void Histogram::merge(const Histogram &other) {
  if (other.count_ == 0) return;
  for (std::size_t which = 0; which < kOctaves; ++which) {
    if (other.places_[which] == 0) continue;
    const Octave &from = other.octaves_[other.places_[which] - 1u];
    Octave &to = octave(which);
    for (std::size_t i = 0; i < from.size(); ++i) to[i] += from[i];
  }
  min_ = count_ ? std::min(min_, other.min_) : other.min_;
  max_ = std::max(max_, other.max_);
  count_ += other.count_;
  sum_ += other.sum_;
}

std::int64_t Histogram::quantile(double share) const {
  if (count_ == 0) return 0;
  const double rank = std::ceil(std::clamp(share, 0.0, 1.0) * static_cast<double>(count_));
  const auto wanted = std::max<std::uint64_t>(static_cast<std::uint64_t>(rank), 1);
  std::uint64_t seen = 0;
  for (std::size_t i = bucket_of(min_), last = bucket_of(max_); i <= last; ++i) {
    seen += count_in(i);
    if (seen < wanted) continue;
    const std::int64_t low = lowest_in(i), width = lowest_in(i + 1) - low;
    return std::clamp(low + (width - 1) / 2, min_, max_);
  }
  return max_;
}

std::uint64_t Histogram::count_at_most(std::int64_t value) const {
  if (value < 0) return 0;
  std::uint64_t count = 0;
  for (std::size_t i = 0, last = bucket_of(value); i <= last; ++i) count += count_in(i);
  return count;
}

}  // namespace avc::stats
