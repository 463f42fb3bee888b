#include "launcher/webrtc/carrier.hpp"

#include "launcher/session/setter.hpp"

namespace avc::webrtc {
namespace {

constexpr guint64 kMaxBundle = 3, kRelayOnly = 1;  // of GstWebRTCBundlePolicy and GstWebRTCICETransportPolicy

}  // namespace

bool is_made_by(GstElement *element, const char *factory) {
  GstElementFactory *own = gst_element_get_factory(element);
  return own != nullptr && g_str_equal(GST_OBJECT_NAME(own), factory);
}

Carrier::~Carrier() { end(); }

void Carrier::end() {
  if (webrtc_ != nullptr) g_signal_handlers_disconnect_by_data(webrtc_, this);
  webrtc_ = nullptr;
  if (pipeline_) gst_element_set_state(pipeline_.get(), GST_STATE_NULL);
  pipeline_.reset();
}

Result<GstElement *> Carrier::add(const char *factory) {
  GstElement *element = gst_element_factory_make(factory, nullptr);
  if (element == nullptr)
    return Error{factory, "this element cannot be made; are the plugins avchaos, webrtc, nice, dtls and srtp there"};
  gst_bin_add(GST_BIN(pipeline_.get()), element);
  return element;
}

Result<bool> Carrier::make(const IceSettings &ice) {
  pipeline_ = take(GST_ELEMENT(gst_object_ref_sink(gst_pipeline_new(nullptr))));
  const auto webrtc = add("webrtcbin");
  if (!webrtc) return webrtc.error();
  webrtc_ = *webrtc;
  session::Setter set(webrtc_);
  set("bundle-policy", kMaxBundle)("latency", std::uint64_t{0});
  if (auto outcome = set.outcome(); !outcome) return outcome;
  g_signal_connect(webrtc_, "deep-element-added",
                   G_CALLBACK(+[](GstBin *, GstBin *, GstElement *element, gpointer data) noexcept {
                     auto *self = static_cast<Carrier *>(data);
                     if (is_made_by(element, "dtlsdec")) self->look_out_for_the_end(element);
                     self->inside(element);
                   }),
                   this);
  return set_ice(ice);
}

// keepalive-conncheck: a peer that has vanished is noticed. libnice leaves loopback out unless it is told of it; once
// it is told of one address it takes no other.
Result<bool> Carrier::set_ice(const IceSettings &ice) {
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
    if (server.starts_with("stun:")) {
      g_object_set(webrtc_, "stun-server", server.c_str(), nullptr);
      continue;
    }
    gboolean added = FALSE;
    g_signal_emit_by_name(webrtc_, "add-turn-server", server.c_str(), &added);
    if (added == FALSE) return Error{"TURN_HOST", "is not taken as a TURN server"};
  }
  return true;
}

void Carrier::look_out_for_the_end(GstElement *dtlsdec) {
  constexpr gint kClosed = 1;  // of GstDtlsConnectionState
  g_signal_connect(dtlsdec, "notify::connection-state",
                   G_CALLBACK(+[](GObject *element, GParamSpec *, gpointer self) noexcept {
                     gint state = 0;
                     g_object_get(element, "connection-state", &state, nullptr);
                     if (state == kClosed) static_cast<Carrier *>(self)->left_();
                   }),
                   this);
}

Result<bool> Carrier::play() {
  if (gst_element_set_state(pipeline_.get(), GST_STATE_PLAYING) != GST_STATE_CHANGE_FAILURE) return true;
  return Error{"webrtcbin", "its pipeline does not start"};
}

}  // namespace avc::webrtc
