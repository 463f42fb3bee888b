#include "launcher/webrtc/publications.hpp"

#include <utility>

#include "launcher/webrtc/on_main.hpp"

namespace avc::webrtc {

std::shared_ptr<Publications> Publications::make(WhipTarget target, std::string test, Rng chance, Viewers &viewers,
                                                 PublicationEvents events) {
  return std::shared_ptr<Publications>(
      new Publications(std::move(target), std::move(test), chance, viewers, std::move(events)));
}

// What they refer to goes with this.
Publications::~Publications() { leave_all(); }

void Publications::begin(std::uint32_t participant) {
  const std::string room = target_.room.empty() ? test_ : target_.room;
  const auto url = whip_url(target_.url_template, {.id = std::to_string(participant), .room = room, .test = test_});
  if (!url) {
    on_main<Publications>(weak_from_this(), [participant, why = url.error().message](Publications &self) {
      self.events_.failed(participant, why);
    });
    return;
  }
  auto &one = all_[participant];
  one = Publication::make({participant, test_, *url, chance_.split(participant)}, target_, viewers_, events_);
  one->begin();
}

bool Publications::connected(std::uint32_t participant) const {
  const auto found = all_.find(participant);
  return found != all_.end() && found->second->connected();
}

void Publications::follow(std::uint32_t participant) {
  if (const auto found = all_.find(participant); found != all_.end()) found->second->follow();
}

bool Publications::replace(std::uint32_t participant, const std::string &cause) {
  const auto found = all_.find(participant);
  return found != all_.end() && found->second->replace(cause);
}

void Publications::leave(std::uint32_t participant) {
  if (const auto found = all_.find(participant); found != all_.end()) found->second->leave();
}

void Publications::leave_all() {
  for (const auto &[participant, one] : all_) one->leave();
}

}  // namespace avc::webrtc
