// A clock to wait on that a test moves.
#pragma once

#include <condition_variable>
#include <mutex>

#include "core/runtime/wait_clock.hpp"

namespace avc::test {

class HandClock final : public runtime::WaitClock {
 public:
  void set(Instant now) {
    const std::scoped_lock lock(mutex_);
    now_ = now;
    changed_.notify_all();
  }

  Instant now() const override {
    const std::scoped_lock lock(mutex_);
    return now_;
  }
  void wait_until(Instant when) override {
    std::unique_lock lock(mutex_);
    ++waits_;
    changed_.wait(lock, [&] { return woken_ || now_ >= when; });
    woken_ = false;
  }
  void wake() override {
    const std::scoped_lock lock(mutex_);
    woken_ = true;
    changed_.notify_all();
  }
  const void *identity() const override { return this; }
  Nanos turn_spacing() const override { return {}; }
  int waits() const {
    const std::scoped_lock lock(mutex_);
    return waits_;
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  Instant now_;
  bool woken_ = false;
  int waits_ = 0;
};

}  // namespace avc::test
