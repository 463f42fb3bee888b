// UDP sockets that never block, and their addresses. What is sent and received with them in batches is in
// batch_sender.hpp and batch_receiver.hpp.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "core/result.hpp"
#include "core/time.hpp"

namespace avc::runtime {

// An IPv4 or IPv6 address with its port.
class Address {
 public:
  Address() = default;
  Address(const sockaddr *from, socklen_t size);
  static std::optional<Address> parse(const std::string &ip, std::uint16_t port);  // numbers only, never a name

  const sockaddr *get() const { return reinterpret_cast<const sockaddr *>(&storage_); }
  socklen_t size() const { return size_; }
  int family() const { return size_ ? storage_.v6.sin6_family : AF_UNSPEC; }
  std::uint16_t port() const;
  Address with_port(std::uint16_t port) const;
  std::string text() const;  // "127.0.0.1:5002", "[::1]:5002"

  friend bool operator==(const Address &a, const Address &b) { return (a <=> b) == 0; }
  friend std::strong_ordering operator<=>(const Address &a, const Address &b);  // any order, for maps

 private:
  union {
    sockaddr_in v4;
    sockaddr_in6 v6;
  } storage_{};
  socklen_t size_ = 0;
};

using ErrnoCounts = std::map<int, std::uint64_t>;
const char *errno_name(int error);  // "ENOBUFS"; "other" for those that sockets do not give

struct UdpOptions {
  std::string bind_address = "127.0.0.1";  // numbers; empty: any, IPv4
  std::uint16_t port = 0;                  // 0: any free one
  int receive_buffer = 0;                  // bytes asked for, 0: the system's default; the kernel may grant less
  int send_buffer = 0;
  int dscp = -1;
  int ttl = 0;  // 0: the system's
  // Keep what ICMP says of datagrams sent, for BatchSender::collect_refusals(). Who asks for it has to collect: poll()
  // reports an error as long as some are waiting.
  bool report_refusals = false;
  bool share_port = false;  // with those of the same user that say so too (SO_REUSEPORT)
};

class UdpSocket {
 public:
  static Result<UdpSocket> open(const UdpOptions &options);
  UdpSocket(UdpSocket &&other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  UdpSocket &operator=(UdpSocket &&other) noexcept;
  ~UdpSocket();

  int fd() const { return fd_; }
  Address local() const;
  int receive_buffer() const;  // bytes granted; the kernel counts its own overhead in

 private:
  explicit UdpSocket(int fd) : fd_(fd) {}
  int fd_ = -1;
};

void set_dscp(int fd, int dscp);
void set_ttl(int fd, int ttl);
bool take_leave_times(int fd);  // of the monotonic clock (SO_TXTIME); false: the kernel cannot

Instant wall_clock();

}  // namespace avc::runtime
