// The viewers of one test: who watches which participant, by an id of each. The old exchange knows none of these ids,
// so a participant has at most one offer that nobody has answered yet, and whoever asks gets that one; an answered one
// stays when the next viewer comes.
//
// A viewer that is over is remembered for a while without its pipeline; what was sent to it stays in the sums.
// Main context only.
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "launcher/webrtc/peer.hpp"

namespace avc::webrtc {

struct Viewer {
  std::string id;
  std::uint32_t participant = 0;
  const char *by = "rest";  // "rest" or "whep"; "whip": the participant publishes
  std::shared_ptr<Peer> peer;
};

class Viewers {
 public:
  static constexpr std::size_t kMost = 200;  // that are not over and do not publish, in one test

  // Of a participant, now. The error is the caller's answer.
  using Settings = std::function<Result<PeerSettings>(std::uint32_t participant, const std::string &viewer)>;
  using Changed = std::function<void(std::uint32_t participant)>;
  Viewers(Settings settings, Changed changed) : settings_(std::move(settings)), changed_(std::move(changed)) {}

  // The one whose offer has no answer yet, made if there is none.
  Result<const Viewer *> with_open_offer(std::uint32_t participant);
  // A new one that is to be answered.
  Result<const Viewer *> with_streams(std::uint32_t participant, const Streams &streams);

  // A new one whose offer goes to an endpoint. Their number is that of the participants, and not bounded here.
  // `servers`: for its ICE, as IceSettings has them, beside the participant's own. `numbers`: of those before it.
  Result<const Viewer *> to_publish(std::uint32_t participant, const std::vector<std::string> &servers,
                                    Numbers numbers);

  // Also one that is over, but none that publishes: nobody comes to those.
  const Viewer *find(std::uint32_t participant, const std::string &id) const;
  const Viewer *latest(std::uint32_t participant) const;  // of the old exchange, made last; none: there was never one
  std::vector<const Viewer *> of(std::uint32_t participant) const;
  std::size_t connected(std::uint32_t participant) const;

  void inject(const spike::Planned &planned);
  void cancel(const std::string &spike_id);
  void add_to(std::uint32_t participant, results::ParticipantSnapshot &snapshot) const;
  void close_all();

 private:
  using Place = std::list<Viewer>::iterator;

  Result<const Viewer *> make(std::uint32_t participant, const Streams &streams, const char *by,
                              const std::vector<std::string> &servers = {}, Numbers numbers = {});
  std::span<const Place> those_of(std::uint32_t participant) const;
  void forget_old();

  Settings settings_;
  Changed changed_;
  std::list<Viewer> viewers_;                                             // in order of their making
  std::unordered_map<std::uint32_t, std::vector<Place>> by_participant_;  // in the same order
  std::size_t watching_ = 0, over_ = 0;                              // that are not over and do not publish; that are
  std::map<std::uint32_t, results::ParticipantSnapshot> forgotten_;  // what was sent to those no longer listed
};

}  // namespace avc::webrtc
