#include "core/net/capacity_queue.hpp"

#include <algorithm>

#include "core/net/delay.hpp"

namespace avc::net {
namespace {

// An hour at most, so that sums stay far from the ends of the time line whatever the settings.
Nanos bounded_ms(double ms) { return ms > 0 ? from_ms(std::min(ms, kLongestMs)) : Nanos{}; }

}  // namespace

std::optional<CapacityQueue::Passage> CapacityQueue::enqueue(const Impairment &settings, std::size_t bytes,
                                                             Instant arrival) {
  forget_started(arrival);
  const Instant start = std::max(arrival, free_at_);
  if (!(settings.bandwidth_kbps > 0)) {
    if (start > arrival) push({start, bytes});
    return Passage{start, start};
  }
  const std::uint64_t size = bytes + settings.packet_overhead;
  if (start > arrival) {
    const bool full = start - arrival > bounded_ms(settings.queue_ms) ||
                      (settings.queue_packets > 0 && count_ >= settings.queue_packets) ||
                      (settings.queue_bytes > 0 && bytes_ + size > settings.queue_bytes);
    if (full) return std::nullopt;
    push({start, size});
  }
  free_at_ = start + bounded_ms(static_cast<double>(size) * 8 / settings.bandwidth_kbps);  // bits / (bits per ms)
  return Passage{start, free_at_};
}

void CapacityQueue::flush() {
  free_at_ = {Nanos::min()};
  first_ = count_ = 0;
  bytes_ = 0;
}

QueueDepth CapacityQueue::depth(Instant at) const {
  QueueDepth depth;
  if (free_at_ > at) depth.wait = free_at_ - at;
  for (std::size_t i = 0; i < count_; ++i) {
    const auto &waiting = ring_[(first_ + i) & (ring_.size() - 1)];
    if (waiting.start <= at) continue;
    ++depth.packets;
    depth.bytes += waiting.bytes;
  }
  return depth;
}

void CapacityQueue::forget_started(Instant at) {
  while (count_ > 0 && ring_[first_].start <= at) {
    bytes_ -= ring_[first_].bytes;
    first_ = (first_ + 1) & (ring_.size() - 1);
    --count_;
  }
}

void CapacityQueue::push(Waiting waiting) {
  if (count_ == ring_.size()) {
    std::vector<Waiting> larger(std::max<std::size_t>(16, 2 * ring_.size()));
    for (std::size_t i = 0; i < count_; ++i) larger[i] = ring_[(first_ + i) & (ring_.size() - 1)];
    ring_.swap(larger);
    first_ = 0;
  }
  ring_[(first_ + count_) & (ring_.size() - 1)] = waiting;
  ++count_;
  bytes_ += waiting.bytes;
}

}  // namespace avc::net
