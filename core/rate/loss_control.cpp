#include "core/rate/loss_control.hpp"

#include <algorithm>

namespace avc::rate {
namespace {

constexpr double kGrowBelow = 2, kFallAbove = 10;  // percent
constexpr double kGrowth = 1.05;
constexpr double kGrowthStep = 1;  // kbit/s, so that it grows from next to nothing too

}  // namespace

bool LossControl::update(std::uint64_t lost, std::uint64_t packets, double kbps, Instant now) {
  lost_ += lost;
  packets_ += packets;
  if (!since_) since_ = now;
  if (packets_ < kPackets || now - *since_ < kInterval) return false;
  const double share = static_cast<double>(std::min(lost_, packets_)) / static_cast<double>(packets_);
  percent_ = 100 * share;
  lost_ = packets_ = 0;
  since_ = now;
  if (*percent_ > kFallAbove) {
    limit_ = kbps * (1 - 0.5 * share);
    return true;
  }
  if (limit_ && *percent_ < kGrowBelow) *limit_ = kGrowth * (*limit_ + kGrowthStep);
  return false;
}

}  // namespace avc::rate
