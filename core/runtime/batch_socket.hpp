// UDP in batches: many datagrams per system call, sent from gathered memory to several destinations (sendmmsg) and
// received with the kernel's arrival times and its count of what it had to drop (recvmmsg, SO_TIMESTAMPNS,
// SO_RXQ_OVFL). Nothing here blocks but poll() in its callers.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

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

  friend bool operator==(const Address &a, const Address &b);

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

// Collects datagrams and sends them together. The memory that the parts point to and the addresses stay valid until
// flush() is over. Errors that the kernel learnt from ICMP are reported by collect_refusals(), not as failed sends:
// such a send is tried again, because the error belongs to an earlier datagram.
class BatchSender {
 public:
  static constexpr std::size_t kBatch = 512;

  explicit BatchSender(int fd);  // borrowed
  void add(const Address &to, std::span<const iovec> parts);
  std::size_t size() const { return messages_.size(); }
  bool full() const { return messages_.size() >= kBatch; }
  // 0 or the errno of each datagram, in the order added; valid until the next add().
  std::span<const int> flush();
  std::uint64_t syscalls() const { return syscalls_; }

  struct Refusal {
    Address destination;
    int error;
  };
  // Destinations that ICMP messages came about, since the last call (at most 64 of them are kept).
  std::vector<Refusal> collect_refusals();

 private:
  void read_error_queue();

  int fd_;
  std::vector<mmsghdr> messages_;
  std::vector<iovec> parts_;
  std::vector<int> outcomes_;
  std::vector<Refusal> refusals_;
  std::uint64_t syscalls_ = 0;
  bool flushed_ = false;
};

struct Received {
  std::span<const std::uint8_t> bytes;
  Address from;
  Instant at;              // wall clock, when the kernel took it in
  bool truncated = false;  // was longer than what was kept
};

class BatchReceiver {
 public:
  static constexpr std::size_t kBatch = 64, kDatagram = 2048;

  explicit BatchReceiver(int fd);  // borrowed
  // What is there, without waiting; the spans live until the next call. Empty when nothing is there.
  std::span<const Received> receive();
  std::uint64_t kernel_drops() const { return kernel_drops_; }  // datagrams that found the socket's buffer full
  const ErrnoCounts &errors() const { return errors_; }

 private:
  int fd_;
  std::vector<std::uint8_t> buffers_, control_;
  std::vector<sockaddr_in6> names_;
  std::vector<iovec> parts_;
  std::vector<mmsghdr> messages_;
  std::vector<Received> received_;
  std::uint64_t kernel_drops_ = 0;
  ErrnoCounts errors_;
};

Instant wall_clock();

}  // namespace avc::runtime
