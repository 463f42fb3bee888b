// One thread on one clock, found by name: whoever asks for the same name on the same clock shares the thread.
//
// It sleeps to the next deadline on the clock's time line and serves what is due in turns. A busy context begins a
// turn at most once in the clock's turn_spacing() (1 ms), and up to half as much later the longer the turn before it
// took, so thousands of deadlines cost at most a thousand wake-ups a second and are late by that much at most; an idle
// one is on the dot. Callbacks must not block: they would hold
// up every other user of the thread.
//
// Contexts are held by their users; nothing else keeps one alive. The thread ends with the last user: its destructor
// waits for the callback under way, so the last reference must not be dropped under a lock that callbacks take. When
// the last reference is dropped by a callback on the thread itself, the thread ends after that callback (and the
// hooks at the end of the turn) and is joined later, by the next context made or destroyed or at the end of the
// process. Timers that outlive their context are never served.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "core/runtime/executor.hpp"
#include "core/runtime/wait_clock.hpp"
#include "core/stats/histogram.hpp"
#include "core/stats/lateness.hpp"

namespace avc::runtime {

class Context final : public Executor {
 public:
  struct Stuck {
    Nanos since{};
    std::string owner;  // of the timer whose callback does not return; empty if it is not a timer's
  };

  // An empty name makes a context of the caller's own. `clock` goes unused if there is one already.
  static std::shared_ptr<Context> shared(const std::string &name, std::shared_ptr<WaitClock> clock);
  ~Context() override;

  const std::string &name() const { return name_; }
  // Of everything recorded on this context so far, in nanoseconds; any thread, and cheap however many ask.
  stats::Summary lateness() const;
  stats::LateCounts late_counts() const;
  // The watchdog: set while a turn has been under way for a second or more; any thread.
  std::optional<Stuck> stuck() const;

  Instant now() const override;
  bool is_current() const override;
  std::unique_ptr<Timer> make_timer(std::function<void()> callback, std::string owner = {}) override;
  void at_turn_end(TurnEnd &hook) override;
  void forget(TurnEnd &hook) override;
  void wait_for(TurnEnd &hook) override;
  using Executor::record_lateness;
  void record_lateness(Nanos late, std::uint64_t times) override;

 private:
  class Loop;
  Context(std::string name, std::shared_ptr<WaitClock> clock);

  std::string name_;
  const void *clock_identity_;
  std::shared_ptr<Loop> loop_;  // shared with the thread and the timers
  std::thread thread_;
};

}  // namespace avc::runtime
