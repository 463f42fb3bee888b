// One peer connection from its first word to its end: that of a viewer of a participant, of a participant that
// publishes, or of a subscriber. What it carries is its Carrier's business.
//
//   fresh -> waiting (for the answer) -> checking -> connected -> closed
//                                           any of them -> failed
//
// Either side may speak first: offer() makes ours, which take_answer() completes; answer() takes theirs. Descriptions
// are given out with all candidates, or with those that were found within gathering_ms. Whoever never answers, or never
// comes to be connected, has failed after a while and takes nothing with it: only its own pipeline.
//
// Main context only.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "launcher/session/source_id.hpp"
#include "launcher/webrtc/peer_pipeline.hpp"

namespace avc::webrtc {

enum class PeerState { fresh, waiting, checking, connected, failed, closed };
std::string_view name(PeerState state);
inline bool is_over(PeerState state) { return state == PeerState::failed || state == PeerState::closed; }

struct Candidate {
  unsigned media = 0;  // sdpMLineIndex
  std::string text;    // "candidate:…"
};

inline constexpr unsigned kAnswerSeconds = 60;      // an offer waits so long for its answer
inline constexpr unsigned kConnectionSeconds = 30;  // and an answer for the connection

class Peer : public std::enable_shared_from_this<Peer> {
 public:
  using Changed = std::function<void(Peer &)>;  // state; not while it is being made or destroyed
  using Described = std::function<void(Result<std::string>)>;
  using Done = std::function<void(Result<bool>)>;
  using Found = std::function<void(const std::string &candidate)>;  // empty: there will be no more

  using MakeCarrier = std::function<Result<std::unique_ptr<Carrier>>(Carrier::Left)>;

  static Result<std::shared_ptr<Peer>> make(const PeerSettings &settings, const Streams &streams, Changed changed);
  static Result<std::shared_ptr<Peer>> make(std::uint32_t participant, const MakeCarrier &carrier, Changed changed);
  ~Peer();
  Peer(const Peer &) = delete;
  Peer &operator=(const Peer &) = delete;

  void offer(Described done);  // again: the same offer
  void take_answer(const std::string &sdp, Done done);
  void answer(const std::string &offer, Described done);  // once, instead of offer()
  // Those of our candidates that are found when the description has been given out without them.
  void tell_candidates(Found found) { found_ = std::move(found); }
  Result<bool> add_candidate(const std::string &candidate);  // of theirs
  bool is_their_ufrag(const std::string &ufrag) const;       // of the offer that we answer

  void close();
  PeerState state() const { return state_; }
  const std::string &reason() const { return reason_; }                     // of a failure
  const std::string &ice_state() const { return ice_state_; }               // as webrtcbin has it
  const std::vector<Candidate> &candidates() const { return candidates_; }  // of ours, so far
  bool gathered() const { return gathered_; }                               // there will be no more
  std::uint32_t participant() const { return participant_; }

  bool inject(const spike::Planned &spike) { return carrier_ && carrier_->inject(spike); }
  bool cancel(const std::string &spike_id) { return carrier_ && carrier_->cancel(spike_id); }
  void read(results::ParticipantSnapshot &snapshot) const;
  Numbers numbers() const { return numbers_; }  // when it is over

 private:
  Peer(std::uint32_t participant, Changed changed) : participant_(participant), changed_(std::move(changed)) {}
  Result<bool> begin(const MakeCarrier &carrier);
  void connect_signals();
  void watch_bus();
  void handle(GstMessage *message);
  void negotiate();
  void describe_with(const char *action);
  void described(const GstStructure *reply, const char *field);
  void give_description();
  void found(unsigned media, const std::string &candidate);
  void look_at_gathering();
  void look_at_states();
  void connection_is(const std::string &state);
  void set_state(PeerState state);
  std::string reason_of_failure() const;
  void fail(std::string reason);
  void give_up_after(unsigned seconds, const char *reason);
  void recalculate_latency();

  const std::uint32_t participant_;
  Changed changed_;
  std::unique_ptr<Carrier> carrier_;  // none: it is over
  PeerState state_ = PeerState::fresh;
  std::string reason_, ice_state_ = "new", give_up_reason_;
  std::optional<std::string> their_offer_;  // we answer
  bool media_known_ = false;                // webrtcbin knows what we send, or need not
  unsigned gathering_ms_ = 2000;            // a description waits so long for candidates
  bool negotiating_ = false, described_ = false, given_ = false, gathered_ = false;
  std::string description_;
  std::vector<Described> waiting_;
  Found found_;
  Done answered_;  // of an answer on its way to webrtcbin
  std::vector<Candidate> candidates_;
  results::ParticipantSnapshot last_;  // when it was over
  Numbers numbers_;                    // then, too
  session::SourceId bus_watch_, gathering_timer_, give_up_timer_, latency_timer_;
};

}  // namespace avc::webrtc
