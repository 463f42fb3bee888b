// STUN and TURN servers as a stranger names them (RFC 7064, RFC 7065), and as webrtcbin takes them: with an address in
// place of the name, which has been resolved and asked about before anything is sent there.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "core/result.hpp"

namespace avc::webrtc {

struct IceServer {
  std::string url, username, credential;
};

// stun:HOST[:PORT] or turn[s]:HOST[:PORT][?transport=udp|tcp], of which HOST may be a [v6] address. Errors have no
// field.
Result<std::string> host_of(const IceServer &server);

// stun://ADDRESS:PORT or turn[s]://USER:PASSWORD@ADDRESS:PORT[?transport=tcp]; the server is one that has a host.
std::string server_uri(const IceServer &server, const std::string &address);

// Asks for the address that a host has and that may be sent to; the answer may come at once.
using Resolve = std::function<void(const std::string &host, std::function<void(Result<std::string>)>)>;

// Calls back once, when all of them have an address or none: with the URIs of those that can be used, in order, and
// with why the others cannot.
struct UsableServers {
  std::vector<std::string> uris, refusals;
};
void find_usable(const std::vector<IceServer> &named, const Resolve &resolve, std::function<void(UsableServers)> done);

}  // namespace avc::webrtc
