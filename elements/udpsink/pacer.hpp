// Spreads the packets of a list over a given time, as senders with a pacer do, from the wheel of a context.
//
// Packets of one sink never overtake each other: what comes while some are parked goes behind them. What is parked
// never waits longer than the time a list is spread over, so a source that is faster than that is sent closer together
// and not later and later.
#pragma once

#include <gst/gst.h>

#include <memory>
#include <string>

#include "core/net/due_queue.hpp"
#include "core/runtime/context.hpp"
#include "core/runtime/guarded.hpp"
#include "elements/udpsink/shared_socket.hpp"

namespace avc::udpsink {

class Pacer : public std::enable_shared_from_this<Pacer> {
 public:
  static std::shared_ptr<Pacer> make(std::shared_ptr<runtime::Context> context, std::shared_ptr<SharedSocket> socket,
                                     const std::string &owner);
  ~Pacer();  // any thread, under no lock

  // Streaming thread. False: nothing has to wait, the caller sends at once.
  bool park(const std::shared_ptr<Path> &path, GstBufferList *list, Nanos over);
  bool park(const std::shared_ptr<Path> &path, GstBuffer *buffer, Nanos over);
  void release();      // sends what is parked, now; streaming thread
  std::size_t drop();  // forgets it, and says how many that were

 private:
  struct Parked {
    std::shared_ptr<Path> path;
    Ptr<GstBuffer> buffer;
  };
  struct State {
    net::DueQueue<Parked> queue;
  };

  Pacer(std::shared_ptr<runtime::Context> context, std::shared_ptr<SharedSocket> socket);
  void put(State &state, const std::shared_ptr<Path> &path, GstBuffer *buffer, Instant due, Instant latest);
  void on_timer();

  std::shared_ptr<runtime::Context> context_;
  std::shared_ptr<SharedSocket> socket_;
  Guarded<State> state_;  // held while the timer hands packets to the socket, or release() could overtake them
  std::unique_ptr<runtime::Timer> timer_;
};

}  // namespace avc::udpsink
