#include "core/runtime/udp_socket.hpp"

#include <arpa/inet.h>
#include <linux/net_tstamp.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace avc::runtime {
namespace {

Error failed(const char *field, const std::string &what) { return {field, what + ": " + std::strerror(errno)}; }

void set_int(int fd, int level, int name, int value) { setsockopt(fd, level, name, &value, sizeof value); }

// The privileged form goes beyond net.core.rmem_max; without the privilege the plain one gets what is allowed.
void set_buffer(int fd, int forced, int plain, int bytes) {
  if (bytes > 0 && setsockopt(fd, SOL_SOCKET, forced, &bytes, sizeof bytes) != 0) set_int(fd, SOL_SOCKET, plain, bytes);
}

}  // namespace

Address::Address(const sockaddr *from, socklen_t size) {
  if (size == 0 || size > sizeof storage_ || (from->sa_family != AF_INET && from->sa_family != AF_INET6)) return;
  std::memcpy(&storage_, from, size);
  size_ = size;
}

std::optional<Address> Address::parse(const std::string &ip, std::uint16_t port) {
  sockaddr_in v4{};
  v4.sin_family = AF_INET;
  v4.sin_port = htons(port);
  if (inet_pton(AF_INET, ip.c_str(), &v4.sin_addr) == 1) {
    return Address(reinterpret_cast<const sockaddr *>(&v4), sizeof v4);
  }
  sockaddr_in6 v6{};
  v6.sin6_family = AF_INET6;
  v6.sin6_port = htons(port);
  if (inet_pton(AF_INET6, ip.c_str(), &v6.sin6_addr) == 1) {
    return Address(reinterpret_cast<const sockaddr *>(&v6), sizeof v6);
  }
  return std::nullopt;
}

std::uint16_t Address::port() const { return ntohs(storage_.v4.sin_port); }  // in both at the same place

Address Address::with_port(std::uint16_t port) const {
  Address other = *this;
  other.storage_.v4.sin_port = htons(port);
  return other;
}

std::string Address::text() const {
  char ip[INET6_ADDRSTRLEN] = "?";
  if (family() == AF_INET6) {
    inet_ntop(AF_INET6, &storage_.v6.sin6_addr, ip, sizeof ip);
    return "[" + std::string(ip) + "]:" + std::to_string(port());
  }
  inet_ntop(AF_INET, &storage_.v4.sin_addr, ip, sizeof ip);
  return std::string(ip) + ":" + std::to_string(port());
}

std::strong_ordering operator<=>(const Address &a, const Address &b) {
  if (const auto order = a.family() <=> b.family(); order != 0) return order;
  if (const auto order = a.port() <=> b.port(); order != 0) return order;
  if (a.family() == AF_INET) return ntohl(a.storage_.v4.sin_addr.s_addr) <=> ntohl(b.storage_.v4.sin_addr.s_addr);
  return std::memcmp(&a.storage_.v6.sin6_addr, &b.storage_.v6.sin6_addr, sizeof(in6_addr)) <=> 0;
}

const char *errno_name(int error) {
  switch (error) {
    case EAGAIN:
      return "EAGAIN";
    case ENOBUFS:
      return "ENOBUFS";
    case ECONNREFUSED:
      return "ECONNREFUSED";
    case EHOSTUNREACH:
      return "EHOSTUNREACH";
    case ENETUNREACH:
      return "ENETUNREACH";
    case EMSGSIZE:
      return "EMSGSIZE";
    case EPERM:
      return "EPERM";
    case EACCES:
      return "EACCES";
    case EINVAL:
      return "EINVAL";
    case ENOMEM:
      return "ENOMEM";
    case EAFNOSUPPORT:
      return "EAFNOSUPPORT";
    case ENETDOWN:
      return "ENETDOWN";
    case EHOSTDOWN:
      return "EHOSTDOWN";
    case ENOTSOCK:
      return "ENOTSOCK";
    case EBADF:
      return "EBADF";
    default:
      return "other";
  }
}

void set_dscp(int fd, int dscp) {
  if (dscp < 0) return;
  set_int(fd, IPPROTO_IP, IP_TOS, dscp << 2);
  set_int(fd, IPPROTO_IPV6, IPV6_TCLASS, dscp << 2);
}

void set_ttl(int fd, int ttl) {
  if (ttl <= 0) return;
  set_int(fd, IPPROTO_IP, IP_TTL, ttl);
  set_int(fd, IPPROTO_IPV6, IPV6_UNICAST_HOPS, ttl);
}

bool take_leave_times(int fd) {
  const sock_txtime times{CLOCK_MONOTONIC, 0};
  return setsockopt(fd, SOL_SOCKET, SO_TXTIME, &times, sizeof times) == 0;
}

Result<UdpSocket> UdpSocket::open(const UdpOptions &options) {
  const auto address = Address::parse(options.bind_address.empty() ? "0.0.0.0" : options.bind_address, options.port);
  if (!address) return Error{"bind_address", "'" + options.bind_address + "' is not an IP address"};
  UdpSocket opened(::socket(address->family(), SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  const int fd = opened.fd();
  if (fd < 0) return failed("", "cannot make a UDP socket");
  set_buffer(fd, SO_RCVBUFFORCE, SO_RCVBUF, options.receive_buffer);
  set_buffer(fd, SO_SNDBUFFORCE, SO_SNDBUF, options.send_buffer);
  set_int(fd, SOL_SOCKET, SO_RXQ_OVFL, 1);
  set_int(fd, SOL_SOCKET, SO_TIMESTAMPNS, 1);
  set_int(fd, SOL_SOCKET, SO_BROADCAST, 1);
  if (address->family() == AF_INET6) {
    set_int(fd, IPPROTO_IPV6, IPV6_V6ONLY, 0);
    if (options.report_refusals) set_int(fd, IPPROTO_IPV6, IPV6_RECVERR, 1);
  }
  if (options.report_refusals) set_int(fd, IPPROTO_IP, IP_RECVERR, 1);
  if (options.share_port) set_int(fd, SOL_SOCKET, SO_REUSEPORT, 1);
  set_dscp(fd, options.dscp);
  set_ttl(fd, options.ttl);
  if (::bind(fd, address->get(), address->size()) != 0) return failed("port", "cannot bind UDP " + address->text());
  return opened;
}

UdpSocket &UdpSocket::operator=(UdpSocket &&other) noexcept {
  std::swap(fd_, other.fd_);
  return *this;
}

UdpSocket::~UdpSocket() {
  if (fd_ >= 0) ::close(fd_);
}

Address UdpSocket::local() const {
  sockaddr_in6 name{};
  socklen_t size = sizeof name;
  if (getsockname(fd_, reinterpret_cast<sockaddr *>(&name), &size) != 0) return {};
  return Address(reinterpret_cast<const sockaddr *>(&name), size);
}

int UdpSocket::receive_buffer() const {
  int bytes = 0;
  socklen_t size = sizeof bytes;
  getsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &bytes, &size);
  return bytes;
}

Instant wall_clock() {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  return Instant{Nanos(now.tv_sec * 1'000'000'000 + now.tv_nsec)};
}

}  // namespace avc::runtime
