#include "launcher/webrtc/peer_pipeline.hpp"

#include "elements/support/counters.hpp"
#include "launcher/session/setter.hpp"

namespace avc::webrtc {
namespace {

using session::Setter;

constexpr GstWebRTCRTPTransceiverDirection kSendOnly = GST_WEBRTC_RTP_TRANSCEIVER_DIRECTION_SENDONLY;

Result<bool> set_up_tagger(GstElement *tagger, const PeerSettings &settings, const Stream &stream,
                           std::uint16_t numbers) {
  Setter set(tagger);
  set("seqnum-offset", std::uint64_t{numbers});
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

PeerPipeline::~PeerPipeline() {
  halt();
  end();
}

// Closed first: nobody is then on the way into a sink that is going down.
void PeerPipeline::halt() {
  if (source_ == nullptr) return;
  g_object_set(source_, "gate-open", FALSE, nullptr);
  gst_element_set_state(pipeline(), GST_STATE_NULL);
}

Numbers PeerPipeline::numbers() const {
  GstStructure *raw = nullptr;
  g_object_get(source_, "stats", &raw, nullptr);
  const auto stats = take(raw);
  guint video = 0, audio = 0;
  gst_structure_get(stats.get(), "video-numbers", G_TYPE_UINT, &video, "audio-numbers", G_TYPE_UINT, &audio, nullptr);
  return {static_cast<std::uint16_t>(before_.video + video), static_cast<std::uint16_t>(before_.audio + audio)};
}

Result<bool> PeerPipeline::build(const PeerSettings &settings, const Streams &streams) {
  auto network = Network::make({settings.seed, settings.context, settings.network, settings.decision_log});
  if (!network) return network.error();
  network_ = std::move(*network);
  feedback_.note_what_leaves(take(gst_element_get_static_pad(network_->way_out(), "sink")).get());
  if (auto made = Carrier::make(settings.ice); !made) return made;
  for (const auto &[factory, slot] : {std::pair{"avchaossrc", &source_}, {"spikescheduler", &scheduler_}}) {
    auto made = add(factory);
    if (!made) return made.error();
    *slot = *made;
  }
  Setter scheduler(scheduler_);
  scheduler("schedule", session::schedule_json(settings.planned))("context", settings.context);
  for (const auto &outcome : {set_up_source(source_, settings), scheduler.outcome()}) {
    if (!outcome) return outcome.error();
  }
  if (streams.video) {
    if (auto added = add_stream("video_0", settings, *streams.video, before_.video); !added) return added;
    repairs_video_ = streams.video->repaired;
  }
  if (streams.audio) {
    if (auto added = add_stream("audio_0", settings, *streams.audio, before_.audio); !added) return added;
  }
  const auto clock = take(gst_system_clock_obtain());
  gst_pipeline_use_clock(GST_PIPELINE(pipeline()), clock.get());
  gst_element_set_start_time(pipeline(), GST_CLOCK_TIME_NONE);
  gst_element_set_base_time(pipeline(), settings.base_time);
  return true;
}

Result<bool> PeerPipeline::add_stream(const char *source_pad, const PeerSettings &settings, const Stream &stream,
                                      std::uint16_t numbers) {
  auto tagger = add("participanttagger");
  if (!tagger) return tagger.error();
  if (auto set = set_up_tagger(*tagger, settings, stream, numbers); !set) return set;
  GstElement *last = *tagger;
  bool linked = gst_element_link_pads(source_, source_pad, *tagger, "sink") != FALSE;
  if (media_ == 0) {
    linked = linked && gst_element_link(*tagger, scheduler_) != FALSE;
    last = scheduler_;
  }
  linked = linked && gst_element_link_pads(last, "src", webrtc(), "sink_%u") != FALSE;
  if (!linked) return Error{"webrtcbin", "takes no stream " + std::string(source_pad)};
  ++media_;
  return true;
}

void PeerPipeline::inside(GstElement *element) {
  if (is_made_by(element, "nicesink")) network_->place_before(element);
  if (is_made_by(element, "rtprtxsend")) feedback_.limit_repairs(element);
  if (is_made_by(element, "dtlssrtpdec")) feedback_.hear(element);
  if (is_made_by(element, "nicesrc")) network_->place_behind(element);
}

// We send and never receive. Transceivers are in the order of our streams: the video's is the first. Asked for that of
// the audio, retransmissions are offered in a way that Chromium refuses.
void PeerPipeline::describing() {
  for (gint i = 0;; ++i) {
    GObject *transceiver = nullptr;
    g_signal_emit_by_name(webrtc(), "get-transceiver", i, &transceiver);
    if (transceiver == nullptr) return;
    g_object_set(transceiver, "direction", kSendOnly, "do-nack", i == 0 && repairs_video_, nullptr);
    g_object_unref(transceiver);
  }
}

void PeerPipeline::described_ourselves(const GstSDPMessage &ours) {
  network_->set_rtx_payload_type(rtx_payload_type(ours));
}

void PeerPipeline::connected() {
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
