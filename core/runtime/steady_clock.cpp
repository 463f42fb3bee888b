#include "core/runtime/steady_clock.hpp"

#include <chrono>

namespace avc::runtime {

Instant SteadyClock::now() const { return {std::chrono::steady_clock::now().time_since_epoch()}; }

void SteadyClock::wait_until(Instant when) {
  std::unique_lock lock(mutex_);
  const auto woken = [this] { return woken_; };
  if (when == Instant::never())
    changed_.wait(lock, woken);
  else
    changed_.wait_until(lock, std::chrono::steady_clock::time_point(when.since_origin), woken);
  woken_ = false;
}

void SteadyClock::wake() {
  const std::scoped_lock lock(mutex_);
  woken_ = true;
  changed_.notify_one();
}

const void *SteadyClock::identity() const {
  static const char the_one = 0;
  return &the_one;
}

}  // namespace avc::runtime
