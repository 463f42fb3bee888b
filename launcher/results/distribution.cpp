#include "launcher/results/distribution.hpp"

#include <algorithm>
#include <cmath>

namespace avc::results {
namespace {

constexpr double kScale = 1e6;  // six decimals survive the histogram's whole numbers

std::int64_t scaled(double value) { return static_cast<std::int64_t>(std::llround(value * kScale)); }

}  // namespace

void Distribution::add(double value) {
  min_ = count_ ? std::min(min_, value) : value;
  max_ = count_ ? std::max(max_, value) : value;
  last_ = value;
  ++count_;
  sum_ += value;
  if (many_.count()) {
    many_.record(scaled(value));
    return;
  }
  exact_.push_back(value);
  sorted_ = false;
  if (exact_.size() > kExact) {
    for (const double each : exact_) many_.record(scaled(each));
    exact_ = {};
  }
}

double Distribution::percentile(double percent) const {
  if (!count_ || percent <= 0) return min_;
  if (percent >= 100) return max_;
  if (many_.count()) return std::clamp(static_cast<double>(many_.quantile(percent / 100)) / kScale, min_, max_);
  if (!sorted_) std::sort(exact_.begin(), exact_.end());
  sorted_ = true;
  const auto rank = static_cast<std::size_t>(std::ceil(percent / 100 * static_cast<double>(exact_.size())));
  return exact_[std::clamp<std::size_t>(rank, 1, exact_.size()) - 1];
}

}  // namespace avc::results
