// What arrives, in kbit/s over the last half second of the receiver's time: R_hat(i) of draft-ietf-rmcat-gcc-02
// section 5.5. Grows to the packets of half a second and allocates nothing after that.
#pragma once

#include <cstdint>
#include <optional>

#include "core/net/ring.hpp"
#include "core/time.hpp"

namespace avc::rate {

class ReceivedRate {
 public:
  static constexpr Nanos kWindow = std::chrono::milliseconds(500);  // T, of the draft's 0.5 to 1 s

  void add(Instant arrived, std::uint32_t bytes);
  std::optional<double> kbps() const;  // nothing before the window is full
  void restart() { *this = ReceivedRate(); }

 private:
  struct Arrival {
    Instant at{};
    std::uint32_t bytes = 0;
  };

  net::Ring<Arrival> arrivals_;
  std::uint64_t bytes_ = 0;  // of all in the ring
  Instant first_{};
  bool started_ = false;
};

}  // namespace avc::rate
