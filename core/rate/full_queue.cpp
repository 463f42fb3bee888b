#include "core/rate/full_queue.hpp"

namespace avc::rate {

bool FullQueue::update(Nanos round_trip, double loss_percent, Instant now) {
  if (!began_) began_ = now;
  if (now - *began_ >= period_) {
    began_ = now;
    shortest_before_ = shortest_now_;
    shortest_now_ = Nanos::max();
  }
  shortest_ = std::min(shortest_, round_trip);
  shortest_now_ = std::min(shortest_now_, round_trip);
  const Nanos standing = std::min(shortest_before_, shortest_now_) - shortest_;
  if (loss_percent <= kLossPercent || standing <= kStanding) return false;
  *this = FullQueue(period_);
  return true;
}

}  // namespace avc::rate
