#include "core/runtime/batch_receiver.hpp"

#include <linux/sock_diag.h>
#include <linux/udp.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

namespace avc::runtime {
namespace {

constexpr std::size_t kControl = 128;  // room for a time, a drop counter and a segment size
constexpr std::size_t kMerged = 65536;

}  // namespace

BatchReceiver::BatchReceiver(int fd, Options options)
    : fd_(fd),
      kept_(options.datagram),
      control_(options.messages * kControl),
      names_(options.messages),
      parts_(options.messages),
      messages_(options.messages) {
  const int on = 1;
  offloads_ = options.offload && setsockopt(fd, IPPROTO_UDP, UDP_GRO, &on, sizeof on) == 0;
  if (offloads_) kept_ = kMerged;
  buffers_ = std::make_unique_for_overwrite<std::uint8_t[]>(options.messages * kept_);
  for (std::size_t i = 0; i < options.messages; ++i) {
    parts_[i] = {buffers_.get() + i * kept_, kept_};
    msghdr &header = messages_[i].msg_hdr;
    header.msg_iov = &parts_[i];
    header.msg_iovlen = 1;
    header.msg_name = &names_[i];
    header.msg_control = control_.data() + i * kControl;
  }
  received_.reserve(options.messages);
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
    count = recvmmsg(fd_, messages_.data(), static_cast<unsigned>(messages_.size()), MSG_DONTWAIT, nullptr);
    ++syscalls_;
    if (count >= 0 || errno == EAGAIN) break;
    if (errno != EINTR) ++errors_[errno];
  }
  for (int i = 0; i < count; ++i) {
    const auto index = static_cast<std::size_t>(i);
    msghdr &header = messages_[index].msg_hdr;
    Received &message = received_.emplace_back();
    message.bytes = {buffers_.get() + index * kept_, std::min<std::size_t>(messages_[index].msg_len, kept_)};
    message.segment = message.bytes.size();
    message.from = Address(reinterpret_cast<sockaddr *>(&names_[index]), header.msg_namelen);
    message.truncated = header.msg_flags & MSG_TRUNC;
    read_control(header, message);
    if (message.at == Instant{}) message.at = wall_clock();
  }
  return received_;
}

void BatchReceiver::read_control(msghdr &header, Received &message) {
  for (cmsghdr *c = CMSG_FIRSTHDR(&header); c; c = CMSG_NXTHDR(&header, c)) {
    if (c->cmsg_level == IPPROTO_UDP && c->cmsg_type == UDP_GRO) {
      int segment = 0;
      std::memcpy(&segment, CMSG_DATA(c), sizeof segment);
      if (segment > 0) message.segment = static_cast<std::size_t>(segment);
    } else if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_TIMESTAMPNS) {
      timespec at{};
      std::memcpy(&at, CMSG_DATA(c), sizeof at);
      message.at = Instant{Nanos(at.tv_sec * 1'000'000'000 + at.tv_nsec)};
    } else if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SO_RXQ_OVFL) {
      std::uint32_t drops = 0;
      std::memcpy(&drops, CMSG_DATA(c), sizeof drops);
      note_drops(drops);
    }
  }
}

// The kernel's is a running 32-bit count, read in two ways that may come in either order.
void BatchReceiver::note_drops(std::uint32_t drops) {
  const auto step = static_cast<std::int32_t>(drops - static_cast<std::uint32_t>(kernel_drops_));
  if (step > 0) kernel_drops_ += static_cast<std::uint32_t>(step);
}

std::uint64_t BatchReceiver::kernel_drops() {
  std::array<std::uint32_t, SK_MEMINFO_VARS> info{};
  socklen_t size = sizeof info;
  if (getsockopt(fd_, SOL_SOCKET, SO_MEMINFO, info.data(), &size) == 0 && size > SK_MEMINFO_DROPS * sizeof info[0])
    note_drops(info[SK_MEMINFO_DROPS]);
  return kernel_drops_;
}

}  // namespace avc::runtime
