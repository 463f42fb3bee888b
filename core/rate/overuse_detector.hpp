// Is the path used beyond what it carries? The over-use detector of draft-ietf-rmcat-gcc-02 section 5.4: the trend
// against a threshold that follows it, so that a path whose delay varies by nature is not taken for a full one, and
// that a flow is not starved by others that fill the queue.
//
// Over-use is said when the trend has been above the threshold for more than 10 ms and two groups and is not falling;
// under-use when it is below the negative threshold. The threshold begins at 12.5 ms and stays in 6..600 ms.
#pragma once

#include <cstdint>

#include "core/time.hpp"

namespace avc::rate {

enum class Usage : std::uint8_t { normal, over, under };

class OveruseDetector {
 public:
  // The trend m(i) in ms, and when its group arrived.
  Usage update(double trend_ms, Instant arrived);
  void restart();  // forgets the trend; the threshold stays
  Usage usage() const { return usage_; }
  double threshold_ms() const { return threshold_ms_; }

 private:
  void adapt(double trend_ms, Nanos since_last);

  Usage usage_ = Usage::normal;
  double threshold_ms_ = 12.5, trend_before_ms_ = 0;
  Nanos over_for_{};
  int groups_over_ = 0;
  bool started_ = false;
  Instant last_{};
};

}  // namespace avc::rate
