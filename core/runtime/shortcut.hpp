// A second socket beside one that sends to anybody, on the same port, connected to where most of the datagrams go: for
// what leaves by it the kernel looks up no route and makes up no IP identification, which it does for every message
// that names its destination. Whoever receives sees no difference, unless this machine's address changes meanwhile: a
// connected socket keeps the source address that it was connected with.
//
// What comes from there arrives at this socket and not at the first, so both have to be read. Nobody else can bind the
// port meanwhile: the two give up sharing it (SO_REUSEPORT) as soon as both have it.
#pragma once

#include <optional>

#include "core/runtime/udp_socket.hpp"

namespace avc::runtime {

class Shortcut {
 public:
  Shortcut(int first, UdpOptions options)
      : first_(first), options_(std::move(options)) {}  // borrowed; as it was opened

  // Leads there from now on, and nowhere else. False: the kernel would not; where it leads is not known then, and
  // nothing more may be sent by it.
  bool lead_to(const Address &to);
  int fd() const { return socket_ ? socket_->fd() : -1; }  // -1: none has been opened

 private:
  bool open();

  const int first_;
  UdpOptions options_;
  std::optional<UdpSocket> socket_;
};

}  // namespace avc::runtime
