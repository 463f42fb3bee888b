// The least a program can do to send the load: no elements, no buffers, no statistics, one connected socket. What
// measurements of ours are divided by.
//
// Two ways: `frames`, one UDP_SEGMENT message per frame and one per audio packet; and `coalesced`, full packets of all
// participants in messages of as many as fit, all others by size: equal ones together, with a shorter one at their end,
// which puts the ends of frames in twos. Both go with one sendmmsg a turn (as many as needed beyond 1024 messages).
#pragma once

#include <linux/udp.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <functional>

#include "tests/bench/load.hpp"

namespace avc::bench {

class BareGso {
 public:
  enum class Way { frames, coalesced };

  BareGso(int fd, Way way) : fd_(fd), way_(way) {}  // connected

  // Payloads stay where they are; headers are copied.
  void add(std::span<const Packet> packets) {
    for (const Packet &packet : packets) {
      headers_.push_back(packet.header);
      entries_.push_back({packet.payload, static_cast<std::uint32_t>(packet.payload_bytes)});
    }
    if (way_ == Way::frames) {
      groups_.push_back(static_cast<std::uint32_t>(entries_.size()));
      return;
    }
    const auto first = static_cast<std::uint32_t>(entries_.size() - packets.size());
    for (std::uint32_t i = 0; i < packets.size(); ++i) {
      auto &list = entries_[first + i].bytes == kFull ? full_ : packets.size() == 1 ? audio_ : ends_;
      list.push_back(first + i);
    }
  }

  void send() {
    messages_.clear();
    vectors_.clear();
    if (way_ == Way::frames) {
      std::uint32_t at = 0;
      for (const std::uint32_t end : groups_) {
        begin();
        for (; at < end; ++at) put(at);
      }
    } else {
      together(full_, 65507 / (kHeader + kFull));
      together_by_size(ends_);
      together_by_size(audio_);
    }
    transmit();
    for (auto *list : {&full_, &ends_, &audio_, &groups_}) list->clear();
    sent += entries_.size();
    headers_.clear();
    entries_.clear();
  }

  std::uint64_t sent = 0, failed = 0, messages_sent = 0;

 private:
  struct Entry {
    const std::uint8_t *payload;
    std::uint32_t bytes;
  };
  struct Message {
    std::uint32_t first, parts;
  };

  void begin() { messages_.push_back({static_cast<std::uint32_t>(vectors_.size()), 0}); }
  void put(std::uint32_t i) {
    vectors_.push_back({headers_[i].data(), kHeader});
    vectors_.push_back({const_cast<std::uint8_t *>(entries_[i].payload), entries_[i].bytes});
    messages_.back().parts += 2;
  }
  void together(const std::vector<std::uint32_t> &list, std::size_t most) {
    for (std::size_t at = 0; at < list.size(); ++at) {
      if (at % most == 0) begin();
      put(list[at]);
    }
  }

  // Segments of a message are of one size; only the last may be shorter.
  void together_by_size(std::vector<std::uint32_t> &list) {
    std::ranges::sort(list, std::greater(), [&](auto i) { return entries_[i].bytes; });
    std::size_t segments = 64;
    std::uint32_t size = 0;
    for (const auto i : list) {
      if (segments == 64 || (segments + 1) * (kHeader + size) > 65507) {
        begin();
        segments = 0;
        size = entries_[i].bytes;
      }
      put(i);
      segments = entries_[i].bytes < size ? 64 : segments + 1;
    }
  }

  void transmit() {
    calls_.assign(messages_.size(), {});
    controls_.resize(messages_.size());
    for (std::size_t i = 0; i < messages_.size(); ++i) {
      msghdr &header = calls_[i].msg_hdr;
      header.msg_iov = vectors_.data() + messages_[i].first;
      header.msg_iovlen = messages_[i].parts;
      if (messages_[i].parts == 2) continue;
      header.msg_control = controls_[i].bytes;
      header.msg_controllen = sizeof controls_[i].bytes;
      cmsghdr *control = CMSG_FIRSTHDR(&header);
      control->cmsg_level = IPPROTO_UDP;
      control->cmsg_type = UDP_SEGMENT;
      control->cmsg_len = CMSG_LEN(sizeof(std::uint16_t));
      const auto segment = static_cast<std::uint16_t>(header.msg_iov[0].iov_len + header.msg_iov[1].iov_len);
      std::memcpy(CMSG_DATA(control), &segment, sizeof segment);
    }
    for (std::size_t at = 0; at < calls_.size();) {
      const int n = sendmmsg(fd_, calls_.data() + at,
                             static_cast<unsigned>(std::min<std::size_t>(calls_.size() - at, 1024)), MSG_DONTWAIT);
      if (n > 0) {
        at += static_cast<std::size_t>(n);
        messages_sent += static_cast<std::uint64_t>(n);
      } else if (errno != EINTR) {
        failed += calls_[at++].msg_hdr.msg_iovlen / 2;
      }
    }
  }

  struct Control {
    alignas(cmsghdr) char bytes[CMSG_SPACE(sizeof(std::uint16_t))];
  };
  int fd_;
  Way way_;
  std::vector<std::array<std::uint8_t, kHeader>> headers_;
  std::vector<Entry> entries_;
  std::vector<std::uint32_t> full_, ends_, audio_, groups_;
  std::vector<Message> messages_;
  std::vector<iovec> vectors_;
  std::vector<mmsghdr> calls_;
  std::vector<Control> controls_;
};

}  // namespace avc::bench
