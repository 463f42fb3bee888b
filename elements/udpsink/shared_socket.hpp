// One UDP socket and one batch for all avchaosudpsinks of a context that want the same kind of socket. Packets pushed
// on the context's thread are sent together when its turn is over, coalesced over sinks
// (core/runtime/batch_sender.hpp); those from other threads at once, a list at a time. What one sink sends to one place
// keeps its order. Nothing is allocated per packet.
//
// Reports that come back are read after sending, at most every few milliseconds: no thread waits for them.
//
// Locks: only batch_mutex_ is held while the kernel is called to send. Warnings and events leave with no lock held, but
// while reading_ is set: whoever they reach may ask for statistics, and then nothing is read.
#pragma once

#include <gio/gio.h>
#include <gst/gst.h>

#include <array>
#include <atomic>
#include <compare>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/runtime/batch_receiver.hpp"
#include "core/runtime/batch_sender.hpp"
#include "core/runtime/context.hpp"
#include "elements/udpsink/outlet.hpp"

namespace avc {
AVC_FREES(GSocket, g_object_unref)
}

namespace avc::udpsink {

// A sink on a socket: what is looked up once and not for every packet.
struct Path {
  std::shared_ptr<Outlet> outlet;
  std::shared_ptr<const Target> target;

  // Under the socket's lock.
  struct Numbers {  // the sender's, for an end's addresses
    std::uint32_t rtp, rtcp;
  };
  std::vector<Numbers> ends;
  runtime::BatchSender::Lane lane;
  std::array<std::uint32_t, 4> known_ssrcs{};  // whose reports are the outlet's already
  std::size_t known = 0;
  int type_of_service = -1;  // of the last packet
};

class SharedSocket final : public runtime::TurnEnd, public std::enable_shared_from_this<SharedSocket> {
 public:
  struct Settings {
    std::string bind_address;  // empty: any of the family
    guint bind_port = 0;
    int dscp = -1, ttl = 0, buffer_size = 0;
    int family = AF_INET;
    bool offload = true;    // UDP_SEGMENT, where the kernel has it
    bool own_port = false;  // a socket, and so a source port, for one sink alone

    friend auto operator<=>(const Settings &, const Settings &) = default;
  };

  // The one that sinks of this context share, or one of the caller's own without a context.
  static Result<std::shared_ptr<SharedSocket>> get(std::shared_ptr<runtime::Context> context, const Settings &settings);
  // On a socket of the application's.
  static std::shared_ptr<SharedSocket> around(std::shared_ptr<runtime::Context> context, Ptr<GSocket> socket,
                                              bool offload);
  ~SharedSocket() override;

  std::shared_ptr<Path> path(std::shared_ptr<Outlet> outlet, std::shared_ptr<const Target> target);
  // Takes note of what is to be sent; any thread. The buffers are kept until they have been sent.
  void send(std::shared_ptr<Path> path, GstBuffer *buffer);
  void send(std::shared_ptr<Path> path, GstBufferList *list);
  void flush();          // sends what is there; any thread
  void read_feedback();  // reads reports and refusals now
  runtime::BatchSender::Counts counts() const;
  bool offloads() const;
  guint local_port() const;

 private:
  struct Datagram {
    std::uint32_t bytes : 31;
    std::uint32_t rtcp : 1;
  };
  struct Kept {
    std::shared_ptr<Path> path;
    Ptr<GstMiniObject> media;
    std::size_t end;  // its datagrams go so far
  };
  struct Batch {
    Batch(int fd, bool offload) : sender(fd, {.offload = offload}) {}
    runtime::BatchSender sender;
    std::vector<Datagram> datagrams;
    std::vector<Kept> kept;
    std::vector<std::vector<std::uint8_t>> copies;  // of memory that cannot be read by address later
  };
  struct Read {  // a buffer as the sender wants it
    std::size_t parts = 0, bytes = 0;
    std::array<std::uint8_t, 12> front;
    std::size_t front_bytes = 0;
  };

  SharedSocket(std::shared_ptr<runtime::Context> context, std::optional<runtime::UdpSocket> own, Ptr<GSocket> foreign,
               int fd, bool offload);
  void turn_ended() override;
  // With batch_mutex_ held.
  void keep(std::shared_ptr<Path> path, GstMiniObject *media);
  void add(Path &path, GstBuffer *buffer);
  int type_of_service_of(GstBuffer *buffer) const;
  Read read(GstBuffer *buffer, std::span<iovec> parts);
  void note_ssrc(Path &path, const Read &read);
  void account(std::span<const int> outcomes);
  void send_now();
  bool wait_for_turn_end();
  void send_batch();
  void read_refusals();
  void dispatch(std::span<const std::uint8_t> datagram);
  std::shared_ptr<Outlet> outlet_of(std::uint32_t ssrc);

  std::shared_ptr<runtime::Context> context_;  // null: everything is sent at once
  std::optional<runtime::UdpSocket> own_;
  Ptr<GSocket> foreign_;
  const int fd_;
  int dscp_ = -1;  // what the socket was made with

  mutable std::mutex batch_mutex_;
  Batch batch_;          // under batch_mutex_
  bool hooked_ = false;  // under batch_mutex_: the turn under way is going to send
  struct Watched {
    std::unordered_map<std::uint32_t, std::weak_ptr<Outlet>> by_ssrc;
  };
  Guarded<Watched> watched_;
  std::atomic_flag reading_;              // one reader at a time, nobody waits for another
  runtime::BatchReceiver receiver_;       // whoever set reading_
  std::atomic<gint64> next_feedback_{0};  // monotonic time in microseconds
};

}  // namespace avc::udpsink
