/**
 * SECTION:element-chaosdegrader
 * @title: chaosdegrader
 *
 * A network link in user space: it loses, delays, reorders and queues packets, by chance that a seed repeats exactly.
 * It takes any packets, and knows RTP and RTCP where the caps say so.
 *
 * It stands where the network would be: last before the sink, behind participanttagger and spikescheduler. In
 * webrtcbin that is between dtlssrtpenc and nicesink; DTLS and STUN pass untouched and wait for nothing.
 *
 * Formulas of all models are in docs/model.md, all properties with ranges in docs/elements/chaosdegrader.md.
 *
 * ## Loss
 *
 * #chaosdegrader:loss-percent of all packets, each alone (#chaosdegrader:loss-model=random) or in runs with a mean
 * length of #chaosdegrader:burst-length (`burst`); netem's chains with #chaosdegrader:ge-p and so on
 * (`gilbert-elliott`) or #chaosdegrader:markov-p13 and so on (`markov4`); or as #chaosdegrader:loss-pattern says.
 * #chaosdegrader:frame-drop-percent loses whole video frames. Whether a packet is lost depends on seed, participant,
 * stream and the packet's number in its stream, and on nothing else: not on time, threads, or how packets are batched.
 *
 * ## Duplicates and bit errors
 *
 * #chaosdegrader:duplicate-percent of the packets come twice, #chaosdegrader:corrupt-percent have one bit changed;
 * the RTP header is spared unless #chaosdegrader:corrupt-headers.
 *
 * ## Delay
 *
 * #chaosdegrader:delay-ms plus a draw of #chaosdegrader:jitter-ms (#chaosdegrader:delay-distribution says which),
 * never below 0. #chaosdegrader:allow-reordering lets a packet overtake one that drew a longer delay; without it order
 * is kept. #chaosdegrader:reorder-percent of the packets are sent at once while the others have their delay.
 *
 * ## Rate
 *
 * #chaosdegrader:bandwidth-kbps or #chaosdegrader:link-trace is a line with a queue before it. A packet counts
 * #chaosdegrader:packet-overhead bytes more than it has. With #chaosdegrader:queue-discipline=droptail it is dropped if
 * it would wait longer than #chaosdegrader:queue-ms, or behind more than #chaosdegrader:queue-packets packets or
 * #chaosdegrader:queue-bytes bytes (0: no such limit); `drophead` and `codel` decide when it reaches the line.
 * #chaosdegrader:slot-max-ms sends in batches.
 *
 * ## Selection and profiles
 *
 * #chaosdegrader:apply-to restricts all of that to video, audio, keyframes, parameter sets or RTCP.
 * #chaosdegrader:profile sets all of it by name; what is set after it overrides. #chaosdegrader:profile-location is a
 * JSON file with profiles of your own.
 *
 * ## What is refused
 *
 * Values out of range, malformed patterns and traces, and settings that contradict each other: a warning message on
 * the bus names property and range, and what was there before stays in force.
 *
 * ## Time and latency
 *
 * The link lives in media time: a packet arrives at the running time of its timestamp. What comes too late is sent
 * at once, and the lateness counted. The delay is the thing simulated, so it adds nothing to the latency query unless
 * #chaosdegrader:report-latency asks for it (for playing locally), and timestamps stay as they are.
 *
 * ## Spikes
 *
 * `avchaos-spike-start` puts a layer on the link, `avchaos-spike-end` takes it away; the properties stay the base
 * under all of them. Losses compose as 1-(1-a)(1-b), delays add up, the slowest rate counts.
 *
 * ## The way back
 *
 * With #chaosdegrader:way-back it stands behind the network's source, where a receiver's reports come in: RTCP is then
 * the stream `feedback`. No spikes travel that way; whoever built the pipeline hands them on as custom out-of-band
 * events of the same names and structures, and `avchaos-participant` too, which are taken at once and go no further.
 * #chaosdegrader:rtx-payload-type names retransmissions (RFC 4588), the stream `rtx`; they count as video where the
 * link is told to act on video alone, and not as frames. Neither stream's packets change what becomes of the media.
 *
 * ## Events and flushing
 *
 * Serialized events wait behind the packets held before them; EOS comes last. A flush drops what is held, counted.
 * Between our own elements, down to an avchaosudpsink with a context, nothing is held: packets leave with the time they
 * are due, and the sink keeps that time.
 *
 * ## Statistics
 *
 * `stats`: packets-in, packets-out, bytes-in, bytes-out, dropped-loss, dropped-frame, dropped-queue, dropped-managed
 * (of these by drop head or CoDel), dropped-flush, duplicated, corrupted, reordered, not-rtp, replay-missing, held,
 * queue-ms, queue-packets, queue-peak-ms; delay-count, delay-avg-ms, delay-p50-ms, delay-p95-ms and delay-max-ms as
 * decided; active-layers; per stream video-in, video-bytes-in, video-lost, video-frame-dropped, video-queue-dropped,
 * video-managed-dropped, video-duplicated, video-corrupted, video-not-rtp and the same for audio, rtcp, other, rtx and
 * feedback;
 * carrier (frames: an avchaosudpsink sends delayed packets when they are due; packets: they wait here); context, and
 * late-count, late-p50-us, late-p99-us, late-max-us of that context.
 *
 * #chaosdegrader:decision-log writes one JSON line per packet. With #chaosdegrader:replay-log each packet has the fate
 * that such a log gives it, and the link decides nothing; packets that it has no line for pass unharmed and are counted
 * (replay-missing).
 *
 * ## Threads
 *
 * Packets without delay pass on the caller's thread. What is held leaves on the thread of #chaosdegrader:context, which
 * elements with the same context name and clock share: then only elements that never block may follow. Leave it
 * empty for a thread of its own, before any other sink.
 *
 * ## Example launch line
 * |[
 * gst-launch-1.0 videotestsrc is-live=true ! x264enc tune=zerolatency ! rtph264pay ! participanttagger
 * rtcp-interval-ms=0 ! chaosdegrader loss-percent=5 delay-ms=50 jitter-ms=10 ! udpsink host=127.0.0.1 port=5002
 * ]| One packet in twenty never arrives at port 5002, the others 50 ms later.
 *
 * Since: 0.1
 */
#include "elements/chaosdegrader.hpp"

#include <utility>

#include "elements/degrader/flow.hpp"
#include "elements/degrader/properties.hpp"
#include "elements/degrader/replay_log.hpp"
#include "elements/degrader/stats.hpp"
#include "elements/support/clock.hpp"
#include "elements/support/errors.hpp"
#include "elements/support/rtp_frame.hpp"
#include "elements/support/wrapper.hpp"

GST_DEBUG_CATEGORY_STATIC(chaosdegrader_debug);
#define GST_CAT_DEFAULT chaosdegrader_debug

using namespace avc;

namespace {

GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE("sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);
GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE("src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);

// The log to repeat, if there is one. Opening the decision log empties its file, so it comes after this.
Result<std::shared_ptr<const net::Recording>> recording_of(const degrader::Plain &plain) {
  if (plain.replay_log.empty()) return std::shared_ptr<const net::Recording>();
  if (degrader::is_same_file(plain.replay_log, plain.decision_log))
    return Error{"replay-log", "is the file that decision-log would overwrite"};
  return degrader::open_recording(plain.replay_log);
}

// All there is of a uniform jitter; three standard deviations of the others, which have no end.
Nanos likely_delay(const net::Impairment &link) {
  const double width = link.delay_distribution == net::DelayDistribution::uniform ? 1 : 3;
  return from_ms(link.delay_ms + width * link.jitter_ms);
}

class Impl {
 public:
  explicit Impl(GstElement *element);

  bool start();
  void stop();
  gboolean sink_event(Ptr<GstEvent> event);
  gboolean src_query(GstObject *parent, GstQuery *query);
  [[nodiscard]] Ptr<GstStructure> stats();
  LinkCounters counters() { return degrader::counters_of(*flow.model().lock()); }

  degrader::Properties properties;

 private:
  bool refuse_start(Fault fault, const Error &error);

  GstElement *element_;
  GstPad *sink_, *src_;  // owned by the element

 public:
  degrader::Flow flow;
};

}  // namespace

struct _AvcChaosDegrader {
  GstElement parent;
  Impl *impl;
};
G_DEFINE_FINAL_TYPE(AvcChaosDegrader, avc_chaos_degrader, GST_TYPE_ELEMENT)

namespace {

guint stats_id = 0, counters_id = 0;  // after the other properties; set with the class

Impl &impl_of(gpointer object) { return *AVC_CHAOS_DEGRADER(object)->impl; }

Impl::Impl(GstElement *element)
    : properties(element),
      element_(element),
      sink_(new_proxy_pad(element, "sink")),
      src_(new_proxy_pad(element, "src")),
      flow(element, src_, properties) {
  gst_pad_set_chain_function(sink_, [](GstPad *, GstObject *parent, GstBuffer *buffer) noexcept {
    return impl_of(parent).flow.chain(take(buffer));
  });
  gst_pad_set_chain_list_function(sink_, [](GstPad *, GstObject *parent, GstBufferList *list) noexcept {
    return impl_of(parent).flow.chain_list(take(list));
  });
  gst_pad_set_event_function(sink_, [](GstPad *, GstObject *parent, GstEvent *event) noexcept {
    return impl_of(parent).sink_event(take(event));
  });
  // Serialized queries may neither overtake what is held nor wait for it on a thread that has to hand it on.
  gst_pad_set_query_function(sink_, [](GstPad *pad, GstObject *parent, GstQuery *query) noexcept -> gboolean {
    if (is_frames_query(query)) return impl_of(parent).flow.takes_frames(query);
    const bool serialized = gst_query_type_get_flags(GST_QUERY_TYPE(query)) & GST_QUERY_TYPE_SERIALIZED;
    if (serialized && !impl_of(parent).flow.idle()) return FALSE;
    return gst_pad_query_default(pad, parent, query);
  });
  // A new peer is asked anew: while packets are held, the old one's answer would stop a source for good.
  gst_pad_set_event_function(src_, [](GstPad *pad, GstObject *parent, GstEvent *event) noexcept {
    if (GST_EVENT_TYPE(event) == GST_EVENT_RECONFIGURE) impl_of(parent).flow.new_peer();
    return gst_pad_event_default(pad, parent, event);
  });
  gst_pad_set_query_function(src_, [](GstPad *, GstObject *parent, GstQuery *query) noexcept {
    return impl_of(parent).src_query(parent, query);
  });
  gst_element_add_pad(element_, sink_);
  gst_element_add_pad(element_, src_);
}

bool Impl::start() {
  properties.start();
  const degrader::Plain plain = properties.plain();
  auto recording = recording_of(plain);
  if (!recording) return refuse_start(Fault::open_read, recording.error());
  std::shared_ptr<degrader::DecisionLog> log;
  if (!plain.decision_log.empty()) {
    auto opened = degrader::DecisionLog::open(plain.decision_log);
    if (!opened) return refuse_start(Fault::open_write, opened.error());
    log = *std::move(opened);
  }
  flow.start(std::move(log), *std::move(recording));
  return true;
}

bool Impl::refuse_start(Fault fault, const Error &error) {
  post_error(element_, fault, error);
  properties.stop();
  return false;
}

void Impl::stop() {
  flow.stop();
  properties.stop();
}

gboolean Impl::sink_event(Ptr<GstEvent> event) {
  const auto type = GST_EVENT_TYPE(event.get());
  if (type == GST_EVENT_FLUSH_START) {
    const gboolean pushed = gst_pad_push_event(src_, give(std::move(event)));
    flow.outbox().flush_start();
    return pushed;
  }
  if (type == GST_EVENT_FLUSH_STOP) {
    flow.flush_stop();
    return gst_pad_push_event(src_, give(std::move(event)));
  }
  if (type == GST_EVENT_CUSTOM_DOWNSTREAM_OOB && flow.heed(event.get())) return TRUE;
  if (!(gst_event_type_get_flags(type) & GST_EVENT_TYPE_SERIALIZED)) {
    return gst_pad_push_event(src_, give(std::move(event)));
  }
  flow.serialized(std::move(event));
  return TRUE;
}

gboolean Impl::src_query(GstObject *parent, GstQuery *query) {
  if (!gst_pad_query_default(src_, parent, query)) return FALSE;
  if (GST_QUERY_TYPE(query) != GST_QUERY_LATENCY || !properties.plain().report_latency) return TRUE;
  gboolean live = FALSE;
  GstClockTime min = 0, max = 0;
  gst_query_parse_latency(query, &live, &min, &max);
  const auto added = to_clock_time({flow.model().lock()->replayed_delay().value_or(likely_delay(properties.link()))});
  gst_query_set_latency(query, live, min + added, GST_CLOCK_TIME_IS_VALID(max) ? max + added : max);
  return TRUE;
}

Ptr<GstStructure> Impl::stats() {
  auto stats = degrader::stats_of(*flow.model().lock(), flow.outbox(), flow.packets_waiting());
  gst_structure_set(stats.get(), "carrier", G_TYPE_STRING, flow.gives_frames() ? "frames" : "packets", nullptr);
  return stats;
}

GstStateChangeReturn change_state(GstElement *element, GstStateChange change) noexcept {
  Impl &impl = impl_of(element);
  degrader::Outbox &outbox = impl.flow.outbox();
  if (change == GST_STATE_CHANGE_READY_TO_PAUSED && !impl.start()) return GST_STATE_CHANGE_FAILURE;
  if (change == GST_STATE_CHANGE_PAUSED_TO_READY) outbox.unblock();
  const auto result = GST_ELEMENT_CLASS(avc_chaos_degrader_parent_class)->change_state(element, change);
  switch (change) {
    case GST_STATE_CHANGE_PAUSED_TO_PLAYING:
      if (result != GST_STATE_CHANGE_FAILURE) outbox.play(impl.properties.plain().context);
      break;
    case GST_STATE_CHANGE_PLAYING_TO_PAUSED:
      outbox.pause();
      break;
    case GST_STATE_CHANGE_PAUSED_TO_READY:
      impl.stop();
      break;
    default:
      break;
  }
  return result;
}

void set_property(GObject *object, guint id, const GValue *value, GParamSpec *) noexcept {
  impl_of(object).properties.set(id, value);
}

void get_property(GObject *object, guint id, GValue *value, GParamSpec *) noexcept {
  if (id == stats_id) {
    g_value_take_boxed(value, give(impl_of(object).stats()));
  } else if (id == counters_id) {
    put_counters(value, impl_of(object).counters());
  } else {
    impl_of(object).properties.get(id, value);
  }
}

// Called once for all that one g_object_set() changed, or one moment of the controllers.
void properties_changed(GObject *object, guint count, GParamSpec **specs) noexcept {
  G_OBJECT_CLASS(avc_chaos_degrader_parent_class)->dispatch_properties_changed(object, count, specs);
  impl_of(object).properties.judge();
}

}  // namespace

static void avc_chaos_degrader_init(AvcChaosDegrader *self) { self->impl = new Impl(GST_ELEMENT(self)); }

static void avc_chaos_degrader_class_init(AvcChaosDegraderClass *klass) {
  GST_DEBUG_CATEGORY_INIT(chaosdegrader_debug, "chaosdegrader", 0, "A network link in user space");
  auto *object = G_OBJECT_CLASS(klass);
  auto *element = GST_ELEMENT_CLASS(klass);
  object->finalize = [](GObject *o) noexcept {
    delete AVC_CHAOS_DEGRADER(o)->impl;
    G_OBJECT_CLASS(avc_chaos_degrader_parent_class)->finalize(o);
  };
  object->set_property = set_property;
  object->get_property = get_property;
  object->dispatch_properties_changed = properties_changed;
  stats_id = degrader::Properties::install(object);
  g_object_class_install_property(
      object, stats_id,
      g_param_spec_boxed("stats", "stats", "Packets in, out and dropped by cause, delays as decided, lateness",
                         GST_TYPE_STRUCTURE, static_cast<GParamFlags>(G_PARAM_READABLE | G_PARAM_STATIC_STRINGS)));
  counters_id = stats_id + 1;
  install_counters(object, counters_id);
  element->change_state = change_state;
  take_frames(G_TYPE_FROM_CLASS(klass), {G_STRUCT_OFFSET(AvcChaosDegrader, impl), sizeof(Impl)});
  gst_element_class_add_static_pad_template(element, &sink_template);
  gst_element_class_add_static_pad_template(element, &src_template);
  gst_element_class_set_static_metadata(
      element, "Chaos degrader", "Filter/Network",
      "Loses, delays, reorders, duplicates, corrupts and queues packets like a network link, repeatably",
      "gst-avchaos");
}
