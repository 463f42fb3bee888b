// How a subscriber and the other side come to know each other's descriptions. Either may begin: whoever we_offer() is
// true for is given our offer and answers it, the others have an offer for us.
//
// Main context only. Answers may come at once, or when the signalling is gone already: whoever asked looks to that.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "core/result.hpp"
#include "launcher/webrtc/http_exchange.hpp"
#include "launcher/webrtc/whip_client.hpp"

namespace avc::webrtc {

class Signalling {
 public:
  using Described = std::function<void(const Result<std::string> &)>;
  using Done = std::function<void(const Result<bool> &)>;

  virtual ~Signalling() = default;
  virtual bool we_offer() const = 0;
  // Their answer to our offer; or, with an empty one, their offer.
  virtual void begin(const std::string &offer, Described done) = 0;
  // Ours to their offer.
  virtual void answer(const std::string &sdp, Done done) = 0;
  virtual void leave(Done done) = 0;
  virtual std::string waits() const { return ""; }  // why the last attempt failed, while there is another to come
};

// WHEP: our offer is posted, the session that was made for us deleted in the end. It is WHIP's exchange with media the
// other way.
std::unique_ptr<Signalling> whep_signalling(const WhipSettings &settings, std::shared_ptr<HttpExchange> exchange);

// The old tool's exchange (docs/webrtc.md): the participant's offer is fetched, our answer posted. There is nothing to
// delete: a viewer leaves by closing its connection.
struct RestSettings {
  std::string base_url, test_id, token;
  std::uint32_t participant = 0;
};
std::unique_ptr<Signalling> rest_signalling(const RestSettings &settings, std::shared_ptr<HttpExchange> exchange);

// Our offer is answered within this process.
using Answering = std::function<void(const std::string &offer, const Signalling::Described &done)>;
std::unique_ptr<Signalling> own_signalling(Answering answering);

}  // namespace avc::webrtc
