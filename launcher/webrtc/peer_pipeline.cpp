#include "launcher/webrtc/peer_pipeline.hpp"

#include "elements/support/counters.hpp"
#include "launcher/session/setter.hpp"

namespace avc::webrtc {
namespace {

using session::Setter;

constexpr guint64 kMaxBundle = 3, kRelayOnly = 1;  // of GstWebRTCBundlePolicy and GstWebRTCICETransportPolicy

Error missing(const char *factory) {
  return {factory, "this element cannot be made; are the plugins avchaos, webrtc, nice, dtls and srtp there"};
}

bool is_made_by(GstElement *element, const char *factory) {
  GstElementFactory *own = gst_element_get_factory(element);
  return own != nullptr && g_str_equal(GST_OBJECT_NAME(own), factory);
}

Result<bool> set_up_tagger(GstElement *tagger, const PeerSettings &settings, const Stream &stream) {
  Setter set(tagger);
  set("participant-id", std::uint64_t{settings.participant})("payload-type", std::uint64_t{stream.payload_type});
  set("rtcp-interval-ms", std::uint64_t{0});  // webrtcbin makes its own reports
  set.by_nick("extension", stream.participant_id_ext > 0 ? "rfc8285" : "none");
  if (stream.participant_id_ext > 0) set("extension-id", std::uint64_t{stream.participant_id_ext});
  set("transport-cc-id", std::uint64_t{stream.transport_cc_ext});
  if (!stream.profile_level_id.empty()) set("profile-level-id", stream.profile_level_id);
  return set.outcome();
}

Result<bool> set_up_source(GstElement *source, const PeerSettings &settings) {
  Setter set(source);
  set("participant-id", std::uint64_t{settings.participant})("seed", settings.seed)("context", settings.context);
  set("gate-open", false)("start-at-ms", std::uint64_t{0});  // at once: nothing else of this kind starts now
  session::set_media(set, settings.media);
  return set.outcome();
}

}  // namespace

Result<std::unique_ptr<PeerPipeline>> PeerPipeline::make(const PeerSettings &settings, const Streams &streams,
                                                         Left left) {
  std::unique_ptr<PeerPipeline> made(new PeerPipeline(settings, streams, std::move(left)));
  if (auto built = made->build(settings, streams); !built) return built.error();
  return made;
}

// Closed first: nobody is then on the way into a sink that is going down.
PeerPipeline::~PeerPipeline() {
  if (source_ != nullptr) g_object_set(source_, "gate-open", FALSE, nullptr);
  if (webrtc_ != nullptr) g_signal_handlers_disconnect_by_data(webrtc_, this);
  if (pipeline_) gst_element_set_state(pipeline_.get(), GST_STATE_NULL);
}

Result<GstElement *> PeerPipeline::add(const char *factory) {
  GstElement *element = gst_element_factory_make(factory, nullptr);
  if (element == nullptr) return missing(factory);
  gst_bin_add(GST_BIN(pipeline_.get()), element);
  return element;
}

Result<bool> PeerPipeline::build(const PeerSettings &settings, const Streams &streams) {
  pipeline_ = take(GST_ELEMENT(gst_object_ref_sink(gst_pipeline_new(nullptr))));
  for (const auto &[factory, slot] :
       {std::pair{"webrtcbin", &webrtc_}, {"avchaossrc", &source_}, {"spikescheduler", &scheduler_}}) {
    auto made = add(factory);
    if (!made) return made.error();
    *slot = *made;
  }
  auto network = Network::make({settings.seed, settings.context, settings.network, settings.decision_log});
  if (!network) return network.error();
  network_ = std::move(*network);
  feedback_.note_what_leaves(take(gst_element_get_static_pad(network_->way_out(), "sink")).get());
  Setter scheduler(scheduler_);
  scheduler("schedule", session::schedule_json(settings.planned))("context", settings.context);
  Setter webrtc(webrtc_);
  webrtc("bundle-policy", kMaxBundle)("latency", std::uint64_t{0});
  for (const auto &outcome :
       {set_up_source(source_, settings), scheduler.outcome(), webrtc.outcome(), set_ice(settings.ice)}) {
    if (!outcome) return outcome.error();
  }
  // On whatever thread webrtcbin makes its transport.
  g_signal_connect(webrtc_, "deep-element-added",
                   G_CALLBACK(+[](GstBin *, GstBin *, GstElement *element, gpointer self) noexcept {
                     auto *pipeline = static_cast<PeerPipeline *>(self);
                     if (is_made_by(element, "nicesink")) pipeline->network_->place_before(element);
                     if (is_made_by(element, "rtprtxsend")) pipeline->feedback_.limit_repairs(element);
                     if (is_made_by(element, "dtlssrtpdec")) pipeline->feedback_.hear(element);
                     if (is_made_by(element, "nicesrc")) pipeline->network_->place_behind(element);
                     if (is_made_by(element, "dtlsdec")) pipeline->look_out_for_the_end(element);
                   }),
                   this);
  if (streams.video) {
    if (auto added = add_stream("video_0", settings, *streams.video); !added) return added;
    repairs_video_ = streams.video->repaired;
  }
  if (streams.audio) {
    if (auto added = add_stream("audio_0", settings, *streams.audio); !added) return added;
  }
  const auto clock = take(gst_system_clock_obtain());
  gst_pipeline_use_clock(GST_PIPELINE(pipeline_.get()), clock.get());
  gst_element_set_start_time(pipeline_.get(), GST_CLOCK_TIME_NONE);
  gst_element_set_base_time(pipeline_.get(), settings.base_time);
  return true;
}

Result<bool> PeerPipeline::add_stream(const char *source_pad, const PeerSettings &settings, const Stream &stream) {
  auto tagger = add("participanttagger");
  if (!tagger) return tagger.error();
  if (auto set = set_up_tagger(*tagger, settings, stream); !set) return set;
  GstElement *last = *tagger;
  bool linked = gst_element_link_pads(source_, source_pad, *tagger, "sink") != FALSE;
  if (media_ == 0) {
    linked = linked && gst_element_link(*tagger, scheduler_) != FALSE;
    last = scheduler_;
  }
  linked = linked && gst_element_link_pads(last, "src", webrtc_, "sink_%u") != FALSE;
  if (!linked) return Error{"webrtcbin", "takes no stream " + std::string(source_pad)};
  ++media_;
  return true;
}

// keepalive-conncheck: a viewer that has vanished is noticed. libnice leaves loopback out unless it is told of it; once
// it is told of one address it takes no other.
Result<bool> PeerPipeline::set_ice(const IceSettings &ice) {
  GObject *raw = nullptr;
  g_object_get(webrtc_, "ice-agent", &raw, nullptr);
  if (raw == nullptr) return Error{"webrtcbin", "has no ICE agent"};
  GObject *nice = nullptr;
  g_object_get(raw, "agent", &nice, nullptr);
  if (nice != nullptr) {
    g_object_set(nice, "upnp", FALSE, "ice-tcp", FALSE, "keepalive-conncheck", TRUE, nullptr);
    g_object_unref(nice);
  }
  std::string refused;
  for (const std::string &address : ice.addresses) {
    gboolean added = FALSE;
    g_signal_emit_by_name(raw, "add-local-ip-address", address.c_str(), &added);
    if (added == FALSE) refused = address;
  }
  g_object_unref(raw);
  if (!refused.empty()) return Error{"ice_address", refused + " is not taken as an address of ours"};
  if (ice.relay_only) g_object_set(webrtc_, "ice-transport-policy", static_cast<gint>(kRelayOnly), nullptr);
  for (const std::string &server : ice.servers) {
    gboolean added = FALSE;
    g_signal_emit_by_name(webrtc_, "add-turn-server", server.c_str(), &added);
    if (added == FALSE) return Error{"TURN_HOST", "is not taken as a TURN server"};
  }
  return true;
}

void PeerPipeline::look_out_for_the_end(GstElement *dtlsdec) {
  constexpr gint kClosed = 1;  // of GstDtlsConnectionState
  g_signal_connect(dtlsdec, "notify::connection-state",
                   G_CALLBACK(+[](GObject *element, GParamSpec *, gpointer self) noexcept {
                     gint state = 0;
                     g_object_get(element, "connection-state", &state, nullptr);
                     if (state == kClosed) static_cast<PeerPipeline *>(self)->left_();
                   }),
                   this);
}

Result<bool> PeerPipeline::play() {
  if (gst_element_set_state(pipeline_.get(), GST_STATE_PLAYING) != GST_STATE_CHANGE_FAILURE) return true;
  return Error{"webrtcbin", "the viewer's pipeline does not start"};
}

void PeerPipeline::open_gate() {
  feedback_.begin(source_, adaptive_);
  g_object_set(source_, "gate-open", TRUE, nullptr);
}

bool PeerPipeline::inject(const spike::Planned &spike) { return session::inject_into(scheduler_, spike); }

bool PeerPipeline::cancel(const std::string &spike_id) { return session::cancel_in(scheduler_, spike_id); }

void PeerPipeline::read(results::ParticipantSnapshot &snapshot) const {
  session::read_link(source_, network_->way_out(), snapshot);
  results::FarSide far = feedback_.figures();
  const auto out = counters_of<LinkCounters>(network_->way_out()),
             back = counters_of<LinkCounters>(network_->way_back());
  far.retransmitted = out.rtx.in;
  far.retransmitted_lost = out.rtx.lost + out.rtx.queue_dropped;
  far.feedback_packets = back.feedback_in;
  far.feedback_lost = back.feedback_lost;
  far.key_unit_jumps = counters_of<SourceCounters>(source_).key_unit_jumps;
  snapshot.far_side.assign(1, far);
}

}  // namespace avc::webrtc
