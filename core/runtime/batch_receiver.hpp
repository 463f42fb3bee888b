// Datagrams received many at a time, with the kernel's arrival times and its count of what it had to drop: recvmmsg,
// SO_TIMESTAMPNS, SO_RXQ_OVFL, and messages of many datagrams where the kernel merges them (UDP_GRO). Nothing here
// blocks but poll() in its callers.
#pragma once

#include <sys/socket.h>
#include <sys/uio.h>

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "core/runtime/udp_socket.hpp"

namespace avc::runtime {

// One datagram, or several from one sender that the kernel merged: each `segment` bytes but the last.
struct Received {
  std::span<const std::uint8_t> bytes;
  std::size_t segment = 0;
  Address from;
  Instant at;              // wall clock, when the kernel took it in
  bool truncated = false;  // was longer than what was kept

  template <class Take>
  void each(Take take) const {
    std::span<const std::uint8_t> rest = bytes;
    for (; segment > 0 && rest.size() > segment; rest = rest.subspan(segment)) take(rest.first(segment));
    take(rest);
  }
  std::size_t datagrams() const { return segment > 0 ? (bytes.size() + segment - 1) / segment : 1; }
};

class BatchReceiver {
 public:
  struct Options {
    std::size_t messages = 64;    // received at once
    std::size_t datagram = 2048;  // bytes kept of each
    bool offload = false;         // take merged ones, where the kernel has UDP_GRO; then 64 KiB are kept of each
  };

  explicit BatchReceiver(int fd) : BatchReceiver(fd, Options()) {}  // borrowed
  BatchReceiver(int fd, Options options);

  // What is there, without waiting; the spans live until the next call. Empty when nothing is there.
  std::span<const Received> receive();
  bool offloads() const { return offloads_; }
  // What found the socket's buffer full, as the kernel counts: a merged message is one, however much is in it. Asked of
  // the kernel where it tells (SO_MEMINFO, the figure of /proc/net/udp), else as of the last datagram.
  std::uint64_t kernel_drops();
  std::uint64_t syscalls() const { return syscalls_; }
  const ErrnoCounts &errors() const { return errors_; }

 private:
  void read_control(msghdr &header, Received &message);
  void note_drops(std::uint32_t drops);

  int fd_;
  std::size_t kept_;
  bool offloads_ = false;
  std::vector<std::uint8_t> control_;
  std::unique_ptr<std::uint8_t[]> buffers_;  // not touched before the kernel does
  std::vector<sockaddr_in6> names_;
  std::vector<iovec> parts_;
  std::vector<mmsghdr> messages_;
  std::vector<Received> received_;
  std::uint64_t kernel_drops_ = 0, syscalls_ = 0;
  ErrnoCounts errors_;
};

}  // namespace avc::runtime
