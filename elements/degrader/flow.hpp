// The way of packets and events through the element: what the model decides about each is carried out here.
//
// Everything but packets_waiting() and model() is called with the sink pad's stream lock, or by the context's thread
// with the right to push (Outbox::Turn); all that is written below is guarded by that right. Lock order: right to
// push, model, outbox.
#pragma once

#include <gst/gst.h>

#include <atomic>
#include <memory>
#include <optional>
#include <vector>

#include "core/runtime/guarded.hpp"
#include "elements/degrader/decision_log.hpp"
#include "elements/degrader/model.hpp"
#include "elements/degrader/outbox.hpp"
#include "elements/degrader/properties.hpp"
#include "elements/degrader/waiting.hpp"

namespace avc::degrader {

class Flow {
 public:
  Flow(GstElement *element, GstPad *src, Properties &properties);

  void start(std::shared_ptr<DecisionLog> log, std::shared_ptr<const net::Recording> recording);
  void stop();  // after the pads are down
  void flush_stop();
  bool idle();  // is there nothing that something new would overtake?

  GstFlowReturn chain(Ptr<GstBuffer> buffer);
  GstFlowReturn chain_list(Ptr<GstBufferList> list);
  void serialized(Ptr<GstEvent> event);
  bool heed(GstEvent *event);          // who the participant is, or a spike of its; any thread
  bool takes_frames(GstQuery *query);  // asks downstream; what it answers holds until new_peer()
  bool gives_frames() const { return frames_ == Frames::taken; }  // any thread
  void new_peer();  // RECONFIGURE: whoever is downstream may be somebody else now; any thread

  Outbox &outbox() { return outbox_; }
  Guarded<Model> &model() { return model_; }
  std::size_t packets_waiting() const { return waiting_.packets(); }

 private:
  using Turn = Outbox::Turn;
  struct Settled {
    std::size_t before;  // the packet of this number in the list under way
    Order order;
  };

  std::optional<Instant> time_of(GstBuffer *buffer) const;
  void prepare(GstBuffer *first);
  template <class Admit>
  void decide(std::size_t count, Admit admit);
  void decide(GstBuffer *const *buffers, std::size_t count);
  void decide(GstBuffer *buffer, const RtpFrame &frame);
  template <class Settle>
  void settle(Turn &turn, Settle settle);
  void act_on(GstEvent *event);
  void begin_spike(const SpikeStart &spike);

  bool unaltered() const;
  bool undisturbed(Turn &turn) const;
  GstFlowReturn push_whole(Turn &turn, Ptr<GstBufferList> list);
  GstFlowReturn chain_frame(Ptr<GstBuffer> buffer);
  GstFlowReturn push_whole(Turn &turn, Ptr<GstBuffer> buffer, RtpFrame &frame);
  GstFlowReturn push_what_goes(Turn &turn, Ptr<GstBuffer> frame, const SentOfEach &sent);
  template <class Take>
  void carry_out_each(Turn &turn, Take take);
  void carry_out(Turn &turn, Ptr<GstBuffer> buffer, const Order &order);
  void send(Turn &turn, Ptr<GstBuffer> buffer, const Order &order);
  void place(Turn &turn, Ptr<GstBuffer> buffer, net::Stream stream, Instant at, bool delayed);
  void release(Turn &turn, const Order &order);
  void done(Turn &turn);
  void drop_waiting(bool keep_sticky);

  void note(const Model &model);
  void write_log();
  void report_log(const Error &error);
  void report_missing();

  GstElement *const element_;
  Properties &properties_;
  Guarded<Model> model_;
  Outbox outbox_;
  enum class Frames : std::uint8_t { unasked, refused, taken };
  std::atomic<Frames> frames_{Frames::unasked};

  // Valid from start() to stop().
  GstSegment segment_;
  unsigned seen_ = 0;  // generation of the properties that the model has
  Waiting waiting_;
  std::shared_ptr<DecisionLog> log_;
  bool log_fault_told_ = false, missing_told_ = false;
  // Of the packets under way.
  std::vector<GstBuffer *> buffers_;  // of the list, which owns them
  std::vector<Order> orders_;         // one each
  std::vector<Settled> settled_;      // of earlier ones
  std::vector<Decision> decisions_;   // for the log
};

}  // namespace avc::degrader
