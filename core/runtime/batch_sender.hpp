// Datagrams sent many at a time: sendmmsg of messages that the kernel cuts into datagrams itself (UDP_SEGMENT). What
// a datagram costs is mostly paid per message, so datagrams of different streams share messages.
//
// A message goes to one destination and holds datagrams of equal size, of which the last may be shorter. Coalescing
// keeps the order of each lane: a lane is in a *phase*, which ends when a datagram is larger than the one before it,
// and a batch leaves by phase, then by size, largest first. Within a phase a lane's sizes only fall, so nothing of it
// overtakes anything of it, while equal sizes of all lanes come together and every other message can end with one of
// the next smaller size.
//
// Where the kernel refuses UDP_SEGMENT (no support, a device without checksum offload, a path with a smaller MTU) the
// same datagrams leave one by one, from then on for that size and larger ones, or for all. Nothing here blocks.
//
// With a Shortcut the destination that a batch has most datagrams for is sent to without naming it, as long as batches
// have any for it. Only what goes to different destinations can thereby change places.
#pragma once

#include <sys/socket.h>
#include <sys/uio.h>

#include <cstdint>
#include <map>
#include <span>
#include <utility>
#include <vector>

#include "core/runtime/shortcut.hpp"
#include "core/runtime/udp_socket.hpp"

namespace avc::runtime {

class BatchSender {
 public:
  static constexpr std::size_t kBatch = 2048;                                           // datagrams
  static constexpr std::size_t kMaxSegments = 64, kMaxBytes = 65507, kMaxParts = 1024;  // of one message

  // The order to keep: whoever adds datagrams that must not overtake each other uses one lane for them.
  class Lane {
    friend class BatchSender;
    std::uint64_t batch_ = 0;
    std::uint32_t phase_ = 0;
    std::uint16_t bytes_ = 0;
    bool timed_ = false;
  };

  using SendCall = int (*)(int fd, mmsghdr *messages, unsigned count, int flags);
  struct Options {
    bool offload = true;
    SendCall send = ::sendmmsg;    // for tests that play the kernel
    Shortcut *shortcut = nullptr;  // borrowed; used from the first batch on that makes it worth while
  };

  explicit BatchSender(int fd) : BatchSender(fd, Options()) {}  // borrowed
  BatchSender(int fd, Options options);

  // A number for an address; the same one for the same address. Numbers are kept as long as the sender. With a type of
  // service (the byte of the IP header, ECN included) its datagrams have that one instead of the socket's; another
  // one is another destination, so a batch does not keep the order of a lane between them.
  std::uint32_t destination(const Address &to, int type_of_service = -1);
  // At least one part. The memory that they point to stays valid until flush() is over. A time (of the monotonic clock,
  // in nanoseconds) is told the kernel, which keeps it where times_are_kept_to() (egress.hpp); the socket has to have been
  // made ready for it. A datagram with a time shares no message.
  void add(std::uint32_t destination, Lane &lane, std::span<const iovec> parts, std::uint64_t leave_at = 0);
  std::size_t size() const { return flushed_ ? 0 : items_.size(); }
  bool full() const { return size() >= kBatch; }
  // 0 or the errno of each datagram, in the order added; valid until the next add().
  std::span<const int> flush();

  struct Counts {
    std::uint64_t syscalls = 0;
    std::uint64_t messages = 0;  // what the kernel was handed: one datagram, or many to be cut
    std::uint64_t segments = 0;  // datagrams that left in messages of several
    std::uint64_t refused = 0;   // messages that were not cut by the kernel but sent again one by one
  };
  const Counts &counts() const { return counts_; }
  bool offloads() const { return largest_ > 0; }  // UDP_SEGMENT is in use

  struct Refusal {
    Address destination;
    int error;
  };
  // Destinations that ICMP messages came about, since the last call (at most 64 of them are kept). Such errors are not
  // failed sends: the kernel reports them in place of a later datagram, which is then tried again.
  std::vector<Refusal> collect_refusals();

 private:
  struct Item {
    std::uint32_t next;  // in its bucket
    std::uint32_t first_part;
    std::uint32_t bytes;
    std::uint16_t parts;
  };
  struct Bucket {  // datagrams of one destination, phase and size, in the order added
    std::uint64_t key;
    std::uint32_t head, tail, slot;
  };
  struct Control {
    alignas(cmsghdr) char bytes[CMSG_SPACE(sizeof(std::uint16_t)) + CMSG_SPACE(sizeof(int)) +
                                CMSG_SPACE(sizeof(std::uint64_t))];
  };
  struct Message {
    std::uint32_t first, count, parts;  // in sequence_; memory parts
    std::uint32_t segment, bytes;       // size of the first datagram; of all
    std::uint32_t destination;
    bool closed;  // takes no more: ends with a shorter one, or has a time
  };

  void begin_batch();
  std::uint32_t bucket_for(std::uint64_t key);
  void order();
  void choose_shortcut();
  bool is_short(std::uint32_t destination) const { return destination == shortcut_to_; }
  void plan(std::size_t from);
  bool append(Message &message, std::uint32_t number) const;
  std::uint64_t time_of(std::uint32_t item) const { return item < times_.size() ? times_[item] : 0; }
  std::size_t send_planned();
  bool refuses_offload(const Message &message, int error);
  bool was_old_news(int error, int &retries);
  void read_error_queue();
  void read_error_queue(int fd);

  static constexpr std::uint32_t kNowhere = 0xffffffff;
  int fd_;
  SendCall send_;
  Shortcut *shortcut_;  // null: there is none, or the kernel would not have it
  std::uint32_t shortcut_to_ = kNowhere;
  std::uint32_t largest_;                  // segment size the kernel cuts; 0: none
  using Target = std::pair<Address, int>;  // and the type of service
  std::map<Target, std::uint32_t> numbers_;
  std::vector<const Target *> targets_;  // by number; keys of the map stay where they are

  std::uint64_t batch_ = 1;
  std::vector<Item> items_;
  std::vector<std::uint64_t> times_;  // of items, 0: none; empty as long as nobody has one
  std::vector<iovec> parts_;
  std::vector<Bucket> buckets_;
  std::vector<std::uint32_t> slots_;  // hash of key -> bucket + 1
  bool flushed_ = false;

  // Of the flush under way.
  struct Place {
    std::uint32_t item, destination;
  };
  std::vector<std::uint32_t> bucket_order_;
  std::vector<Place> sequence_;
  std::vector<Message> messages_;
  std::vector<mmsghdr> headers_;
  std::vector<Control> controls_;
  std::vector<iovec> vectors_;
  std::vector<int> outcomes_;
  // A message that the kernel did not cut, as long as it is not known whether it takes the first datagram on its own.
  struct Doubt {
    bool open = false;
    int error = 0;
    std::uint32_t largest_before = 0;
  } doubt_;

  std::vector<Refusal> refusals_;
  Counts counts_;
};

}  // namespace avc::runtime
