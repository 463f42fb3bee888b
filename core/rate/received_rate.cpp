#include "core/rate/received_rate.hpp"

#include <algorithm>

namespace avc::rate {

void ReceivedRate::add(Instant arrived, std::uint32_t bytes) {
  if (!started_) first_ = arrived;
  started_ = true;
  if (!arrivals_.empty()) arrived = std::max(arrived, arrivals_[arrivals_.size() - 1].at);  // those who were overtaken
  arrivals_.push({arrived, bytes});
  bytes_ += bytes;
  while (arrived - arrivals_.front().at > kWindow) {
    bytes_ -= arrivals_.front().bytes;
    arrivals_.pop();
  }
}

// The first packet of the window is its beginning; what it brought came before.
std::optional<double> ReceivedRate::kbps() const {
  if (arrivals_.size() < 2) return std::nullopt;
  const Instant last = arrivals_[arrivals_.size() - 1].at;
  const Nanos span = last - arrivals_.front().at;
  if (last - first_ < kWindow || span <= Nanos(0)) return std::nullopt;
  return static_cast<double>(bytes_ - arrivals_.front().bytes) * 8 / to_ms(span);
}

}  // namespace avc::rate
