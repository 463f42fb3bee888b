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

#include "core/runtime/batch_sender.hpp"
#include "core/runtime/due_wheel.hpp"
#include "elements/support/rtp_frame.hpp"
#include "elements/udpsink/path.hpp"

namespace avc::udpsink {

// Whose reports are whose.
struct Watched {
  std::unordered_map<std::uint32_t, std::weak_ptr<Outlet>> by_ssrc;
};

class Batch {
 public:
  struct Options {
    bool offload = true;
    int dscp = -1;                          // of the socket, where it was given one
    runtime::Shortcut *shortcut = nullptr;  // borrowed
  };
  Batch(int fd, Options options, Guarded<Watched> &watched)
      : dscp_(options.dscp),
        sender_(fd, {.offload = options.offload, .shortcut = options.shortcut}),
        watched_(watched) {}

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

  // What a push is made of, until it has left. Of frames only their payloads' owner is kept, by one of these for all
  // that the same path got from the same owner.
  struct Held {
    std::shared_ptr<Path> path;
    std::shared_ptr<const void> owner;
    Ptr<GstMiniObject> media;  // a buffer, or a list
    int type_of_service = -1;
  };
  struct Datagram {
    Exit *exit;
    std::uint32_t bytes;
    bool rtcp;
  };
  struct Read {  // a packet as the sender wants it
    std::array<iovec, kMaxMemories> parts;
    std::size_t count = 0, bytes = 0, front_bytes = 0;
    std::array<std::uint8_t, 12> front;
  };

  std::uint32_t hold(Held held);
  std::uint32_t hold_owner(const std::shared_ptr<Path> &path, const RtpFrame &frame, int type_of_service);
  void done_with(std::uint32_t held);
  void done_if_none_is_parked(std::uint32_t held);
  void park_packet(Path &path, Instant due, std::uint32_t held, std::uint32_t packet);
  void park_packet(Path &path, Instant due, std::uint32_t held, const RtpFrame &frame, guint packet);
  void unpark(const Path &path);  // into due_
  void release(std::uint32_t held);
  static std::uint64_t monotonic_now();
  template <class Now>
  bool behind_paced(const Path &path, Now now) const {
    return path.by_kernel ? path.last_paced > now() : path.exit.parked > 0;
  }
  // Those of `count` packets of which goes(i): leave(i, when the kernel sends it) for those whose time is now, or that
  // the kernel keeps, and wait(i, until) for the others.
  template <class Now, class Goes, class Leave, class Wait>
  void spread(Path &path, std::uint32_t count, Now now, Goes goes, Leave leave, Wait wait);
  template <class Now>
  void add_frame(const std::shared_ptr<Path> &path, GstBuffer *buffer, const RtpFrame &frame, Now now);
  void note_ssrcs(Path &path, const RtpFrame &frame);
  // `leave_at`: on the monotonic clock, for the kernel to keep; 0: with the batch.
  void add_packet(Exit &exit, std::span<const std::uint8_t> header, std::span<const std::uint8_t> payload,
                  int type_of_service, std::uint64_t leave_at = 0);
  void add_buffer(Path &path, GstBuffer *buffer, std::uint64_t leave_at = 0);
  void add_parked(Exit &exit, const Parked &parked);
  int type_of_service_of(GstBuffer *buffer) const;
  struct Marks {
    bool rtcp = false;
    int type_of_service = -1;
    std::uint64_t leave_at = 0;
  };
  void add_datagram(Exit &exit, std::span<const iovec> parts, std::size_t bytes, const Marks &marks);
  void read(GstBuffer *buffer, Read &out);
  void note_ssrc(Path &path, std::uint32_t ssrc);
  void send_now();
  void account(std::span<const int> outcomes);
  void arrived(Exit &exit);  // one parked packet less

  const int dscp_;
  runtime::BatchSender sender_;
  std::shared_ptr<Exits> exits_ = std::make_shared<Exits>();
  std::vector<Datagram> datagrams_;
  std::vector<Held> held_;
  std::vector<std::uint32_t> left_;                // how many packets of each are parked
  std::vector<std::uint32_t> free_, done_;         // of held_; done_ until the batch has left
  std::vector<std::vector<std::uint8_t>> copies_;  // of memory that cannot be read by address later
  runtime::DueWheel<Parked> wheel_;
  std::vector<runtime::DueWheel<Parked>::Entry> due_;  // not sent, but taken out
  std::vector<std::shared_ptr<Outlet>> drained_;
  Guarded<Watched> &watched_;
};

template <class Now, class Goes, class Leave, class Wait>
void Batch::spread(Path &path, std::uint32_t count, Now now, Goes goes, Leave leave, Wait wait) {
  const Instant begin = now(), latest = begin + path.spread;
  const std::uint64_t monotonic = path.by_kernel ? monotonic_now() : 0;
  for (std::uint32_t i = 0; i < count; ++i) {
    if (!goes(i)) continue;
    Instant due = begin + path.spread * i / count;
    if (behind_paced(path, [begin] { return begin; }))
      due = std::min(std::max(due, path.last_paced), std::max(latest, path.last_paced));
    if (due <= begin && path.exit.parked == 0) {
      leave(i, 0);
      continue;
    }
    path.last_paced = due;
    if (path.by_kernel) {
      leave(i, monotonic + static_cast<std::uint64_t>((due - begin).count()));
    } else {
      wait(i, due);
    }
  }
}

template <class Now>
void Batch::add(std::shared_ptr<Path> path, GstBuffer *buffer, Now now) {
  const RtpFrame *frame = frame_of(buffer);
  if (!path->open) {
    path->outlet->dropped += frame ? frame->count : 1;
    return;
  }
  if (frame) return add_frame(path, buffer, *frame, now);
  Path &to = *path;
  const std::uint32_t held = hold({std::move(path), nullptr, share(GST_MINI_OBJECT_CAST(buffer))});
  if (to.spread > Nanos{} && behind_paced(to, now)) {
    spread(
        to, 1, now, [](auto) { return true; }, [&](auto, std::uint64_t at) { add_buffer(to, buffer, at); },
        [&](std::uint32_t i, Instant due) { park_packet(to, due, held, i); });
  } else {
    add_buffer(to, buffer);
  }
  done_if_none_is_parked(held);
}

// The packets that leave now are read from the buffer until the batch is sent; those that wait are copied out of it.
template <class Now>
void Batch::add_frame(const std::shared_ptr<Path> &path, GstBuffer *buffer, const RtpFrame &frame, Now now) {
  Path &to = *path;
  note_ssrcs(to, frame);
  const int type_of_service = type_of_service_of(buffer);
  const std::uint32_t held = hold_owner(path, frame, type_of_service);
  bool read = false;
  const auto goes = [&](std::uint32_t i) { return frame.packets[i].send; };
  const auto leave = [&](std::uint32_t i, std::uint64_t at) {
    add_packet(to.exit, frame.header(i), frame.payload(i), type_of_service, at);
    read = true;
  };
  const auto wait = [&](std::uint32_t i, Instant due) { park_packet(to, due, held, frame, i); };
  constexpr Instant kAtOnce{Nanos::min()};
  const Instant first = frame.packets[0].due;
  const bool paced = to.spread > Nanos{} && (frame.count > 1 || behind_paced(to, now));
  if (paced && (first == kAtOnce || (frame.count == 1 && to.base_time + first.since_origin <= now()))) {
    spread(to, frame.count, now, goes, leave, wait);
  } else {
    std::optional<Instant> at;
    const auto due_of = [&](guint i) { return to.base_time + frame.packets[i].due.since_origin; };
    constexpr guint kAhead = 6;
    for (guint i = 0; i < frame.count; ++i) {
      if (i + kAhead < frame.count) wheel_.expect(due_of(i + kAhead));
      if (!goes(i)) continue;
      const Instant due = due_of(i);
      const bool at_once = frame.packets[i].due == kAtOnce;
      if (!at_once && !at) at = now();
      if (at_once || due <= *at) {
        leave(i, 0);
      } else {
        wait(i, due);
      }
    }
  }
  runtime::flush_stores();
  if (read) done_with(hold({path, nullptr, share(GST_MINI_OBJECT_CAST(buffer))}));
  done_if_none_is_parked(held);
}

template <class Now>
void Batch::add(std::shared_ptr<Path> path, GstBufferList *list, Now now) {
  Path &to = *path;
  const guint length = gst_buffer_list_length(list);
  if (!to.open) {
    to.outlet->dropped += length;
    return;
  }
  const std::uint32_t held = hold({std::move(path), nullptr, share(GST_MINI_OBJECT_CAST(list))});
  const auto leave = [&](guint i, std::uint64_t at) { add_buffer(to, gst_buffer_list_get(list, i), at); };
  if (to.spread > Nanos{} && (length > 1 || behind_paced(to, now))) {
    spread(
        to, length, now, [](auto) { return true; }, leave,
        [&](std::uint32_t i, Instant due) { park_packet(to, due, held, i); });
  } else {
    for (guint i = 0; i < length; ++i) leave(i, 0);
  }
  done_if_none_is_parked(held);
}

template <class Late>
void Batch::take_due(Instant now, Late late) {
  const auto due = wheel_.take_due(now);
  std::size_t first = 0;
  constexpr std::size_t kAhead = 8;  // each leaves by another exit: fetched while others are added
  for (std::size_t i = 0; i < due.size(); ++i) {
    if (i + kAhead < due.size()) __builtin_prefetch(&(*exits_)[due[i + kAhead].item->exit], 1);
    if (due[i].due - due[first].due > kTogether) {
      late(now - due[first].due, i - first);
      first = i;
    }
    const Parked &parked = *due[i].item;
    Exit &exit = (*exits_)[parked.exit];
    add_parked(exit, parked);
    arrived(exit);
    release(parked.held);
  }
  if (first < due.size()) late(now - due[first].due, due.size() - first);
}

}  // namespace avc::udpsink
