// One receive-only participant: a peer connection that takes what the other side sends, and measures it. It begins once
// and ends once; whatever goes wrong ends this one alone, with a reason.
//
//   waiting -> asking -> checking -> connected -> closed
//                              any of them -> failed
//
// Times are counted from begin(). Main context only.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/stats/peer_streams.hpp"
#include "launcher/session/source_id.hpp"
#include "launcher/webrtc/peer.hpp"
#include "launcher/webrtc/receive_pipeline.hpp"
#include "launcher/webrtc/signalling.hpp"

namespace avc::webrtc {

struct SubscriberSettings {
  std::uint32_t id = 0;
  std::uint32_t participant = 0;  // whom it watches; 0: nobody that we know of
  std::string source;             // for people: the URL
  IceSettings ice;
  Admits admits;  // of the other side's candidates
};

enum class SubscriberState { waiting, asking, checking, connected, failed, closed };
std::string_view name(SubscriberState state);
inline bool is_over(SubscriberState state) {
  return state == SubscriberState::failed || state == SubscriberState::closed;
}

struct SubscriberSnapshot {
  std::uint32_t id = 0, participant = 0;
  std::string source;
  SubscriberState state = SubscriberState::waiting;
  std::string reason;                                                 // of a failure, or of an attempt that failed
  std::optional<double> join_ms, first_packet_ms, first_keyframe_ms;  // since it began
  std::vector<stats::PeerStream> streams;
  std::uint64_t unexplained = 0;  // packets of no type that the other side's description has
};

class Subscriber : public std::enable_shared_from_this<Subscriber> {
 public:
  static std::shared_ptr<Subscriber> make(SubscriberSettings settings, std::unique_ptr<Signalling> signalling);

  void begin();
  void leave();
  SubscriberState state() const { return state_; }
  SubscriberSnapshot snapshot() const;

 private:
  Subscriber(SubscriberSettings settings, std::unique_ptr<Signalling> signalling)
      : settings_(std::move(settings)), signalling_(std::move(signalling)) {}
  bool make_peer();
  void offer();
  void take_offer();
  void answered(const Result<std::string> &sdp);
  void offered(const Result<std::string> &sdp);
  void follow(const Peer &peer);
  void look_after_keyframe();
  void fail(const std::string &why);
  void end(SubscriberState state);

  const SubscriberSettings settings_;
  const std::unique_ptr<Signalling> signalling_;
  const std::shared_ptr<Intake> intake_ = std::make_shared<Intake>();
  std::shared_ptr<Peer> peer_;
  ReceivePipeline *pipeline_ = nullptr;  // the peer's, while it is not over
  SubscriberState state_ = SubscriberState::waiting;
  std::string reason_;
  Instant began_{};
  std::optional<Instant> connected_;
  session::SourceId keyframe_timer_;
};

}  // namespace avc::webrtc
