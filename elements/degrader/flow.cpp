#include "elements/degrader/flow.hpp"

#include <algorithm>
#include <utility>

#include "core/net/settings.hpp"
#include "core/spike/effect.hpp"
#include "elements/degrader/mangle.hpp"
#include "elements/degrader/trace_file.hpp"
#include "elements/support/chaos_events.hpp"
#include "elements/support/clock.hpp"
#include "elements/support/ecn.hpp"
#include "elements/support/errors.hpp"
#include "elements/support/rtp_frame.hpp"

namespace avc::degrader {
namespace {

constexpr std::size_t kMany = 16;  // packets that have come in together: worth a look ahead

// What the sink is told; another link may have said something before.
void delay(FramePacket &packet, Instant at) { packet.due = std::max(packet.due, at); }

Ptr<GstBuffer> as_packet(Ptr<GstBuffer> buffer) {
  if (!frame_of(buffer.get())) return buffer;
  const auto list = packets_of(buffer.get());
  buffer.reset();
  return share(gst_buffer_list_get(list.get(), 0));
}

// Room for the orders of what has come in. A thread has one for all links that it serves, where it stays in the cache;
// a link that is pushed into from within another's push makes its own.
thread_local std::vector<Order> t_room;

class Room {
 public:
  explicit Room(std::vector<Order> &orders) : orders_(orders) {
    if (orders_.capacity() == 0) orders_.swap(t_room);
  }
  ~Room() {
    orders_.clear();
    if (t_room.capacity() == 0) orders_.swap(t_room);
    orders_.shrink_to_fit();
  }
  Room(const Room &) = delete;
  Room &operator=(const Room &) = delete;

 private:
  std::vector<Order> &orders_;
};

// What a spike does to the link, its trace read.
Result<net::Impairment> layer_of(const SpikeStart &spike) {
  auto effect = spike::effect_of(spike.type, spike.params);
  if (!effect) return effect.error();
  if (!effect->trace_location.empty()) {
    auto trace = find_trace(effect->trace_location);
    if (!trace) return trace.error();
    effect->link.link_trace = *trace;
  }
  return net::checked(effect->link);
}

}  // namespace

Flow::Flow(GstElement *element, GstPad *src, Properties &properties)
    : element_(element), properties_(properties), outbox_(element, src, [this](Turn &turn) {
        const Instant now = outbox_.now();
        settle(turn, [now](Model &model) { return model.settled(now); });
        turn.wake_at(model_.lock()->next_settled());
      }) {
  gst_segment_init(&segment_, GST_FORMAT_TIME);
}

void Flow::start(std::shared_ptr<DecisionLog> log, std::shared_ptr<const net::Recording> recording) {
  log_ = std::move(log);
  log_fault_told_ = missing_told_ = false;
  gst_segment_init(&segment_, GST_FORMAT_TIME);
  model_.lock()->restart(properties_.plain().seed, std::move(recording));
  seen_ = 0;
  frames_ = Frames::unasked;
  outbox_.start();
}

void Flow::stop() {
  outbox_.stop();
  drop_waiting(false);
  if (!log_) return;
  if (const auto written = log_->flush(); !written) report_log(written.error());
  log_.reset();
}

// In one turn, so that nothing that waited is handed on in between.
void Flow::flush_stop() {
  const Turn turn(outbox_);
  outbox_.flush_stop();
  gst_segment_init(&segment_, GST_FORMAT_TIME);
  drop_waiting(true);
  model_.lock()->flush();
}

bool Flow::idle() {
  Turn turn(outbox_);
  return turn.direct() && waiting_.empty();
}

// They are dropped whatever their fate, but the log tells it of every packet.
void Flow::drop_waiting(bool keep_sticky) {
  {
    auto model = model_.lock();
    while (model->settled_at_end()) note(*model);
  }
  write_log();
  outbox_.count_flushed(waiting_.packets());
  for (const auto &event : waiting_.clear()) {
    if (keep_sticky) outbox_.keep(event.get());
  }
}

void Flow::note(const Model &model) {
  if (log_) decisions_.push_back(model.decision());
}

void Flow::write_log() {
  if (log_ && !log_->append(decisions_)) report_log({"decision-log", "is incomplete: packets are missing from it"});
  decisions_.clear();
}

void Flow::report_log(const Error &error) {
  if (std::exchange(log_fault_told_, true)) return;
  post_warning(element_, Fault::write, error);
}

void Flow::report_missing() {
  missing_told_ = true;
  post_warning(element_, Fault::settings,
               {"replay-log", "has no line for some packets; they pass unharmed (counted as replay-missing)"});
}

std::optional<Instant> Flow::time_of(GstBuffer *buffer) const {
  if (segment_.format != GST_FORMAT_TIME) return std::nullopt;
  for (const GstClockTime stamp : {GST_BUFFER_DTS_OR_PTS(buffer), GST_BUFFER_PTS(buffer)}) {
    const GstClockTime time = gst_segment_to_running_time(&segment_, GST_FORMAT_TIME, stamp);
    if (GST_CLOCK_TIME_IS_VALID(time)) return to_instant(time);
  }
  return std::nullopt;
}

// Once for what comes in together: properties follow their controllers, the link follows the properties.
void Flow::prepare(GstBuffer *first) {
  const auto time = segment_.format == GST_FORMAT_TIME
                        ? gst_segment_to_stream_time(&segment_, GST_FORMAT_TIME, GST_BUFFER_PTS(first))
                        : GST_CLOCK_TIME_NONE;
  if (GST_CLOCK_TIME_IS_VALID(time)) gst_object_sync_values(GST_OBJECT(element_), time);
  if (const unsigned generation = properties_.generation(); generation != seen_) {
    seen_ = generation;
    const net::Impairment base = properties_.link();
    const Plain plain = properties_.plain();
    auto model = model_.lock();
    model->set_base(base);
    model->set_options({plain.all_datagrams, plain.way_back, plain.rtx_payload_type});
  }
  if (frames_ == Frames::taken) return;  // they come from live sources, and nothing is parked here
  if (const auto arrival = time_of(first)) outbox_.wait_for_room(*arrival);
}

template <class Admit>
void Flow::decide(std::size_t count, Admit admit) {
  orders_.clear();
  settled_.clear();
  bool missing = false;
  {
    auto model = model_.lock();
    if (count >= kMany) model->prefetch();
    for (std::size_t i = 0; i < count; i++) {
      Order &order = orders_.emplace_back();
      admit(*model, i, order);
      if (order.decided()) note(*model);
      if (!model->waits()) continue;
      while (const auto earlier = model->settled()) {
        settled_.push_back({i, *earlier});
        note(*model);
      }
    }
    missing = model->replay_missing() > 0;
  }
  write_log();
  if (missing && !missing_told_) report_missing();
}

void Flow::decide(GstBuffer *const *buffers, std::size_t count) {
  const Instant now = outbox_.now();
  decide(count,
         [&](Model &model, std::size_t i, Order &order) { model.admit(buffers[i], time_of(buffers[i]), now, order); });
}

void Flow::decide(GstBuffer *buffer, const RtpFrame &frame) {
  decide(frame.count, [&](Model &model, std::size_t i, Order &order) {
    if (frame.packets[i].send) model.admit(buffer, frame, static_cast<guint>(i), frame.packets[i].time, order);
  });
}

GstFlowReturn Flow::chain(Ptr<GstBuffer> buffer) {
  if (frame_of(buffer.get())) return chain_frame(std::move(buffer));
  prepare(buffer.get());
  Turn turn(outbox_);
  const Room room(orders_);
  GstBuffer *const one[] = {buffer.get()};
  decide(one, 1);
  if (undisturbed(turn)) {
    if (orders_.front().what == Order::Do::drop) return outbox_.flow();
    return turn.push(std::move(buffer), orders_.front().stream);
  }
  carry_out_each(turn, [&](std::size_t) { return std::move(buffer); });
  done(turn);
  return outbox_.flow();
}

GstFlowReturn Flow::chain_list(Ptr<GstBufferList> list) {
  const guint length = gst_buffer_list_length(list.get());
  if (length == 0) return GST_FLOW_OK;
  prepare(gst_buffer_list_get(list.get(), 0));
  Turn turn(outbox_);
  const Room room(orders_);
  buffers_.resize(length);
  for (guint i = 0; i < length; i++) buffers_[i] = gst_buffer_list_get(list.get(), i);
  decide(buffers_.data(), length);
  if (undisturbed(turn)) return push_whole(turn, std::move(list));
  carry_out_each(turn, [&](std::size_t i) { return share(buffers_[i]); });
  list.reset();  // whoever is downstream may then write to the buffers
  done(turn);
  return outbox_.flow();
}

// Nobody sends us frames that did not ask, but who is downstream may have changed since.
GstFlowReturn Flow::chain_frame(Ptr<GstBuffer> buffer) {
  if (frames_ == Frames::unasked)
    frames_ = outbox_.empty() && frames_accepted(outbox_.pad()) != FramesAnswer::no ? Frames::taken : Frames::refused;
  if (frames_ != Frames::taken) return chain_list(packets_of(buffer.get()));
  prepare(buffer.get());
  Turn turn(outbox_);
  if (!log_ && waiting_.empty() && turn.direct()) {
    buffer.reset(gst_buffer_make_writable(buffer.release()));
    const auto sent = model_.lock()->pass(buffer.get(), *frame_of(buffer.get()));
    if (sent) return push_what_goes(turn, std::move(buffer), *sent);
  }
  const Room room(orders_);
  decide(buffer.get(), *frame_of(buffer.get()));
  if (unaltered() && turn.direct()) {
    buffer.reset(gst_buffer_make_writable(buffer.release()));
    RtpFrame &frame = *frame_of(buffer.get());
    return push_whole(turn, std::move(buffer), frame);
  }
  carry_out_each(turn, [&](std::size_t i) { return frame_of_one(buffer.get(), static_cast<guint>(i)); });
  done(turn);
  return outbox_.flow();
}

template <class Take>
void Flow::carry_out_each(Turn &turn, Take take) {
  std::size_t settled = 0;
  for (std::size_t i = 0; i < orders_.size(); i++) {
    for (; settled < settled_.size() && settled_[settled].before == i; settled++)
      release(turn, settled_[settled].order);
    if (orders_[i].goes_on()) carry_out(turn, take(i), orders_[i]);
  }
}

// A mode begins when there is nothing to overtake: while something is held, what comes has to be held behind it.
bool Flow::takes_frames(GstQuery *query) {
  const bool taken = outbox_.empty() && forward_frames_query(outbox_.pad(), query);
  frames_ = taken ? Frames::taken : Frames::refused;
  return taken;
}

void Flow::new_peer() {
  outbox_.forget_flow();
  frames_ = Frames::unasked;
}

// Does every packet go on as it is, in its place, if it is not dropped?
bool Flow::unaltered() const {
  return settled_.empty() && waiting_.empty() && std::ranges::all_of(orders_, &Order::plain);
}

// Can what came in go on at once? Before the first PLAYING nothing is delayed. Behind frames that the sink parks a
// packet goes as a frame itself: what came without one would overtake them.
bool Flow::undisturbed(Turn &turn) const {
  if (frames_ == Frames::taken || !unaltered()) return false;
  const bool delayed = std::ranges::any_of(orders_, &Order::delayed);
  return turn.direct() && (!delayed || !turn.clocked());
}

GstFlowReturn Flow::push_whole(Turn &turn, Ptr<GstBufferList> list) {
  const auto is_dropped = [](const Order &order) { return order.what == Order::Do::drop; };
  const auto dropped = static_cast<std::size_t>(std::ranges::count_if(orders_, is_dropped));
  if (dropped == orders_.size()) return outbox_.flow();
  if (dropped > 0) {
    list.reset(gst_buffer_list_make_writable(list.release()));
    for (std::size_t i = orders_.size(); i-- > 0;) {
      if (is_dropped(orders_[i])) gst_buffer_list_remove(list.get(), static_cast<guint>(i), 1);
    }
  }
  return turn.push(std::move(list), orders_.front().stream);
}

GstFlowReturn Flow::push_whole(Turn &turn, Ptr<GstBuffer> buffer, RtpFrame &frame) {
  SentOfEach sent;
  for (guint i = 0; i < frame.count; i++) {
    FramePacket &packet = frame.packets[i];
    packet.send = orders_[i].what == Order::Do::send;
    if (!packet.send) continue;
    if (orders_[i].delayed) delay(packet, orders_[i].at);
    Sent &of_stream = sent[static_cast<std::size_t>(orders_[i].stream)];
    of_stream.packets++;
    of_stream.bytes += frame.bytes(i);
  }
  return push_what_goes(turn, std::move(buffer), sent);
}

GstFlowReturn Flow::push_what_goes(Turn &turn, Ptr<GstBuffer> frame, const SentOfEach &sent) {
  const bool any = std::ranges::any_of(sent, [](const Sent &of_stream) { return of_stream.packets > 0; });
  return any ? turn.push(std::move(frame), sent) : outbox_.flow();
}

void Flow::carry_out(Turn &turn, Ptr<GstBuffer> buffer, const Order &order) {
  switch (order.what) {
    case Order::Do::drop:
    case Order::Do::absent:
      break;
    case Order::Do::bypass:
      turn.push(std::move(buffer), order.stream);
      break;
    case Order::Do::wait:
      waiting_.add_open(std::move(buffer));
      break;
    case Order::Do::send:
      if (waiting_.holds_event()) return waiting_.add_decided(std::move(buffer), order);
      send(turn, std::move(buffer), order);
      break;
  }
}

void Flow::send(Turn &turn, Ptr<GstBuffer> buffer, const Order &order) {
  Ptr<GstBuffer> copy = order.copy ? duplicate_of(buffer.get()) : nullptr;
  if (order.bit) buffer = with_bit_changed(std::move(buffer), *order.bit);
  if (order.ce) buffer = with_ce(std::move(buffer));
  place(turn, std::move(buffer), order.stream, order.at, order.delayed);
  if (!copy) return;
  if (order.copy->corrupt_bit) copy = with_bit_changed(std::move(copy), *order.copy->corrupt_bit);
  if (order.copy->ce) copy = with_ce(std::move(copy));
  const bool delayed = order.delayed || order.copy->at > order.at;
  place(turn, std::move(copy), order.stream, order.copy->at, delayed);
}

void Flow::place(Turn &turn, Ptr<GstBuffer> buffer, net::Stream stream, Instant at, bool delayed) {
  const bool direct = turn.direct();
  if (direct && frames_ == Frames::taken) {
    buffer = frame_around(std::move(buffer), at);
    RtpFrame *frame = frame_of(buffer.get());
    if (frame && delayed) delay(frame->packets[0], at);
    turn.push(std::move(buffer), stream);
    return;
  }
  buffer = as_packet(std::move(buffer));
  if (direct && (!delayed || !turn.clocked())) {
    turn.push(std::move(buffer), stream);
  } else {
    turn.hold(std::move(buffer), stream, at);
  }
}

// The packet that has waited longest has its fate; so have those that only waited behind it.
void Flow::release(Turn &turn, const Order &order) {
  waiting_.decide(order);
  while (auto entry = waiting_.take_ready()) {
    GstMiniObject *what = entry->what.release();
    if (!GST_IS_BUFFER(what)) {
      turn.push_or_hold(take(GST_EVENT_CAST(what)));
    } else if (auto buffer = take(GST_BUFFER_CAST(what)); entry->order.what == Order::Do::send) {
      send(turn, std::move(buffer), entry->order);
    }
  }
}

template <class Settle>
void Flow::settle(Turn &turn, Settle settle) {
  for (;;) {
    std::optional<Order> order;
    {
      auto model = model_.lock();
      order = settle(*model);
      if (order) note(*model);
    }
    if (!order) break;
    release(turn, *order);
  }
  write_log();
}

void Flow::done(Turn &turn) {
  turn.wake_at(waiting_.empty() ? Instant::never() : model_.lock()->next_settled());
  turn.drain();
}

void Flow::serialized(Ptr<GstEvent> event) {
  Turn turn(outbox_);
  act_on(event.get());
  if (GST_EVENT_TYPE(event.get()) == GST_EVENT_EOS) {
    settle(turn, [](Model &model) { return model.settled_at_end(); });
  }
  if (waiting_.empty()) {
    turn.push_or_hold(std::move(event));
  } else {
    waiting_.add(std::move(event));
  }
  done(turn);
}

// What an event means to us, at its place among the packets.
void Flow::act_on(GstEvent *event) {
  switch (GST_EVENT_TYPE(event)) {
    case GST_EVENT_CAPS: {
      GstCaps *caps = nullptr;
      gst_event_parse_caps(event, &caps);
      model_.lock()->set_caps(caps);
      break;
    }
    case GST_EVENT_SEGMENT:
      gst_event_copy_segment(event, &segment_);
      break;
    case GST_EVENT_CUSTOM_DOWNSTREAM_STICKY:
    case GST_EVENT_CUSTOM_DOWNSTREAM:
      heed(event);
      break;
    default:
      break;
  }
}

bool Flow::heed(GstEvent *event) {
  if (const auto info = parse_participant(event)) {
    model_.lock()->set_participant(*info);
  } else if (const auto start = parse_spike_start(event)) {
    begin_spike(*start);
  } else if (const auto end = parse_spike_end(event)) {
    model_.lock()->end_spike(end->id, to_instant(end->at));
  } else {
    return false;
  }
  return true;
}

// Twice the same id: the second one is ignored.
void Flow::begin_spike(const SpikeStart &spike) {
  if (model_.lock()->knows(spike.id)) return;
  const auto layer = layer_of(spike);
  if (layer) return model_.lock()->start_spike(spike.id, to_instant(spike.start), *layer);
  post_warning(element_, Fault::settings,
               {layer.error().field, "spike " + spike.id + " does nothing here: " + layer.error().message});
}

}  // namespace avc::degrader
