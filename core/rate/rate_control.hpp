// The delay-based estimate A_hat(i): draft-ietf-rmcat-gcc-02 section 5.5. It grows while the path is not overused and
// falls to 0.85 of what arrives when it is.
//
// - Far from where it fell before it grows by 8 % a second; near there (what arrives is within three standard
//   deviations of the average of what arrived at decreases) by half a packet each response time.
// - Until the first decrease it grows by 50 % a second: the draft says nothing of a beginning; libwebrtc probes.
// - It does not grow beyond `ceiling` times what arrives: nobody knows what a path carries that was not sent. The
//   draft's ceiling is 1.5.
#pragma once

#include <optional>

#include "core/rate/overuse_detector.hpp"
#include "core/time.hpp"

namespace avc::rate {

class RateControl {
 public:
  struct Settings {
    double start_kbps, min_kbps, max_kbps;
    double ceiling;
  };
  struct Moment {
    Usage usage = Usage::normal;
    std::optional<double> received_kbps{};
    Nanos response{};         // until a changed rate shows in feedback: the round trip and 100 ms
    double packet_bytes = 0;  // on average
    Instant now{};
  };

  explicit RateControl(const Settings &settings) : settings_(settings), kbps_(settings.start_kbps) {}

  bool update(const Moment &moment);  // true: it fell
  void leave_start() { starting_ = false; }
  double kbps() const { return kbps_; }

 private:
  enum class State : std::uint8_t { hold, increase, decrease };
  void follow(Usage usage);
  void grow(const Moment &moment);
  bool fall(const Moment &moment);
  void note_maximum(double received_kbps);
  double deviation() const;  // of what arrived at decreases

  Settings settings_;
  double kbps_;
  State state_ = State::increase;
  bool starting_ = true;
  std::optional<Instant> updated_{};
  std::optional<double> average_max_{};  // kbit/s
  double variance_ = 0.4;                // of it, relative to the average: kbit/s
};

}  // namespace avc::rate
