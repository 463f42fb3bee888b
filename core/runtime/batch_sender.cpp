#include "core/runtime/batch_sender.hpp"

#include <linux/errqueue.h>
#include <linux/udp.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace avc::runtime {
namespace {

constexpr std::size_t kMaxRefusals = 64;
constexpr std::size_t kMaxMessages = 1024;    // the kernel takes no more in one call
constexpr std::size_t kWorthConnecting = 16;  // datagrams of a batch: connecting costs as much as some messages
constexpr unsigned kSlotBits = 12;            // twice the buckets a batch can have
static_assert((std::size_t{1} << kSlotBits) >= 2 * BatchSender::kBatch);
// Every path of IPv6 takes packets of 1280 bytes: what is refused at this size is not refused for its size.
constexpr std::uint32_t kAlwaysFits = 1280 - 40 - 8;

bool is_icmp(int error) {
  return error == ECONNREFUSED || error == EHOSTUNREACH || error == ENETUNREACH || error == EHOSTDOWN ||
         error == EPROTO || error == ENOPROTOOPT;
}

// Kernels that do not know the option would send a whole message as one datagram.
bool knows_segments(int fd) {
  int size = 0;
  socklen_t length = sizeof size;
  return getsockopt(fd, IPPROTO_UDP, UDP_SEGMENT, &size, &length) == 0;
}

std::size_t slot_of(std::uint64_t key) { return (key * 0x9e3779b97f4a7c15u) >> (64 - kSlotBits); }

// Behind those that are there already.
template <class Value>
void add_control(msghdr &header, int level, int type, Value value) {
  auto *control = reinterpret_cast<cmsghdr *>(static_cast<char *>(header.msg_control) + header.msg_controllen);
  control->cmsg_level = level;
  control->cmsg_type = type;
  control->cmsg_len = CMSG_LEN(sizeof value);
  std::memcpy(CMSG_DATA(control), &value, sizeof value);
  header.msg_controllen += CMSG_SPACE(sizeof value);
}

}  // namespace

BatchSender::BatchSender(int fd, Options options)
    : fd_(fd),
      send_(options.send),
      shortcut_(options.shortcut),
      largest_(options.offload && knows_segments(fd) ? static_cast<std::uint32_t>(kMaxBytes) : 0),
      slots_(std::size_t{1} << kSlotBits) {}

std::uint32_t BatchSender::destination(const Address &to, int type_of_service) {
  const auto [place, fresh] = numbers_.try_emplace({to, type_of_service}, static_cast<std::uint32_t>(targets_.size()));
  if (fresh) targets_.push_back(&place->first);
  return place->second;
}

void BatchSender::begin_batch() {
  items_.clear();
  times_.clear();
  parts_.clear();
  for (const Bucket &bucket : buckets_) slots_[bucket.slot] = 0;
  buckets_.clear();
  ++batch_;
  flushed_ = false;
}

std::uint32_t BatchSender::bucket_for(std::uint64_t key) {
  if (!buckets_.empty() && buckets_.back().key == key) return static_cast<std::uint32_t>(buckets_.size() - 1);
  std::size_t slot = slot_of(key);
  for (; slots_[slot] != 0; slot = (slot + 1) % slots_.size()) {
    if (buckets_[slots_[slot] - 1].key == key) return slots_[slot] - 1;
  }
  const auto none = static_cast<std::uint32_t>(items_.size());
  buckets_.push_back({key, none, none, static_cast<std::uint32_t>(slot)});
  slots_[slot] = static_cast<std::uint32_t>(buckets_.size());
  return slots_[slot] - 1;
}

void BatchSender::add(std::uint32_t destination, Lane &lane, std::span<const iovec> parts, std::uint64_t leave_at) {
  if (flushed_) begin_batch();
  std::size_t bytes = 0;
  for (const iovec &part : parts) bytes += part.iov_len;
  const auto size = static_cast<std::uint16_t>(std::min<std::size_t>(bytes, 0xffff));  // none longer can be sent
  if (lane.batch_ != batch_) {
    lane.batch_ = batch_;
    lane.phase_ = 0;
  } else if (size > lane.bytes_ || leave_at != 0 || lane.timed_) {
    ++lane.phase_;
  }
  lane.bytes_ = size;
  lane.timed_ = leave_at != 0;
  const std::uint64_t key =
      std::uint64_t{destination} << 32 | std::uint64_t{lane.phase_ & 0xffff} << 16 | (0xffffU - size);
  const auto number = static_cast<std::uint32_t>(items_.size());
  Bucket &bucket = buckets_[bucket_for(key)];
  if (bucket.head != number) items_[bucket.tail].next = number;
  bucket.tail = number;
  items_.push_back({number, static_cast<std::uint32_t>(parts_.size()), size, static_cast<std::uint16_t>(parts.size())});
  for (const iovec &part : parts) parts_.push_back(part);
  if (leave_at == 0) return;
  times_.resize(items_.size());
  times_.back() = leave_at;
}

// By destination, then phase, then size.
void BatchSender::order() {
  bucket_order_.resize(buckets_.size());
  for (std::uint32_t i = 0; i < bucket_order_.size(); ++i) bucket_order_[i] = i;
  std::ranges::sort(bucket_order_, {}, [&](std::uint32_t i) { return buckets_[i].key; });
  sequence_.clear();
  for (const std::uint32_t i : bucket_order_) {
    const Bucket &bucket = buckets_[i];
    const auto destination = static_cast<std::uint32_t>(bucket.key >> 32);
    for (std::uint32_t item = bucket.head;; item = items_[item].next) {
      sequence_.push_back({item, destination});
      if (item == bucket.tail) break;
    }
  }
}

bool BatchSender::append(Message &message, std::uint32_t number) const {
  const Item &item = items_[number];
  if (message.closed || time_of(number) != 0 || item.bytes > message.segment || message.segment > largest_ ||
      item.bytes == 0 || message.count == kMaxSegments || message.bytes + item.bytes > kMaxBytes ||
      message.parts + item.parts > kMaxParts) {
    return false;
  }
  ++message.count;
  message.bytes += item.bytes;
  message.parts += item.parts;
  message.closed = item.bytes < message.segment;
  return true;
}

// Nothing changes while the batch has something for the destination that it leads to.
void BatchSender::choose_shortcut() {
  if (!shortcut_) return;
  std::size_t longest = 0;
  std::uint32_t wanted = kNowhere;
  for (std::size_t at = 0, next = 0; at < sequence_.size(); at = next) {
    const std::uint32_t destination = sequence_[at].destination;
    const auto other = [&](const Place &place) { return place.destination != destination; };
    next = static_cast<std::size_t>(
        std::find_if(sequence_.begin() + static_cast<std::ptrdiff_t>(at), sequence_.end(), other) - sequence_.begin());
    if (is_short(destination)) return;
    if (targets_[destination]->second >= 0 || next - at <= longest) continue;
    longest = next - at;
    wanted = destination;
  }
  if (longest < kWorthConnecting) return;
  shortcut_to_ = shortcut_->lead_to(targets_[wanted]->first) ? wanted : kNowhere;
  if (shortcut_to_ == kNowhere) shortcut_ = nullptr;
}

// Messages of everything from the place `from` on.
void BatchSender::plan(std::size_t from) {
  messages_.clear();
  if (vectors_.size() < parts_.size()) vectors_.resize(parts_.size());
  iovec *end = vectors_.data();
  for (std::size_t at = from; at < sequence_.size(); ++at) {
    const auto [number, destination] = sequence_[at];
    const Item &item = items_[number];
    // Mostly a header and a payload: too little for a call of memmove.
    const iovec *part = &parts_[item.first_part];
    *end++ = part[0];
    if (item.parts > 1) *end++ = part[1];
    if (item.parts > 2) end = std::copy_n(part + 2, item.parts - 2, end);
    if (at > from && messages_.back().destination == destination && append(messages_.back(), number)) continue;
    messages_.push_back(
        {static_cast<std::uint32_t>(at), 1, item.parts, item.bytes, item.bytes, destination, time_of(number) != 0});
  }
  headers_.assign(messages_.size(), {});
  controls_.resize(messages_.size());
  iovec *vector = vectors_.data();
  for (std::size_t i = 0; i < messages_.size(); ++i) {
    const Message &message = messages_[i];
    const auto &[to, type_of_service] = *targets_[message.destination];
    msghdr &header = headers_[i].msg_hdr;
    if (!is_short(message.destination)) {
      header.msg_name = const_cast<sockaddr *>(to.get());  // sendmmsg only reads it
      header.msg_namelen = to.size();
    }
    header.msg_iov = vector;
    header.msg_iovlen = message.parts;
    vector += message.parts;
    header.msg_control = controls_[i].bytes;
    if (message.count > 1) add_control(header, IPPROTO_UDP, UDP_SEGMENT, static_cast<std::uint16_t>(message.segment));
    if (type_of_service >= 0) {
      const bool v6 = to.family() == AF_INET6;
      add_control(header, v6 ? IPPROTO_IPV6 : IPPROTO_IP, v6 ? IPV6_TCLASS : IP_TOS, type_of_service);
    }
    if (const std::uint64_t at = time_of(sequence_[message.first].item))
      add_control(header, SOL_SOCKET, SCM_TXTIME, at);
    if (header.msg_controllen == 0) header.msg_control = nullptr;
  }
}

std::span<const int> BatchSender::flush() {
  if (flushed_) return {};
  outcomes_.assign(items_.size(), 0);
  order();
  choose_shortcut();
  for (std::size_t at = 0; at < sequence_.size();) {
    plan(at);
    at = send_planned();
  }
  flushed_ = true;
  return outcomes_;
}

// Sends what is planned. Answers the place from which on there has to be another plan: the end, or where the kernel
// would not cut a message.
std::size_t BatchSender::send_planned() {
  std::size_t at = 0;
  int retries = 0;
  while (at < messages_.size()) {
    const bool by_shortcut = is_short(messages_[at].destination);
    std::size_t together = at + 1;  // up to there by the same socket
    while (together < messages_.size() && is_short(messages_[together].destination) == by_shortcut) ++together;
    const auto count = static_cast<unsigned>(std::min(together - at, kMaxMessages));
    const int sent = send_(by_shortcut ? shortcut_->fd() : fd_, headers_.data() + at, count, MSG_DONTWAIT);
    ++counts_.syscalls;
    if (sent > 0) {
      doubt_.open = false;
      retries = 0;
      counts_.messages += static_cast<unsigned>(sent);
      for (const std::size_t end = at + static_cast<std::size_t>(sent); at < end; ++at) {
        if (messages_[at].count > 1) counts_.segments += messages_[at].count;
      }
      // Stopped half way: the kernel has used up and forgotten the error that stopped it.
      if (static_cast<unsigned>(sent) < count) read_error_queue();
      continue;
    }
    const int error = errno;
    if (error == EINTR || was_old_news(error, retries)) continue;
    const Message &message = messages_[at++];
    retries = 0;
    if (refuses_offload(message, error)) return message.first;
    for (std::uint32_t i = 0; i < message.count; ++i) outcomes_[sequence_[message.first + i].item] = error;
    if (!std::exchange(doubt_.open, false) || error != doubt_.error) continue;
    // It fails alone with the same error: cutting it was not what the kernel would not do.
    largest_ = doubt_.largest_before;
    return message.first + message.count;
  }
  return sequence_.size();
}

// Takes note that the kernel would not cut the message; false for errors that have nothing to do with that.
bool BatchSender::refuses_offload(const Message &message, int error) {
  if (message.count == 1) return false;
  const bool size = error == EINVAL || error == EMSGSIZE;
  if (!size && error != EIO && error != EOPNOTSUPP && error != ENOPROTOOPT) return false;
  ++counts_.refused;
  doubt_ = {true, error, largest_};
  largest_ = size && message.segment > kAlwaysFits ? message.segment - 1 : 0;
  return true;
}

// A pending error of ICMP's is reported in place of a datagram that has nothing to do with it, which is tried again.
// The error queue empty means the error is this datagram's own (no route).
bool BatchSender::was_old_news(int error, int &retries) {
  if (!is_icmp(error)) return false;
  const std::size_t known = refusals_.size();
  read_error_queue();
  return (refusals_.size() > known || known == kMaxRefusals) && ++retries <= 8;
}

std::vector<BatchSender::Refusal> BatchSender::collect_refusals() {
  read_error_queue();
  return std::exchange(refusals_, {});
}

void BatchSender::read_error_queue() {
  read_error_queue(fd_);
  if (shortcut_ && shortcut_->fd() >= 0) read_error_queue(shortcut_->fd());
}

void BatchSender::read_error_queue(int fd) {
  for (;;) {
    sockaddr_in6 name{};
    alignas(cmsghdr) char control[256];
    msghdr message{};
    message.msg_name = &name;
    message.msg_namelen = sizeof name;
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    if (recvmsg(fd, &message, MSG_ERRQUEUE | MSG_DONTWAIT) < 0) return;
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

}  // namespace avc::runtime
