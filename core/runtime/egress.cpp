#include "core/runtime/egress.hpp"

#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <functional>
#include <vector>

namespace avc::runtime {
namespace {

constexpr std::uint32_t kMajor = 0xffff0000;

// One question to the kernel's routing, with room for an attribute.
struct Question {
  nlmsghdr header{};
  std::array<std::uint8_t, 64> body{};

  template <class Message>
  Question(std::uint16_t type, std::uint16_t flags, const Message &message) {
    header.nlmsg_type = type;
    header.nlmsg_flags = static_cast<std::uint16_t>(NLM_F_REQUEST | flags);
    header.nlmsg_len = NLMSG_LENGTH(sizeof message);
    std::memcpy(body.data(), &message, sizeof message);
  }
  void add(std::uint16_t type, std::span<const std::uint8_t> value) {
    const rtattr attribute{static_cast<unsigned short>(RTA_LENGTH(value.size())), type};
    std::uint8_t *at = body.data() + header.nlmsg_len - NLMSG_HDRLEN;
    std::memcpy(at, &attribute, sizeof attribute);
    std::memcpy(at + RTA_LENGTH(0), value.data(), value.size());
    header.nlmsg_len += static_cast<std::uint32_t>(RTA_SPACE(value.size()));
  }
};

// Calls each(type, body) for every message of the answer.
void ask(const Question &question, const std::function<void(std::uint16_t, std::span<const std::uint8_t>)> &each) {
  const int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
  if (fd < 0) return;
  const timeval patience{1, 0};
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  bool more = send(fd, &question, question.header.nlmsg_len, 0) == static_cast<ssize_t>(question.header.nlmsg_len);
  alignas(nlmsghdr) std::array<std::uint8_t, 32768> answer;
  while (more) {
    const ssize_t size = recv(fd, answer.data(), answer.size(), 0);
    if (size <= 0) break;
    std::span<const std::uint8_t> rest(answer.data(), static_cast<std::size_t>(size));
    while (more && rest.size() >= sizeof(nlmsghdr)) {
      nlmsghdr header;
      std::memcpy(&header, rest.data(), sizeof header);
      if (header.nlmsg_len < sizeof header || header.nlmsg_len > rest.size()) break;
      more = header.nlmsg_type != NLMSG_DONE && header.nlmsg_type != NLMSG_ERROR;
      if (more) each(header.nlmsg_type, rest.subspan(NLMSG_HDRLEN, header.nlmsg_len - NLMSG_HDRLEN));
      more = more && (header.nlmsg_flags & NLM_F_MULTI) != 0;
      rest = rest.subspan(std::min<std::size_t>(NLMSG_ALIGN(header.nlmsg_len), rest.size()));
    }
  }
  close(fd);
}

// The value of an attribute behind a fixed part of `fixed` bytes; empty if there is none.
std::span<const std::uint8_t> attribute(std::span<const std::uint8_t> body, std::size_t fixed, std::uint16_t type) {
  for (auto rest = body.subspan(std::min<std::size_t>(NLMSG_ALIGN(fixed), body.size()));
       rest.size() >= sizeof(rtattr);) {
    rtattr found;
    std::memcpy(&found, rest.data(), sizeof found);
    if (found.rta_len < sizeof found || found.rta_len > rest.size()) return {};
    if (found.rta_type == type) return rest.subspan(RTA_LENGTH(0), found.rta_len - RTA_LENGTH(0));
    rest = rest.subspan(std::min<std::size_t>(RTA_ALIGN(found.rta_len), rest.size()));
  }
  return {};
}

int device_to(const Address &to) {
  rtmsg route{};
  route.rtm_family = static_cast<unsigned char>(to.family());
  const bool v6 = to.family() == AF_INET6;
  route.rtm_dst_len = v6 ? 128 : 32;
  const auto *bytes = reinterpret_cast<const std::uint8_t *>(to.get()) +
                      (v6 ? offsetof(sockaddr_in6, sin6_addr) : offsetof(sockaddr_in, sin_addr));
  Question question(RTM_GETROUTE, 0, route);
  question.add(RTA_DST, {bytes, v6 ? std::size_t{16} : std::size_t{4}});
  int device = 0;
  ask(question, [&](std::uint16_t type, std::span<const std::uint8_t> body) {
    const auto value = attribute(body, sizeof(rtmsg), RTA_OIF);
    if (type == RTM_NEWROUTE && value.size() == sizeof device) std::memcpy(&device, value.data(), sizeof device);
  });
  return device;
}

std::vector<Discipline> disciplines_of(int device) {
  std::vector<Discipline> found;
  ask(Question(RTM_GETQDISC, NLM_F_DUMP, tcmsg{}), [&](std::uint16_t type, std::span<const std::uint8_t> body) {
    tcmsg message;
    if (type != RTM_NEWQDISC || body.size() < sizeof message) return;
    std::memcpy(&message, body.data(), sizeof message);
    if (message.tcm_ifindex != device) return;
    const auto kind = attribute(body, sizeof message, TCA_KIND);
    const auto *text = reinterpret_cast<const char *>(kind.data());
    found.push_back({message.tcm_handle, message.tcm_parent, std::string(text, strnlen(text, kind.size()))});
  });
  return found;
}

}  // namespace

bool keep_times(std::span<const Discipline> of_device) {
  const auto root = std::ranges::find(of_device, TC_H_ROOT, &Discipline::parent);
  if (root == of_device.end()) return false;
  if (root->kind != "mq") return root->kind == "fq";
  std::size_t children = 0;
  for (const Discipline &each : of_device) {
    if (each.parent == TC_H_ROOT || (each.parent & kMajor) != (root->handle & kMajor)) continue;
    if (each.kind != "fq") return false;
    ++children;
  }
  return children > 0;
}

bool times_are_kept_to(const Address &to) {
  const int device = device_to(to);
  return device > 0 && keep_times(disciplines_of(device));
}

}  // namespace avc::runtime
