// One participant that publishes by WHIP, from its first request to its end:
//
//   servers? ── candidates ── offer ── answer ── connected ── lost ── pause ── servers? …
//
// Each round has a peer and a session of its own; both are over when the next begins, and what is still said to an
// earlier round is not heard. A connection that was there and is lost is made again, after a pause that grows while it
// is not to be had (BackOff). One that never came about is a failure, as is an answer that no connection can come of:
// repeating it would hide what is wrong. There is one exception: if the 201 has named ICE servers that the OPTIONS
// before had not, which is too late for a peer that has its candidates already, another round uses them.
//
// replace() is a new round, too, which begins when the session of the old one has been deleted: many endpoints have one
// publication per URL. To whoever receives, all rounds are one stream: SSRCs stay, sequence numbers go on.
//
// Main context only.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/random.hpp"
#include "launcher/session/source_id.hpp"
#include "launcher/webrtc/ice_server.hpp"
#include "launcher/webrtc/viewers.hpp"
#include "launcher/webrtc/whip_client.hpp"

namespace avc::webrtc {

// As the scenario names it.
struct WhipTarget {
  std::string url_template, token, room;
  std::shared_ptr<HttpExchange> exchange;  // none: nobody publishes
  Admits admits;                           // of candidates in answers
  Resolve resolve;                         // of the endpoint's ICE servers
};

// What is told of a participant.
struct PublicationEvents {
  std::function<void(std::uint32_t participant, const std::string &why)> failed;  // for good
  // It does not publish now, but will; no text: there is nothing to complain about any more.
  std::function<void(std::uint32_t participant, const std::string &why)> waits;
  // The connection that replace() asked for is there.
  std::function<void(std::uint32_t participant, const std::string &cause, double ms)> replaced;
};

class Publication : public std::enable_shared_from_this<Publication> {
 public:
  static constexpr unsigned kMostInVain = 5;     // rounds in a row
  static constexpr unsigned kStaysSeconds = 10;  // a connection that lasts so long was not in vain

  struct Settings {
    std::uint32_t participant = 0;
    std::string name;  // of the test, for the log
    std::string url;
    Rng chance;
  };
  static std::shared_ptr<Publication> make(Settings settings, const WhipTarget &target, Viewers &viewers,
                                           const PublicationEvents &events);

  void begin();
  void follow();                           // its peer's state may have changed
  bool replace(const std::string &cause);  // false: there is no connection now
  void leave();
  bool connected() const { return peer_ && peer_->state() == PeerState::connected; }

 private:
  Publication(Settings settings, const WhipTarget &target, Viewers &viewers, const PublicationEvents &events)
      : settings_(std::move(settings)), target_(target), viewers_(viewers), events_(events) {}
  template <class Said>
  auto heard(void (Publication::*what)(const Said &));

  void servers_named(const std::vector<IceServer> &servers);
  void gather(const UsableServers &servers);
  void found(const std::string &candidate);
  void candidate_taken(const Result<bool> &taken);
  void offered(const Result<std::string> &sdp);
  void answered(const Result<WhipAnswer> &answer);
  void answer_taken(const Result<bool> &taken);
  void wait_for(const std::string &why);
  void lost(const std::string &why);
  void end_round(std::function<void()> left = {});
  void fail(const std::string &why);
  void log(const std::string &text) const;

  const Settings settings_;
  const WhipTarget &target_;
  Viewers &viewers_;
  const PublicationEvents &events_;
  std::shared_ptr<WhipClient> client_;
  std::shared_ptr<Peer> peer_;  // of this round, from its offer on
  Numbers numbers_;             // used in the rounds before
  std::string offer_, waits_;
  std::string cause_;                    // of a replacement under way
  std::vector<IceServer> late_servers_;  // that a 201 has named
  bool named_before_ = false;            // it named some before the offer of this round
  bool used_late_servers_ = false, was_connected_ = false, refused_candidate_ = false, over_ = false;
  std::int64_t connected_us_ = 0;  // since when; 0: not in this round
  std::int64_t replaced_us_ = 0;   // when the connection before it ended, with cause_
  unsigned round_ = 0, in_vain_ = 0;
  session::SourceId pause_;
};

}  // namespace avc::webrtc
