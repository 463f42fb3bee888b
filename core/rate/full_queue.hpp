// A queue that stays full: it has no trend, and where a little more is sent than the path carries less than 10 % is
// lost, so neither over-use detector nor loss control of draft-ietf-rmcat-gcc-02 sees it.
//
// It is taken for full when more than 2 % were lost (the draft's limit for growth) while even the shortest round trip
// of one to two periods was 50 ms longer than the shortest known. A path that is longer now and loses at random looks
// the same; so after each time the shortest known begins anew, and such a path costs one decrease.
#pragma once

#include <algorithm>
#include <optional>

#include "core/time.hpp"

namespace avc::rate {

class FullQueue {
 public:
  static constexpr Nanos kStanding = std::chrono::milliseconds(50);
  static constexpr double kLossPercent = 2;

  // Queues are emptied within `period` where they are not full: by the sender's pauses (its bursts), or by its control.
  explicit FullQueue(Nanos period) : period_(std::max<Nanos>(period, std::chrono::seconds(1))) {}

  bool update(Nanos round_trip, double loss_percent, Instant now);

 private:
  Nanos period_;
  std::optional<Instant> began_{};                         // this period
  Nanos shortest_{Nanos::max()};                           // known
  Nanos shortest_now_{Nanos::max()}, shortest_before_{0};  // of this period, and of the one before
};

}  // namespace avc::rate
