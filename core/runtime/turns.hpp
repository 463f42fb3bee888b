// What every executor of ours does: timers on a wheel, served turn by turn, with hooks at the end of each. Context
// drives it from its thread, ManualExecutor from whoever moves its time, so both keep the same promises.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "core/runtime/executor.hpp"
#include "core/runtime/timer_wheel.hpp"
#include "core/stats/histogram.hpp"
#include "core/stats/lateness.hpp"

namespace avc::runtime {

// Shared between the executor and its timers, so that a timer may outlive its executor (it is then never served).
class Turns : public std::enable_shared_from_this<Turns> {
 public:
  explicit Turns(Instant now) : wheel_(now) {}
  virtual ~Turns() = default;

  // The driver's side: one thread at a time.
  bool turn(Instant now);  // serves what is due; false if nothing was
  // Where to sleep to: the next deadline, but not before `not_before`. From then on, until the next turn, an earlier
  // deadline calls wake().
  Instant sleep_until(Instant not_before);
  void stop();  // no more callbacks after the one under way; any thread
  bool stopped();

  // The users' side: any thread.
  std::unique_ptr<Timer> make_timer(std::function<void()> callback, std::string owner);
  bool is_current() const;
  std::optional<Instant> next_due();
  void at_turn_end(TurnEnd &hook);
  void forget(TurnEnd &hook);
  void wait_for(TurnEnd &hook);
  void record_lateness(Nanos late, std::uint64_t times);
  stats::Summary lateness();
  stats::LateCounts late_counts();

  struct Busy {
    Nanos since{};      // how long the turn under way has lasted; 0 between turns
    std::string owner;  // of the callback under way
  };
  Busy busy();  // any thread

 protected:
  virtual void wake() {}  // called with the lock held: must not call back

 private:
  class WheelTimer;
  void call(WheelTimer &timer, std::unique_lock<std::mutex> &lock);
  void end_turn(std::unique_lock<std::mutex> &lock);
  void keep_lateness();
  void wait_while(std::unique_lock<std::mutex> &lock, const std::function<bool()> &busy);

  std::mutex mutex_;  // guards everything down to finished_
  TimerWheel wheel_;
  std::vector<TurnEnd *> hooks_;  // asked for in the turn under way
  WheelTimer *running_ = nullptr;
  TurnEnd *ending_ = nullptr;
  std::unique_ptr<std::function<void()>> outlives_timer_;  // callback of a timer destroyed by that very callback
  Instant asleep_until_{Nanos::min()};                     // the driver's plan; min when it is awake
  Instant not_before_{Nanos::min()};
  bool stopped_ = false;
  int waiters_ = 0;
  std::condition_variable finished_;  // a callback or hook has returned and somebody waits for that

  std::atomic<Nanos::rep> began_{0};  // the turn under way, by the steady clock; 0: none

  std::vector<std::pair<Nanos, std::uint64_t>> late_in_turn_;  // the driver's alone, so that a packet costs no lock
  std::mutex lateness_mutex_;
  stats::Histogram lateness_;
  stats::LateCounts late_counts_;
  stats::Summary summary_;  // of lateness_ when it had summary_.count entries
};

}  // namespace avc::runtime
