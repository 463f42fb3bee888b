/**
 * SECTION:element-spikescheduler
 * @title: spikescheduler
 *
 * Runs a schedule of chaos (spikes) against the running time of the stream that passes through it. The media itself
 * is not touched: chaosdegrader behind it and avchaossrc before it do what its events say.
 *
 * It stands between participanttagger and chaosdegrader, one per participant.
 *
 * ## Schedule
 *
 * #spikescheduler:schedule (JSON text) or #spikescheduler:schedule-location (a file) lists spikes with their times. Or
 * #spikescheduler:spikes lists them and #spikescheduler:strategy spreads them over #spikescheduler:duration-ms, with
 * #spikescheduler:min-spacing-ms, #spikescheduler:jitter-percent and #spikescheduler:respect-min-offset; chance comes
 * from #spikescheduler:seed, so all participants of a test make the same plan. Spikes that name participants act on
 * those only. Whoever starts late gets what is active then.
 *
 * ## Injection
 *
 * The action signal #spikescheduler::inject-spike takes a structure with spike-id, type, params (a structure of numbers
 * and texts) and optionally start, end or duration in nanoseconds of running time; without a start it begins now.
 * #spikescheduler::cancel-spike takes the id of a planned or active spike. Both answer whether it could be done.
 *
 * ## Events
 *
 * `avchaos-spike-start` and `avchaos-spike-end` go downstream exactly before the first packet at or past the planned
 * time. Upstream hears of a start up to a second ahead and acts at the time it names. A new segment, stream or peer is
 * told again what is in force. Gap events count as packets. Where no packet comes for 200 ms the context's timer sends
 * them, with the planned time on them.
 *
 * ## Messages
 *
 * With #spikescheduler:connections whoever reads them carries out `ice_restart` and `srtp_rekey`, which no element can.
 *
 * Element message `avchaos-spike`: spike-id, type, state (started, ended, refused, cancelled), reason, running-time,
 * participant-id.
 *
 * ## Statistics
 *
 * `stats`: participant-id, planned, active, started, ended, refused. #spikescheduler:active-spikes lists ids.
 *
 * ## Threads
 *
 * Packets pass on the caller's thread. The timer runs on #spikescheduler:context; nothing here waits, and it adds no
 * latency.
 *
 * ## Example launch line
 * |[
 * gst-launch-1.0 -m videotestsrc is-live=true ! x264enc tune=zerolatency ! rtph264pay ! participanttagger
 * rtcp-interval-ms=0 ! spikescheduler
 * schedule='[{"spike_id":"a","type":"rtp_packet_loss","start_seconds":2,"duration_seconds":3,"params":{"loss_percent":50}}]'
 * ! chaosdegrader ! udpsink host=127.0.0.1 port=5002
 * ]| Messages tell that spike "a" starts at 2 s and ends at 5 s; between them half of the packets are lost.
 *
 * Since: 0.1
 */
#include "elements/spikescheduler.hpp"

#include <algorithm>
#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/runtime/context.hpp"
#include "core/runtime/guarded.hpp"
#include "elements/scheduler/properties.hpp"
#include "elements/scheduler/timeline.hpp"
#include "elements/support/chaos_events.hpp"
#include "elements/support/clock.hpp"
#include "elements/support/counters.hpp"
#include "elements/support/errors.hpp"
#include "elements/support/properties.hpp"
#include "elements/support/rtp_frame.hpp"
#include "elements/support/wrapper.hpp"

GST_DEBUG_CATEGORY_STATIC(spikescheduler_debug);
#define GST_CAT_DEFAULT spikescheduler_debug

using namespace avc;
using scheduler::Notice;

namespace {

// How long after the planned time the timer steps in for packets that do not come. Longer than a source is late and
// than audio packets are apart, so that with packets it is always a packet that decides, on whatever machine.
constexpr Nanos kGrace = std::chrono::milliseconds(200);

using scheduler::kProperties;
using scheduler::Settings;

constexpr guint kActiveId = kStatsIdAfter<kProperties> + 1, kCountersId = kActiveId + 1;

GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE("sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);
GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE("src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);

// Lock order: sink pad's stream lock, source pad's stream lock (Announcing), state. Nothing is pushed or posted under
// the state's lock; announcing holds the source pad's, so that a spike's start is out before its end is looked for.
class Impl {
 public:
  explicit Impl(GstElement *element);

  bool start();
  void play();
  void pause();
  void stop();
  GstFlowReturn chain(Ptr<GstBuffer> buffer);
  GstFlowReturn chain_list(Ptr<GstBufferList> list);
  gboolean sink_event(Ptr<GstEvent> event);
  void repeat_active();
  bool inject(const GstStructure *structure);
  bool cancel(const char *id);
  [[nodiscard]] Ptr<GstStructure> stats();
  SchedulerCounters counters();
  std::vector<std::string> active() { return state_.lock()->timeline.active(); }

  Guarded<Settings> settings;

 private:
  struct State {
    scheduler::Timeline timeline;
    ParticipantInfo who;
    bool started = false;  // between start() and stop()
    bool playing = false;
    Instant base_time, last_packet;
    std::shared_ptr<runtime::Context> context;  // from play() to stop()
    std::unique_ptr<runtime::Timer> timer;

    Instant now() const { return context ? Instant{context->now() - base_time} : last_packet; }
    void arm();
  };

  void packet_at(GstClockTime pts);
  void packet_at(Instant time);
  void repeat_with_next_packet();
  void meet(const ParticipantInfo &who);
  void announce(std::optional<Instant> packet_time);
  void tell(const Notice &notice, guint participant);
  void post(const Notice &notice, guint participant);
  void look_again();
  void refuse(const SpikeStart &spike, const Error &why);

  GstElement *element_;
  GstPad *sink_, *src_;  // owned by the element
  GstSegment segment_;   // streaming thread only
  Guarded<State> state_;
  // Running time from which on a packet has to look into the timeline; what every packet is compared with.
  std::atomic<Nanos::rep> next_look_{0};
};

}  // namespace

struct _AvcSpikeScheduler {
  GstElement parent;
  Impl *impl;
};
G_DEFINE_FINAL_TYPE(AvcSpikeScheduler, avc_spike_scheduler, GST_TYPE_ELEMENT)

namespace {

Impl &impl_of(gpointer object) { return *AVC_SPIKE_SCHEDULER(object)->impl; }

Impl::Impl(GstElement *element)
    : element_(element), sink_(new_proxy_pad(element, "sink")), src_(new_proxy_pad(element, "src")) {
  gst_segment_init(&segment_, GST_FORMAT_TIME);
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
  gst_pad_set_query_function(sink_, [](GstPad *pad, GstObject *parent, GstQuery *query) noexcept {
    return query_filter(pad, parent, query, impl_of(parent).src_);
  });
  // Custom events are not kept for those who link later: they are told what is active.
  g_signal_connect(src_, "linked", G_CALLBACK(+[](GstPad *pad, GstPad *, gpointer) noexcept {
                     const auto parent = take(gst_pad_get_parent_element(pad));
                     if (parent) impl_of(parent.get()).repeat_active();
                   }),
                   nullptr);
  gst_element_add_pad(element_, sink_);
  gst_element_add_pad(element_, src_);
}

void Impl::State::arm() {
  if (!playing || !timer || !timeline.arrived()) return;
  if (timeline.urgent()) {
    timer->arm(context->now());
  } else if (timeline.next_change() == Instant::never()) {
    timer->cancel();
  } else {
    timer->arm(base_time + timeline.next_change().since_origin + kGrace);
  }
}

void Impl::look_again() {
  next_look_ = Nanos::min().count();
  state_.lock()->arm();
}

void Impl::repeat_active() {
  state_.lock()->timeline.repeat_active();
  look_again();
}

void Impl::repeat_with_next_packet() {
  state_.lock()->timeline.repeat_active();
  next_look_ = Nanos::min().count();
}

bool Impl::start() {
  auto plan = scheduler::plan_from(*settings.lock());
  if (!plan) {
    post_error(element_, Fault::settings, plan.error());
    return false;
  }
  gst_segment_init(&segment_, GST_FORMAT_TIME);
  auto state = state_.lock();
  state->timeline.restart(*std::move(plan));
  state->who = {};
  state->last_packet = {};
  state->started = true;
  next_look_ = Nanos::min().count();
  return true;
}

void Impl::play() {
  auto context = context_for(element_, settings.lock()->context);
  auto timer = context->make_timer(
      [this] {
        const auto alive = take(GST_ELEMENT(gst_object_ref(element_)));  // whoever is told may let go of it
        const PadLock announcing(src_);
        announce(std::nullopt);
      },
      path_of(element_));
  const auto base_time = to_instant(gst_element_get_base_time(element_));
  {
    auto state = state_.lock();
    std::swap(state->context, context);
    std::swap(state->timer, timer);
    state->base_time = base_time;
    state->playing = true;
    state->arm();
  }
  if (timer) timer->cancel_and_wait();  // of an earlier play(), perhaps on another clock
}

void Impl::pause() {
  auto state = state_.lock();
  state->playing = false;
  if (state->timer) state->timer->cancel();
}

void Impl::stop() {
  std::shared_ptr<runtime::Context> context;
  std::unique_ptr<runtime::Timer> timer;
  {
    auto state = state_.lock();
    state->started = state->playing = false;
    context = std::move(state->context);
    timer = std::move(state->timer);
  }
  if (timer) timer->cancel_and_wait();
}

// Says everything whose time has come: by the packet about to pass, or by the timer. Under the source pad's lock.
void Impl::announce(std::optional<Instant> packet_time) {
  std::vector<Notice> notices;
  std::vector<std::string> warnings;
  guint participant = 0;
  const guint64 seed = settings.lock()->seed;
  {
    auto state = state_.lock();
    if (!state->started || (!packet_time && !state->playing)) return;
    if (packet_time) state->last_packet = *packet_time;
    auto &timeline = state->timeline;
    participant = state->who.participant_id;
    if (!timeline.arrived() && !packet_time) return;
    if (!timeline.begun()) warnings = timeline.begin(participant, seed ? seed : state->who.seed);
    notices = timeline.advance(packet_time.value_or(state->now() - kGrace));
    next_look_ = timeline.next_look().since_origin.count();
    state->arm();
  }
  for (const auto &warning : warnings) post_warning(element_, Fault::settings, {"spikes", warning});
  for (const auto &notice : notices) tell(notice, participant);
}

void Impl::tell(const Notice &notice, guint participant) {
  for (const auto direction : {Direction::downstream, Direction::upstream}) {
    if (!(direction == Direction::downstream ? notice.downstream : notice.upstream)) continue;
    Ptr<GstEvent> event;
    const auto &[spike, start, end] = notice.spike;
    if (notice.event == Notice::Kind::start) {
      event = make_event(SpikeStart{spike.id, spike.type, to_clock_time(start), to_clock_time(end), spike.params},
                         direction);
    } else if (notice.event == Notice::Kind::end) {
      // One that never began (known upstream only) ends where it would have begun.
      event = make_event(SpikeEnd{spike.id, to_clock_time(notice.downstream ? notice.at : end)}, direction);
    } else {
      break;
    }
    gst_pad_push_event(direction == Direction::downstream ? src_ : sink_, give(std::move(event)));
  }
  if (!notice.silent) post(notice, participant);
}

void Impl::post(const Notice &notice, guint participant) {
  const SpikeReport report{notice.spike.spike.id, notice.spike.spike.type,  notice.state,
                           notice.reason,         to_clock_time(notice.at), participant};
  gst_element_post_message(element_, give(make_message(GST_OBJECT(element_), report)));
}

// Upstream has said who it is, and nothing else yet: it hears what is in force or soon will be before its first packet.
void Impl::meet(const ParticipantInfo &who) {
  const guint64 seed = settings.lock()->seed;
  const PadLock announcing(src_);
  std::vector<Notice> notices;
  std::vector<std::string> warnings;
  {
    auto state = state_.lock();
    state->who = who;
    if (!state->started) return;
    auto &timeline = state->timeline;
    if (!timeline.begun()) warnings = timeline.begin(who.participant_id, seed ? seed : who.seed);
    notices = timeline.foretell(std::max(state->now(), state->last_packet));
  }
  for (const auto &warning : warnings) post_warning(element_, Fault::settings, {"spikes", warning});
  for (const auto &notice : notices) tell(notice, who.participant_id);
}

void Impl::packet_at(GstClockTime pts) {
  const GstClockTime time = gst_segment_to_running_time(&segment_, GST_FORMAT_TIME, pts);
  if (GST_CLOCK_TIME_IS_VALID(time)) packet_at(to_instant(time));
}

void Impl::packet_at(Instant time) {
  if (time.since_origin.count() < next_look_) return;
  const PadLock announcing(src_);
  announce(time);
}

GstFlowReturn Impl::chain(Ptr<GstBuffer> buffer) {
  // Of frames that come together all that happens up to the last is said before: spikes act at the times they name.
  if (const RtpFrame *frame = frame_of(buffer.get()))
    packet_at(frame->slots().back().time);
  else
    packet_at(GST_BUFFER_PTS(buffer.get()));
  return gst_pad_push(src_, give(std::move(buffer)));
}

GstFlowReturn Impl::chain_list(Ptr<GstBufferList> list) {
  if (gst_buffer_list_length(list.get()) > 0) packet_at(GST_BUFFER_PTS(gst_buffer_list_get(list.get(), 0)));
  return gst_pad_push_list(src_, give(std::move(list)));
}

gboolean Impl::sink_event(Ptr<GstEvent> event) {
  switch (GST_EVENT_TYPE(event.get())) {
    case GST_EVENT_STREAM_START:
      repeat_with_next_packet();  // whatever begins anew, on either side
      break;
    case GST_EVENT_SEGMENT:
      gst_event_copy_segment(event.get(), &segment_);
      repeat_with_next_packet();
      break;
    case GST_EVENT_FLUSH_STOP:
      gst_segment_init(&segment_, GST_FORMAT_TIME);
      break;
    case GST_EVENT_GAP: {  // time goes on without packets: a participant that is away
      GstClockTime pts = GST_CLOCK_TIME_NONE;
      gst_event_parse_gap(event.get(), &pts, nullptr);
      packet_at(pts);
      break;
    }
    case GST_EVENT_CUSTOM_DOWNSTREAM_STICKY:
      if (const auto info = parse_participant(event.get())) meet(*info);
      break;
    default:
      break;
  }
  return gst_pad_push_event(src_, give(std::move(event)));
}

void Impl::refuse(const SpikeStart &spike, const Error &why) {
  const guint participant = state_.lock()->who.participant_id;
  const SpikeReport report{spike.id, spike.type, SpikeState::refused, why.text(), spike.start, participant};
  gst_element_post_message(element_, give(make_message(GST_OBJECT(element_), report)));
}

bool Impl::inject(const GstStructure *structure) {
  if (!structure) return false;
  Instant now;
  bool started = false;
  {
    auto state = state_.lock();
    now = std::max({state->now(), state->last_packet, Instant{}});  // what has passed is decided
    started = state->started;
  }
  const auto spike = spike_from_structure(structure, to_clock_time(now));
  if (!spike) {
    const char *id = gst_structure_get_string(structure, "spike-id");
    refuse({id ? id : "", ""}, spike.error());
    return false;
  }
  spike::Planned planned;
  planned.spike.id = spike->id;
  planned.spike.type = spike->type;
  planned.spike.params = spike->params;
  planned.start = to_instant(spike->start);
  planned.end = to_instant(spike->end);
  const auto outcome = started ? state_.lock()->timeline.inject(std::move(planned))
                               : Result<bool>(Error{"", "the element is not running"});
  if (!outcome) {
    state_.lock()->timeline.count_refused();
    refuse(*spike, outcome.error());
    return false;
  }
  look_again();
  return true;
}

bool Impl::cancel(const char *id) {
  if (!id) return false;
  {
    auto state = state_.lock();
    if (!state->timeline.cancel(id, std::max(state->now(), state->last_packet))) return false;
  }
  look_again();
  return true;
}

Ptr<GstStructure> Impl::stats() {
  auto state = state_.lock();
  const auto counts = state->timeline.counts();
  return take(gst_structure_new("spikescheduler-stats", "participant-id", G_TYPE_UINT, state->who.participant_id,
                                "planned", G_TYPE_UINT64, guint64{counts.planned}, "active", G_TYPE_UINT64,
                                guint64{counts.active}, "started", G_TYPE_UINT64, guint64{counts.started}, "ended",
                                G_TYPE_UINT64, guint64{counts.ended}, "refused", G_TYPE_UINT64, guint64{counts.refused},
                                nullptr));
}

SchedulerCounters Impl::counters() { return {state_.lock()->timeline.counts().active}; }

void get_property(GObject *object, guint id, GValue *value, GParamSpec *spec) noexcept {
  if (id == kCountersId) return put_counters(value, impl_of(object).counters());
  if (id != kActiveId) return get_plain<impl_of, kProperties>(object, id, value, spec);
  const auto ids = impl_of(object).active();
  auto **list = static_cast<gchar **>(g_new0(gchar *, ids.size() + 1));
  for (std::size_t i = 0; i < ids.size(); i++) list[i] = g_strdup(ids[i].c_str());
  g_value_take_boxed(value, list);
}

gboolean inject_spike(GstElement *element, const GstStructure *spike) noexcept {
  return impl_of(element).inject(spike);
}
gboolean cancel_spike(GstElement *element, const gchar *id) noexcept { return impl_of(element).cancel(id); }

GstStateChangeReturn change_state(GstElement *element, GstStateChange change) noexcept {
  Impl &impl = impl_of(element);
  if (change == GST_STATE_CHANGE_READY_TO_PAUSED && !impl.start()) return GST_STATE_CHANGE_FAILURE;
  const auto result = GST_ELEMENT_CLASS(avc_spike_scheduler_parent_class)->change_state(element, change);
  switch (change) {
    case GST_STATE_CHANGE_PAUSED_TO_PLAYING:
      if (result != GST_STATE_CHANGE_FAILURE) impl.play();
      break;
    case GST_STATE_CHANGE_PLAYING_TO_PAUSED:
      impl.pause();
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

static void avc_spike_scheduler_init(AvcSpikeScheduler *self) { self->impl = new Impl(GST_ELEMENT(self)); }

static void install_signals(AvcSpikeSchedulerClass *klass) {
  const auto flags = static_cast<GSignalFlags>(G_SIGNAL_RUN_LAST | G_SIGNAL_ACTION);
  const GType type = G_TYPE_FROM_CLASS(klass);
  g_signal_new_class_handler("inject-spike", type, flags, G_CALLBACK(inject_spike), nullptr, nullptr, nullptr,
                             G_TYPE_BOOLEAN, 1, GST_TYPE_STRUCTURE);
  g_signal_new_class_handler("cancel-spike", type, flags, G_CALLBACK(cancel_spike), nullptr, nullptr, nullptr,
                             G_TYPE_BOOLEAN, 1, G_TYPE_STRING);
}

static void avc_spike_scheduler_class_init(AvcSpikeSchedulerClass *klass) {
  GST_DEBUG_CATEGORY_INIT(spikescheduler_debug, "spikescheduler", 0, "Sends a schedule of chaos along with media");
  auto *object = G_OBJECT_CLASS(klass);
  auto *element = GST_ELEMENT_CLASS(klass);
  object->finalize = [](GObject *o) noexcept {
    delete AVC_SPIKE_SCHEDULER(o)->impl;
    G_OBJECT_CLASS(avc_spike_scheduler_parent_class)->finalize(o);
  };
  install_plain<impl_of, kProperties>(object, "How many spikes are planned, active, over");
  object->get_property = get_property;
  g_object_class_install_property(
      object, kActiveId,
      g_param_spec_boxed("active-spikes", "active-spikes", "Ids of the spikes in force", G_TYPE_STRV,
                         static_cast<GParamFlags>(G_PARAM_READABLE | G_PARAM_STATIC_STRINGS)));
  install_counters(object, kCountersId);
  install_signals(klass);
  element->change_state = change_state;
  take_frames(G_TYPE_FROM_CLASS(klass), {G_STRUCT_OFFSET(AvcSpikeScheduler, impl), sizeof(Impl)});
  gst_element_class_add_static_pad_template(element, &sink_template);
  gst_element_class_add_static_pad_template(element, &src_template);
  gst_element_class_set_static_metadata(element, "Spike scheduler", "Filter/Network",
                                        "Starts and ends spikes of chaos at their running times", "gst-avchaos");
}
