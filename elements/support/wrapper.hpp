// What the GObject side of every element repeats: the table's properties with `stats` after them, proxying pads, what
// they tell upstream of events, and a pad's stream lock as a scope. `Of` is the function that finds an object's
// implementation, which has `settings` and `stats()`.
#pragma once

#include <gst/gst.h>

#include <iterator>

#include "elements/support/properties.hpp"
#include "elements/support/ptr.hpp"

namespace avc {

template <const auto &Table>
inline constexpr guint kStatsIdAfter = std::size(Table) + 1;

template <auto Of, const auto &Table>
void set_plain(GObject *object, guint id, const GValue *value, GParamSpec *) noexcept {
  store(*Of(object).settings.lock(), Table[id - 1], value);
}

template <auto Of, const auto &Table>
void get_plain(GObject *object, guint id, GValue *value, GParamSpec *) noexcept {
  if (id == kStatsIdAfter<Table>) {
    g_value_take_boxed(value, give(Of(object).stats()));
  } else {
    fetch(*Of(object).settings.lock(), Table[id - 1], value);
  }
}

// Ids 1..n for the table, n+1 for `stats`. An element with more properties replaces the two functions by its own,
// which fall back on set_plain and get_plain.
template <auto Of, const auto &Table>
void install_plain(GObjectClass *klass, const char *stats_blurb) {
  klass->set_property = set_plain<Of, Table>;
  klass->get_property = get_plain<Of, Table>;
  install(klass, Table);
  g_object_class_install_property(
      klass, kStatsIdAfter<Table>,
      g_param_spec_boxed("stats", "stats", stats_blurb, GST_TYPE_STRUCTURE,
                         static_cast<GParamFlags>(G_PARAM_READABLE | G_PARAM_STATIC_STRINGS)));
}

// A pad by the class's template of that name, which all its elements share.
inline GstPad *new_pad(GstElement *element, const char *name) {
  return gst_pad_new_from_template(gst_element_get_pad_template(element, name), name);
}

// A pad of an element that lets everything through: what its other side takes and wants, it takes and wants.
inline GstPad *new_proxy_pad(GstElement *element, const char *name) {
  GstPad *pad = new_pad(element, name);
  GST_PAD_SET_PROXY_CAPS(pad);
  GST_PAD_SET_PROXY_ALLOCATION(pad);
  return pad;
}

// What an event function for the pad before `src` answers, by whether `src` took the event. An element that stops shuts
// its way out before its way in: a plain FALSE for what comes between would count as an error of the stream.
inline GstFlowReturn event_outcome(gboolean taken, GstPad *src) {
  if (taken) return GST_FLOW_OK;
  return GST_PAD_IS_FLUSHING(src) ? GST_FLOW_FLUSHING : GST_FLOW_ERROR;
}

// Pushing with the pad's stream lock held makes deactivating the pad wait for us.
class PadLock {
 public:
  explicit PadLock(GstPad *pad) : pad_(pad) { GST_PAD_STREAM_LOCK(pad_); }
  ~PadLock() { GST_PAD_STREAM_UNLOCK(pad_); }
  PadLock(const PadLock &) = delete;
  PadLock &operator=(const PadLock &) = delete;

 private:
  GstPad *pad_;
};

}  // namespace avc
