// Who calls us back, and when. Elements own deadlines; an executor owns the thread that keeps them.
//
// Two implementations pass the same conformance test: Context (context.hpp: one thread on one clock, shared by
// name) and ManualExecutor (manual_executor.hpp: time moves when a test says so).
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "core/time.hpp"

namespace avc::runtime {

// One callback with at most one pending deadline. Arming allocates nothing. Deadlines that fall within the same
// millisecond may be served in one turn; none is served early; ties are served in the order they were armed.
class Timer {
 public:
  virtual ~Timer() = default;          // as cancel(); the callback must not be running on another thread
  virtual void arm(Instant when) = 0;  // replaces an earlier deadline; any thread, also from the callback
  virtual void cancel() = 0;           // does not wait; any thread
  virtual void cancel_and_wait() = 0;  // returns with the callback neither running nor armed (the callback may have
                                       // armed again while we waited); never under a lock. On the executor's own
                                       // thread it does not wait: if the callback is running, it called us
};

// Work that is better done once for everything a turn produced, such as sending a batch of packets. A turn is one
// round of callbacks: those whose deadlines had come when it began.
class TurnEnd {
 public:
  virtual ~TurnEnd() = default;
  virtual void turn_ended() = 0;

 private:
  friend class Turns;
  bool queued_ = false;
};

class Executor {
 public:
  virtual ~Executor() = default;
  virtual Instant now() const = 0;
  virtual bool is_current() const = 0;  // is the caller on this executor's thread, inside a turn
  // `owner` is for people: who is named if the callback does not return.
  [[nodiscard]] virtual std::unique_ptr<Timer> make_timer(std::function<void()> callback, std::string owner = {}) = 0;
  // Calls `hook` once when the turn under way is over, however often it is asked to; only where is_current(). Hooks
  // asked for by hooks are called too, before the turn is left.
  virtual void at_turn_end(TurnEnd &hook) = 0;
  virtual void forget(TurnEnd &hook) = 0;    // before the hook is destroyed; waits if another thread is calling it
  virtual void wait_for(TurnEnd &hook) = 0;  // waits if another thread is calling it
  // How much later than their deadline some things were really handed on (0 when in time). Any thread.
  virtual void record_lateness(Nanos late, std::uint64_t times) = 0;
  void record_lateness(Nanos late) { record_lateness(late, 1); }
};

}  // namespace avc::runtime
