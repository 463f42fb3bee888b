#include "core/rate/packet_groups.hpp"

#include <algorithm>

namespace avc::rate {

bool PacketGroups::belongs(Instant sent, Instant arrived) const {
  if (sent - current_->first_sent <= kBurst) return true;
  const Nanos gap = arrived - current_->last_arrived;
  const Nanos variation = gap - (sent - current_->last_sent);
  return gap <= kBurst && variation < Nanos(0) && arrived - current_->first_arrived < kLongestBurst;
}

std::optional<PacketGroups::Variation> PacketGroups::add(Instant sent, Instant arrived) {
  if (!current_) {
    current_ = Group{sent, sent, arrived, arrived};
    return std::nullopt;
  }
  if (sent < current_->first_sent) return std::nullopt;  // late news of a group that is over
  if (belongs(sent, arrived)) {
    current_->last_sent = std::max(current_->last_sent, sent);
    current_->last_arrived = std::max(current_->last_arrived, arrived);
    return std::nullopt;
  }
  std::optional<Variation> variation;
  if (before_) {
    const Nanos delay = (current_->last_arrived - before_->last_arrived) - (current_->last_sent - before_->last_sent);
    variation = Variation{delay, current_->last_arrived, std::chrono::abs(delay) > kJump};
  }
  before_ = current_;
  current_ = Group{sent, sent, arrived, arrived};
  return variation;
}

}  // namespace avc::rate
