// A first-in first-out queue before a line of limited speed, as a router's: when more comes than the line carries,
// waiting grows, and only a packet that finds the queue full is dropped (drop tail).
//
// It lives on the packets' own time line and computes each packet's fate once, on arrival: a change of speed or
// limits acts on later packets and leaves those already queued as they were told. Not modelled: queue disciplines
// that drop from the front or by sojourn time (CoDel), link-layer framing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "core/net/impairment.hpp"
#include "core/time.hpp"

namespace avc::net {

struct QueueDepth {
  Nanos wait{};  // how long a packet that came now would wait
  std::size_t packets = 0;
  std::uint64_t bytes = 0;  // with packet_overhead
};

class CapacityQueue {
 public:
  struct Passage {
    Instant start;  // the packet's first bit goes on the line
    Instant end;    // its last bit is through
  };

  // Nothing if the queue is full. Without a speed (bandwidth_kbps 0) the line takes no time, but packets still wait
  // for those queued before them. Arrivals should not go back in time by more than a packet's time on the line.
  std::optional<Passage> enqueue(const Impairment &settings, std::size_t bytes, Instant arrival);
  void flush();  // empty queue, idle line

  QueueDepth depth(Instant at) const;  // of packets whose first bit is not on the line yet

 private:
  struct Waiting {
    Instant start;
    std::uint64_t bytes;
  };
  void forget_started(Instant at);
  void push(Waiting waiting);

  Instant free_at_{Nanos::min()};  // when the line has sent all that was queued
  std::vector<Waiting> ring_;      // size 0 or a power of two
  std::size_t first_ = 0, count_ = 0;
  std::uint64_t bytes_ = 0;  // of those in the ring
};

}  // namespace avc::net
