/**
 * SECTION:element-rtpqualityprobe
 * @title: rtpqualityprobe
 *
 * Measures every RTP stream that passes, by SSRC: loss, jitter, order, loss runs, video frames and freezes, one-way
 * delay, and a speech score. Everything passes unchanged.
 *
 * It stands anywhere RTP flows: behind udpsrc to see what a network did, or between two elements to see what each one
 * does. Several participants may come through one pad.
 *
 * ## What is measured
 *
 * Loss, jitter and order as in RFC 3550, a loss-run histogram and the burst ratio of G.107; frames complete, broken and
 * lost; freezes as in W3C webrtc-stats on complete frames; R factor and MOS (E-model for Opus). The medium comes from
 * the caps, else payload type 96 is H.264 and 111 is Opus. A participant's id comes from the header extension (the
 * contract's, or the RFC 8285 element #rtpqualityprobe:extension-id), else from the event `avchaos-participant`. Delay
 * is measured where sender reports pass too and #rtpqualityprobe:clock-is-shared holds.
 *
 * ## Messages
 *
 * Every #rtpqualityprobe:interval-ms of the pipeline's clock in PLAYING an element message `rtpqualityprobe` with
 * running-time, interval-ms and `streams`: the measures of that interval.
 *
 * ## Reports
 *
 * The request pad `rtcp_src` gives RTCP receiver reports with extended reports (loss and duplicates) on all streams,
 * once in #rtpqualityprobe:rtcp-interval-ms, when the next packet passes.
 *
 * ## A socket of its own
 *
 * With #rtpqualityprobe:port it also listens itself, from PAUSED on, and needs no other element: packets are taken many
 * at a time, merged by the kernel (UDP_GRO), and make no buffers. `socket` in statistics and messages says what the
 * kernel dropped because nobody fetched it in time, which is no loss of the network's.
 *
 * ## Latency and events
 *
 * It adds no latency. Events and queries pass.
 *
 * ## Statistics
 *
 * `stats`: not-rtp, rtcp-packets, no-room, with a port the structure `socket` (local-port, rtcp-port, packets-received,
 * bytes-received, kernel-drops, truncated, errors, rtcp-malformed, reports-sent, messages, syscalls, receive-buffer,
 * offload), and the list `streams` since the start: ssrc, participant-id, kind,
 * payload-type, packets-received, packets-lost, packets-duplicated, packets-reordered, packets-expected, bytes-received
 * (payload), header-bytes-received, jitter and mean-jitter (seconds), loss-percent, burst-ratio, loss-runs,
 * loss-run-lengths (of 1, 2, … 15, 16 and more), restarts, highest-sequence, one-way-delay and max-one-way-delay
 * (seconds); for video frames-received (complete ones), frames-broken, frames-lost, frames-complete-percent,
 * key-frames-received, freeze-count, total-freezes-duration (seconds); for audio r-factor, mos-score.
 *
 * ## Threads
 *
 * Measuring happens on the streaming thread; messages are posted from the clock's thread. A port has a thread of its
 * own.
 *
 * ## Example launch line
 * |[
 * gst-launch-1.0 -m udpsrc port=5002 ! rtpqualityprobe ! fakesink
 * ]| One message a second about what arrives at port 5002.
 *
 * Since: 0.1
 */
#include "elements/rtpqualityprobe.hpp"

#include <algorithm>
#include <iterator>
#include <string>
#include <utility>

#include "core/runtime/guarded.hpp"
#include "elements/probe/listener.hpp"
#include "elements/probe/streams.hpp"
#include "elements/support/chaos_events.hpp"
#include "elements/support/clock.hpp"
#include "elements/support/errors.hpp"
#include "elements/support/mapped.hpp"
#include "elements/support/properties.hpp"
#include "elements/support/wrapper.hpp"

GST_DEBUG_CATEGORY_STATIC(rtpqualityprobe_debug);
#define GST_CAT_DEFAULT rtpqualityprobe_debug

using namespace avc;

namespace {

constexpr const char *kExtensionUri = "urn:avchaos:participant-id";

struct Settings {
  guint interval_ms = 1000;
  guint rtcp_interval_ms = 1000;
  guint rtcp_ssrc = 0x61766370;
  guint extension_id = 1;
  bool clock_is_shared = true;
  gint port = -1;
  std::string bind_address = "127.0.0.1";
  gint buffer_size = 16 << 20;
  bool send_reports = false;
};

const Property<Settings> kProperties[] = {
    {"interval-ms", "Time between two messages with measures, in ms (0: none)", &Settings::interval_ms, 0, 0, kReady},
    {"rtcp-interval-ms", "Time between two reports on the pad rtcp_src, in ms", &Settings::rtcp_interval_ms, 1,
     G_MAXUINT},
    {"rtcp-ssrc", "Our own SSRC in those reports", &Settings::rtcp_ssrc, 0, 0},
    {"extension-id", "Id of the RFC 8285 header extension element with the participant's id", &Settings::extension_id,
     1, 14},
    {"clock-is-shared", "Senders' wall clock is ours: measure the one-way delay from their reports",
     &Settings::clock_is_shared},
    {"port", "UDP port to listen on, RTCP on the next one (0: any, -1: measure only what passes the pads)",
     &Settings::port, -1, 65534, kReady},
    {"bind-address", "Address to listen on", &Settings::bind_address, 0, 0, kReady},
    {"buffer-size", "Bytes of receive buffer asked of the kernel (0: its default)", &Settings::buffer_size, 0, G_MAXINT,
     kReady},
    {"send-reports", "Answer sender reports that come to the port, once a second", &Settings::send_reports, 0, 0,
     kReady},
};

GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE("sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);
GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE("src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);
GstStaticPadTemplate rtcp_template =
    GST_STATIC_PAD_TEMPLATE("rtcp_src", GST_PAD_SRC, GST_PAD_REQUEST, GST_STATIC_CAPS("application/x-rtcp"));

class Impl {
 public:
  explicit Impl(GstElement *element);

  bool start();  // false: an error was posted
  void stop() { const auto ended = std::exchange(*listener_.lock(), nullptr); }
  void begin_playing();
  void end_playing();
  GstFlowReturn chain(Ptr<GstBuffer> buffer);
  GstFlowReturn chain_list(Ptr<GstBufferList> list);
  gboolean sink_event(Ptr<GstEvent> event);
  void post_window();
  [[nodiscard]] Ptr<GstStructure> stats();
  GstPad *request_rtcp_pad();
  void release_rtcp_pad(GstPad *pad);

  Guarded<Settings> settings;
  Guarded<probe::Streams> streams;

 private:
  Instant arrival();
  void measure(GstBuffer *buffer, Instant at, probe::Streams &into);
  std::vector<probe::Row> rows_of_pads(probe::Streams::Since since);
  void read_caps(GstCaps *caps);
  void report(Instant at);
  void push_report(GstPad *pad, const std::vector<std::uint8_t> &bytes);

  GstElement *element_;
  GstPad *sink_, *src_;  // owned by the element

  // Streaming thread only.
  Settings now_;  // as of the buffer or list under way
  probe::Hints hints_;
  std::optional<std::uint8_t> extension_from_caps_;
  std::optional<Nanos> wall_offset_;  // wall clock less pipeline clock, kept for a whole run
  Instant next_report_{};
  GstPad *rtcp_begun_ = nullptr;  // the pad that had its stream-start, caps and segment

  Guarded<Ptr<GstPad>> rtcp_;  // the request pad; a reference of our own
  GstClockID tick_ = nullptr;  // state changes only
  Guarded<std::shared_ptr<probe::Listener>> listener_;
};

}  // namespace

struct _AvcRtpQualityProbe {
  GstElement parent;
  Impl *impl;
};
G_DEFINE_FINAL_TYPE(AvcRtpQualityProbe, avc_rtp_quality_probe, GST_TYPE_ELEMENT)

namespace {

Impl &impl_of(gpointer object) { return *AVC_RTP_QUALITY_PROBE(object)->impl; }

Impl::Impl(GstElement *element) : element_(element) {
  sink_ = new_pad(element, "sink");
  src_ = new_pad(element, "src");
  gst_pad_set_chain_function(sink_, [](GstPad *, GstObject *parent, GstBuffer *buffer) noexcept {
    return impl_of(parent).chain(take(buffer));
  });
  gst_pad_set_chain_list_function(sink_, [](GstPad *, GstObject *parent, GstBufferList *list) noexcept {
    return impl_of(parent).chain_list(take(list));
  });
  gst_pad_set_event_full_function(sink_, [](GstPad *, GstObject *parent, GstEvent *event) noexcept {
    Impl &impl = impl_of(parent);
    return event_outcome(impl.sink_event(take(event)), impl.src_);
  });
  for (GstPad *pad : {sink_, src_}) {
    GST_PAD_SET_PROXY_CAPS(pad);
    GST_PAD_SET_PROXY_ALLOCATION(pad);
    GST_PAD_SET_PROXY_SCHEDULING(pad);
    gst_element_add_pad(element_, pad);
  }
}

bool Impl::start() {
  const Settings now = *settings.lock();
  if (now.port >= 0) {
    auto listener = probe::Listener::start({.bind_address = now.bind_address,
                                            .port = static_cast<std::uint16_t>(now.port),
                                            .send_reports = now.send_reports,
                                            .clock_is_shared = now.clock_is_shared,
                                            .receive_buffer = now.buffer_size,
                                            .extension_id = static_cast<std::uint8_t>(now.extension_id)});
    if (!listener) {
      post_error(element_, Fault::open_read, listener.error());
      return false;
    }
    *listener_.lock() = std::move(*listener);
  }
  streams.lock()->clear();
  hints_ = {};
  extension_from_caps_.reset();
  wall_offset_.reset();
  next_report_ = {};
  rtcp_begun_ = nullptr;
  return true;
}

// The streaming thread waits for some streams at most, however many there are.
std::vector<probe::Row> Impl::rows_of_pads(probe::Streams::Since since) {
  std::vector<probe::Row> rows;
  std::optional<std::uint32_t> from = 0;
  while (from) from = streams.lock()->rows(*from, since, rows);
  return rows;
}

Ptr<GstStructure> Impl::stats() {
  auto rows = rows_of_pads(probe::Streams::Since::start);
  probe::Streams::Totals totals = streams.lock()->totals();
  Ptr<GstStructure> socket;
  if (const auto listener = *listener_.lock()) {
    std::ranges::move(listener->rows(), std::back_inserter(rows));
    const auto more = listener->totals();
    totals = {totals.not_rtp + more.not_rtp, totals.rtcp_packets + more.rtcp_packets, totals.no_room + more.no_room};
    socket = listener->socket();
  }
  auto stats =
      take(gst_structure_new("rtpqualityprobe-stats", "not-rtp", G_TYPE_UINT64, totals.not_rtp, "rtcp-packets",
                             G_TYPE_UINT64, totals.rtcp_packets, "no-room", G_TYPE_UINT64, totals.no_room, nullptr));
  if (socket) gst_structure_set(stats.get(), "socket", GST_TYPE_STRUCTURE, socket.get(), nullptr);
  probe::add_streams(stats.get(), rows);
  return stats;
}

// Time comes from the pipeline's clock, moved to the wall clock's origin once, so that a sender's reports can be set
// against it and a test's clock drives the measures.
Instant Impl::arrival() {
  const Instant wall{Nanos(g_get_real_time() * 1000)};
  const auto clock = take(gst_element_get_clock(element_));
  if (!clock) return wall;
  const Instant at = to_instant(gst_clock_get_time(clock.get()));
  if (!wall_offset_) wall_offset_ = wall - at;
  return at + *wall_offset_;
}

void Impl::measure(GstBuffer *buffer, Instant at, probe::Streams &into) {
  const MappedBuffer view(buffer);
  if (!view) return;
  if (rtp::classify(view.bytes()) == rtp::Datagram::rtcp) {
    into.rtcp(view.bytes(), at, now_.clock_is_shared);
  } else {
    into.packet(view.bytes(), view.bytes().size(), at, hints_);
  }
}

GstFlowReturn Impl::chain(Ptr<GstBuffer> buffer) {
  now_ = *settings.lock();
  hints_.extension_id = extension_from_caps_.value_or(static_cast<std::uint8_t>(now_.extension_id));
  const Instant at = arrival();
  measure(buffer.get(), at, *streams.lock());
  report(at);
  return gst_pad_push(src_, give(std::move(buffer)));
}

GstFlowReturn Impl::chain_list(Ptr<GstBufferList> list) {
  now_ = *settings.lock();
  hints_.extension_id = extension_from_caps_.value_or(static_cast<std::uint8_t>(now_.extension_id));
  const Instant at = arrival();
  {
    auto into = streams.lock();
    const guint length = gst_buffer_list_length(list.get());
    for (guint i = 0; i < length; ++i) measure(gst_buffer_list_get(list.get(), i), at, *into);
  }
  report(at);
  return gst_pad_push_list(src_, give(std::move(list)));
}

void Impl::read_caps(GstCaps *caps) {
  const GstStructure *structure = gst_caps_get_structure(caps, 0);
  const char *media = gst_structure_get_string(structure, "media");
  hints_.media.reset();
  if (media) {
    hints_.media = g_str_equal(media, "audio")   ? net::Stream::audio
                   : g_str_equal(media, "video") ? net::Stream::video
                                                 : net::Stream::other;
  }
  gint rate = 0;
  hints_.clock_rate = gst_structure_get_int(structure, "clock-rate", &rate) && rate > 0 ? static_cast<guint>(rate) : 0;
  extension_from_caps_.reset();
  for (int id = 1; id <= 14; ++id) {
    const char *uri = gst_structure_get_string(structure, ("extmap-" + std::to_string(id)).c_str());
    if (uri && g_str_equal(uri, kExtensionUri)) extension_from_caps_ = static_cast<std::uint8_t>(id);
  }
}

gboolean Impl::sink_event(Ptr<GstEvent> event) {
  if (GST_EVENT_TYPE(event.get()) == GST_EVENT_CAPS) {
    GstCaps *caps = nullptr;
    gst_event_parse_caps(event.get(), &caps);
    read_caps(caps);
  } else if (const auto info = parse_participant(event.get())) {
    hints_.participant_id = info->participant_id;
  }
  return gst_pad_event_default(sink_, GST_OBJECT_CAST(element_), give(std::move(event)));
}

// On the streaming thread, because a pad behind rtcp_src may take its time.
void Impl::report(Instant at) {
  if (at < next_report_) return;
  Ptr<GstPad> pad;
  if (auto requested = rtcp_.lock(); *requested) pad = take(GST_PAD(gst_object_ref(requested->get())));
  if (!pad) return;
  if (next_report_ == Instant{}) {  // the first interval has to pass as well
    next_report_ = at + from_ms(now_.rtcp_interval_ms);
    return;
  }
  next_report_ = at + from_ms(now_.rtcp_interval_ms);
  const auto datagrams = streams.lock()->reports(now_.rtcp_ssrc, at);
  for (const auto &bytes : datagrams) push_report(pad.get(), bytes);
}

void Impl::push_report(GstPad *pad, const std::vector<std::uint8_t> &bytes) {
  if (rtcp_begun_ != pad) {
    rtcp_begun_ = pad;
    const auto id = take(gst_pad_create_stream_id(pad, element_, "rtcp"));
    gst_pad_push_event(pad, gst_event_new_stream_start(id.get()));
    const auto caps = take(gst_caps_new_empty_simple("application/x-rtcp"));
    gst_pad_push_event(pad, gst_event_new_caps(caps.get()));
    GstSegment segment;
    gst_segment_init(&segment, GST_FORMAT_TIME);
    gst_pad_push_event(pad, gst_event_new_segment(&segment));
  }
  auto buffer = take(gst_buffer_new_memdup(bytes.data(), bytes.size()));
  GST_BUFFER_PTS(buffer.get()) = gst_element_get_current_running_time(element_);
  gst_pad_push(pad, give(std::move(buffer)));  // nobody connected is nobody's fault
}

void Impl::post_window() {
  const guint interval = settings.lock()->interval_ms;
  auto rows = rows_of_pads(probe::Streams::Since::last_time);
  auto structure = take(gst_structure_new("rtpqualityprobe", "interval-ms", G_TYPE_UINT, interval, "running-time",
                                          G_TYPE_UINT64, gst_element_get_current_running_time(element_), nullptr));
  if (const auto listener = *listener_.lock()) {
    std::ranges::move(listener->rows_of_window(), std::back_inserter(rows));
    gst_structure_set(structure.get(), "socket", GST_TYPE_STRUCTURE, listener->socket().get(), nullptr);
  }
  probe::add_streams(structure.get(), rows);
  gst_element_post_message(element_, gst_message_new_element(GST_OBJECT_CAST(element_), give(std::move(structure))));
}

void Impl::begin_playing() {
  const guint interval = settings.lock()->interval_ms;
  const auto clock = take(gst_element_get_clock(element_));
  if (!clock || interval == 0) return;
  const GstClockTime step = interval * GST_MSECOND;
  tick_ = gst_clock_new_periodic_id(clock.get(), gst_clock_get_time(clock.get()) + step, step);
  gst_clock_id_wait_async(
      tick_,
      [](GstClock *, GstClockTime time, GstClockID, gpointer element) noexcept -> gboolean {
        if (GST_CLOCK_TIME_IS_VALID(time)) impl_of(element).post_window();
        return TRUE;
      },
      gst_object_ref(element_), [](gpointer element) noexcept { gst_object_unref(element); });
}

void Impl::end_playing() {
  if (!tick_) return;
  gst_clock_id_unschedule(tick_);
  gst_clock_id_unref(std::exchange(tick_, nullptr));
}

GstPad *Impl::request_rtcp_pad() {
  if (*rtcp_.lock()) return nullptr;
  GstPad *pad = new_pad(element_, "rtcp_src");
  gst_pad_use_fixed_caps(pad);
  *rtcp_.lock() = take(GST_PAD(gst_object_ref(pad)));
  gst_pad_set_active(pad, TRUE);
  gst_element_add_pad(element_, pad);
  return pad;
}

void Impl::release_rtcp_pad(GstPad *pad) {
  Ptr<GstPad> released;
  std::swap(*rtcp_.lock(), released);
  gst_pad_set_active(pad, FALSE);
  gst_element_remove_pad(element_, pad);
}

GstStateChangeReturn change_state(GstElement *element, GstStateChange change) noexcept {
  Impl &impl = impl_of(element);
  if (change == GST_STATE_CHANGE_READY_TO_PAUSED && !impl.start()) return GST_STATE_CHANGE_FAILURE;
  if (change == GST_STATE_CHANGE_PLAYING_TO_PAUSED) impl.end_playing();
  const auto result = GST_ELEMENT_CLASS(avc_rtp_quality_probe_parent_class)->change_state(element, change);
  if (change == GST_STATE_CHANGE_PAUSED_TO_PLAYING && result != GST_STATE_CHANGE_FAILURE) impl.begin_playing();
  if (change == GST_STATE_CHANGE_PAUSED_TO_READY) impl.stop();
  return result;
}

}  // namespace

static void avc_rtp_quality_probe_init(AvcRtpQualityProbe *self) { self->impl = new Impl(GST_ELEMENT(self)); }

static void avc_rtp_quality_probe_class_init(AvcRtpQualityProbeClass *klass) {
  GST_DEBUG_CATEGORY_INIT(rtpqualityprobe_debug, "rtpqualityprobe", 0, "Measures RTP streams");
  auto *object = G_OBJECT_CLASS(klass);
  auto *element = GST_ELEMENT_CLASS(klass);
  object->finalize = [](GObject *o) noexcept {
    delete AVC_RTP_QUALITY_PROBE(o)->impl;
    G_OBJECT_CLASS(avc_rtp_quality_probe_parent_class)->finalize(o);
  };
  element->change_state = change_state;
  element->request_new_pad = [](GstElement *self, GstPadTemplate *, const gchar *, const GstCaps *) noexcept {
    return impl_of(self).request_rtcp_pad();
  };
  element->release_pad = [](GstElement *self, GstPad *pad) noexcept { impl_of(self).release_rtcp_pad(pad); };
  install_plain<impl_of, kProperties>(object, "Measures of every stream since the start");
  gst_element_class_add_static_pad_template(element, &sink_template);
  gst_element_class_add_static_pad_template(element, &src_template);
  gst_element_class_add_static_pad_template(element, &rtcp_template);
  gst_element_class_set_static_metadata(element, "RTP quality probe", "Filter/Analyzer/Network/RTP",
                                        "Measures loss, jitter, frames, freezes, delay and speech quality of RTP",
                                        "gst-avchaos");
}
