// What the sinks on one socket have to send: what leaves next, and what is parked until its time. Everything here is
// under the socket's lock.
//
// Packets come as buffers, as lists, and as frames of our own elements (elements/support/rtp_frame.hpp), whose packets
// say when they are due: what a delaying element decided is carried out here, straight from the wheel into the batch.
// Lists of a sink that paces are spread here too. Nothing is allocated per packet.
#pragma once

#include <gst/gst.h>

#include <array>
#include <memory>
#include <optional>
#include <span>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/net/due_wheel.hpp"
#include "core/runtime/batch_sender.hpp"
#include "elements/support/rtp_frame.hpp"
#include "elements/udpsink/outlet.hpp"

namespace avc::udpsink {

// A sink on a socket: what is looked up once and not for every packet. Its fields are under the socket's lock but for
// those that never change.
struct Path {
  std::shared_ptr<Outlet> outlet;
  std::shared_ptr<const Target> target;
  Instant base_time{};  // of the sink's running time, on the context's clock
  Nanos spread{};       // over which the packets of a list are paced
  using KeepsTimes = bool (*)(const runtime::Address &);
  KeepsTimes keeps_times = nullptr;
  bool by_kernel = false;  // which is told when they leave, and keeps it; else they are parked

  struct Numbers {  // the sender's, for an end's addresses
    std::uint32_t rtp, rtcp;
  };
  Numbers end;  // the first, which mostly is the only one
  std::vector<Numbers> others;
  runtime::BatchSender::Lane lane;
  std::array<std::uint32_t, 4> known_ssrcs{};  // whose reports are the outlet's already
  std::size_t known = 0;
  int type_of_service = -1;  // of the last packet
  std::size_t parked = 0;
  Instant last_paced{};  // what is parked for pacing must not be overtaken; counts while something is parked, or leaves
                         // later
  bool open = true;      // else nothing is taken
  bool tell = false;     // the outlet wants to know when nothing is parked

  struct Parked {
    std::uint32_t held, packet;  // which push, which of its packets
  };
  std::vector<std::pair<Instant, Parked>> kept;  // parked while paused; the times are running times
};

// Whose reports are whose.
struct Watched {
  std::unordered_map<std::uint32_t, std::weak_ptr<Outlet>> by_ssrc;
};

class Batch {
 public:
  struct Options {
    bool offload = true;
    int dscp = -1;  // of the socket, where it was given one
  };
  Batch(int fd, Options options, Guarded<Watched> &watched)
      : dscp_(options.dscp), sender_(fd, {.offload = options.offload}), watched_(watched) {}

  std::shared_ptr<Path> path(std::shared_ptr<Outlet> outlet, std::shared_ptr<const Target> target);
  void aim(Path &path, std::shared_ptr<const Target> target);  // what is parked goes there too
  // What comes for a path that is closed or paused is dropped and counted.
  // `now` is asked for only if something may have to wait.
  template <class Now>
  void add(std::shared_ptr<Path> path, GstBuffer *buffer, Now now);
  template <class Now>
  void add(std::shared_ptr<Path> path, GstBufferList *list, Now now);

  std::optional<Instant> next_due() const { return wheel_.next_due(); }
  // Puts what is due into the batch; late(how much, how many) is told of packets that are due within kTogether.
  template <class Late>
  void take_due(Instant now, Late late);

  void flush();
  std::size_t close(Path &path);  // what is parked goes nowhere: how many packets that are
  void pause(Path &path);         // what is parked keeps its running times
  void resume(Path &path, Instant base_time);
  std::vector<std::shared_ptr<Outlet>> take_drained() { return std::exchange(drained_, {}); }
  const runtime::BatchSender &sender() const { return sender_; }
  runtime::BatchSender &sender() { return sender_; }

 private:
  static constexpr std::size_t kMaxMemories = 16;                    // GstBuffer joins more than that
  static constexpr Nanos kTogether = std::chrono::microseconds(10);  // whose lateness is counted as the latest's

  struct Held {  // a push that is not done with
    std::shared_ptr<Path> path;
    Ptr<GstMiniObject> media;
    FramePacket *packets = nullptr;  // of a frame, as is what follows
    std::uint32_t frame_packets = 0, header_bytes = 0;
    int type_of_service = -1;
    bool is_list = false;
    std::uint32_t left = 0;  // packets parked
  };
  using Parked = Path::Parked;
  struct Datagram {
    Path *path;
    std::uint32_t bytes;
    bool rtcp;
  };
  struct Read {  // a packet as the sender wants it
    std::array<iovec, kMaxMemories> parts;
    std::size_t count = 0, bytes = 0, front_bytes = 0;
    std::array<std::uint8_t, 12> front;
  };

  std::uint32_t hold(std::shared_ptr<Path> path, GstMiniObject *media);
  void hold_frame(Held &held, RtpFrame &frame, GstBuffer *buffer);
  void done_with(std::uint32_t held) { done_.push_back(held); }
  void park(std::uint32_t held, std::uint32_t packet, Instant due);
  void unpark(const Path &path);  // into due_
  void release(std::uint32_t held);
  static std::uint64_t monotonic_now();
  template <class Now>
  bool behind_paced(const Path &path, Now now) const {
    return path.by_kernel ? path.last_paced > now() : path.parked > 0;
  }
  template <class Now>
  void spread(std::uint32_t held, std::uint32_t count, Now now);
  // `leave_at`: on the monotonic clock, for the kernel to keep; 0: with the batch.
  void add_packet(const Held &held, std::uint32_t packet, std::uint64_t leave_at = 0);
  void add_frame_packet(const Held &held, std::uint32_t packet, std::uint64_t leave_at = 0);
  void add_buffer(Path &path, GstBuffer *buffer, std::uint64_t leave_at = 0);
  int type_of_service_of(GstBuffer *buffer) const;
  struct Marks {
    bool rtcp = false;
    int type_of_service = -1;
    std::uint64_t leave_at = 0;
  };
  void add_datagram(Path &path, std::span<const iovec> parts, std::size_t bytes, const Marks &marks);
  void read(GstBuffer *buffer, Read &out);
  void note_ssrc(Path &path, std::uint32_t ssrc);
  void send_now();
  void account(std::span<const int> outcomes);
  void arrived(Path &path);  // one parked packet less

  const int dscp_;
  runtime::BatchSender sender_;
  std::vector<Datagram> datagrams_;
  std::vector<Held> held_;
  std::vector<std::uint32_t> free_, done_;         // of held_; done_ until the batch has left
  std::vector<std::vector<std::uint8_t>> copies_;  // of memory that cannot be read by address later
  net::DueWheel<Parked> wheel_;
  std::vector<net::DueWheel<Parked>::Entry> due_;
  std::vector<std::shared_ptr<Outlet>> drained_;
  Guarded<Watched> &watched_;
};

template <class Now>
void Batch::spread(std::uint32_t held, std::uint32_t count, Now now) {
  Path &path = *held_[held].path;
  const Instant begin = now(), latest = begin + path.spread;
  const std::uint64_t monotonic = path.by_kernel ? monotonic_now() : 0;
  const FramePacket *packets = held_[held].packets;
  for (std::uint32_t i = 0; i < count; ++i) {
    if (packets && !packets[i].send) continue;
    Instant due = begin + path.spread * i / count;
    if (behind_paced(path, [begin] { return begin; }))
      due = std::min(std::max(due, path.last_paced), std::max(latest, path.last_paced));
    if (due <= begin && path.parked == 0) {
      add_packet(held_[held], i);
      continue;
    }
    path.last_paced = due;
    if (path.by_kernel) {
      add_packet(held_[held], i, monotonic + static_cast<std::uint64_t>((due - begin).count()));
    } else {
      park(held, i, due);
    }
  }
}

template <class Now>
void Batch::add(std::shared_ptr<Path> path, GstBuffer *buffer, Now now) {
  Path &to = *path;
  RtpFrame *frame = frame_of(buffer);
  if (!to.open) {
    to.outlet->dropped += frame ? frame->count : 1;
    return;
  }
  const std::uint32_t held = hold(std::move(path), GST_MINI_OBJECT_CAST(buffer));
  if (frame) hold_frame(held_[held], *frame, buffer);
  const bool paced = to.spread > Nanos{} && ((frame && frame->count > 1) || behind_paced(to, now));
  if (!frame && !paced) {
    add_buffer(to, buffer);
  } else if (!frame) {
    spread(held, 1, now);
  } else if (paced && (frame->packets[0].due == Instant{Nanos::min()} ||
                       (frame->count == 1 && to.base_time + frame->packets[0].due.since_origin <= now()))) {
    spread(held, frame->count, now);
  } else {
    std::optional<Instant> at;
    for (std::uint32_t i = 0; i < frame->count; ++i) {
      const FramePacket &packet = frame->packets[i];
      if (!packet.send) continue;
      if (packet.due == Instant{Nanos::min()}) {
        add_frame_packet(held_[held], i);
        continue;
      }
      const Instant due = to.base_time + packet.due.since_origin;
      if (!at) at = now();
      if (due <= *at) {
        add_frame_packet(held_[held], i);
      } else {
        park(held, i, due);
      }
    }
  }
  if (held_[held].left == 0) done_with(held);
}

template <class Now>
void Batch::add(std::shared_ptr<Path> path, GstBufferList *list, Now now) {
  Path &to = *path;
  const guint length = gst_buffer_list_length(list);
  if (!to.open) {
    to.outlet->dropped += length;
    return;
  }
  const std::uint32_t held = hold(std::move(path), GST_MINI_OBJECT_CAST(list));
  held_[held].is_list = true;
  if (to.spread > Nanos{} && (length > 1 || behind_paced(to, now))) {
    spread(held, length, now);
  } else {
    for (guint i = 0; i < length; ++i) add_buffer(to, gst_buffer_list_get(list, i));
  }
  if (held_[held].left == 0) done_with(held);
}

template <class Late>
void Batch::take_due(Instant now, Late late) {
  due_.clear();
  wheel_.take_due(now, due_);
  std::size_t first = 0;
  constexpr std::size_t kAhead = 16;  // what is going to be read lies anywhere: fetched while others are added
  for (std::size_t i = 0; i < due_.size(); ++i) {
    if (i + kAhead < due_.size()) __builtin_prefetch(&held_[due_[i + kAhead].item.held]);
    if (i + kAhead / 2 < due_.size()) {
      const Held &soon = held_[due_[i + kAhead / 2].item.held];
      __builtin_prefetch(soon.path.get());
      if (soon.packets) __builtin_prefetch(&soon.packets[due_[i + kAhead / 2].item.packet]);
    }
    const auto [held, packet] = due_[i].item;
    if (due_[i].due - due_[first].due > kTogether) {
      late(now - due_[first].due, i - first);
      first = i;
    }
    add_packet(held_[held], packet);
    arrived(*held_[held].path);
    release(held);
  }
  if (first < due_.size()) late(now - due_[first].due, due_.size() - first);
}

}  // namespace avc::udpsink
