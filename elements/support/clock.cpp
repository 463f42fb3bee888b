#include "elements/support/clock.hpp"

#include <chrono>
#include <utility>

namespace avc {

namespace {

// GstSystemClock sleeps in two steps, the last half millisecond on its own: twice the wake-ups where a turn a millisecond
// is all there is. Where its times are the kernel's monotonic ones we wait on those. Calibrated or slaved, they are not.
bool is_steady(GstClock *clock) {
  if (G_OBJECT_TYPE(clock) != GST_TYPE_SYSTEM_CLOCK || take(gst_clock_get_master(clock))) return false;
  GstClockType type = GST_CLOCK_TYPE_OTHER;
  g_object_get(clock, "clock-type", &type, nullptr);
  GstClockTime internal = 0, external = 0, numerator = 0, denominator = 0;
  gst_clock_get_calibration(clock, &internal, &external, &numerator, &denominator);
  return type == GST_CLOCK_TYPE_MONOTONIC && internal == external && numerator == denominator;
}

}  // namespace

GstWaitClock::GstWaitClock(Ptr<GstClock> clock) : clock_(std::move(clock)), steady_(is_steady(clock_.get())) {}

GstWaitClock::~GstWaitClock() {
  if (id_) gst_clock_id_unref(id_);
}

void GstWaitClock::wait_until(Instant when) {
  std::unique_lock lock(mutex_);
  if (when == Instant::never()) {
    woken_changed_.wait(lock, [this] { return woken_; });
  } else if (steady_) {
    const std::chrono::steady_clock::time_point until(when.since_origin);
    woken_changed_.wait_until(lock, until, [this] { return woken_; });
  } else if (!woken_ && schedule(when)) {
    waiting_ = true;
    lock.unlock();
    gst_clock_id_wait(id_, nullptr);  // returns at once if it was unscheduled before it began
    lock.lock();
    waiting_ = false;
  }
  woken_ = false;
}

void GstWaitClock::wake() {
  const std::scoped_lock lock(mutex_);
  woken_ = true;
  if (waiting_) gst_clock_id_unschedule(id_);
  woken_changed_.notify_one();
}

// An entry that has been waited for may be armed again; that saves an allocation for every wait.
bool GstWaitClock::schedule(Instant when) {
  const GstClockTime time = to_clock_time(when);
  if (id_ && gst_clock_single_shot_id_reinit(clock_.get(), id_, time)) return true;
  if (id_) gst_clock_id_unref(id_);
  id_ = gst_clock_new_single_shot_id(clock_.get(), time);
  return id_ != nullptr;
}

// GstTestClock is known by name: its library is for tests, and the plugin does not link it.
Nanos GstWaitClock::turn_spacing() const {
  const GType test_clock = g_type_from_name("GstTestClock");
  const bool by_hand = test_clock != 0 && g_type_is_a(G_OBJECT_TYPE(clock_.get()), test_clock);
  return by_hand ? Nanos{} : WaitClock::turn_spacing();
}

std::shared_ptr<runtime::Context> context_for(GstElement *element, const std::string &name) {
  auto clock = take(gst_element_get_clock(element));
  if (!clock) clock = take(gst_system_clock_obtain());
  return runtime::Context::shared(name, std::make_shared<GstWaitClock>(std::move(clock)));
}

std::string path_of(GstElement *element) {
  gchar *path = gst_object_get_path_string(GST_OBJECT(element));
  std::string copy = path;
  g_free(path);
  return copy;
}

}  // namespace avc
