// Everything that leaves a pad downstream, in order, each thing by a number: packets by that of their sequence, events
// by their seqnum. On whatever thread it leaves.
#pragma once

#include <mutex>
#include <set>

#include "tests/elements/bench.hpp"

namespace avc::test {

class Recorder {
 public:
  struct Entry {
    bool packet = false;
    guint32 id = 0;
    GstEventType type = GST_EVENT_UNKNOWN;  // of an event
    std::string text;                       // of caps; the name of a custom event
    bool operator==(const Entry &) const = default;
  };

  explicit Recorder(GstElement *element, const char *pad = "src")
      : pad_(take(gst_element_get_static_pad(element, pad))) {
    constexpr auto kinds =
        static_cast<GstPadProbeType>(GST_PAD_PROBE_TYPE_DATA_DOWNSTREAM | GST_PAD_PROBE_TYPE_EVENT_FLUSH);
    probe_ = gst_pad_add_probe(
        pad_.get(), kinds,
        [](GstPad *, GstPadProbeInfo *info, gpointer self) {
          static_cast<Recorder *>(self)->record(info);
          return GST_PAD_PROBE_OK;
        },
        this, nullptr);
  }
  ~Recorder() { gst_pad_remove_probe(pad_.get(), probe_); }
  Recorder(const Recorder &) = delete;
  Recorder &operator=(const Recorder &) = delete;

  std::vector<Entry> entries() {
    const std::lock_guard hold(mutex_);
    return entries_;
  }
  std::vector<guint32> packets() {
    std::vector<guint32> ids;
    for (const auto &entry : entries()) {
      if (entry.packet) ids.push_back(entry.id);
    }
    return ids;
  }
  bool has(GstEventType type) {
    return std::ranges::any_of(entries(), [type](const Entry &e) { return !e.packet && e.type == type; });
  }
  // Where the event of this seqnum is, if it is there exactly once.
  std::optional<std::size_t> place_of_event(guint32 seqnum) {
    const auto all = entries();
    std::optional<std::size_t> place;
    for (std::size_t i = 0; i < all.size(); i++) {
      if (all[i].packet || all[i].id != seqnum) continue;
      if (place) return std::nullopt;
      place = i;
    }
    return place;
  }
  // One letter each: b(uffer), c(aps), s(egment), g(ap), t(ag), x (custom), y (custom sticky), F and f (flush start,
  // stop), E(OS), - (others).
  std::string letters() {
    std::string text;
    for (const auto &entry : entries()) text += entry.packet ? 'b' : letter(entry.type);
    return text;
  }
  void forget() {
    const std::lock_guard hold(mutex_);
    entries_.clear();
  }

 private:
  static char letter(GstEventType type) {
    switch (type) {
      case GST_EVENT_CAPS:
        return 'c';
      case GST_EVENT_SEGMENT:
        return 's';
      case GST_EVENT_GAP:
        return 'g';
      case GST_EVENT_TAG:
        return 't';
      case GST_EVENT_CUSTOM_DOWNSTREAM:
        return 'x';
      case GST_EVENT_CUSTOM_DOWNSTREAM_STICKY:
        return 'y';
      case GST_EVENT_FLUSH_START:
        return 'F';
      case GST_EVENT_FLUSH_STOP:
        return 'f';
      case GST_EVENT_EOS:
        return 'E';
      default:
        return '-';
    }
  }
  static Entry entry_of(GstBuffer *buffer) {
    const auto bytes = bytes_of(buffer);
    return {true, static_cast<std::uint16_t>(header_of(bytes).sequence - kFirstSequence), GST_EVENT_UNKNOWN, ""};
  }
  static Entry entry_of(GstEvent *event) {
    Entry entry{false, gst_event_get_seqnum(event), GST_EVENT_TYPE(event), ""};
    if (entry.type == GST_EVENT_CAPS) {
      GstCaps *caps = nullptr;
      gst_event_parse_caps(event, &caps);
      entry.text = take(gst_caps_to_string(caps)).get();
    } else if (const auto *structure = gst_event_get_structure(event)) {
      entry.text = gst_structure_get_name(structure);
    }
    return entry;
  }
  void record(GstPadProbeInfo *info) {
    const std::lock_guard hold(mutex_);
    const auto type = GST_PAD_PROBE_INFO_TYPE(info);
    if (type & GST_PAD_PROBE_TYPE_BUFFER) {
      entries_.push_back(entry_of(GST_PAD_PROBE_INFO_BUFFER(info)));
    } else if (type & GST_PAD_PROBE_TYPE_BUFFER_LIST) {
      auto *list = GST_PAD_PROBE_INFO_BUFFER_LIST(info);
      for (guint i = 0; i < gst_buffer_list_length(list); i++) {
        entries_.push_back(entry_of(gst_buffer_list_get(list, i)));
      }
    } else {
      entries_.push_back(entry_of(GST_PAD_PROBE_INFO_EVENT(info)));
    }
  }

  Ptr<GstPad> pad_;
  gulong probe_ = 0;
  std::mutex mutex_;
  std::vector<Entry> entries_;
};

inline void send(const PadBench &b, GstEvent *event) { gst_harness_push_event(b.h.get(), event); }

inline GstEvent *custom(const char *name, GstEventType type = GST_EVENT_CUSTOM_DOWNSTREAM) {
  return gst_event_new_custom(type, gst_structure_new_empty(name));
}

inline GstEvent *caps_numbered(int n) {
  const auto caps = take(gst_caps_new_simple("application/x-rtp", "n", G_TYPE_INT, n, nullptr));
  return gst_event_new_caps(caps.get());
}

inline GstEvent *time_segment(GstClockTime base = 0) {
  GstSegment segment;
  gst_segment_init(&segment, GST_FORMAT_TIME);
  segment.base = base;
  return gst_event_new_segment(&segment);
}

}  // namespace avc::test
