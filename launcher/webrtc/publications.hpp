// The participants of one test that publish by WHIP. Each does so for itself: what becomes of one touches no other.
//
// Main context only.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "launcher/webrtc/publication.hpp"

namespace avc::webrtc {

class Publications : public std::enable_shared_from_this<Publications> {
 public:
  // The viewers outlive this.
  static std::shared_ptr<Publications> make(WhipTarget target, std::string test, Rng chance, Viewers &viewers,
                                            PublicationEvents events);
  ~Publications();

  void begin(std::uint32_t participant);  // what goes wrong at once is told later, too
  bool connected(std::uint32_t participant) const;
  void follow(std::uint32_t participant);                             // a peer of it has changed
  bool replace(std::uint32_t participant, const std::string &cause);  // its connection; false: there is none now
  void leave(std::uint32_t participant);
  void leave_all();

 private:
  Publications(WhipTarget target, std::string test, Rng chance, Viewers &viewers, PublicationEvents events)
      : target_(std::move(target)),
        test_(std::move(test)),
        chance_(chance),
        viewers_(viewers),
        events_(std::move(events)) {}

  const WhipTarget target_;
  const std::string test_;
  const Rng chance_;
  Viewers &viewers_;
  const PublicationEvents events_;
  std::map<std::uint32_t, std::shared_ptr<Publication>> all_;
};

}  // namespace avc::webrtc
