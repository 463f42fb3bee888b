#include "core/runtime/batch_socket.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/errqueue.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace avc::runtime {
namespace {

constexpr std::size_t kControl = 128;  // room for a time and a drop counter
constexpr std::size_t kMaxRefusals = 64;

Error failed(const char *field, const std::string &what) { return {field, what + ": " + std::strerror(errno)}; }

void set_int(int fd, int level, int name, int value) { setsockopt(fd, level, name, &value, sizeof value); }

// The privileged form goes beyond net.core.rmem_max; without the privilege the plain one gets what is allowed.
void set_buffer(int fd, int forced, int plain, int bytes) {
  if (bytes > 0 && setsockopt(fd, SOL_SOCKET, forced, &bytes, sizeof bytes) != 0) set_int(fd, SOL_SOCKET, plain, bytes);
}

bool is_icmp(int error) {
  return error == ECONNREFUSED || error == EHOSTUNREACH || error == ENETUNREACH || error == EHOSTDOWN ||
         error == EPROTO || error == ENOPROTOOPT;
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

bool operator==(const Address &a, const Address &b) {
  if (a.family() != b.family() || a.port() != b.port()) return false;
  if (a.family() == AF_INET) return a.storage_.v4.sin_addr.s_addr == b.storage_.v4.sin_addr.s_addr;
  return std::memcmp(&a.storage_.v6.sin6_addr, &b.storage_.v6.sin6_addr, sizeof(in6_addr)) == 0;
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

BatchSender::BatchSender(int fd) : fd_(fd) {
  messages_.reserve(kBatch);
  parts_.reserve(4 * kBatch);
  outcomes_.reserve(kBatch);
}

void BatchSender::add(const Address &to, std::span<const iovec> parts) {
  if (flushed_) {
    messages_.clear();
    parts_.clear();
    flushed_ = false;
  }
  mmsghdr message{};
  message.msg_hdr.msg_name = const_cast<sockaddr *>(to.get());  // sendmmsg only reads it
  message.msg_hdr.msg_namelen = to.size();
  message.msg_hdr.msg_iovlen = parts.size();
  messages_.push_back(message);
  parts_.insert(parts_.end(), parts.begin(), parts.end());
}

std::span<const int> BatchSender::flush() {
  outcomes_.assign(flushed_ ? 0 : messages_.size(), 0);
  iovec *part = parts_.data();  // only now do the parts stay where they are
  for (auto &message : messages_) {
    message.msg_hdr.msg_iov = part;
    part += message.msg_hdr.msg_iovlen;
  }
  std::size_t at = 0;
  int retries = 0;
  while (at < outcomes_.size()) {
    const int sent = sendmmsg(fd_, messages_.data() + at, static_cast<unsigned>(outcomes_.size() - at), MSG_DONTWAIT);
    ++syscalls_;
    if (sent > 0) {
      at += static_cast<std::size_t>(sent);
      retries = 0;
      // Stopped half way: the kernel has used up and forgotten the error that stopped it.
      if (at < outcomes_.size()) read_error_queue();
      continue;
    }
    const int error = errno;
    if (error == EINTR) continue;
    if (is_icmp(error)) {
      // The queue empty means the error is this datagram's own (no route); otherwise it is old news.
      const std::size_t known = refusals_.size();
      read_error_queue();
      if ((refusals_.size() > known || known == kMaxRefusals) && ++retries <= 8) continue;
    }
    outcomes_[at++] = error;
    retries = 0;
  }
  flushed_ = true;
  return outcomes_;
}

std::vector<BatchSender::Refusal> BatchSender::collect_refusals() {
  read_error_queue();
  return std::exchange(refusals_, {});
}

void BatchSender::read_error_queue() {
  for (;;) {
    sockaddr_in6 name{};
    alignas(cmsghdr) char control[256];
    msghdr message{};
    message.msg_name = &name;
    message.msg_namelen = sizeof name;
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    if (recvmsg(fd_, &message, MSG_ERRQUEUE | MSG_DONTWAIT) < 0) return;
    for (cmsghdr *c = CMSG_FIRSTHDR(&message); c; c = CMSG_NXTHDR(&message, c)) {
      const bool v4 = c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_RECVERR;
      const bool v6 = c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_RECVERR;
      if (!v4 && !v6) continue;
      sock_extended_err error{};
      std::memcpy(&error, CMSG_DATA(c), sizeof error);
      if (refusals_.size() < kMaxRefusals) {
        refusals_.push_back(
            {Address(reinterpret_cast<sockaddr *>(&name), message.msg_namelen), static_cast<int>(error.ee_errno)});
      }
    }
  }
}

BatchReceiver::BatchReceiver(int fd)
    : fd_(fd),
      buffers_(kBatch * kDatagram),
      control_(kBatch * kControl),
      names_(kBatch),
      parts_(kBatch),
      messages_(kBatch) {
  for (std::size_t i = 0; i < kBatch; ++i) {
    parts_[i] = {buffers_.data() + i * kDatagram, kDatagram};
    msghdr &header = messages_[i].msg_hdr;
    header.msg_iov = &parts_[i];
    header.msg_iovlen = 1;
    header.msg_name = &names_[i];
    header.msg_control = control_.data() + i * kControl;
  }
  received_.reserve(kBatch);
}

std::span<const Received> BatchReceiver::receive() {
  received_.clear();
  for (auto &message : messages_) {
    message.msg_hdr.msg_namelen = sizeof(sockaddr_in6);
    message.msg_hdr.msg_controllen = kControl;
  }
  int count = 0;
  // A pending ICMP error is reported once in place of data; the data behind it is wanted.
  for (int attempt = 0; attempt < 8; ++attempt) {
    count = recvmmsg(fd_, messages_.data(), kBatch, MSG_DONTWAIT, nullptr);
    if (count >= 0 || errno == EAGAIN) break;
    if (errno != EINTR) ++errors_[errno];
  }
  for (int i = 0; i < count; ++i) {
    const auto index = static_cast<std::size_t>(i);
    msghdr &header = messages_[index].msg_hdr;
    Received datagram;
    datagram.bytes = {buffers_.data() + index * kDatagram, std::min<std::size_t>(messages_[index].msg_len, kDatagram)};
    datagram.from = Address(reinterpret_cast<sockaddr *>(&names_[index]), header.msg_namelen);
    datagram.truncated = header.msg_flags & MSG_TRUNC;
    for (cmsghdr *c = CMSG_FIRSTHDR(&header); c; c = CMSG_NXTHDR(&header, c)) {
      if (c->cmsg_level != SOL_SOCKET) continue;
      if (c->cmsg_type == SCM_TIMESTAMPNS) {
        timespec at{};
        std::memcpy(&at, CMSG_DATA(c), sizeof at);
        datagram.at = Instant{Nanos(at.tv_sec * 1'000'000'000 + at.tv_nsec)};
      } else if (c->cmsg_type == SO_RXQ_OVFL) {
        std::uint32_t drops = 0;  // a running 32-bit count
        std::memcpy(&drops, CMSG_DATA(c), sizeof drops);
        kernel_drops_ += static_cast<std::uint32_t>(drops - static_cast<std::uint32_t>(kernel_drops_));
      }
    }
    if (datagram.at == Instant{}) datagram.at = wall_clock();
    received_.push_back(datagram);
  }
  return received_;
}

Instant wall_clock() {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  return Instant{Nanos(now.tv_sec * 1'000'000'000 + now.tv_nsec)};
}

}  // namespace avc::runtime
