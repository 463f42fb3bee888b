// How much may be sent again. Receivers ask for a packet until it comes, some of them fifty times a second; on a path
// that is full, answering every request keeps it full. So a packet goes out again at most once in a round trip, and all
// of them together take at most half of what the path is thought to carry, in bursts of a quarter of a second.
#pragma once

#include <algorithm>
#include <array>
#include <optional>

#include "core/time.hpp"

namespace avc::rate {

class RepairBudget {
 public:
  // Shall the packet with this number be sent again? If so it counts as sent. `kbps`: what the path carries.
  bool take(std::uint16_t sequence, double kbps, Nanos round_trip, Instant now) {
    const double per_second = kShare * kbps * 1000 / 8;
    const double seconds = last_ ? to_seconds(now - *last_) : kBurst;
    bytes_ = std::clamp(bytes_ + seconds * per_second, 0.0, std::max(kBurst * per_second, kPacket));
    last_ = now;
    Again &again = again_[sequence % again_.size()];
    const bool under_way = again.at && again.sequence == sequence && now - *again.at < std::max(round_trip, kApart);
    if (under_way || bytes_ < kPacket) return false;
    bytes_ -= kPacket;
    again = {sequence, now};
    return true;
  }

 private:
  static constexpr double kShare = 0.5, kBurst = 0.25;            // of the rate; s
  static constexpr double kPacket = 1200;                         // bytes; a full one, most often
  static constexpr Nanos kApart = std::chrono::milliseconds(10);  // where the round trip is shorter
  struct Again {
    std::uint16_t sequence = 0;
    std::optional<Instant> at{};
  };

  std::array<Again, 512> again_{};  // by number: two seconds of 2.5 Mbit/s
  std::optional<Instant> last_{};
  double bytes_ = 0;
};

}  // namespace avc::rate
