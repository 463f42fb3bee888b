// GStreamer's clocks and times as the core knows them.
//
// A context on a GstClock sleeps on that clock: pauses, network clocks and GstTestClock work. Its time line is the
// clock's own; a deadline for a running time is base time + running time. (GstTestClock ends waits when a test
// cranks or processes them; moving its time alone wakes nobody.)
#pragma once

#include <gst/gst.h>

#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>

#include "core/runtime/context.hpp"
#include "core/runtime/wait_clock.hpp"
#include "core/time.hpp"
#include "elements/support/ptr.hpp"

namespace avc {

// GST_CLOCK_TIME_NONE and Instant::never() stand for each other; instants before 0 become 0.
constexpr Instant to_instant(GstClockTime time) {
  return time > static_cast<GstClockTime>(G_MAXINT64) ? Instant::never() : Instant{Nanos(static_cast<gint64>(time))};
}
constexpr GstClockTime to_clock_time(Instant at) {
  if (at == Instant::never()) return GST_CLOCK_TIME_NONE;
  return at > Instant{} ? static_cast<GstClockTime>(at.since_origin.count()) : 0;
}

class GstWaitClock final : public runtime::WaitClock {
 public:
  explicit GstWaitClock(Ptr<GstClock> clock);
  ~GstWaitClock() override;

  Instant now() const override { return to_instant(gst_clock_get_time(clock_.get())); }
  void wait_until(Instant when) override;
  void wake() override;
  const void *identity() const override { return clock_.get(); }
  Nanos turn_spacing() const override;

 private:
  bool schedule(Instant when);

  Ptr<GstClock> clock_;
  const bool steady_;  // its times are std::chrono::steady_clock's
  std::mutex mutex_;
  std::condition_variable woken_changed_;
  bool woken_ = false;
  GstClockID id_ = nullptr;  // made by the first wait, then used again; owned
  bool waiting_ = false;     // on id_
};

// The context of this name on the element's clock, or on the system's clock while the element has none. An element
// gets its clock on the way to PLAYING, and may get another one the next time: ask in PAUSED->PLAYING.
std::shared_ptr<runtime::Context> context_for(GstElement *element, const std::string &name);

// Where the element is, for people to find it: "/GstPipeline:test/GstBin:participant-1001/AvcChaosSrc:avchaossrc0".
std::string path_of(GstElement *element);

}  // namespace avc
