#include "elements/degrader/outbox.hpp"

#include "elements/support/clock.hpp"

namespace avc::degrader {
namespace {

using namespace std::chrono_literals;

constexpr Nanos kAhead = 5s;         // how much media a source that is not live may park here
constexpr std::size_t kBatch = 256;  // parcels taken out under one hold of the lock

}  // namespace

void Outbox::State::put(Instant due, Parcel parcel) {
  parcel.due = std::max(due, barrier);
  if (parcel.is_buffer()) packets++;
  const Instant at = parcel.due;
  queue.hold(at, std::move(parcel));
}

void Outbox::State::arm() {
  const Instant next = std::min(wake, queue.next_due().value_or(Instant::never()));
  if (!playing || !timer || next == armed) return;
  armed = next;
  if (next == Instant::never()) {
    timer->cancel();
  } else {
    timer->arm({base_time.since_origin + next.since_origin});
  }
}

void Outbox::start() {
  auto state = state_.lock();
  state->flushing = false;
  state->barrier = {Nanos::min()};
  state->wake = Instant::never();
  flow_ = GST_FLOW_OK;
  flushed_ = 0;
  for (auto &counter : sent_) counter.packets = counter.bytes = 0;
}

void Outbox::play(const std::string &name) {
  auto context = context_for(element_, name);
  auto timer = context->make_timer([this] { on_timer(); }, path_of(element_));
  const auto base_time = to_instant(gst_element_get_base_time(element_));
  {
    auto state = state_.lock();
    std::swap(state->context, context);
    std::swap(state->timer, timer);
    state->base_time = base_time;
    state->playing = true;
    state->armed = Instant::never();
    state->arm();
  }
  room_.notify_all();
  if (timer) timer->cancel_and_wait();  // of an earlier play(), perhaps on another clock
}

void Outbox::pause() {
  auto state = state_.lock();
  state->playing = false;
  if (state->timer) state->timer->cancel();
}

void Outbox::unblock() {
  state_.lock()->flushing = true;
  room_.notify_all();
}

void Outbox::stop() {
  std::shared_ptr<runtime::Context> context;
  std::unique_ptr<runtime::Timer> timer;
  net::DueQueue<Parcel> queue;
  {
    auto state = state_.lock();
    state->playing = false;
    context = std::move(state->context);
    timer = std::move(state->timer);
    std::swap(queue, state->queue);
    state->packets = 0;
  }
  if (timer) timer->cancel_and_wait();
  flushed_ += drop_held(std::move(queue));
}

void Outbox::flush_start() {
  net::DueQueue<Parcel> queue;
  {
    auto state = state_.lock();
    state->flushing = true;
    std::swap(queue, state->queue);
    state->packets = 0;
    state->barrier = {Nanos::min()};
    state->arm();
  }
  room_.notify_all();
  flushed_ += drop_held(std::move(queue));
}

void Outbox::flush_stop() {
  const Turn turn(*this);  // nothing from before the flush is still being pushed
  flow_ = GST_FLOW_OK;
  state_.lock()->flushing = false;
}

void Outbox::wait_for_room(Instant arrival) {
  auto state = state_.lock();
  if (state->queue.empty() || (state->context && state->context->is_current())) return;
  state.wait(room_, [&] { return state->flushing || state->queue.empty() || arrival - state->now() <= kAhead; });
}

Instant Outbox::now() { return state_.lock()->now(); }

bool Outbox::Turn::direct() { return outbox_.state_.lock()->queue.empty(); }

bool Outbox::Turn::clocked() { return outbox_.state_.lock()->context != nullptr; }

GstFlowReturn Outbox::Turn::push(Ptr<GstBuffer> buffer, net::Stream stream) {
  const guint64 bytes = gst_buffer_get_size(buffer.get());
  const GstFlowReturn flow = gst_pad_push(outbox_.src_, give(std::move(buffer)));
  outbox_.count(flow, stream, 1, bytes);
  return flow;
}

GstFlowReturn Outbox::Turn::push(Ptr<GstBufferList> list, net::Stream stream) {
  const guint64 packets = gst_buffer_list_length(list.get());
  const guint64 bytes = gst_buffer_list_calculate_size(list.get());
  const GstFlowReturn flow = gst_pad_push_list(outbox_.src_, give(std::move(list)));
  outbox_.count(flow, stream, packets, bytes);
  return flow;
}

void Outbox::Turn::hold(Ptr<GstBuffer> buffer, net::Stream stream, Instant due) {
  auto state = outbox_.state_.lock();
  if (state->flushing) {
    outbox_.flushed_++;
    return;
  }
  state->put(due, {take(GST_MINI_OBJECT_CAST(buffer.release())), stream, due});
}

void Outbox::Turn::push_or_hold(Ptr<GstEvent> event) {
  {
    auto state = outbox_.state_.lock();
    if (const auto last = state->queue.latest_due(); last && !state->flushing) {
      state->barrier = *last;
      state->put(*last, {take(GST_MINI_OBJECT_CAST(event.release())), net::Stream::other, *last});
      state->arm();
      return;
    }
  }
  gst_pad_push_event(outbox_.src_, give(std::move(event)));
}

void Outbox::Turn::drain() { outbox_.drain(); }

void Outbox::on_timer() {
  Turn turn(*this);
  bool wake = false;
  {
    auto state = state_.lock();
    state->armed = Instant::never();
    wake = state->playing && state->wake <= state->now();
    if (wake) state->wake = Instant::never();
  }
  if (wake) on_wake_(turn);
  drain();
}

void Outbox::drain() {
  while (take_due()) push_batch();
  state_.lock()->arm();
  room_.notify_all();
}

bool Outbox::take_due() {
  auto state = state_.lock();
  if (!state->playing) return false;
  const Instant now = state->now();
  while (batch_.size() < kBatch) {
    auto parcel = state->queue.take_due(now);
    if (!parcel) break;
    if (parcel->is_buffer()) {
      state->packets--;
      state->context->record_lateness(now - parcel->due);
    }
    batch_.push_back(std::move(*parcel));
  }
  return !batch_.empty();
}

// Neighbours of one stream and one time leave as one list, as they came.
void Outbox::push_batch() {
  Turn turn(*this);
  for (std::size_t i = 0; i < batch_.size();) {
    if (!batch_[i].is_buffer()) {
      gst_pad_push_event(src_, GST_EVENT_CAST(batch_[i++].what.release()));
      continue;
    }
    const auto stream = batch_[i].stream;
    const GstClockTime pts = GST_BUFFER_PTS(batch_[i].what.get());
    std::size_t end = i + 1;
    while (end < batch_.size() && batch_[end].is_buffer() && batch_[end].stream == stream &&
           GST_BUFFER_PTS(batch_[end].what.get()) == pts) {
      end++;
    }
    if (end == i + 1) {
      flow_ = turn.push(take(GST_BUFFER_CAST(batch_[i].what.release())), stream);
    } else {
      auto list = take(gst_buffer_list_new_sized(static_cast<guint>(end - i)));
      for (std::size_t k = i; k < end; k++) {
        gst_buffer_list_add(list.get(), GST_BUFFER_CAST(batch_[k].what.release()));
      }
      flow_ = turn.push(std::move(list), stream);
    }
    i = end;
  }
  batch_.clear();
}

void Outbox::count(GstFlowReturn flow, net::Stream stream, guint64 packets, guint64 bytes) {
  flow_ = flow;
  if (flow == GST_FLOW_FLUSHING) {
    flushed_ += packets;
    return;
  }
  Counter &counter = sent_[static_cast<std::size_t>(stream)];
  counter.packets += packets;
  counter.bytes += bytes;
}

guint64 Outbox::drop_held(net::DueQueue<Parcel> queue) {
  guint64 packets = 0;
  while (const auto parcel = queue.take_next()) packets += parcel->is_buffer();
  return packets;
}

Outbox::Sent Outbox::sent(net::Stream stream) const {
  const Counter &counter = sent_[static_cast<std::size_t>(stream)];
  return {counter.packets, counter.bytes};
}

std::size_t Outbox::held() { return state_.lock()->packets; }

stats::Summary Outbox::lateness() {
  const auto context = state_.lock()->context;
  return context ? context->lateness() : stats::Summary();
}

std::string Outbox::context_name() {
  const auto context = state_.lock()->context;
  return context ? context->name() : std::string();
}

}  // namespace avc::degrader
