#include "elements/degrader/outbox.hpp"

#include "elements/support/clock.hpp"
#include "elements/support/rtp_frame.hpp"

namespace avc::degrader {
namespace {

using namespace std::chrono_literals;

constexpr Nanos kAhead = 5s;         // how much media a source that is not live may park here
constexpr std::size_t kBatch = 256;  // parcels taken out under one hold of the lock

// What a flush must not lose: upstream has sent it once and will not again.
bool outlives_flush(GstEvent *event) {
  const auto type = GST_EVENT_TYPE(event);
  const bool sticky = gst_event_type_get_flags(type) & GST_EVENT_TYPE_STICKY;
  return sticky && type != GST_EVENT_SEGMENT && type != GST_EVENT_EOS;
}

bool is_fault(GstFlowReturn flow) { return flow == GST_FLOW_NOT_LINKED || flow < GST_FLOW_EOS; }

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
  state->flushing = state->clocked = false;
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
    state->playing = state->clocked = true;
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
    state->cut_off.clear();
  }
  if (timer) {
    timer->cancel_and_wait();
    const Turn turn(*this);
    abandon_batch();
  }
  drop_held(std::move(queue), nullptr);
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
  std::vector<Ptr<GstEvent>> events;
  drop_held(std::move(queue), &events);
  auto state = state_.lock();
  for (auto &event : events) state->cut_off.push_back(std::move(event));
}

void Outbox::flush_stop() {
  const Turn turn(*this);  // nothing from before the flush is still being pushed
  abandon_batch();         // unless the flush comes from within that push
  flow_ = GST_FLOW_OK;
  std::vector<Ptr<GstEvent>> cut_off;
  {
    auto state = state_.lock();
    state->flushing = false;
    state->clocked = state->playing;
    std::swap(cut_off, state->cut_off);
  }
  for (const auto &event : cut_off) keep(event.get());
}

void Outbox::keep(GstEvent *event) {
  if (outlives_flush(event)) gst_pad_store_sticky_event(src_, event);
}

void Outbox::wait_for_room(Instant arrival) {
  auto state = state_.lock();
  if (state->queue.empty() || (state->context && state->context->is_current())) return;
  state.wait(room_, [&] { return state->flushing || state->queue.empty() || arrival - state->now() <= kAhead; });
}

Instant Outbox::now() { return state_.lock()->now(); }

bool Outbox::Turn::direct() { return !outbox_.draining_ && outbox_.state_.lock()->queue.empty(); }

bool Outbox::Turn::clocked() { return outbox_.state_.lock()->clocked; }

GstFlowReturn Outbox::Turn::push(Ptr<GstBuffer> buffer, net::Stream stream) {
  const RtpFrame *frame = frame_of(buffer.get());
  const Sent of_it{1, frame ? frame->bytes(0) : gst_buffer_get_size(buffer.get())};
  const GstFlowReturn flow = gst_pad_push(outbox_.src_, give(std::move(buffer)));
  outbox_.count(flow, stream, of_it);
  return flow;
}

GstFlowReturn Outbox::Turn::push(Ptr<GstBuffer> frame, const SentOfEach &of_it) {
  const GstFlowReturn flow = gst_pad_push(outbox_.src_, give(std::move(frame)));
  for (std::size_t i = 0; i < of_it.size(); i++)
    if (of_it[i].packets > 0) outbox_.count(flow, static_cast<net::Stream>(i), of_it[i]);
  return flow;
}

GstFlowReturn Outbox::Turn::push(Ptr<GstBufferList> list, net::Stream stream) {
  const Sent of_it{gst_buffer_list_length(list.get()), gst_buffer_list_calculate_size(list.get())};
  const GstFlowReturn flow = gst_pad_push_list(outbox_.src_, give(std::move(list)));
  outbox_.count(flow, stream, of_it);
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
  const auto type = GST_EVENT_TYPE(event.get());
  if (type == GST_EVENT_STREAM_START || type == GST_EVENT_SEGMENT) outbox_.begin_anew();
  {
    auto state = outbox_.state_.lock();
    const auto last = state->queue.latest_due();
    if ((last || outbox_.draining_) && !state->flushing) {
      state->barrier = last.value_or(state->barrier);
      state->put(state->barrier, {take(GST_MINI_OBJECT_CAST(event.release())), net::Stream::other, state->barrier});
      if (!outbox_.draining_) state->arm();
      return;
    }
  }
  outbox_.push_event(std::move(event));
}

// Who had enough may want more of what begins now.
void Outbox::begin_anew() {
  GstFlowReturn enough = GST_FLOW_EOS;
  flow_.compare_exchange_strong(enough, GST_FLOW_OK);
}

void Outbox::Turn::drain() { outbox_.drain(); }

void Outbox::on_timer() {
  const auto alive = take(GST_ELEMENT(gst_object_ref(element_)));  // whoever is called may let go of it
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
  if (draining_) return;  // called from within a push: the one below us goes on with what came
  draining_ = true;
  while (take_due()) push_batch();
  draining_ = false;
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

// Neighbours of one stream and one time leave as one list, as they came. Whoever is pushed to may abandon the batch.
void Outbox::push_batch() {
  Turn turn(*this);
  while (next_ < batch_.size()) {
    const std::size_t first = next_++;
    if (!batch_[first].is_buffer()) {
      push_event(take(GST_EVENT_CAST(batch_[first].what.release())));
      continue;
    }
    const auto stream = batch_[first].stream;
    const GstClockTime pts = GST_BUFFER_PTS(batch_[first].what.get());
    while (next_ < batch_.size() && batch_[next_].is_buffer() && batch_[next_].stream == stream &&
           GST_BUFFER_PTS(batch_[next_].what.get()) == pts) {
      next_++;
    }
    if (next_ == first + 1) {
      turn.push(take(GST_BUFFER_CAST(batch_[first].what.release())), stream);
    } else {
      auto list = take(gst_buffer_list_new_sized(static_cast<guint>(next_ - first)));
      for (std::size_t k = first; k < next_; k++) {
        gst_buffer_list_add(list.get(), GST_BUFFER_CAST(batch_[k].what.release()));
      }
      turn.push(std::move(list), stream);
    }
  }
  batch_.clear();
  next_ = 0;
}

// Upstream has nothing more to push after EOS, so nobody would tell it that what was held did not arrive.
void Outbox::push_event(Ptr<GstEvent> event) {
  const GstFlowReturn flow = flow_;
  if (GST_EVENT_TYPE(event.get()) == GST_EVENT_EOS && is_fault(flow)) GST_ELEMENT_FLOW_ERROR(element_, flow);
  gst_pad_push_event(src_, give(std::move(event)));
}

void Outbox::abandon_batch() {
  for (; next_ < batch_.size(); next_++) {
    flushed_ += batch_[next_].is_buffer();
    if (!batch_[next_].is_buffer()) keep(GST_EVENT_CAST(batch_[next_].what.get()));
  }
  batch_.clear();
  next_ = 0;
}

void Outbox::count(GstFlowReturn flow, net::Stream stream, const Sent &sent) {
  flow_ = flow;
  if (flow == GST_FLOW_FLUSHING) {
    flushed_ += sent.packets;
    return;
  }
  Counter &counter = sent_[static_cast<std::size_t>(stream)];
  counter.packets += sent.packets;
  counter.bytes += sent.bytes;
}

void Outbox::drop_held(net::DueQueue<Parcel> queue, std::vector<Ptr<GstEvent>> *events) {
  while (auto parcel = queue.take_next()) {
    if (parcel->is_buffer()) {
      flushed_++;
    } else if (events) {
      events->push_back(take(GST_EVENT_CAST(parcel->what.release())));
    }
  }
}

Sent Outbox::sent(net::Stream stream) const {
  const Counter &counter = sent_[static_cast<std::size_t>(stream)];
  return {counter.packets, counter.bytes};
}

bool Outbox::empty() { return state_.lock()->queue.empty(); }

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
