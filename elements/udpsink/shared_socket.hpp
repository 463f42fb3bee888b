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
#include "core/runtime/egress.hpp"
#include "core/runtime/shortcut.hpp"
#include "elements/udpsink/batch.hpp"

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

  struct Timing {
    Instant base_time{};  // of the sink's running time, on the context's clock
    Nanos spread{};       // over which the packets of a list are paced; needs a context
    Path::KeepsTimes keeps_times = runtime::times_are_kept_to;  // for tests that play the kernel
  };
  std::shared_ptr<Path> path(std::shared_ptr<Outlet> outlet, std::shared_ptr<const Target> target, Timing timing);
  std::shared_ptr<Path> path(std::shared_ptr<Outlet> outlet, std::shared_ptr<const Target> target) {
    return path(std::move(outlet), std::move(target), {});
  }
  // Takes note of what is to be sent; any thread. The buffers are kept until they have been sent.
  void send(std::shared_ptr<Path> path, GstBuffer *buffer);
  void send(std::shared_ptr<Path> path, GstBufferList *list);
  void flush();                                                // sends what is there and not parked; any thread
  void aim(Path &path, std::shared_ptr<const Target> target);  // what is parked goes there too
  std::size_t close(Path &path);                               // what is parked goes nowhere: how many packets that are
  void pause(Path &path);                                      // what is parked stays so until it is resumed
  void resume(Path &path, Instant base_time);
  // False: nothing is parked. Else the outlet is told when all of it has been sent.
  bool tell_when_sent(Path &path);
  void wait_until_told(const Outlet &outlet);  // of a path that is closed; returns at once on the context's own thread
  void read_feedback();                        // reads reports and refusals now
  runtime::BatchSender::Counts counts() const;
  bool offloads() const;
  guint local_port() const;

 private:
  SharedSocket(std::shared_ptr<runtime::Context> context, std::optional<runtime::UdpSocket> own, Ptr<GSocket> foreign,
               int fd, Batch::Options options, std::optional<runtime::Shortcut> shortcut = std::nullopt);
  void turn_ended() override;
  template <class Media>
  void take_in(std::shared_ptr<Path> path, Media *media);
  bool kernel_paces(const Path &path, const Target &target) const;
  // With batch_mutex_ held.
  bool wait_for_turn_end();
  void wait_for_parked();
  void take_due();
  Instant now();
  void on_due();  // packets on the wheel have to leave
  void send_batch();
  void read_refusals();
  void read_reports(runtime::BatchReceiver &from);
  void dispatch(std::span<const std::uint8_t> datagram);
  std::shared_ptr<Outlet> outlet_of(std::uint32_t ssrc);

  std::shared_ptr<runtime::Context> context_;  // null: everything is sent at once
  std::optional<runtime::UdpSocket> own_;
  Ptr<GSocket> foreign_;
  const int fd_;

  Guarded<Watched> watched_;
  mutable std::mutex batch_mutex_;
  // Under batch_mutex_.
  std::optional<runtime::Shortcut> shortcut_;  // for many participants' media
  Batch batch_;
  bool hooked_ = false;                // the turn under way is going to send
  std::optional<Instant> turn_now_{};  // the time of that turn, once somebody has asked
  std::unique_ptr<runtime::Timer> timer_;
  Instant armed_ = Instant::never();

  std::atomic_flag reading_;  // one reader at a time, nobody waits for another
  // Whoever set reading_.
  runtime::BatchReceiver receiver_;
  std::optional<runtime::BatchReceiver> at_shortcut_;  // once it is open
  std::atomic<gint64> next_feedback_{0};               // monotonic time in microseconds
};

}  // namespace avc::udpsink
