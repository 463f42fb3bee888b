// CoDel, RFC 8289: drops packets when all of them have waited longer than a target for as long as an interval, then
// ever more often until the waiting is over. The RFC's dequeue loop, turned into one question per packet that
// reaches the line. Variable names are the RFC's.
#pragma once

#include <cstdint>

#include "core/time.hpp"

namespace avc::net {

class CoDel {
 public:
  static constexpr std::uint64_t kMaxPacket = 1500;  // bytes; a queue that holds no more is never the problem

  // Asked for the packets in their order. After a drop, `now` is the same for the next packet. `backlog`: bytes
  // waiting behind the packet.
  bool drop(Nanos target, Nanos interval, Instant now, Nanos sojourn, std::uint64_t backlog);
  void marked();     // the packet just chosen was marked instead and goes on
  void ran_empty();  // the line was free and nothing waited

 private:
  bool ok_to_drop(Nanos target, Nanos interval, Instant now, Nanos sojourn, std::uint64_t backlog);
  static Instant control_law(Instant t, Nanos interval, std::uint32_t count);

  static constexpr Instant kNone{Nanos::min()};
  Instant first_above_time_ = kNone;
  Instant drop_next_;
  std::uint32_t count_ = 0, lastcount_ = 0;
  bool dropping_ = false;
  bool entered_ = false;  // the packet before this one was dropped and began the dropping: this one passes
  bool again_ = false;    // the packet before this one was dropped while dropping
};

}  // namespace avc::net
