// A pipeline around one avchaossrc named `s`, on a test clock: what leaves a pad is kept, time passes when told to.
#pragma once

#include <mutex>

#include "core/rtp/header.hpp"
#include "elements/support/mapped.hpp"
#include "tests/elements/media_files.hpp"

namespace avc::test {

struct SentPacket {
  rtp::Header header;
  std::string payload;
  GstClockTime pts = 0;
  bool delta = false, headers = false, marker_flag = false;
  std::size_t size = 0;
};

// What leaves one pad.
struct Sent {
  std::mutex mutex;
  std::vector<std::vector<SentPacket>> lists;  // one a frame
  std::vector<GstClockTime> frames;            // coded ones
  std::vector<std::string> events;             // by name
  std::string caps;
};

inline SentPacket look_at(GstBuffer *buffer) {
  SentPacket packet;
  const MappedBuffer map(buffer);
  const auto header = rtp::parse(map.bytes());
  ck_assert(header.has_value());
  packet.header = *header;
  packet.payload.assign(header->payload.begin(), header->payload.end());
  packet.pts = GST_BUFFER_PTS(buffer);
  packet.delta = GST_BUFFER_FLAG_IS_SET(buffer, GST_BUFFER_FLAG_DELTA_UNIT);
  packet.headers = GST_BUFFER_FLAG_IS_SET(buffer, GST_BUFFER_FLAG_HEADER);
  packet.marker_flag = GST_BUFFER_FLAG_IS_SET(buffer, GST_BUFFER_FLAG_MARKER);
  packet.size = map.bytes().size();
  gsize offset = 0, room = 0;
  gst_memory_get_sizes(gst_buffer_peek_memory(buffer, 0), &offset, &room);
  ck_assert_uint_ge(room - offset, 20);  // for an extension in place
  return packet;
}

inline void keep_event(Sent &sent, GstEvent *event) {
  const GstStructure *structure = gst_event_get_structure(event);
  const bool custom = structure != nullptr && GST_EVENT_TYPE(event) >= GST_EVENT_CUSTOM_UPSTREAM;
  sent.events.emplace_back(custom ? gst_structure_get_name(structure) : GST_EVENT_TYPE_NAME(event));
  GstCaps *caps = nullptr;
  if (GST_EVENT_TYPE(event) != GST_EVENT_CAPS) return;
  gst_event_parse_caps(event, &caps);
  sent.caps = take(gst_caps_to_string(caps)).get();
}

inline GstPadProbeReturn keep(GstPad *, GstPadProbeInfo *info, gpointer data) {
  auto &sent = *static_cast<Sent *>(data);
  const std::lock_guard hold(sent.mutex);
  if (info->type & GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM) {
    keep_event(sent, GST_PAD_PROBE_INFO_EVENT(info));
  } else if (info->type & GST_PAD_PROBE_TYPE_BUFFER_LIST) {
    GstBufferList *list = GST_PAD_PROBE_INFO_BUFFER_LIST(info);
    std::vector<SentPacket> packets;
    for (guint i = 0; i < gst_buffer_list_length(list); ++i) packets.push_back(look_at(gst_buffer_list_get(list, i)));
    sent.lists.push_back(std::move(packets));
  } else {
    sent.frames.push_back(GST_BUFFER_PTS(GST_PAD_PROBE_INFO_BUFFER(info)));
  }
  return GST_PAD_PROBE_OK;
}

class SourceBench {
 public:
  explicit SourceBench(const std::string &text) {
    GError *error = nullptr;
    pipeline_ = take(gst_parse_launch(text.c_str(), &error));
    ck_assert_msg(error == nullptr, "%s: %s", text.c_str(), error ? error->message : "");
    source_ = take(gst_bin_get_by_name(GST_BIN(pipeline_.get()), "s"));
    clock_ = take(GST_CLOCK(gst_test_clock_new()));
    gst_pipeline_use_clock(GST_PIPELINE(pipeline_.get()), clock_.get());
    gst_element_set_start_time(pipeline_.get(), GST_CLOCK_TIME_NONE);
    gst_element_set_base_time(pipeline_.get(), 0);
  }
  ~SourceBench() { gst_element_set_state(pipeline_.get(), GST_STATE_NULL); }

  GstElement *source() const { return source_.get(); }
  GstElement *pipeline() const { return pipeline_.get(); }
  Ptr<GstPad> pad(const char *name) const { return take(gst_element_get_static_pad(source_.get(), name)); }

  void keep_from(const char *name, Sent &sent) {
    const auto types = GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM | GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_BUFFER_LIST;
    gst_pad_add_probe(pad(name).get(), static_cast<GstPadProbeType>(types), keep, &sent, nullptr);
  }

  // Returns when the media is there.
  void play() {
    const auto changed = gst_element_set_state(pipeline_.get(), GST_STATE_PLAYING);
    ck_assert_int_ne(changed, GST_STATE_CHANGE_FAILURE);
    // A preparation that is under way was announced before the state changed.
    const auto bus = take(gst_element_get_bus(pipeline_.get()));
    if (!take(gst_bus_pop_filtered(bus.get(), GST_MESSAGE_PROGRESS))) return;
    for (GstProgressType type = GST_PROGRESS_TYPE_START; type != GST_PROGRESS_TYPE_COMPLETE;) {
      const auto message = wait_for(static_cast<GstMessageType>(GST_MESSAGE_PROGRESS | GST_MESSAGE_ERROR));
      ck_assert_int_eq(GST_MESSAGE_TYPE(message.get()), GST_MESSAGE_PROGRESS);
      gst_message_parse_progress(message.get(), &type, nullptr, nullptr);
    }
  }

  Ptr<GstMessage> wait_for(GstMessageType types) const {
    const auto bus = take(gst_element_get_bus(pipeline_.get()));
    auto message = take(gst_bus_timed_pop_filtered(bus.get(), 20 * GST_SECOND, types));
    ck_assert_msg(message != nullptr, "no message");
    return message;
  }

  // As a machine that was busy elsewhere: whatever became due meanwhile is late.
  void jump_to(GstClockTime time) { gst_test_clock_set_time(GST_TEST_CLOCK(clock_.get()), time); }
  // Everything that is due before `time` has been sent when it returns.
  void advance_to(GstClockTime time) {
    for (;;) {
      GstClockID id = nullptr;
      gst_test_clock_wait_for_next_pending_id(GST_TEST_CLOCK(clock_.get()), &id);
      const bool later = gst_clock_id_get_time(id) >= time;
      gst_clock_id_unref(id);
      if (later) break;
      ck_assert(gst_test_clock_crank(GST_TEST_CLOCK(clock_.get())));
    }
  }
  // To the end of a clip that does not loop.
  void run_out() {
    const auto bus = take(gst_element_get_bus(pipeline_.get()));
    for (;;) {
      const auto message =
          take(gst_bus_pop_filtered(bus.get(), static_cast<GstMessageType>(GST_MESSAGE_EOS | GST_MESSAGE_ERROR)));
      if (message) {
        ck_assert_int_eq(GST_MESSAGE_TYPE(message.get()), GST_MESSAGE_EOS);
        return;
      }
      if (gst_test_clock_peek_id_count(GST_TEST_CLOCK(clock_.get())) > 0)
        gst_test_clock_crank(GST_TEST_CLOCK(clock_.get()));
      else
        g_thread_yield();
    }
  }

  guint64 stat(const char *field) const {
    guint64 value = 0;
    ck_assert(gst_structure_get_uint64(stats().get(), field, &value));
    return value;
  }
  Ptr<GstStructure> stats() const {
    GstStructure *stats = nullptr;
    g_object_get(source_.get(), "stats", &stats, nullptr);
    return take(stats);
  }

 private:
  Ptr<GstElement> pipeline_, source_;
  Ptr<GstClock> clock_;
};

}  // namespace avc::test
