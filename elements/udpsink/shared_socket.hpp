// One UDP socket and one batch for all avchaosudpsinks of a context that want the same kind of socket. Packets pushed
// on the context's thread are sent together when its turn is over; those from other threads at once, a list at a time.
//
// Reports that come back are read after sending, at most every few milliseconds: no thread waits for them.
//
// Locks: only batch_mutex_ is held while the kernel is called to send. Warnings and events leave with no lock held, but
// while reading_ is set: whoever they reach may ask for statistics, and then nothing is read.
#pragma once

#include <gio/gio.h>
#include <gst/gst.h>

#include <atomic>
#include <compare>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/runtime/context.hpp"
#include "elements/udpsink/outlet.hpp"

namespace avc {
AVC_FREES(GSocket, g_object_unref)
}

namespace avc::udpsink {

class SharedSocket final : public runtime::TurnEnd, public std::enable_shared_from_this<SharedSocket> {
 public:
  struct Settings {
    std::string bind_address;  // empty: any of the family
    guint bind_port = 0;
    int dscp = -1, ttl = 0, buffer_size = 0;
    int family = AF_INET;

    friend auto operator<=>(const Settings &, const Settings &) = default;
  };

  // The one that sinks of this context share, or one of the caller's own without a context.
  static Result<std::shared_ptr<SharedSocket>> get(std::shared_ptr<runtime::Context> context, const Settings &settings);
  // On a socket of the application's.
  static std::shared_ptr<SharedSocket> around(std::shared_ptr<runtime::Context> context, Ptr<GSocket> socket);
  ~SharedSocket() override;

  // Takes note of what is to be sent; any thread. The buffers are kept until they have been sent.
  void send(const std::shared_ptr<Outlet> &outlet, std::shared_ptr<const Target> target, GstBuffer *buffer);
  void send(const std::shared_ptr<Outlet> &outlet, std::shared_ptr<const Target> target, GstBufferList *list);
  void flush();                                                           // sends what is there; any thread
  void read_feedback();                                                   // reads reports and refusals now
  void watch(std::uint32_t ssrc, const std::shared_ptr<Outlet> &outlet);  // its reports are the outlet's
  guint64 syscalls() const;
  guint local_port() const;

 private:
  struct Message {
    Outlet *outlet;  // kept alive by `kept`
    std::size_t bytes;
    bool rtcp;
  };
  struct Kept {
    std::shared_ptr<Outlet> outlet;
    std::shared_ptr<const Target> target;
    Ptr<GstMiniObject> media;
  };
  struct Batch {
    explicit Batch(int fd) : sender(fd) {}
    runtime::BatchSender sender;
    std::vector<Message> messages;
    std::vector<Kept> kept;
    std::vector<std::vector<std::uint8_t>> copies;  // of memory that cannot be read by address later
  };

  SharedSocket(std::shared_ptr<runtime::Context> context, std::optional<runtime::UdpSocket> own, Ptr<GSocket> foreign,
               int fd);
  void turn_ended() override { send_batch(); }
  // With batch_mutex_ held. The buffer, outlet and target go into `kept` before the batch is sent.
  void add(Outlet &outlet, const Target &target, GstBuffer *buffer);
  void send_now();
  void end_of_list();
  void send_batch();
  void read_refusals();
  void dispatch(std::span<const std::uint8_t> datagram);
  std::shared_ptr<Outlet> outlet_of(std::uint32_t ssrc);

  std::shared_ptr<runtime::Context> context_;  // null: everything is sent at once
  std::optional<runtime::UdpSocket> own_;
  Ptr<GSocket> foreign_;
  const int fd_;

  mutable std::mutex batch_mutex_;
  Batch batch_;  // under batch_mutex_
  struct Watched {
    std::unordered_map<std::uint32_t, std::weak_ptr<Outlet>> by_ssrc;
  };
  Guarded<Watched> watched_;
  std::atomic_flag reading_;              // one reader at a time, nobody waits for another
  runtime::BatchReceiver receiver_;       // whoever set reading_
  std::atomic<gint64> next_feedback_{0};  // monotonic time in microseconds
};

}  // namespace avc::udpsink
