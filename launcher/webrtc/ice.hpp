// Where a viewer's connection may run: our own addresses, and the TURN servers of the old tool's environment.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace avc::webrtc {

struct IceSettings {
  std::vector<std::string> addresses;  // of ours, as numbers; empty: all that the machine has but loopback
  bool relay_only = false;             // nothing but what a TURN server relays
  std::vector<std::string>
      servers;  // turn://USER:PASSWORD@HOST:PORT[?transport=tcp], stun://HOST:PORT (the last one counts)
};

// As the environment names them (contract, section 7).
struct TurnSettings {
  std::string host;  // or HOST:PORT; empty: there is none
  std::string username = "webrtc", password = "webrtc123";
  std::uint32_t replicas = 1;  // above 1 in a cluster: host-0.host, host-1.host, … of a StatefulSet
};

// Of one participant, the one that serves it first: participants are spread over the replicas.
std::vector<std::string> turn_servers(const TurnSettings &turn, std::uint32_t participant);

}  // namespace avc::webrtc
