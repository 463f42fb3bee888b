/**
 * SECTION:element-avchaosudpsink
 * @title: avchaosudpsink
 *
 * Sends packets by UDP without ever waiting: no preroll, no clock, no blocking socket. Sinks that share a context
 * share a socket and send together: many packets in one message that the kernel cuts (UDP_SEGMENT), many messages in
 * one system call.
 *
 * It stands last, behind chaosdegrader or any payloader. Packets leave when they are pushed, so what is before it keeps
 * the time: a live source, avchaossrc, or clocksync.
 *
 * ## Sending
 *
 * Packets go to #avchaosudpsink:host and #avchaosudpsink:port; what RFC 5761 calls RTCP goes to
 * #avchaosudpsink:rtcp-port (0: the port after). A name is looked up on a thread of its own when the element starts;
 * until the answer is there packets are dropped and counted, and an error is posted if there is none. `localhost` is
 * 127.0.0.1 at once. #avchaosudpsink:clients names several destinations instead. Sinks with the same
 * #avchaosudpsink:context, clock and socket settings share one socket, unless #avchaosudpsink:own-source-port is set.
 *
 * Packets of different sinks share messages; what one sink sends keeps its order. Where the kernel does not cut
 * messages, or #avchaosudpsink:segmentation-offload is off, packets leave one by one. #avchaosudpsink:pacing-ms spreads
 * the packets of a list over a time.
 *
 * What the kernel does not take (EAGAIN, ENOBUFS, …) is counted by its name and lost, as on a network. When nobody
 * listens at the destination, one warning is posted, refusals are counted, and sending goes on.
 *
 * ## Reports
 *
 * RTCP that comes back to the socket is read after sending. Receiver reports and NACKs become statistics, PLI and FIR
 * a GstForceKeyUnit event upstream with the field `ssrc`.
 *
 * ## Latency, events and flush
 *
 * It adds no latency and needs none. EOS is posted once everything before it has been handed to the kernel, in
 * PLAYING. Outside PLAYING buffers are dropped and counted. Packets that wait for their time keep it over a pause; a
 * flush and the way to READY drop them.
 *
 * ## Statistics
 *
 * `stats`: packets-sent, bytes-sent, rtcp-packets-sent, syscalls, messages and segments (of the shared socket),
 * offload (gso or none), pacing (none, timer or kernel), offload-refused, errors, errors-by-errno, refusals,
 * dropped-not-playing, dropped-flush, dropped-no-address, local-port, carrier (frames where whole frames of our own
 * elements come, packets otherwise), context, late-p50-us, late-p99-us, late-max-us,
 * late-count (of the context), and remote: for each SSRC that reports came about ssrc, fraction-lost, packets-lost,
 * jitter, highest-sequence, round-trip-ms, reports, nacks, key-unit-requests.
 *
 * ## Threads
 *
 * Packets are sent on the thread that pushes them, on a context's thread at the end of its turn. Events from reports
 * leave on the same thread.
 *
 * ## Example launch line
 * |[
 * gst-launch-1.0 videotestsrc is-live=true ! x264enc tune=zerolatency ! rtph264pay ! avchaosudpsink host=127.0.0.1
 * port=5002
 * ]| H.264 arrives at port 5002.
 *
 * Since: 0.1
 */
#include "elements/avchaosudpsink.hpp"

#include <gio/gio.h>

#include <algorithm>
#include <atomic>
#include <string>
#include <utility>

#include "core/runtime/guarded.hpp"
#include "elements/support/clock.hpp"
#include "elements/support/counters.hpp"
#include "elements/support/errors.hpp"
#include "elements/support/properties.hpp"
#include "elements/support/rtp_frame.hpp"
#include "elements/support/wrapper.hpp"
#include "elements/udpsink/settings.hpp"
#include "elements/udpsink/shared_socket.hpp"
#include "elements/udpsink/stats.hpp"

GST_DEBUG_CATEGORY_STATIC(avchaosudpsink_debug);
#define GST_CAT_DEFAULT avchaosudpsink_debug

using namespace avc;
using udpsink::kProperties;
using udpsink::Outlet;
using udpsink::Path;
using udpsink::SharedSocket;
using udpsink::SinkSettings;
using udpsink::Target;

namespace {

constexpr guint kSocketId = kStatsIdAfter<kProperties> + 1, kCountersId = kSocketId + 1;

GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE("sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);

class Impl {
 public:
  explicit Impl(GstElement *element);

  bool begin_playing();  // false: an error was posted
  void end_playing();
  void stop();
  void end_stream();  // if it has come to its end and everything has been handed to the kernel
  void aim();         // host or port changed, or the element starts
  void resolved(guint lookup, Result<Target> target);
  template <class T>
  GstFlowReturn take_in(T *media);
  gboolean sink_event(Ptr<GstEvent> event);
  [[nodiscard]] Ptr<GstStructure> stats();
  SinkCounters counters() const;

  Guarded<SinkSettings> settings;
  Guarded<Ptr<GSocket>> given_socket;  // property `socket`

 private:
  struct State {
    bool playing = false;
    bool frames = false;  // have come since the start
    std::shared_ptr<SharedSocket> socket;
    std::shared_ptr<runtime::Context> context;
    std::shared_ptr<const Target> target;
    std::shared_ptr<Path> path;  // to the target, on the socket; null without either
    Ptr<GstClock> clock;         // of the context
    SharedSocket::Timing timing;
    std::optional<guint32> eos;       // its sequence number, not posted yet
    guint lookup = 0;                 // the newest look-up of names
    std::optional<Error> unresolved;  // why there is no target; told when the element plays
    int family = AF_INET;             // of the socket
  };

  void drop_parked();
  void set_target(State &state, Target target);
  void set_out(State &state);  // gives it its path, if it knows where to
  void let_go(State &state, std::atomic<guint64> &dropped);
  bool open_socket();
  Result<std::shared_ptr<SharedSocket>> make_socket(const SinkSettings &now,
                                                    const std::shared_ptr<runtime::Context> &context, int family);

  GstElement *element_;
  GstPad *pad_;
  std::shared_ptr<Outlet> outlet_;
  Guarded<State> state_;
  std::atomic<guint64> no_address_{0};
};

}  // namespace

struct _AvcUdpSink {
  GstElement parent;
  Impl *impl;
};
G_DEFINE_FINAL_TYPE(AvcUdpSink, avc_udp_sink, GST_TYPE_ELEMENT)

namespace {

Impl &impl_of(gpointer object) { return *AVC_UDP_SINK(object)->impl; }

// A look-up under way on a thread of its own. It holds the element weakly: nobody waits for a slow name server.
struct Lookup {
  GWeakRef element;
  std::vector<udpsink::Client> clients;
  guint number;
};

gpointer run_lookup(gpointer data) noexcept {
  std::unique_ptr<Lookup> lookup(static_cast<Lookup *>(data));
  auto target = udpsink::resolve(lookup->clients);
  if (const auto element = take(static_cast<GstElement *>(g_weak_ref_get(&lookup->element)))) {
    impl_of(element.get()).resolved(lookup->number, std::move(target));
  }
  g_weak_ref_clear(&lookup->element);
  return nullptr;
}

Result<std::vector<udpsink::Client>> clients_of(const SinkSettings &now) {
  const auto rtcp = static_cast<std::uint16_t>(now.rtcp_port);
  if (!now.clients.empty()) return udpsink::parse_clients(now.clients, rtcp);
  const auto port = static_cast<std::uint16_t>(now.port);
  return std::vector<udpsink::Client>{{now.host, port, rtcp ? rtcp : static_cast<std::uint16_t>(port + 1)}};
}

// Frames of our own elements are taken where there is a context whose timer can keep their packets' times.
gboolean sink_query(GstPad *pad, GstObject *parent, GstQuery *query) noexcept {
  if (is_frames_query(query)) {
    auto settings = impl_of(parent).settings.lock();
    const auto yes = settings->pacing_ms > 0 ? FramesAnswer::yes : FramesAnswer::ahead_too;
    return answer_frames_query(query, settings->context.empty() ? FramesAnswer::no : yes);
  }
  return gst_pad_query_default(pad, parent, query);
}

Impl::Impl(GstElement *element)
    : element_(element),
      outlet_(std::make_shared<Outlet>(element, [](GstElement *self) { impl_of(self).end_stream(); })) {
  pad_ = new_pad(element, "sink");
  gst_pad_set_chain_function(pad_, [](GstPad *, GstObject *parent, GstBuffer *buffer) noexcept {
    const auto owned = take(buffer);
    return impl_of(parent).take_in(owned.get());
  });
  gst_pad_set_chain_list_function(pad_, [](GstPad *, GstObject *parent, GstBufferList *list) noexcept {
    const auto owned = take(list);
    return impl_of(parent).take_in(owned.get());
  });
  gst_pad_set_event_function(pad_, [](GstPad *, GstObject *parent, GstEvent *event) noexcept {
    return impl_of(parent).sink_event(take(event));
  });
  gst_pad_set_query_function(pad_, sink_query);
  gst_element_add_pad(element_, pad_);
  GST_OBJECT_FLAG_SET(element_, GST_ELEMENT_FLAG_SINK);
}

SinkCounters Impl::counters() const {
  const auto sent = outlet_->sent();
  SinkCounters counters{.packets_sent = sent.packets, .bytes_sent = sent.bytes, .errors = outlet_->errors};
  auto remotes = outlet_->remotes.lock();
  for (std::size_t i = 0; i < std::min(remotes->size(), counters.remotes.size()); ++i) {
    const udpsink::Remote &remote = (*remotes)[i];
    if (remote.heard()) counters.remotes[i] = udpsink::counters_of(remote);
  }
  return counters;
}

void Impl::set_target(State &state, Target target) {
  state.target = std::make_shared<const Target>(std::move(target));
  *outlet_->target.lock() = state.target;
  if (state.path) state.socket->aim(*state.path, state.target);
}

void Impl::set_out(State &state) {
  if (state.path) {
    state.socket->resume(*state.path, state.timing.base_time);
  } else if (state.target) {
    state.path = state.socket->path(outlet_, state.target, state.timing);
  }
}

void Impl::let_go(State &state, std::atomic<guint64> &dropped) {
  if (const auto path = std::exchange(state.path, nullptr)) dropped += state.socket->close(*path);
}

void Impl::aim() {
  const auto clients = clients_of(*settings.lock());
  bool has_names = false;
  auto target = clients ? udpsink::numbers_of(*clients, has_names) : Result<Target>(clients.error());
  auto state = state_.lock();
  ++state->lookup;
  state->unresolved.reset();
  if (target) return set_target(*state, std::move(*target));  // another family's socket is opened with the next PLAYING
  state->target.reset();
  let_go(*state, no_address_);
  if (!has_names) {
    state->unresolved = target.error();
    return;
  }
  auto *lookup = new Lookup{{}, *clients, state->lookup};
  g_weak_ref_init(&lookup->element, element_);
  g_thread_unref(g_thread_new("avchaos-lookup", run_lookup, lookup));
}

void Impl::resolved(guint lookup, Result<Target> target) {
  bool playing = false;
  {
    auto state = state_.lock();
    if (state->lookup != lookup) return;  // the host has changed since
    playing = state->playing;
    if (!target) state->unresolved = target.error();
    if (target) set_target(*state, *target);
  }
  if (!target) {
    if (playing) post_error(element_, Fault::not_found, target.error());
    return;
  }
  GST_INFO_OBJECT(element_, "sending to %s", target->ends.front().rtp.text().c_str());
  if (!playing || !open_socket()) return;
  if (auto state = state_.lock(); state->playing) set_out(*state);
}

Result<std::shared_ptr<SharedSocket>> Impl::make_socket(const SinkSettings &now,
                                                        const std::shared_ptr<runtime::Context> &context, int family) {
  Ptr<GSocket> given;
  if (auto property = given_socket.lock(); *property) given = take(G_SOCKET(g_object_ref(property->get())));
  if (given) return SharedSocket::around(context, std::move(given), now.segmentation_offload);
  return SharedSocket::get(context, {.bind_address = now.bind_address,
                                     .bind_port = static_cast<guint>(now.bind_port),
                                     .dscp = now.qos_dscp,
                                     .ttl = now.ttl,
                                     .buffer_size = now.buffer_size,
                                     .family = family,
                                     .offload = now.segmentation_offload,
                                     .own_port = now.own_source_port});
}

// Opens or joins the socket that fits the settings, the clock and the family of the target's address, if that is not
// the one there is.
bool Impl::open_socket() {
  const SinkSettings now = *settings.lock();
  auto clock = take(gst_element_get_clock(element_));
  int family = AF_INET;
  {
    auto state = state_.lock();
    state->timing = {to_instant(gst_element_get_base_time(element_)), from_ms(now.pacing_ms)};
    if (state->target) family = state->target->family();
    if (state->socket && state->family == family && state->clock.get() == clock.get()) return true;
  }
  // A pacer needs a thread to wait on, if need be one of its own.
  auto context = now.context.empty() && now.pacing_ms == 0 ? nullptr : context_for(element_, now.context);
  auto opened = make_socket(now, context, family);
  if (!opened) {
    post_error(element_, Fault::open_write, opened.error());
    return false;
  }
  auto state = state_.lock();  // released before what it held is let go of
  let_go(*state, outlet_->dropped);
  state->family = family;
  std::swap(state->clock, clock);
  std::swap(state->socket, *opened);
  std::swap(state->context, context);
  return true;
}

bool Impl::begin_playing() {
  if (!open_socket()) return false;
  std::optional<Error> unresolved;
  {
    auto state = state_.lock();
    unresolved = state->unresolved;
    state->playing = !unresolved;
    if (state->playing) set_out(*state);
  }
  // Not before: gst-launch-1.0 forgets an error that comes while it is still on its way to PAUSED.
  if (unresolved) {
    post_error(element_, unresolved->field == "host" ? Fault::not_found : Fault::settings, *unresolved);
    return false;
  }
  end_stream();
  return true;
}

void Impl::end_playing() {
  auto state = state_.lock();
  state->playing = false;
  if (state->path) state->socket->pause(*state->path);
}

// What is parked goes nowhere, what comes from now on does.
void Impl::drop_parked() {
  auto state = state_.lock();
  let_go(*state, outlet_->flushed);
  if (state->playing) set_out(*state);
}

void Impl::end_stream() {
  guint32 seqnum = 0;
  {
    auto state = state_.lock();
    if (!state->playing || !state->eos) return;
    if (state->path && state->socket->tell_when_sent(*state->path)) return;  // comes back then
    state->socket->flush();
    seqnum = *std::exchange(state->eos, std::nullopt);
  }
  GstMessage *message = gst_message_new_eos(GST_OBJECT_CAST(element_));
  gst_message_set_seqnum(message, seqnum);
  gst_element_post_message(element_, message);
}

void Impl::stop() {
  std::shared_ptr<SharedSocket> socket;  // let go of without the lock: a context may end with them
  std::shared_ptr<runtime::Context> context;
  Ptr<GstClock> clock;
  {
    auto state = state_.lock();
    let_go(*state, outlet_->dropped);
    std::swap(state->socket, socket);
    std::swap(state->context, context);
    std::swap(state->clock, clock);
    state->eos.reset();
    state->frames = false;
    ++state->lookup;
  }
  // Whoever hears of the end of the stream may end us, and the process, before the one who tells has returned.
  if (socket) socket->wait_until_told(*outlet_);
}

template <class T>
GstFlowReturn Impl::take_in(T *media) {
  guint count = 1;
  bool whole = false;
  if constexpr (std::is_same_v<T, GstBufferList>) {
    count = gst_buffer_list_length(media);
  } else if (const RtpFrame *frame = frame_of(media)) {
    count = frame->count;
    whole = true;
  }
  std::shared_ptr<SharedSocket> socket;
  std::shared_ptr<Path> path;
  {
    auto state = state_.lock();
    if (!state->playing || !state->socket) {
      outlet_->dropped += count;
      return GST_FLOW_OK;
    }
    socket = state->socket;
    path = state->path;
    state->frames |= whole;
  }
  if (path) {
    socket->send(std::move(path), media);
  } else {
    no_address_ += count;
  }
  return GST_FLOW_OK;
}

gboolean Impl::sink_event(Ptr<GstEvent> event) {
  switch (GST_EVENT_TYPE(event.get())) {
    case GST_EVENT_STREAM_START: {
      GstMessage *message = gst_message_new_stream_start(GST_OBJECT_CAST(element_));
      guint group = 0;
      if (gst_event_parse_group_id(event.get(), &group)) gst_message_set_group_id(message, group);
      gst_message_set_seqnum(message, gst_event_get_seqnum(event.get()));
      gst_element_post_message(element_, message);
      break;
    }
    case GST_EVENT_EOS:
      state_.lock()->eos = gst_event_get_seqnum(event.get());
      end_stream();
      break;
    case GST_EVENT_FLUSH_START:
      drop_parked();
      break;
    case GST_EVENT_FLUSH_STOP:
      state_.lock()->eos.reset();
      break;
    default:
      break;
  }
  return TRUE;
}

Ptr<GstStructure> Impl::stats() {
  std::shared_ptr<SharedSocket> socket;
  std::shared_ptr<runtime::Context> context;
  bool frames = false;
  {
    auto state = state_.lock();
    socket = state->socket;
    context = state->context;
    frames = state->frames;
  }
  if (socket) socket->read_feedback();
  auto stats = udpsink::sink_structure(*outlet_, no_address_, socket.get(), context.get());
  gst_structure_set(stats.get(), "carrier", G_TYPE_STRING, frames ? "frames" : "packets", nullptr);
  udpsink::add_remotes(stats.get(), *outlet_->remotes.lock());
  return stats;
}

void set_property(GObject *object, guint id, const GValue *value, GParamSpec *) noexcept {
  Impl &impl = impl_of(object);
  if (id == kSocketId) {
    *impl.given_socket.lock() = take(G_SOCKET(g_value_dup_object(value)));
    return;
  }
  const auto &property = kProperties[id - 1];
  store(*impl.settings.lock(), property, value);
  const std::string_view name = property.name;
  if (GST_STATE(object) > GST_STATE_READY &&
      (name == "host" || name == "port" || name == "rtcp-port" || name == "clients"))
    impl.aim();
}

void get_property(GObject *object, guint id, GValue *value, GParamSpec *spec) noexcept {
  if (id == kCountersId) return put_counters(value, impl_of(object).counters());
  if (id != kSocketId) return get_plain<impl_of, kProperties>(object, id, value, spec);
  g_value_set_object(value, impl_of(object).given_socket.lock()->get());
}

GstStateChangeReturn change_state(GstElement *element, GstStateChange change) noexcept {
  Impl &impl = impl_of(element);
  if (change == GST_STATE_CHANGE_READY_TO_PAUSED) impl.aim();
  if (change == GST_STATE_CHANGE_PAUSED_TO_PLAYING && !impl.begin_playing()) return GST_STATE_CHANGE_FAILURE;
  if (change == GST_STATE_CHANGE_PLAYING_TO_PAUSED) impl.end_playing();
  const auto result = GST_ELEMENT_CLASS(avc_udp_sink_parent_class)->change_state(element, change);
  if (change == GST_STATE_CHANGE_PAUSED_TO_READY) impl.stop();
  return result;
}

// GstElement would offer an upstream event to a source pad, of which there is none.
gboolean send_event(GstElement *element, GstEvent *event) noexcept {
  const auto pad = take(gst_element_get_static_pad(element, "sink"));
  const bool upstream = gst_event_type_get_flags(GST_EVENT_TYPE(event)) & GST_EVENT_TYPE_UPSTREAM;
  return upstream ? gst_pad_push_event(pad.get(), event) : gst_pad_send_event(pad.get(), event);
}

}  // namespace

static void avc_udp_sink_init(AvcUdpSink *self) { self->impl = new Impl(GST_ELEMENT(self)); }

static void avc_udp_sink_class_init(AvcUdpSinkClass *klass) {
  GST_DEBUG_CATEGORY_INIT(avchaosudpsink_debug, "avchaosudpsink", 0, "Sends packets by UDP in batches");
  auto *object = G_OBJECT_CLASS(klass);
  auto *element = GST_ELEMENT_CLASS(klass);
  object->finalize = [](GObject *o) noexcept {
    delete AVC_UDP_SINK(o)->impl;
    G_OBJECT_CLASS(avc_udp_sink_parent_class)->finalize(o);
  };
  element->change_state = change_state;
  element->send_event = send_event;
  install_plain<impl_of, kProperties>(object, "Packets, bytes, errors by errno, lateness and what the far end reports");
  object->set_property = set_property;
  object->get_property = get_property;
  g_object_class_install_property(
      object, kSocketId,
      g_param_spec_object("socket", "socket", "Socket to send with in place of an own one", G_TYPE_SOCKET,
                          static_cast<GParamFlags>(G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | kReady)));
  install_counters(object, kCountersId);
  take_frames(G_TYPE_FROM_CLASS(klass), {G_STRUCT_OFFSET(AvcUdpSink, impl), sizeof(Impl)});
  gst_element_class_add_static_pad_template(element, &sink_template);
  gst_element_class_set_static_metadata(element, "AV chaos UDP sink", "Sink/Network",
                                        "Sends packets by UDP in batches, without preroll and without waiting",
                                        "gst-avchaos");
}
