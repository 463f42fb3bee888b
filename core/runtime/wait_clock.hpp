// A clock that can be waited on: where a Context gets its time and where its thread sleeps.
#pragma once

#include "core/time.hpp"

namespace avc::runtime {

// Each Context owns one; now() and wake() may be called by any thread, wait_until() by the context's thread only.
class WaitClock {
 public:
  virtual ~WaitClock() = default;
  virtual Instant now() const = 0;
  // Returns when the clock has reached `when` or wake() was called since the last wait, whichever comes first; may
  // also return for no reason. Instant::never() waits for wake() alone.
  virtual void wait_until(Instant when) = 0;
  virtual void wake() = 0;
  // The same for all objects that show the same time: contexts are shared by name and identity.
  virtual const void *identity() const = 0;
  // A busy context begins at most one turn in this time, so that many deadlines cost few wake-ups. An idle one
  // serves its next deadline on the dot. 0 for clocks moved by hand, which would not move on by waiting.
  virtual Nanos turn_spacing() const { return std::chrono::milliseconds(1); }
};

}  // namespace avc::runtime
