// Which packets of one stream to ask for again, and when: a negative acknowledgement for each that is missing, a moment
// after it was noticed (it may only be late), and again while it does not come. What is older than kPatience is given
// up: no picture waits that long.
//
// It keeps no clock: arrivals drive it, and without any there is nobody to ask.
#pragma once

#include <cstdint>
#include <vector>

#include "core/time.hpp"

namespace avc::rtp {

class Missing {
 public:
  static constexpr std::uint16_t kMost = 256;  // a longer gap is no loss that could be repaired
  static constexpr Nanos kFirst = std::chrono::milliseconds(10), kAgain = std::chrono::milliseconds(100),
                         kPatience = std::chrono::seconds(1);

  // A packet has come, also one sent again.
  void came(std::uint16_t sequence, Instant now);
  // Adds to `wanted` what is to be asked for now.
  void due(Instant now, std::vector<std::uint16_t> &wanted);

 private:
  struct One {
    std::uint16_t sequence;
    Instant ask, give_up;
  };
  std::vector<One> all_;  // in order of sequence
  bool started_ = false;
  std::uint16_t highest_ = 0;
};

}  // namespace avc::rtp
