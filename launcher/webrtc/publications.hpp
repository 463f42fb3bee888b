// The participants of one test that publish by WHIP: each has one peer, listed with the viewers, whose offer goes to
// the endpoint. Whose offer is refused for good, or whose connection ends, has failed with a reason, and alone; the
// session that the endpoint made for it is deleted then, as it is when the test is over.
//
// Main context only.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "launcher/webrtc/viewers.hpp"
#include "launcher/webrtc/whip_client.hpp"

namespace avc::webrtc {

// As the scenario names it.
struct WhipTarget {
  std::string url_template, token, room;
  std::shared_ptr<HttpExchange> exchange;  // none: nobody publishes
  Admits admits;                           // of candidates in answers
};

class Publications : public std::enable_shared_from_this<Publications> {
 public:
  using Failed = std::function<void(std::uint32_t participant, const std::string &why)>;

  // The viewers outlive this.
  static std::shared_ptr<Publications> make(WhipTarget target, std::string test, Viewers &viewers, Failed failed);

  void begin(std::uint32_t participant);  // what goes wrong at once is told later, too
  bool connected(std::uint32_t participant) const;
  void follow(std::uint32_t participant);  // its peer's state has changed
  void leave(std::uint32_t participant);
  void leave_all();

 private:
  struct One {
    std::shared_ptr<Peer> peer;
    std::shared_ptr<WhipClient> client;
    std::string waits;  // why the last attempt failed, while there is another to come
    bool over = false;
  };

  Publications(WhipTarget target, std::string test, Viewers &viewers, Failed failed)
      : target_(std::move(target)), test_(std::move(test)), viewers_(viewers), failed_(std::move(failed)) {}
  One *going(std::uint32_t participant);  // none: there is none, or it is over
  void offered(std::uint32_t participant, const std::string &sdp);
  void answered(std::uint32_t participant, const Result<WhipAnswer> &answer);
  void fail(std::uint32_t participant, const std::string &why);
  void fail_later(std::uint32_t participant, const std::string &why);

  const WhipTarget target_;
  const std::string test_;
  Viewers &viewers_;
  const Failed failed_;
  std::map<std::uint32_t, One> all_;
};

}  // namespace avc::webrtc
