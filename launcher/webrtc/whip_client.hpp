// One publication by WHIP (RFC 9725): an offer goes to an endpoint, its answer comes back, candidates may follow, and
// in the end the session that the endpoint made is deleted. No WebRTC in here: descriptions are texts.
//
//   ask_servers() ── OPTIONS ── the ICE servers that the endpoint names
//   publish() ── POST ── 307, 308 ── again, elsewhere
//                 │  └── 429, 5xx, no reply ── again, after a while ── … ── failed
//                 │  └── any other refusal ── failed
//                201 ── trickle() ── PATCH ── … ── leave() ── DELETE
//
// Retry-After makes a pause between attempts longer, and is the end where the endpoint asks for too long a one.
//
// Whoever leaves while a POST is on its way leaves when its reply is there: no session stays behind. A client
// that nobody holds any more lives until its requests are answered and it has left.
//
// Main context only.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/result.hpp"
#include "launcher/session/source_id.hpp"
#include "launcher/webrtc/back_off.hpp"
#include "launcher/webrtc/http_exchange.hpp"
#include "launcher/webrtc/whip_text.hpp"

namespace avc::webrtc {

struct WhipSettings {
  std::string url;    // of the endpoint
  std::string token;  // goes with every request, also to where the endpoint sends us; empty: none
  unsigned most_attempts = 8;
  BackOff pauses;
  unsigned longest_retry_after_s = 60;
};

struct WhipAnswer {
  std::string sdp;
  std::vector<IceServer> ice_servers;
};

class WhipClient : public std::enable_shared_from_this<WhipClient> {
 public:
  using Servers = std::function<void(std::vector<IceServer>)>;
  using Published = std::function<void(Result<WhipAnswer>)>;
  using Done = std::function<void(Result<bool>)>;
  using Waits = std::function<void(const std::string &why)>;  // an attempt has failed, and another will follow

  static constexpr unsigned kMostRedirects = 5;       // of one attempt
  static constexpr unsigned kMostDeleteAttempts = 3;  // or fewer, where publishing has fewer

  static std::shared_ptr<WhipClient> make(WhipSettings settings, std::shared_ptr<HttpExchange> exchange, Waits waits);

  // Before the offer, which may need them to have candidates (RFC 9725 section 4.6 leaves it to the endpoint whether it
  // names its servers here, in the 201, or nowhere). An endpoint that knows no OPTIONS names none.
  void ask_servers(Servers done);
  void publish(std::string offer, Published done);  // once
  // Kept until the session is there, then sent one after the other. An error ends nothing: the connection may well come
  // about without these candidates.
  void trickle(std::string fragment, Done done);
  // Whenever; `done` at once if there is no session to delete. publish() that is not done yet ends with an error.
  void leave(Done done);

  const std::string &session_url() const { return session_url_; }  // empty: none

 private:
  enum class State { fresh, asking, published, leaving, over };

  WhipClient(WhipSettings settings, std::shared_ptr<HttpExchange> exchange, Waits waits)
      : settings_(std::move(settings)), exchange_(std::move(exchange)), waits_(std::move(waits)) {}
  HttpRequest request(const char *method, const std::string &url) const;
  void post(const std::string &url, unsigned redirects);
  void posted(const std::string &url, unsigned redirects, const HttpReply *reply, const HttpFault &fault);
  void redirected(const std::string &url, unsigned redirects, const HttpReply &reply);
  void created(const std::string &url, const HttpReply &reply);
  void try_again(const std::string &why, std::optional<unsigned> after_s);
  bool repeat_after(std::optional<unsigned> after_s, unsigned most_attempts, void (WhipClient::*what)());
  void ask();
  void give_up(const std::string &why);
  void patch_next();
  void patched(const HttpReply *reply, const HttpFault &fault);
  void remove();
  void removed(const HttpReply *reply, const HttpFault &fault);
  void end(Result<bool> left);

  const WhipSettings settings_;
  const std::shared_ptr<HttpExchange> exchange_;
  const Waits waits_;
  State state_ = State::fresh;
  std::string offer_, session_url_, etag_;
  Published published_;
  Done left_;
  std::shared_ptr<WhipClient> kept_;                    // by itself, while it is leaving
  std::deque<std::pair<std::string, Done>> fragments_;  // to be sent; while patching_, the first is on its way
  bool posting_ = false, patching_ = false;
  unsigned attempts_ = 0;  // of publishing, then of leaving
  void (WhipClient::*repeated_)() = nullptr;
  session::SourceId pause_;
};

}  // namespace avc::webrtc
