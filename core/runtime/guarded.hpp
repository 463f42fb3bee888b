// Data that can be reached only through its lock. Nothing that blocks, pushes, posts or calls back runs under it.
#pragma once

#include <condition_variable>
#include <mutex>
#include <utility>

namespace avc {

template <class T>
class Guarded {
 public:
  class Lock {
   public:
    explicit Lock(Guarded &guarded) : hold_(guarded.mutex_), value_(guarded.value_) {}
    T *operator->() { return &value_; }
    T &operator*() { return value_; }
    // Lets go of the lock until `ready` holds; whoever changes the data notifies.
    template <class Ready>
    void wait(std::condition_variable &changed, Ready ready) {
      changed.wait(hold_, std::move(ready));
    }

   private:
    std::unique_lock<std::mutex> hold_;
    T &value_;
  };

  template <class... Args>
  explicit Guarded(Args &&...args) : value_(std::forward<Args>(args)...) {}
  Guarded(const Guarded &) = delete;
  Guarded &operator=(const Guarded &) = delete;

  [[nodiscard]] Lock lock() { return Lock(*this); }

 private:
  std::mutex mutex_;
  T value_{};
};

}  // namespace avc
