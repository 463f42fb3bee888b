// The viewers of a test's participants, and the endpoints they publish to: what a new one is made of, and what they
// mean for the participant's state.
#include "core/spike/effect.hpp"
#include "core/spike/schedule.hpp"
#include "launcher/session/test_session.hpp"

namespace avc::session {

using participant::TestState;
using ParticipantState = participant::State;

Result<webrtc::Viewers *> TestSession::viewers_for(std::uint32_t participant) {
  const auto index = index_of(participant);
  if (!index && state_ != TestState::created)
    return Error{"participant_id", "participant " + std::to_string(participant) + " is not in this test"};
  if (state_ != TestState::running)
    return Error{"state", "the test is " + std::string(participant::name(state_)) + ", not running"};
  if (!playing_) return Error{"state", "the test is still preparing its media"};
  const Participant &one = *participants_[*index];
  if (participant::is_over(one.state()) || *index >= next_to_join_) {
    return Error{"state",
                 "participant " + std::to_string(participant) + " is " + std::string(participant::name(one.state()))};
  }
  return &own_viewers();
}

webrtc::Viewers &TestSession::own_viewers() {
  if (!viewers_) {
    viewers_ = std::make_unique<webrtc::Viewers>(
        [this](std::uint32_t id, const std::string &viewer) { return peer_settings(id, viewer); },
        [this](std::uint32_t id) { follow_viewers(id); });
  }
  return *viewers_;
}

void TestSession::publish(Participant &one) {
  if (setup_.whip.exchange == nullptr || participant::is_over(one.state())) return;
  if (!publications_) {
    const webrtc::PublicationEvents events{[this](std::uint32_t id, const std::string &why) {
                                             participant_failed(*participants_[*index_of(id)], {"whip", why});
                                           },
                                           [this](std::uint32_t id, const std::string &why) {
                                             participants_[*index_of(id)]->explain(why.empty() ? "" : "whip: " + why);
                                             follow_viewers(id);
                                           },
                                           [this](std::uint32_t id, const std::string &cause, double ms) {
                                             g_log("avcd-session", G_LOG_LEVEL_INFO,
                                                   "%s: participant %u is connected "
                                                   "again, %.0f ms after spike %s",
                                                   setup_.test_id.c_str(), id, ms, cause.c_str());
                                             recorder_.connection_replaced(cause, ms);
                                           }};
    publications_ =
        webrtc::Publications::make(setup_.whip, setup_.test_id, Rng(setup_.seed).split("whip"), own_viewers(), events);
  }
  publications_->begin(one.id());
}

Result<webrtc::PeerSettings> TestSession::peer_settings(std::uint32_t participant, const std::string &viewer) const {
  webrtc::PeerSettings settings;
  settings.participant = participant;
  settings.seed = setup_.seed;
  settings.context = "c" + std::to_string(setup_.contexts[*index_of(participant) % setup_.contexts.size()]);
  settings.base_time = gst_element_get_base_time(pipeline_);
  settings.media = media_settings(setup_);
  settings.network = setup_.scenario.network;
  for (const SpikeEntry &entry : book_.entries()) {
    const bool to_come = entry.state == results::SpikeState::planned || entry.state == results::SpikeState::active;
    if (to_come && spike::addresses(entry.planned.spike, participant) &&
        !spike::needs_connection(entry.planned.spike.type))
      settings.planned.push_back(entry.planned);
  }
  // One for each: packets of two viewers have the same numbers.
  if (!setup_.decision_log.empty()) {
    settings.decision_log = setup_.decision_log.substr(0, setup_.decision_log.rfind(".jsonl")) + "." +
                            std::to_string(participant) + "." + viewer + ".jsonl";
  }
  settings.adaptive = setup_.scenario.adaptive;
  settings.ice = setup_.ice;
  settings.ice.servers = webrtc::turn_servers(setup_.turn, participant);
  return settings;
}

// Over RTSP participants are watched without this context being asked, so all that a chain of one needs is told ahead.
void TestSession::publish() {
  if (setup_.mounts == nullptr) return;
  rtsp::Test test{.seed = setup_.seed,
                  .base_time = gst_element_get_base_time(pipeline_),
                  .media = media_settings(setup_),
                  .network = setup_.scenario.network,
                  .decision_log = setup_.decision_log};
  for (const std::uint32_t id : setup_.participants)
    test.joins[id] = scenario::join_time(setup_.scenario, id).value_or(Nanos(0));
  for (const SpikeEntry &entry : book_.entries())
    if (entry.state == results::SpikeState::planned && !spike::needs_connection(entry.planned.spike.type))
      test.spikes.push_back(entry.planned);
  setup_.mounts->publish(setup_.test_id, std::move(test));
}

// What a participant is that has joined and is not away.
ParticipantState TestSession::present_state(std::uint32_t participant) const {
  if (setup_.whip.exchange != nullptr) {
    const bool publishes = publications_ && publications_->connected(participant);
    return publishes ? ParticipantState::running : ParticipantState::connecting;
  }
  const bool waits = setup_.viewers_only && (!viewers_ || viewers_->connected(participant) == 0);
  return waits ? ParticipantState::connecting : ParticipantState::running;
}

void TestSession::follow_viewers(std::uint32_t participant) {
  const auto index = index_of(participant);
  if (!index || !playing_) return;
  if (publications_) publications_->follow(participant);
  Participant &one = *participants_[*index];
  if (one.state() == ParticipantState::connecting || one.state() == ParticipantState::running)
    one.set_state(present_state(participant));
  if (one.state() == ParticipantState::running) subscribe(participant);  // an endpoint has what it publishes
}

}  // namespace avc::session
