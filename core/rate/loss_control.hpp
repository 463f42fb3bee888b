// The loss-based limit As_hat(i): draft-ietf-rmcat-gcc-02 section 6. More than 10 % lost: it falls by half the share
// lost; less than 2 %: it grows by 5 %; in between it stays.
//
// The draft decides with each RTCP report, of which there was one a second. Feedback comes ten times as often and tells
// of a few packets only, so reports are added up until there are 50 packets and half a second: 1 % of random loss then
// makes 10 % of 50 packets once in 20 000 decisions. There is no limit until losses set one.
#pragma once

#include <cstdint>
#include <optional>

#include "core/time.hpp"

namespace avc::rate {

class LossControl {
 public:
  static constexpr Nanos kInterval = std::chrono::milliseconds(500);
  static constexpr std::uint64_t kPackets = 50;

  // So many of so many packets were lost. `kbps` is the estimate in force. True: the limit fell.
  bool update(std::uint64_t lost, std::uint64_t packets, double kbps, Instant now);
  void lift() { limit_.reset(); }
  std::optional<double> limit_kbps() const { return limit_; }
  std::optional<double> percent() const { return percent_; }  // of the last decision

 private:
  std::optional<double> limit_{}, percent_{};
  std::optional<Instant> since_{};
  std::uint64_t lost_ = 0, packets_ = 0;
};

}  // namespace avc::rate
