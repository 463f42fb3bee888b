// Where a sink's packets go: one or several places, each with a port for RTCP.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/result.hpp"
#include "core/runtime/udp_socket.hpp"

namespace avc::udpsink {

struct Ends {
  runtime::Address rtp, rtcp;
};

struct Target {
  std::vector<Ends> ends;  // of one family; not empty

  int family() const { return ends.front().rtp.family(); }
  bool has(const runtime::Address &address) const;
};

// As the user says it; `host` may be a name.
struct Client {
  std::string host;
  std::uint16_t port = 0, rtcp_port = 0;
};

// "127.0.0.1:5002,[::1]:5004,example.org:5002", as multiudpsink takes it. `rtcp_port` 0: the port after each.
Result<std::vector<Client>> parse_clients(const std::string &text, std::uint16_t rtcp_port);

// The target, where every host is a number; nothing where some are names, which only resolve() can ask for.
Result<Target> numbers_of(const std::vector<Client> &clients, bool &has_names);
Result<Target> resolve(const std::vector<Client> &clients);  // waits for name servers

}  // namespace avc::udpsink
