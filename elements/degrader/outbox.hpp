// The sending side of a delaying element: packets and events that wait for their time, and the one order in which
// they leave the source pad.
//
// Threads: upstream's thread puts in, the context's thread takes out when something is due. Whoever pushes holds the
// source pad's stream lock (Turn), as a GstTask would, so pushes never race and deactivating the pad waits for them.
// Lock order: sink pad's stream lock, source pad's stream lock, state. Nothing is pushed under the state's lock.
//
// Order: packets leave by due time, ties as they came. A serialized event takes the place after everything held when
// it came, and what comes after it stays behind it. Sticky events outlive a flush, as in a queue: nobody would send
// them again.
//
// Downstream may call back from within a push (an event or a flush sent from a pad probe): what comes in then waits
// behind what is being pushed. An element that shares its context with upstream may be stopped from its own thread.
#pragma once

#include <gst/gst.h>

#include <array>
#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/net/due_queue.hpp"
#include "core/net/packet.hpp"
#include "core/runtime/context.hpp"
#include "core/runtime/guarded.hpp"
#include "core/time.hpp"
#include "elements/degrader/sent.hpp"
#include "elements/support/ptr.hpp"

namespace avc::degrader {

class Outbox {
 public:
  class Turn;
  // `on_wake` is called with the right to push, on the context's thread, when wake_at() said so.
  Outbox(GstElement *element, GstPad *src, std::function<void(Turn &)> on_wake)
      : element_(element), src_(src), on_wake_(std::move(on_wake)) {}
  ~Outbox() { stop(); }

  // State changes, on their thread. Times are running times of the clock that the element has at play().
  void start();                           // READY->PAUSED
  void play(const std::string &context);  // PAUSED->PLAYING
  void pause();                           // PLAYING->PAUSED: does not wait; what is held stays
  void unblock();                         // before PAUSED->READY reaches the pads: nobody waits any more
  void stop();                            // after the pads are down: waits for a call under way, lets go of all

  // Flushing: flush_start() on any thread, flush_stop() with the sink pad's stream lock.
  void flush_start();
  void flush_stop();
  void keep(GstEvent *event);  // within flush_stop(): the source pad has to know it, if it is sticky

  // Before a Turn, on upstream's thread: waits while a packet of this time is further ahead of the clock than what
  // may be held, so that a source that is not live does not fill memory. Never waits on the context's own thread.
  void wait_for_room(Instant arrival);

  // The right to push; one at a time.
  class Turn {
   public:
    explicit Turn(Outbox &outbox) : outbox_(outbox) { GST_PAD_STREAM_LOCK(outbox_.src_); }
    ~Turn() { GST_PAD_STREAM_UNLOCK(outbox_.src_); }
    Turn(const Turn &) = delete;
    Turn &operator=(const Turn &) = delete;

    // Can something without delay go straight on? (Nothing is held that it would overtake.)
    bool direct();
    // Is there a clock to wait on? Before the first PLAYING, and after a flush in PAUSED, there is none, and a sink
    // may be waiting to preroll.
    bool clocked();
    GstFlowReturn push(Ptr<GstBuffer> buffer, net::Stream stream);
    GstFlowReturn push(Ptr<GstBuffer> frame, const SentOfEach &of_it);
    GstFlowReturn push(Ptr<GstBufferList> list, net::Stream stream);
    void hold(Ptr<GstBuffer> buffer, net::Stream stream, Instant due);
    void push_or_hold(Ptr<GstEvent> event);
    // The call that on_wake asked for is made then, or at once if that is past; Instant::never() for none.
    void wake_at(Instant when) { outbox_.state_.lock()->wake = when; }
    void drain();  // pushes what is due and sets the timer for what is not

   private:
    Outbox &outbox_;
  };

  GstPad *pad() const { return src_; }
  GstFlowReturn flow() const { return flow_; }  // what downstream last said
  void forget_flow() { flow_ = GST_FLOW_OK; }   // who said it may be somebody else now
  Instant now();                                // running time; 0 where there is no clock yet

  Sent sent(net::Stream stream) const;
  guint64 flushed() const { return flushed_; }
  void count_flushed(guint64 packets) { flushed_ += packets; }
  std::size_t held();         // packets
  bool empty();               // nothing is held, no events either
  stats::Summary lateness();  // of the context
  std::string context_name();

 private:
  struct Parcel {
    Ptr<GstMiniObject> what;  // a buffer or an event
    net::Stream stream = net::Stream::other;
    Instant due;
    bool is_buffer() const { return GST_IS_BUFFER(what.get()); }
  };
  struct State {
    net::DueQueue<Parcel> queue;
    Instant barrier{Nanos::min()};  // the last event held: nothing that came after it leaves before
    std::size_t packets = 0;        // buffers in the queue
    bool playing = false, flushing = false;
    bool clocked = false;                // packets wait for their time: since play(), until a flush in PAUSED
    std::vector<Ptr<GstEvent>> cut_off;  // events that a flush found here, for flush_stop()
    Instant base_time;                   // of the element, valid while there is a context
    Instant armed = Instant::never();
    Instant wake = Instant::never();
    std::shared_ptr<runtime::Context> context;  // from play() to stop()
    std::unique_ptr<runtime::Timer> timer;

    Instant now() const { return context ? Instant{context->now() - base_time} : Instant{}; }
    void put(Instant due, Parcel parcel);
    void arm();
  };

  void begin_anew();
  void on_timer();
  void drain();
  bool take_due();  // fills batch_
  void push_batch();
  void push_event(Ptr<GstEvent> event);
  void abandon_batch();  // as the flush does with the queue
  void count(GstFlowReturn flow, net::Stream stream, const Sent &sent);
  void drop_held(net::DueQueue<Parcel> queue, std::vector<Ptr<GstEvent>> *events);

  GstElement *const element_;
  GstPad *const src_;
  const std::function<void(Turn &)> on_wake_;
  Guarded<State> state_;
  std::condition_variable room_;  // with state_: time or state has moved on
  // Under the source pad's stream lock.
  std::vector<Parcel> batch_;  // being pushed; empty between turns
  std::size_t next_ = 0;       // of batch_
  bool draining_ = false;
  std::atomic<GstFlowReturn> flow_{GST_FLOW_OK};
  struct Counter {
    std::atomic<guint64> packets{0}, bytes{0};
  };
  std::array<Counter, net::kStreamCount> sent_;
  std::atomic<guint64> flushed_{0};
};

}  // namespace avc::degrader
