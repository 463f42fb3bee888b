// CLOCK_MONOTONIC as a clock to wait on, for contexts outside GStreamer.
#pragma once

#include <condition_variable>
#include <mutex>

#include "core/runtime/wait_clock.hpp"

namespace avc::runtime {

class SteadyClock final : public WaitClock {
 public:
  Instant now() const override;
  void wait_until(Instant when) override;
  void wake() override;
  const void *identity() const override;  // one for all: there is one such clock

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool woken_ = false;
};

}  // namespace avc::runtime
