#include "launcher/webrtc/peer.hpp"

#include <array>
#include <utility>

#include "launcher/webrtc/certificate.hpp"
#include "launcher/webrtc/on_main.hpp"

namespace avc::webrtc {
namespace {

constexpr guint kLatencyMs = 100;

using Whom = std::weak_ptr<Peer>;

void forget(gpointer whom, GClosure *) noexcept { delete static_cast<Whom *>(whom); }

std::string nick_of(GstElement *webrtc, const char *property) {
  GValue value = G_VALUE_INIT;
  g_object_get_property(G_OBJECT(webrtc), property, &value);
  const GEnumValue *known =
      g_enum_get_value(static_cast<GEnumClass *>(g_type_class_peek(G_VALUE_TYPE(&value))), g_value_get_enum(&value));
  const std::string nick = known != nullptr ? known->value_nick : "";
  g_value_unset(&value);
  return nick;
}

// What a promise of webrtcbin was answered with, where that is a refusal.
std::optional<std::string> error_in(const GstStructure *reply) {
  const GValue *value = reply != nullptr ? gst_structure_get_value(reply, "error") : nullptr;
  if (value == nullptr || !G_VALUE_HOLDS(value, G_TYPE_ERROR)) return std::nullopt;
  const auto *error = static_cast<const GError *>(g_value_get_boxed(value));
  return error != nullptr ? error->message : "is refused by webrtcbin";
}

struct DescriptionFree {
  void operator()(GstWebRTCSessionDescription *d) const noexcept { gst_webrtc_session_description_free(d); }
};
using Description = std::unique_ptr<GstWebRTCSessionDescription, DescriptionFree>;

Description description_of(GstWebRTCSDPType type, Sdp sdp) {
  return Description(gst_webrtc_session_description_new(type, sdp.release()));
}

std::string local_description(GstElement *webrtc) {
  GstWebRTCSessionDescription *raw = nullptr;
  g_object_get(webrtc, "local-description", &raw, nullptr);
  const Description local(raw);
  if (local == nullptr) return "";
  char *text = gst_sdp_message_as_text(local->sdp);
  const std::string out = text;
  g_free(text);
  return out;
}

// webrtcbin 1.22 says "gathering" for ever if the last candidate and the end of gathering meet in it; its transport
// knows better. All media share the first one's.
bool transport_has_gathered(GstElement *webrtc) {
  GObject *object = nullptr;
  g_signal_emit_by_name(webrtc, "get-transceiver", 0, &object);
  for (const char *next : {"sender", "transport", "transport"}) {
    if (object == nullptr) return false;
    GObject *inner = nullptr;
    g_object_get(object, next, &inner, nullptr);
    g_object_unref(std::exchange(object, inner));
  }
  if (object == nullptr) return false;
  GstWebRTCICEGatheringState state{};
  g_object_get(object, "gathering-state", &state, nullptr);
  g_object_unref(object);
  return state == GST_WEBRTC_ICE_GATHERING_STATE_COMPLETE;
}

// One of the elements that GStreamer's DTLS is made of: it complains before webrtcbin says that it has failed.
bool is_dtls(GstObject *source) {
  GstElementFactory *factory = GST_IS_ELEMENT(source) ? gst_element_get_factory(GST_ELEMENT(source)) : nullptr;
  return factory != nullptr && g_str_has_prefix(GST_OBJECT_NAME(factory), "dtls") != FALSE;
}

}  // namespace

std::string_view name(PeerState state) {
  constexpr std::array<std::string_view, 6> kNames{"new", "new", "checking", "connected", "failed", "closed"};
  return kNames[static_cast<std::size_t>(state)];
}

Result<std::shared_ptr<Peer>> Peer::make(const PeerSettings &settings, const Streams &streams, Changed changed) {
  auto made = make(
      settings.participant,
      [&](Carrier::Left left) -> Result<std::unique_ptr<Carrier>> {
        auto pipeline = PeerPipeline::make(settings, streams, std::move(left));
        if (!pipeline) return pipeline.error();
        return std::unique_ptr<Carrier>(std::move(*pipeline));
      },
      std::move(changed));
  if (made) (*made)->gathering_ms_ = settings.gathering_ms;
  return made;
}

Result<std::shared_ptr<Peer>> Peer::make(std::uint32_t participant, const MakeCarrier &carrier, Changed changed) {
  std::shared_ptr<Peer> made(new Peer(participant, std::move(changed)));
  if (auto begun = made->begin(carrier); !begun) return begun.error();
  return made;
}

Peer::~Peer() {
  changed_ = nullptr;
  close();
}

Result<bool> Peer::begin(const MakeCarrier &carrier) {
  auto made = carrier([whom = weak_from_this()] {
    on_main<Peer>(whom, [](Peer &peer) {
      if (peer.state_ == PeerState::connected) peer.close();
    });
  });
  if (!made) return made.error();
  carrier_ = std::move(*made);
  media_known_ = carrier_->answers_at_once();
  watch_bus();
  connect_signals();
  give_up_after(kAnswerSeconds, "it was never answered");
  return carrier_->play();
}

void Peer::watch_bus() {
  const auto bus = take(gst_element_get_bus(carrier_->pipeline()));
  bus_watch_.set(gst_bus_add_watch(
      bus.get(),
      [](GstBus *, GstMessage *message, gpointer self) -> gboolean {
        // Handling it may end the peer, and with it this watch.
        const auto there = static_cast<Peer *>(self)->shared_from_this();
        there->handle(message);
        return there->bus_watch_ ? G_SOURCE_CONTINUE : G_SOURCE_REMOVE;
      },
      this));
}

void Peer::connect_signals() {
  const auto connect = [this](const char *signal, GCallback callback) {
    g_signal_connect_data(carrier_->webrtc(), signal, callback, new Whom(weak_from_this()), forget, GConnectFlags{});
  };
  connect("on-negotiation-needed", G_CALLBACK(+[](GstElement *, gpointer whom) noexcept {
            on_main<Peer>(*static_cast<Whom *>(whom), [](Peer &peer) {
              peer.media_known_ = true;
              peer.negotiate();
            });
          }));
  connect("on-ice-candidate", G_CALLBACK(+[](GstElement *, guint media, const char *text, gpointer whom) noexcept {
            on_main<Peer>(*static_cast<Whom *>(whom), [media, text = std::string(text)](Peer &peer) {
              if (!text.empty()) peer.found(media, text);
            });
          }));
  for (const char *property :
       {"notify::connection-state", "notify::ice-connection-state", "notify::ice-gathering-state"}) {
    connect(property, G_CALLBACK(+[](GstElement *, GParamSpec *, gpointer whom) noexcept {
              on_main<Peer>(*static_cast<Whom *>(whom), [](Peer &peer) { peer.look_at_states(); });
            }));
  }
}

void Peer::handle(GstMessage *message) {
  if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_ERROR) {
    GError *raw = nullptr;
    gst_message_parse_error(message, &raw, nullptr);
    const auto error = take(raw);
    const std::string text = error ? error->message : "unknown error";
    fail(is_dtls(GST_MESSAGE_SRC(message)) && state_ == PeerState::checking ? "the DTLS handshake failed: " + text
                                                                            : text);
  } else if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_LATENCY && !latency_timer_) {
    latency_timer_.set(g_timeout_add(
        kLatencyMs,
        [](gpointer self) -> gboolean {
          static_cast<Peer *>(self)->latency_timer_.ended();
          static_cast<Peer *>(self)->recalculate_latency();
          return G_SOURCE_REMOVE;
        },
        this));
  }
}

// Without it rtpsession knows no running time, and its sender reports no media time.
void Peer::recalculate_latency() { gst_bin_recalculate_latency(GST_BIN(carrier_->pipeline())); }

void Peer::offer(Described done) {
  if (is_over(state_)) return done(Error{"state", reason_});
  if (given_) return done(description_);
  waiting_.push_back(std::move(done));
}

void Peer::answer(const std::string &offer, Described done) {
  if (is_over(state_)) return done(Error{"state", reason_});
  their_offer_ = offer;
  waiting_.push_back(std::move(done));
  if (media_known_) negotiate();
}

// When both is known: what we send, and who begins.
void Peer::negotiate() {
  if (is_over(state_) || negotiating_ || !media_known_) return;
  if (!their_offer_ && carrier_->answers_at_once()) return;
  negotiating_ = true;
  carrier_->describing();
  if (!their_offer_) return describe_with("create-offer");
  auto sdp = parse_sdp(*their_offer_);
  if (!sdp) return fail("sdp: " + sdp.error().message);
  share_transport(**sdp);
  carrier_->described(**sdp);
  const auto theirs = description_of(GST_WEBRTC_SDP_TYPE_OFFER, std::move(*sdp));
  GstPromise *promise = promise_for<Peer>(weak_from_this(), [](Peer &peer, const GstStructure *reply) {
    if (const auto error = error_in(reply)) return peer.fail("sdp: " + *error);
    if (!is_over(peer.state_)) peer.describe_with("create-answer");
  });
  g_signal_emit_by_name(carrier_->webrtc(), "set-remote-description", theirs.get(), promise);
}

void Peer::describe_with(const char *action) {
  const char *field = g_str_equal(action, "create-offer") ? "offer" : "answer";
  GstPromise *promise = promise_for<Peer>(weak_from_this(), [field](Peer &peer, const GstStructure *reply) {
    if (!is_over(peer.state_)) peer.described(reply, field);
  });
  g_signal_emit_by_name(carrier_->webrtc(), action, nullptr, promise);
}

void Peer::described(const GstStructure *reply, const char *field) {
  if (const auto error = error_in(reply)) return fail("webrtcbin makes no " + std::string(field) + ": " + *error);
  GstWebRTCSessionDescription *raw = nullptr;
  if (reply == nullptr || !gst_structure_get(reply, field, GST_TYPE_WEBRTC_SESSION_DESCRIPTION, &raw, nullptr))
    return fail("webrtcbin makes no " + std::string(field));
  const Description ours(raw);
  described_ = true;
  carrier_->described_ourselves(*ours->sdp);
  const bool answering = their_offer_.has_value();
  GstPromise *promise = promise_for<Peer>(weak_from_this(), [](Peer &peer, const GstStructure *outcome) {
    if (const auto error = error_in(outcome)) peer.fail("webrtcbin does not take its own description: " + *error);
  });
  g_signal_emit_by_name(carrier_->webrtc(), "set-local-description", ours.get(), promise);
  set_state(answering ? PeerState::checking : PeerState::waiting);
  if (answering) give_up_after(kConnectionSeconds, "no connection came about");
  gathering_timer_.set(g_timeout_add(
      gathering_ms_,
      [](gpointer self) -> gboolean {
        const auto there = static_cast<Peer *>(self)->shared_from_this();
        there->gathering_timer_.ended();
        there->give_description();
        return G_SOURCE_REMOVE;
      },
      this));
}

void Peer::give_description() {
  if (given_ || is_over(state_)) return;
  gathering_timer_.reset();
  description_ = local_description(carrier_->webrtc());
  if (description_.empty()) return fail("webrtcbin has no description of its own");
  given_ = true;
  for (const auto &done : std::exchange(waiting_, {})) done(description_);
}

void Peer::take_answer(const std::string &text, Done done) {
  if (is_over(state_)) return done(Error{"state", reason_});
  if (!given_ || their_offer_) return done(Error{"state", "there is no offer that this could answer"});
  if (state_ != PeerState::waiting) return done(Error{"state", "this offer has been answered"});
  auto sdp = parse_sdp(text);
  if (!sdp) return done(Error{"sdp_answer", sdp.error().message});
  if (const auto fault = fault_of_answer(**sdp, carrier_->media())) return done(Error{"sdp_answer", *fault});
  carrier_->described(**sdp);
  set_state(PeerState::checking);
  answered_ = std::move(done);
  const auto theirs = description_of(GST_WEBRTC_SDP_TYPE_ANSWER, std::move(*sdp));
  GstPromise *promise = promise_for<Peer>(weak_from_this(), [](Peer &peer, const GstStructure *reply) {
    if (is_over(peer.state_)) return;
    const auto error = error_in(reply);
    if (error) {
      peer.set_state(PeerState::waiting);
    } else {
      peer.give_up_after(kConnectionSeconds, "no connection came about");
    }
    std::exchange(peer.answered_, nullptr)(error ? Result<bool>(Error{"sdp_answer", *error}) : Result<bool>(true));
  });
  g_signal_emit_by_name(carrier_->webrtc(), "set-remote-description", theirs.get(), promise);
}

// All media share the first one's transport.
Result<bool> Peer::add_candidate(const std::string &candidate) {
  if (is_over(state_)) return Error{"state", reason_};
  const std::string text = candidate.starts_with("a=") ? candidate.substr(2) : candidate;
  if (candidate_address(text).empty()) return Error{"candidate", "is no candidate:… with an address"};
  g_signal_emit_by_name(carrier_->webrtc(), "add-ice-candidate", 0u, text.c_str());
  return true;
}

bool Peer::is_their_ufrag(const std::string &ufrag) const {
  return their_offer_ && their_offer_->find("a=ice-ufrag:" + ufrag + "\r\n") != std::string::npos;
}

void Peer::found(unsigned media, const std::string &candidate) {
  if (is_over(state_)) return;
  candidates_.push_back({media, candidate});
  const bool told = description_.find("a=" + candidate + "\r\n") != std::string::npos;
  if (given_ && !told && found_) found_(candidate);
  look_at_gathering();
}

// What was found before is on its way to the main context, so that the end is told behind it.
void Peer::look_at_gathering() {
  if (!described_ || gathered_) return;
  GstElement *webrtc = carrier_->webrtc();
  const bool all =
      nick_of(webrtc, "ice-gathering-state") == "complete" || (!candidates_.empty() && transport_has_gathered(webrtc));
  if (!all) return;
  gathered_ = true;
  on_main<Peer>(weak_from_this(), [](Peer &peer) {
    if (is_over(peer.state_)) return;
    if (peer.given_ && peer.found_) peer.found_("");
    peer.give_description();
  });
}

void Peer::look_at_states() {
  if (is_over(state_)) return;
  GstElement *webrtc = carrier_->webrtc();
  ice_state_ = nick_of(webrtc, "ice-connection-state");
  look_at_gathering();
  connection_is(nick_of(webrtc, "connection-state"));
}

void Peer::connection_is(const std::string &state) {
  if (state == "connected" && state_ == PeerState::checking) {
    if (const auto fault = certificate_fault(carrier_->webrtc())) return fail(*fault);
    give_up_timer_.reset();
    recalculate_latency();
    carrier_->connected();
    set_state(PeerState::connected);
  } else if (state == "failed") {
    fail(reason_of_failure());
  } else if (state == "closed") {
    close();
  }
}

std::string Peer::reason_of_failure() const {
  if (ice_state_ != "failed") return "the DTLS handshake failed";
  return state_ == PeerState::connected ? "it answers no more (ICE failed)"
                                        : "no pair of candidates works (ICE failed)";
}

void Peer::give_up_after(unsigned seconds, const char *reason) {
  give_up_reason_ = reason;
  give_up_timer_.set(g_timeout_add_seconds(
      seconds,
      [](gpointer self) -> gboolean {
        const auto there = static_cast<Peer *>(self)->shared_from_this();
        there->give_up_timer_.ended();
        const bool found_us = there->ice_state_ == "connected" || there->ice_state_ == "completed";
        there->fail(there->give_up_reason_ + (found_us ? ": the DTLS handshake does not end" : "") + " (ICE " +
                    there->ice_state_ + ")");
        return G_SOURCE_REMOVE;
      },
      this));
}

void Peer::set_state(PeerState state) {
  if (is_over(state_) || state_ == state) return;
  state_ = state;
  if (is_over(state)) {
    for (auto *timer : {&bus_watch_, &gathering_timer_, &give_up_timer_, &latency_timer_}) timer->reset();
    if (carrier_) {
      carrier_->read(last_);
      carrier_->halt();
      numbers_ = carrier_->numbers();
    }
    carrier_.reset();
    for (const auto &done : std::exchange(waiting_, {})) done(Error{"state", reason_});
    if (const auto done = std::exchange(answered_, nullptr)) done(Error{"state", reason_});
  }
  if (changed_) changed_(*this);
}

void Peer::fail(std::string reason) {
  if (is_over(state_)) return;
  reason_ = std::move(reason);
  set_state(PeerState::failed);
}

void Peer::close() {
  if (is_over(state_)) return;
  reason_ = "it was closed";
  set_state(PeerState::closed);
}

void Peer::read(results::ParticipantSnapshot &snapshot) const {
  if (carrier_) {
    carrier_->read(snapshot);
  } else {
    snapshot = last_;
  }
}

}  // namespace avc::webrtc
