// The receive-only participants of a test: so many for each of the others, begun when that one has joined (or, where it
// publishes to an endpoint, when it is connected there).
#include "launcher/session/test_session.hpp"
#include "launcher/webrtc/whip_text.hpp"

namespace avc::session {
namespace {

results::SubscriberSnapshot results_of(const webrtc::SubscriberSnapshot &one) {
  results::SubscriberSnapshot out;
  out.id = one.id;
  out.participant = one.participant;
  out.source = one.source;
  out.state = webrtc::name(one.state);
  out.reason = one.reason;
  out.connected = one.state == webrtc::SubscriberState::connected;
  out.failed = one.state == webrtc::SubscriberState::failed;
  out.join_ms = one.join_ms;
  out.first_packet_ms = one.first_packet_ms;
  out.first_keyframe_ms = one.first_keyframe_ms;
  for (const auto &stream : one.streams) {
    if (stream.media != net::Stream::video && stream.media != net::Stream::audio) continue;
    const auto media = stream.media == net::Stream::video ? results::Media::video : results::Media::audio;
    out.received[static_cast<std::size_t>(media)] += stream.stats;
    out.lost_in_network += stream.lost_first;
    out.came_again += stream.came_again;
    out.repaired += stream.repaired;
  }
  return out;
}

}  // namespace

void TestSession::subscribe(std::uint32_t participant) {
  const scenario::Subscribers &wanted = setup_.scenario.subscribers;
  if (wanted.count == 0 || !subscribed_.insert(participant).second) return;
  if (!subscribers_) subscribers_ = std::make_unique<webrtc::Subscribers>();
  for (std::uint32_t i = 0; i < wanted.count; ++i) {
    webrtc::SubscriberSettings settings;
    settings.participant = participant;
    settings.ice = setup_.ice;
    settings.ice.servers = webrtc::turn_servers(setup_.turn, participant);
    settings.admits = setup_.subscribers_admit;
    settings.source = "participant " + std::to_string(participant);
    if (!wanted.whep_url.empty()) settings.source = wanted.whep_url;
    subscribers_->add(std::move(settings), signalling_for(participant));
  }
  subscribers_->begin();
}

std::unique_ptr<webrtc::Signalling> TestSession::signalling_for(std::uint32_t participant) {
  const scenario::Subscribers &wanted = setup_.scenario.subscribers;
  if (wanted.whep_url.empty()) {
    return webrtc::own_signalling(
        [this, participant](const std::string &offer, const webrtc::Signalling::Described &done) {
          answer_own(participant, offer, done);
        });
  }
  const std::string room = wanted.room.empty() ? setup_.test_id : wanted.room;
  const auto url =
      webrtc::whip_url(wanted.whep_url, {.id = std::to_string(participant), .room = room, .test = setup_.test_id});
  return webrtc::whep_signalling({.url = url ? *url : wanted.whep_url, .token = wanted.token}, setup_.subscribing);
}

// As a player at our WHEP endpoint is answered.
void TestSession::answer_own(std::uint32_t participant, const std::string &offer,
                             const webrtc::Signalling::Described &done) {
  const auto viewers = viewers_for(participant);
  if (!viewers) return done(viewers.error());
  const auto sdp = webrtc::parse_sdp(offer);
  if (!sdp) return done(sdp.error());
  const auto streams = webrtc::choose_streams(**sdp);
  if (!streams) return done(streams.error());
  const auto viewer = (*viewers)->with_streams(participant, *streams);
  if (!viewer) return done(viewer.error());
  (*viewer)->peer->answer(offer, done);
}

std::vector<results::SubscriberSnapshot> TestSession::subscribers() const {
  if (!subscribers_) return last_subscribers_;
  std::vector<results::SubscriberSnapshot> all;
  for (const auto &one : subscribers_->snapshot()) all.push_back(results_of(one));
  return all;
}

}  // namespace avc::session
