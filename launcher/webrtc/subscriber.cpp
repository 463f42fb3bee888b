#include "launcher/webrtc/subscriber.hpp"

#include <array>
#include <utility>

namespace avc::webrtc {
namespace {

constexpr guint kKeyframeMs = 500;  // without a keyframe: until one is asked for, and asked for again

std::optional<double> since(Instant began, std::optional<Instant> then) {
  return then ? std::optional(to_ms(*then - began)) : std::nullopt;
}

}  // namespace

std::string_view name(SubscriberState state) {
  constexpr std::array<std::string_view, 6> kNames{"waiting", "asking", "checking", "connected", "failed", "closed"};
  return kNames[static_cast<std::size_t>(state)];
}

std::shared_ptr<Subscriber> Subscriber::make(SubscriberSettings settings, std::unique_ptr<Signalling> signalling) {
  return std::shared_ptr<Subscriber>(new Subscriber(std::move(settings), std::move(signalling)));
}

void Subscriber::begin() {
  if (state_ != SubscriberState::waiting) return;
  state_ = SubscriberState::asking;
  began_ = intake_now();
  if (signalling_->we_offer()) {
    offer();
  } else {
    take_offer();
  }
}

bool Subscriber::make_peer() {
  const auto make = [this](Carrier::Left left) -> Result<std::unique_ptr<Carrier>> {
    auto pipeline = ReceivePipeline::make(settings_.ice, signalling_->we_offer(), intake_, std::move(left));
    if (!pipeline) return pipeline.error();
    pipeline_ = pipeline->get();
    return std::unique_ptr<Carrier>(std::move(*pipeline));
  };
  const auto changed = [whom = weak_from_this()](const Peer &peer) {
    if (const auto self = whom.lock()) self->follow(peer);
  };
  auto peer = Peer::make(settings_.participant, make, changed);
  if (peer) {
    peer_ = std::move(*peer);
  } else {
    fail(peer.error().text());
  }
  return peer_ != nullptr;
}

void Subscriber::offer() {
  if (!make_peer()) return;
  peer_->offer([whom = weak_from_this()](const Result<std::string> &sdp) {
    const auto self = whom.lock();
    if (!self || !sdp || self->state_ != SubscriberState::asking) return;  // an end is told to follow()
    self->signalling_->begin(*sdp, [whom](const Result<std::string> &answer) {
      if (const auto still = whom.lock()) still->answered(answer);
    });
  });
}

void Subscriber::answered(const Result<std::string> &sdp) {
  if (state_ != SubscriberState::asking) return;
  if (!sdp) return fail(sdp.error().message);
  peer_->take_answer(with_admitted_candidates(*sdp, settings_.admits),
                     [whom = weak_from_this()](const Result<bool> &taken) {
                       const auto self = whom.lock();
                       if (self && !taken) self->fail("the answer " + taken.error().message);
                     });
}

void Subscriber::take_offer() {
  signalling_->begin("", [whom = weak_from_this()](const Result<std::string> &offer) {
    if (const auto self = whom.lock()) self->offered(offer);
  });
}

void Subscriber::offered(const Result<std::string> &sdp) {
  if (state_ != SubscriberState::asking) return;
  if (!sdp) return fail(sdp.error().message);
  if (!make_peer()) return;
  peer_->answer(with_admitted_candidates(*sdp, settings_.admits),
                [whom = weak_from_this()](const Result<std::string> &answer) {
                  const auto self = whom.lock();
                  if (!self || !answer) return;
                  self->signalling_->answer(*answer, [whom](const Result<bool> &taken) {
                    const auto still = whom.lock();
                    if (still && !taken) still->fail("our answer: " + taken.error().message);
                  });
                });
}

void Subscriber::follow(const Peer &peer) {
  if (is_over(state_)) return;  // and the peer ends because of that
  switch (peer.state()) {
    case PeerState::fresh:
    case PeerState::waiting:
      return;
    case PeerState::checking:
      state_ = SubscriberState::checking;
      return;
    case PeerState::connected:
      state_ = SubscriberState::connected;
      connected_ = intake_now();
      return look_after_keyframe();
    case PeerState::closed:
      reason_ = "the other side has closed the connection";
      return end(SubscriberState::closed);
    case PeerState::failed: {
      const std::string waits = signalling_->waits();
      return fail(peer.reason() + (waits.empty() ? "" : ": " + waits));
    }
  }
}

void Subscriber::look_after_keyframe() {
  keyframe_timer_.set(g_timeout_add(
      kKeyframeMs,
      [](gpointer data) noexcept -> gboolean {
        auto *self = static_cast<Subscriber *>(data);
        if (self->intake_->streams.lock()->first_keyframe()) {
          self->keyframe_timer_.ended();
          return G_SOURCE_REMOVE;
        }
        self->pipeline_->ask_for_keyframes();
        return G_SOURCE_CONTINUE;
      },
      this));
}

void Subscriber::fail(const std::string &why) {
  if (is_over(state_)) return;
  reason_ = why;
  end(SubscriberState::failed);
}

void Subscriber::leave() {
  if (is_over(state_)) return;
  reason_ = "it has left";
  end(SubscriberState::closed);
}

void Subscriber::end(SubscriberState state) {
  state_ = state;
  keyframe_timer_.reset();
  pipeline_ = nullptr;
  signalling_->leave([source = settings_.source](const Result<bool> &left) {
    if (left) return;
    g_log("avcd-subscriber", G_LOG_LEVEL_MESSAGE, "%s: left, but its session may be there still: %s", source.c_str(),
          left.error().message.c_str());
  });
  if (peer_) peer_->close();
}

SubscriberSnapshot Subscriber::snapshot() const {
  SubscriberSnapshot now{settings_.id, settings_.participant, settings_.source, state_, reason_};
  if (now.reason.empty()) now.reason = signalling_->waits();
  auto streams = intake_->streams.lock();
  now.join_ms = since(began_, connected_);
  now.first_packet_ms = since(began_, streams->first_packet());
  now.first_keyframe_ms = since(began_, streams->first_keyframe());
  now.streams = streams->snapshot();
  now.unexplained = streams->unexplained();
  return now;
}

}  // namespace avc::webrtc
