#include "launcher/webrtc/publications.hpp"

#include <utility>

#include "launcher/webrtc/on_main.hpp"

namespace avc::webrtc {

std::shared_ptr<Publications> Publications::make(WhipTarget target, std::string test, Viewers &viewers, Failed failed) {
  return std::shared_ptr<Publications>(
      new Publications(std::move(target), std::move(test), viewers, std::move(failed)));
}

Publications::One *Publications::going(std::uint32_t participant) {
  const auto found = all_.find(participant);
  return found != all_.end() && !found->second.over ? &found->second : nullptr;
}

void Publications::begin(std::uint32_t participant) {
  const std::string room = target_.room.empty() ? test_ : target_.room;
  const auto url = whip_url(target_.url_template, {.id = std::to_string(participant), .room = room, .test = test_});
  if (!url) return fail_later(participant, url.error().message);
  const auto viewer = viewers_.to_publish(participant);
  if (!viewer) return fail_later(participant, viewer.error().text());
  const std::weak_ptr<Publications> whom = weak_from_this();
  One &one = all_[participant];
  one.peer = (*viewer)->peer;
  one.client = WhipClient::make({.url = *url, .token = target_.token}, target_.exchange,
                                [whom, participant](const std::string &why) {
                                  const auto self = whom.lock();
                                  One *waiting = self ? self->going(participant) : nullptr;
                                  if (waiting != nullptr) waiting->waits = why;
                                });
  one.peer->offer([whom, participant](const Result<std::string> &sdp) {
    const auto self = whom.lock();
    if (self && sdp) self->offered(participant, *sdp);  // without one the peer is over, which follow() is told
  });
}

void Publications::offered(std::uint32_t participant, const std::string &sdp) {
  One *one = going(participant);
  if (one == nullptr) return;
  one->client->publish(sdp, [whom = weak_from_this(), participant](const Result<WhipAnswer> &answer) {
    if (const auto self = whom.lock()) self->answered(participant, answer);
  });
}

void Publications::answered(std::uint32_t participant, const Result<WhipAnswer> &answer) {
  One *one = going(participant);
  if (one == nullptr) return;
  if (!answer) return fail(participant, answer.error().message);
  one->waits.clear();
  one->peer->take_answer(with_admitted_candidates(answer->sdp, target_.admits),
                         [whom = weak_from_this(), participant](const Result<bool> &taken) {
                           const auto self = whom.lock();
                           if (self && !taken) self->fail(participant, "the answer: " + taken.error().message);
                         });
}

bool Publications::connected(std::uint32_t participant) const {
  const auto found = all_.find(participant);
  return found != all_.end() && found->second.peer->state() == PeerState::connected;
}

void Publications::follow(std::uint32_t participant) {
  const One *one = going(participant);
  if (one == nullptr || !is_over(one->peer->state())) return;
  if (one->peer->state() == PeerState::closed) return fail(participant, "the endpoint has closed the connection");
  fail(participant, one->peer->reason() + (one->waits.empty() ? "" : ": " + one->waits));
}

void Publications::fail(std::uint32_t participant, const std::string &why) {
  if (going(participant) == nullptr) return;
  leave(participant);
  failed_(participant, why);
}

void Publications::fail_later(std::uint32_t participant, const std::string &why) {
  on_main<Publications>(weak_from_this(), [participant, why](Publications &self) { self.failed_(participant, why); });
}

void Publications::leave(std::uint32_t participant) {
  One *one = going(participant);
  if (one == nullptr) return;
  one->over = true;
  one->client->leave([participant, test = test_](const Result<bool> &left) {
    if (left) return;
    g_log("avcd-whip", G_LOG_LEVEL_MESSAGE, "%s: participant %u has left, but its session may be there still: %s",
          test.c_str(), participant, left.error().message.c_str());
  });
  one->peer->close();
}

void Publications::leave_all() {
  for (const auto &[participant, one] : all_) leave(participant);
}

}  // namespace avc::webrtc
