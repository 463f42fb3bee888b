#include "launcher/rtsp/chain.hpp"

#include <gst/app/gstappsink.h>

#include "launcher/rtsp/pay_source.hpp"
#include "launcher/session/setter.hpp"

namespace avc::rtsp {
namespace {

using session::Setter;

// Nobody reads this bus. An error becomes one of the media that the packets go to, so that its clients hear of it.
GstBusSyncReply hand_on_errors(GstBus *, GstMessage *message, gpointer video) noexcept {
  if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_ERROR) {
    GError *raw = nullptr;
    gst_message_parse_error(message, &raw, nullptr);
    const auto error = take(raw);
    GST_ELEMENT_ERROR(GST_ELEMENT(video), STREAM, FAILED, ("%s", error ? error->message : "unknown error"), (nullptr));
  }
  gst_message_unref(message);
  return GST_BUS_DROP;
}

// What a corrupted packet says of itself may be wrong: it goes with the picture, as all do that are not sound.
bool is_audio(GstBuffer *packet) {
  std::uint8_t second = 0;
  return gst_buffer_extract(packet, 1, &second, 1) == 1 && (second & 0x7f) == kAudioPayload;
}

Result<bool> set_up(GstElement *source, GstElement *degrader, GstElement *scheduler, const Watched &watched) {
  Setter set(source);
  set("participant-id", std::uint64_t{watched.participant})("seed", watched.seed)("context", watched.context);
  set("gate-open", false)("start-at-ms", std::uint64_t{0});  // at once: nothing else of this kind starts now
  session::set_media(set, watched.media);
  if (auto outcome = set.outcome(); !outcome) return outcome;
  Setter link(degrader);
  session::set_base(link, watched.network);
  link("seed", watched.seed)("context", watched.context);
  if (!watched.decision_log.empty()) link("decision-log", watched.decision_log);
  if (auto outcome = link.outcome(); !outcome) return outcome;
  Setter plan(scheduler);
  plan("context", watched.context);
  return plan.outcome();
}

}  // namespace

Result<std::shared_ptr<Chain>> Chain::make(const Watched &watched, GstAppSrc *video, GstAppSrc *audio) {
  std::shared_ptr<Chain> made(new Chain(watched.participant));
  made->out_[kVideo] = take(GST_ELEMENT(gst_object_ref(video)));
  made->out_[kAudio] = take(GST_ELEMENT(gst_object_ref(audio)));
  if (auto built = made->build(watched); !built) return built.error();
  return made;
}

Chain::~Chain() { stop(); }

Result<GstElement *> Chain::add(const char *factory) {
  GstElement *element = gst_element_factory_make(factory, nullptr);
  if (element == nullptr) return Error{factory, "this element cannot be made"};
  gst_bin_add(GST_BIN(pipeline_.get()), element);
  return element;
}

Result<bool> Chain::build(const Watched &watched) {
  pipeline_ = take(GST_ELEMENT(gst_object_ref_sink(gst_pipeline_new(nullptr))));
  const auto bus = take(gst_element_get_bus(pipeline_.get()));
  gst_bus_set_sync_handler(bus.get(), hand_on_errors, gst_object_ref(out_[kVideo].get()), gst_object_unref);
  GstElement *funnel = nullptr, *sink = nullptr;
  for (const auto &[factory, slot] : {std::pair{"avchaossrc", &source_},
                                      {"spikescheduler", &scheduler_},
                                      {"rtpfunnel", &funnel},
                                      {"chaosdegrader", &degrader_},
                                      {"appsink", &sink}}) {
    auto made = add(factory);
    if (!made) return made.error();
    *slot = *made;
  }
  if (auto set = set_up(source_, degrader_, scheduler_, watched); !set) return set;
  for (const Stream stream : {kVideo, kAudio})
    if (auto added = add_stream(stream, funnel); !added) return added;
  if (gst_element_link_many(funnel, degrader_, sink, nullptr) == FALSE)
    return Error{"chaosdegrader", "takes no packets of two streams"};
  g_object_set(sink, "sync", FALSE, "async", FALSE, "enable-last-sample", FALSE, "buffer-list", TRUE, nullptr);
  GstAppSinkCallbacks callbacks{};
  callbacks.new_sample = [](GstAppSink *from, gpointer self) noexcept -> GstFlowReturn {
    const auto sample = take(gst_app_sink_pull_sample(from));
    if (sample) static_cast<Chain *>(self)->deliver(sample.get());
    return GST_FLOW_OK;
  };
  gst_app_sink_set_callbacks(GST_APP_SINK(sink), &callbacks, this, nullptr);
  const auto clock = take(gst_system_clock_obtain());
  gst_pipeline_use_clock(GST_PIPELINE(pipeline_.get()), clock.get());
  gst_element_set_start_time(pipeline_.get(), GST_CLOCK_TIME_NONE);
  gst_element_set_base_time(pipeline_.get(), watched.base_time);
  return true;
}

Result<bool> Chain::add_stream(Stream stream, GstElement *funnel) {
  auto tagger = add("participanttagger");
  if (!tagger) return tagger.error();
  taggers_[stream] = *tagger;
  Setter set(*tagger);
  set("participant-id", std::uint64_t{participant_})("rtcp-interval-ms", std::uint64_t{0});  // the server makes reports
  if (auto outcome = set.outcome(); !outcome) return outcome;
  const char *pad = stream == kVideo ? "video_0" : "audio_0";
  bool linked = gst_element_link_pads(source_, pad, *tagger, "sink") != FALSE;
  GstElement *last = *tagger;
  if (stream == kVideo) {
    linked = linked && gst_element_link(*tagger, scheduler_) != FALSE;
    last = scheduler_;
  }
  linked = linked && gst_element_link_pads(last, "src", funnel, "sink_%u") != FALSE;
  if (!linked) return Error{"rtpfunnel", "takes no stream " + std::string(pad)};
  return true;
}

Result<bool> Chain::play(const std::vector<spike::Planned> &planned) {
  Setter plan(scheduler_);
  plan("schedule", session::schedule_json(planned));
  if (auto outcome = plan.outcome(); !outcome) return outcome;
  if (gst_element_set_state(pipeline_.get(), GST_STATE_PLAYING) != GST_STATE_CHANGE_FAILURE) return true;
  return Error{"avchaossrc", "does not start"};
}

void Chain::set_gate(bool open) { g_object_set(source_, "gate-open", static_cast<gboolean>(open), nullptr); }

// Closed first: nobody is then on the way into a sink that is going down.
void Chain::stop() {
  set_gate(false);
  gst_element_set_state(pipeline_.get(), GST_STATE_NULL);
}

void Chain::inject(const spike::Planned &spike) { session::inject_into(scheduler_, spike); }

void Chain::cancel(const std::string &spike_id) { session::cancel_in(scheduler_, spike_id); }

void Chain::deliver(GstSample *sample) {
  if (GstBufferList *list = gst_sample_get_buffer_list(sample)) {
    for (guint i = 0; i < gst_buffer_list_length(list); ++i) deliver(gst_buffer_list_get(list, i));
  } else if (GstBuffer *packet = gst_sample_get_buffer(sample)) {
    deliver(packet);
  }
}

void Chain::deliver(GstBuffer *packet) {
  const Stream stream = is_audio(packet) ? kAudio : kVideo;
  auto *out = GST_APP_SRC(out_[stream].get());
  if (!described_[stream]) {
    const auto pad = take(gst_element_get_static_pad(taggers_[stream], "src"));
    const auto caps = take(gst_pad_get_current_caps(pad.get()));
    gst_app_src_set_caps(out, caps.get());
    described_[stream] = true;
  }
  push_packet(out, packet);
}

}  // namespace avc::rtsp
