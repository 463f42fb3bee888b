#include "launcher/webrtc/receive_pipeline.hpp"

namespace avc::webrtc {
namespace {

constexpr GstWebRTCRTPTransceiverDirection kReceiveOnly = GST_WEBRTC_RTP_TRANSCEIVER_DIRECTION_RECVONLY;
constexpr GstPadProbeType kPackets =
    static_cast<GstPadProbeType>(GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_BUFFER_LIST);

using Watched = std::shared_ptr<Intake>;

void forget(gpointer intake) noexcept { delete static_cast<Watched *>(intake); }

std::string wish(const char *media) {
  const std::string common =
      "extmap-1=(string)urn:avchaos:participant-id,extmap-2=(string)"
      "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01";
  if (g_str_equal(media, "audio"))
    return "application/x-rtp,media=audio,encoding-name=OPUS,clock-rate=48000,encoding-params=(string)2,payload=111,"
           "rtcp-fb-transport-cc=true," +
           common;
  return "application/x-rtp,media=video,encoding-name=H264,clock-rate=90000,payload=96,packetization-mode=(string)1,"
         "profile-level-id=(string)42e01f,level-asymmetry-allowed=(string)1,rtcp-fb-nack-pli=true,rtcp-fb-ccm-fir=true,"
         "rtcp-fb-transport-cc=true," +
         common;
}

void count(stats::PeerStreams &streams, GstBuffer *buffer, Instant now) {
  GstMapInfo map;
  if (gst_buffer_map(buffer, &map, GST_MAP_READ) == FALSE) return;
  streams.receive({map.data, map.size}, now);
  gst_buffer_unmap(buffer, &map);
}

// As rtpjitterbuffer asks rtpsession, which answers for its own packets alone.
GstEvent *request(const char *name, std::uint32_t ssrc) {
  return gst_event_new_custom(GST_EVENT_CUSTOM_UPSTREAM,
                              gst_structure_new(name, "ssrc", G_TYPE_UINT, static_cast<guint>(ssrc), nullptr));
}

GstPadProbeReturn arrived(GstPad *pad, GstPadProbeInfo *info, gpointer data) noexcept {
  Intake &intake = **static_cast<Watched *>(data);
  const Instant now = intake_now();
  std::vector<stats::PeerStreams::Wanted> wanted;
  {
    auto streams = intake.streams.lock();
    if ((GST_PAD_PROBE_INFO_TYPE(info) & GST_PAD_PROBE_TYPE_BUFFER) != 0) {
      count(*streams, GST_PAD_PROBE_INFO_BUFFER(info), now);
    } else {
      GstBufferList *list = GST_PAD_PROBE_INFO_BUFFER_LIST(info);
      for (guint i = 0; i < gst_buffer_list_length(list); ++i) count(*streams, gst_buffer_list_get(list, i), now);
    }
    streams->wanted(now, wanted);
  }
  if (wanted.empty()) return GST_PAD_PROBE_OK;
  const auto session = take(gst_pad_get_parent_element(pad));
  const auto source = session ? take(gst_element_get_static_pad(session.get(), "recv_rtp_src")) : Ptr<GstPad>();
  for (const auto &[ssrc, sequence] : wanted) {
    if (!source) break;
    GstEvent *event = request("GstRTPRetransmissionRequest", ssrc);
    gst_structure_set(gst_event_writable_structure(event), "seqnum", G_TYPE_UINT, static_cast<guint>(sequence),
                      nullptr);
    gst_pad_send_event(source.get(), event);
  }
  return GST_PAD_PROBE_OK;
}

GstPadProbeReturn end_here(GstPad *, GstPadProbeInfo *, gpointer) noexcept { return GST_PAD_PROBE_DROP; }

}  // namespace

Instant intake_now() { return Instant{std::chrono::microseconds(g_get_monotonic_time())}; }

Result<std::unique_ptr<ReceivePipeline>> ReceivePipeline::make(const IceSettings &ice, bool offers,
                                                               std::shared_ptr<Intake> intake, Left left) {
  std::unique_ptr<ReceivePipeline> made(new ReceivePipeline(offers, std::move(intake), std::move(left)));
  if (auto built = made->build(ice); !built) return built.error();
  return made;
}

ReceivePipeline::~ReceivePipeline() { end(); }

Result<bool> ReceivePipeline::build(const IceSettings &ice) {
  if (auto made = Carrier::make(ice); !made) return made;
  g_signal_connect(webrtc(), "on-new-transceiver",
                   G_CALLBACK(+[](GstElement *, GObject *transceiver, gpointer) noexcept {
                     gint kind = GST_WEBRTC_KIND_UNKNOWN;
                     g_object_get(transceiver, "kind", &kind, nullptr);
                     if (kind != GST_WEBRTC_KIND_AUDIO) g_object_set(transceiver, "do-nack", TRUE, nullptr);
                   }),
                   this);
  if (!offers_) return true;
  for (const char *media : {"video", "audio"}) {
    GstCaps *caps = gst_caps_from_string(wish(media).c_str());
    GObject *transceiver = nullptr;
    g_signal_emit_by_name(webrtc(), "add-transceiver", kReceiveOnly, caps, &transceiver);
    gst_caps_unref(caps);
    if (transceiver == nullptr) return Error{"webrtcbin", "makes no transceiver for " + std::string(media)};
    if (g_str_equal(media, "video")) g_object_set(transceiver, "do-nack", TRUE, nullptr);
    g_object_unref(transceiver);
  }
  return true;
}

void ReceivePipeline::described(const GstSDPMessage &theirs) { intake_->streams.lock()->explain(payloads_of(theirs)); }

void ReceivePipeline::inside(GstElement *element) {
  if (!is_made_by(element, "rtpsession")) return;
  g_signal_connect(element, "pad-added", G_CALLBACK(+[](GstElement *, GstPad *pad, gpointer self) noexcept {
                     static_cast<ReceivePipeline *>(self)->watch(pad);
                   }),
                   this);
}

void ReceivePipeline::watch(GstPad *pad) {
  if (g_str_equal(GST_PAD_NAME(pad), "recv_rtp_sink")) {
    gst_pad_add_probe(pad, kPackets, arrived, new Watched(intake_), forget);
  } else if (g_str_equal(GST_PAD_NAME(pad), "recv_rtp_src")) {
    gst_pad_add_probe(pad, kPackets, end_here, nullptr, nullptr);
    *session_.lock() = take(GST_PAD(gst_object_ref(pad)));
  }
}

void ReceivePipeline::ask_for_keyframes() {
  Ptr<GstPad> session;
  if (auto held = session_.lock(); *held) session = take(GST_PAD(gst_object_ref(held->get())));
  if (!session) return;
  for (const auto &[ssrc, payload_type] : intake_->streams.lock()->videos()) {
    GstEvent *event = request("GstForceKeyUnit", ssrc);
    gst_structure_set(gst_event_writable_structure(event), "payload", G_TYPE_UINT, static_cast<guint>(payload_type),
                      nullptr);
    gst_pad_send_event(session.get(), event);
  }
}

}  // namespace avc::webrtc
