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
 * ## Loss
 *
 * #chaosdegrader:loss-percent of all packets, each alone (#chaosdegrader:loss-model=random) or in runs with a mean
 * length of #chaosdegrader:burst-length (`burst`). Whether a packet is lost depends on seed, participant, stream and
 * the packet's number in its stream, and on nothing else: not on time, threads, or how packets are batched.
 *
 * ## Delay
 *
 * #chaosdegrader:delay-ms plus a draw of #chaosdegrader:jitter-ms (#chaosdegrader:delay-distribution: `normal` takes
 * it for the standard deviation, `uniform` for half the width), never below 0. #chaosdegrader:allow-reordering lets a
 * packet overtake one that drew a longer delay; without it order is kept.
 *
 * ## Rate
 *
 * #chaosdegrader:bandwidth-kbps is a line with a queue before it. A packet counts #chaosdegrader:packet-overhead bytes
 * more than it has. It is dropped if it would wait longer than #chaosdegrader:queue-ms, or behind more than
 * #chaosdegrader:queue-packets packets or #chaosdegrader:queue-bytes bytes (0: no such limit).
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
 * ## Events and flushing
 *
 * Serialized events wait behind the packets held before them; EOS comes last. A flush drops what is held, counted.
 *
 * ## Statistics
 *
 * `stats`: packets-in, packets-out, bytes-in, bytes-out, dropped-loss, dropped-queue, dropped-flush, reordered, held,
 * queue-ms, queue-packets, queue-peak-ms; delay-count, delay-avg-ms, delay-p50-ms, delay-p95-ms and delay-max-ms as
 * decided; active-layers; per media video-in, video-bytes-in, video-lost, video-queue-dropped and the same for audio;
 * context, and late-count, late-p50-us, late-p99-us, late-max-us of that context.
 *
 * #chaosdegrader:decision-log writes one JSON line per packet.
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

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/runtime/guarded.hpp"
#include "elements/degrader/model.hpp"
#include "elements/degrader/outbox.hpp"
#include "elements/degrader/stats.hpp"
#include "elements/support/chaos_events.hpp"
#include "elements/support/clock.hpp"
#include "elements/support/errors.hpp"
#include "elements/support/properties.hpp"
#include "elements/support/wrapper.hpp"

GST_DEBUG_CATEGORY_STATIC(chaosdegrader_debug);
#define GST_CAT_DEFAULT chaosdegrader_debug

using namespace avc;
using degrader::Order;
using degrader::Outbox;

namespace {

constexpr double kLongestMs = 3'600'000;

GType loss_model_type() {
  static const GEnumValue values[] = {
      {int(net::LossModel::random), "Each packet alone", "random"},
      {int(net::LossModel::burst), "In runs: the simple Gilbert model with burst-length", "gilbert-elliott"},
      {int(net::LossModel::burst), "The same", "burst"},
      {0, nullptr, nullptr}};
  return register_enum("AvcLossModel", values);
}

GType distribution_type() {
  static const GEnumValue values[] = {
      {int(net::DelayDistribution::uniform), "jitter-ms to either side, all alike", "uniform"},
      {int(net::DelayDistribution::normal), "Standard deviation jitter-ms", "normal"},
      {0, nullptr, nullptr}};
  return register_enum("AvcDelayDistribution", values);
}

struct Settings : net::Impairment {
  guint64 seed = 0;
  std::string context;
  std::string decision_log;
  bool report_latency = false;
};

const Property<Settings> kProperties[] = {
    {"loss-percent", "Packets to lose, in percent", &Settings::loss_percent, 0, 100, kControlled},
    {"loss-model", "How losses are spread", choice<Settings, &Settings::loss_model>(loss_model_type)},
    {"burst-length", "Mean number of packets lost in a row with loss-model=burst", &Settings::burst_length, 1, 1e6,
     kControlled},
    {"delay-ms", "Delay of every packet, in ms", &Settings::delay_ms, 0, kLongestMs, kControlled},
    {"jitter-ms", "Variation of the delay, in ms: see delay-distribution", &Settings::jitter_ms, 0, kLongestMs,
     kControlled},
    {"delay-distribution", "What jitter-ms means", choice<Settings, &Settings::delay_distribution>(distribution_type)},
    {"allow-reordering", "Let packets overtake those that drew a longer delay", &Settings::allow_reordering},
    {"bandwidth-kbps", "Speed of the line in kilobits per second (0: no limit)", &Settings::bandwidth_kbps, 0, 1e9,
     kControlled},
    {"packet-overhead", "Bytes counted per packet beside its own (28: UDP/IPv4)", &Settings::packet_overhead, 0, 65535,
     kControlled},
    {"queue-ms", "Longest wait for the line before a packet is dropped, in ms", &Settings::queue_ms, 0, kLongestMs,
     kControlled},
    {"queue-packets", "Most packets waiting for the line (0: no limit)", &Settings::queue_packets, 0, 0, kControlled},
    {"queue-bytes", "Most bytes waiting for the line (0: no limit)", &Settings::queue_bytes, 0, 0, kControlled},
    {"seed", "Repeats all chance (0: the seed that upstream's avchaos-participant event names)", &Settings::seed, 0, 0,
     kReady},
    {"context", "Name of the thread that sends what was held (empty: one of its own)", &Settings::context, 0, 0,
     kReady},
    {"decision-log", "File for one JSON line per packet: what was decided (empty: none)", &Settings::decision_log, 0, 0,
     kReady},
    {"report-latency", "Add the delay to the latency query, for playing locally", &Settings::report_latency},
};

GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE("sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);
GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE("src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);

class Impl {
 public:
  explicit Impl(GstElement *element);

  bool start();
  void stop();
  GstFlowReturn chain(Ptr<GstBuffer> buffer);
  GstFlowReturn chain_list(Ptr<GstBufferList> list);
  gboolean sink_event(Ptr<GstEvent> event);
  gboolean src_query(GstObject *parent, GstQuery *query);
  [[nodiscard]] Ptr<GstStructure> stats();

  Guarded<Settings> settings;
  Outbox outbox;

 private:
  // Streaming thread only.
  std::optional<Instant> time_of(GstBuffer *buffer) const;
  void prepare(GstBuffer *first);
  void decide(GstBuffer *const *buffers, std::size_t count);
  void act_on(GstEvent *event);
  void report_log(const Error &error);

  GstElement *element_;
  GstPad *sink_, *src_;  // owned by the element
  Guarded<degrader::Model> model_;

  // Streaming thread only; valid from start() to stop().
  GstSegment segment_;
  std::vector<GstBuffer *> buffers_;           // of the list under way, which owns them
  std::vector<Order> orders_;                  // for the packets under way, one each
  std::vector<degrader::Decision> decisions_;  // for the log
  std::shared_ptr<degrader::DecisionLog> log_;
  bool log_fault_told_ = false;
};

}  // namespace

struct _AvcChaosDegrader {
  GstElement parent;
  Impl *impl;
};
G_DEFINE_FINAL_TYPE(AvcChaosDegrader, avc_chaos_degrader, GST_TYPE_ELEMENT)

namespace {

Impl &impl_of(gpointer object) { return *AVC_CHAOS_DEGRADER(object)->impl; }

Impl::Impl(GstElement *element)
    : outbox(element, new_proxy_pad(src_template, "src")),
      element_(element),
      sink_(new_proxy_pad(sink_template, "sink")) {
  src_ = outbox.pad();
  gst_segment_init(&segment_, GST_FORMAT_TIME);
  gst_pad_set_chain_function(sink_, [](GstPad *, GstObject *parent, GstBuffer *buffer) noexcept {
    return impl_of(parent).chain(take(buffer));
  });
  gst_pad_set_chain_list_function(sink_, [](GstPad *, GstObject *parent, GstBufferList *list) noexcept {
    return impl_of(parent).chain_list(take(list));
  });
  gst_pad_set_event_function(sink_, [](GstPad *, GstObject *parent, GstEvent *event) noexcept {
    return impl_of(parent).sink_event(take(event));
  });
  // A new peer is asked anew: while packets are held, the old one's answer would stop a source for good.
  gst_pad_set_event_function(src_, [](GstPad *pad, GstObject *parent, GstEvent *event) noexcept {
    if (GST_EVENT_TYPE(event) == GST_EVENT_RECONFIGURE) impl_of(parent).outbox.forget_flow();
    return gst_pad_event_default(pad, parent, event);
  });
  gst_pad_set_query_function(src_, [](GstPad *, GstObject *parent, GstQuery *query) noexcept {
    return impl_of(parent).src_query(parent, query);
  });
  gst_element_add_pad(element_, sink_);
  gst_element_add_pad(element_, src_);
}

bool Impl::start() {
  const Settings now = *settings.lock();
  if (!now.decision_log.empty()) {
    auto log = degrader::DecisionLog::open(now.decision_log);
    if (!log) {
      post_error(element_, Fault::open_write, log.error());
      return false;
    }
    log_ = *std::move(log);
  }
  log_fault_told_ = false;
  gst_segment_init(&segment_, GST_FORMAT_TIME);
  model_.lock()->restart(now.seed);
  outbox.start();
  return true;
}

void Impl::stop() {
  outbox.stop();
  if (!log_) return;
  if (const auto written = log_->flush(); !written) report_log(written.error());
  log_.reset();
}

void Impl::report_log(const Error &error) {
  if (std::exchange(log_fault_told_, true)) return;
  post_warning(element_, Fault::write, error);
}

std::optional<Instant> Impl::time_of(GstBuffer *buffer) const {
  for (const GstClockTime stamp : {GST_BUFFER_DTS_OR_PTS(buffer), GST_BUFFER_PTS(buffer)}) {
    const GstClockTime time = gst_segment_to_running_time(&segment_, GST_FORMAT_TIME, stamp);
    if (GST_CLOCK_TIME_IS_VALID(time)) return to_instant(time);
  }
  return std::nullopt;
}

// Once for what comes in together: properties follow their controllers, the link follows the properties.
void Impl::prepare(GstBuffer *first) {
  const auto time = gst_segment_to_stream_time(&segment_, GST_FORMAT_TIME, GST_BUFFER_PTS(first));
  if (GST_CLOCK_TIME_IS_VALID(time)) gst_object_sync_values(GST_OBJECT(element_), time);
  const net::Impairment base = *settings.lock();
  model_.lock()->set_base(base);
  if (const auto arrival = time_of(first)) outbox.wait_for_room(*arrival);
}

void Impl::decide(GstBuffer *const *buffers, std::size_t count) {
  orders_.clear();
  decisions_.clear();
  const Instant now = outbox.now();
  {
    auto model = model_.lock();
    for (std::size_t i = 0; i < count; i++) {
      orders_.push_back(model->admit(buffers[i], time_of(buffers[i]), now));
      if (log_ && orders_.back().what != Order::Do::bypass) decisions_.push_back(model->decision());
    }
  }
  if (log_ && !log_->append(decisions_)) report_log({"decision-log", "is incomplete: packets are missing from it"});
}

GstFlowReturn Impl::chain(Ptr<GstBuffer> buffer) {
  prepare(buffer.get());
  Outbox::Turn turn(outbox);
  GstBuffer *const one[] = {buffer.get()};
  decide(one, 1);
  const Order order = orders_.front();
  if (order.what == Order::Do::drop) return outbox.flow();
  if (order.what == Order::Do::bypass || (turn.direct() && (!order.delayed || !turn.clocked()))) {
    return turn.push(std::move(buffer), order.stream);
  }
  turn.hold(std::move(buffer), order.stream, order.at);
  turn.drain();
  return outbox.flow();
}

GstFlowReturn Impl::chain_list(Ptr<GstBufferList> list) {
  const guint length = gst_buffer_list_length(list.get());
  if (length == 0) return GST_FLOW_OK;
  prepare(gst_buffer_list_get(list.get(), 0));
  Outbox::Turn turn(outbox);
  buffers_.resize(length);
  for (guint i = 0; i < length; i++) buffers_[i] = gst_buffer_list_get(list.get(), i);
  decide(buffers_.data(), length);

  const auto is = [](Order::Do what) { return [what](const Order &o) { return o.what == what; }; };
  const bool wait = std::ranges::any_of(orders_, [](const Order &o) { return o.delayed; });
  if (turn.direct() && (!wait || !turn.clocked())) {
    const auto dropped = std::ranges::count_if(orders_, is(Order::Do::drop));
    if (dropped == 0) return turn.push(std::move(list), orders_.front().stream);
    if (dropped == length) return outbox.flow();
    list.reset(gst_buffer_list_make_writable(list.release()));
    for (guint i = length; i-- > 0;) {
      if (orders_[i].what == Order::Do::drop) gst_buffer_list_remove(list.get(), i, 1);
    }
    return turn.push(std::move(list), orders_.front().stream);
  }
  for (guint i = 0; i < length; i++) {
    if (orders_[i].what == Order::Do::drop) continue;
    auto buffer = share(buffers_[i]);
    if (orders_[i].what == Order::Do::bypass) {
      turn.push(std::move(buffer), orders_[i].stream);
    } else {
      turn.hold(std::move(buffer), orders_[i].stream, orders_[i].at);
    }
  }
  list.reset();  // whoever is downstream may then write to the buffers
  turn.drain();
  return outbox.flow();
}

// What an event means to us, at its place among the packets.
void Impl::act_on(GstEvent *event) {
  switch (GST_EVENT_TYPE(event)) {
    case GST_EVENT_CAPS: {
      GstCaps *caps = nullptr;
      gst_event_parse_caps(event, &caps);
      model_.lock()->set_caps(caps);
      break;
    }
    case GST_EVENT_SEGMENT:
      gst_event_copy_segment(event, &segment_);
      break;
    case GST_EVENT_CUSTOM_DOWNSTREAM_STICKY:
      if (const auto info = parse_participant(event)) model_.lock()->set_participant(*info);
      break;
    case GST_EVENT_CUSTOM_DOWNSTREAM:
      if (const auto start = parse_spike_start(event)) model_.lock()->start_spike(*start);
      if (const auto end = parse_spike_end(event)) model_.lock()->end_spike(*end);
      break;
    default:
      break;
  }
}

gboolean Impl::sink_event(Ptr<GstEvent> event) {
  const auto type = GST_EVENT_TYPE(event.get());
  if (type == GST_EVENT_FLUSH_START) {
    const gboolean pushed = gst_pad_push_event(src_, give(std::move(event)));
    outbox.flush_start();
    return pushed;
  }
  if (type == GST_EVENT_FLUSH_STOP) {
    outbox.flush_stop();
    gst_segment_init(&segment_, GST_FORMAT_TIME);
    model_.lock()->flush();
    return gst_pad_push_event(src_, give(std::move(event)));
  }
  if (!(gst_event_type_get_flags(type) & GST_EVENT_TYPE_SERIALIZED)) {
    return gst_pad_push_event(src_, give(std::move(event)));
  }
  Outbox::Turn turn(outbox);
  act_on(event.get());
  turn.push_or_hold(std::move(event));
  turn.drain();
  return TRUE;
}

gboolean Impl::src_query(GstObject *parent, GstQuery *query) {
  if (!gst_pad_query_default(src_, parent, query)) return FALSE;
  const Settings now = *settings.lock();
  if (GST_QUERY_TYPE(query) != GST_QUERY_LATENCY || !now.report_latency) return TRUE;
  gboolean live = FALSE;
  GstClockTime min = 0, max = 0;
  gst_query_parse_latency(query, &live, &min, &max);
  // Three standard deviations of a normal jitter; all there is of a uniform one.
  const double width = now.delay_distribution == net::DelayDistribution::normal ? 3 : 1;
  const auto added = to_clock_time({from_ms(now.delay_ms + width * now.jitter_ms)});
  gst_query_set_latency(query, live, min + added, GST_CLOCK_TIME_IS_VALID(max) ? max + added : max);
  return TRUE;
}

Ptr<GstStructure> Impl::stats() { return degrader::stats_of(*model_.lock(), outbox); }

GstStateChangeReturn change_state(GstElement *element, GstStateChange change) noexcept {
  Impl &impl = impl_of(element);
  if (change == GST_STATE_CHANGE_READY_TO_PAUSED && !impl.start()) return GST_STATE_CHANGE_FAILURE;
  if (change == GST_STATE_CHANGE_PAUSED_TO_READY) impl.outbox.unblock();
  const auto result = GST_ELEMENT_CLASS(avc_chaos_degrader_parent_class)->change_state(element, change);
  switch (change) {
    case GST_STATE_CHANGE_PAUSED_TO_PLAYING:
      if (result != GST_STATE_CHANGE_FAILURE) impl.outbox.play(impl.settings.lock()->context);
      break;
    case GST_STATE_CHANGE_PLAYING_TO_PAUSED:
      impl.outbox.pause();
      break;
    case GST_STATE_CHANGE_PAUSED_TO_READY:
      impl.stop();
      break;
    default:
      break;
  }
  return result;
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
  install_plain<impl_of, kProperties>(object, "Packets in, out and dropped by cause, delays as decided, lateness");
  element->change_state = change_state;
  gst_element_class_add_static_pad_template(element, &sink_template);
  gst_element_class_add_static_pad_template(element, &src_template);
  gst_element_class_set_static_metadata(element, "Chaos degrader", "Filter/Network",
                                        "Loses, delays, reorders and queues packets like a network link, repeatably",
                                        "gst-avchaos");
}
