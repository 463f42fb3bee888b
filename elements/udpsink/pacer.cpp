#include "elements/udpsink/pacer.hpp"

#include <algorithm>

namespace avc::udpsink {

std::shared_ptr<Pacer> Pacer::make(std::shared_ptr<runtime::Context> context, std::shared_ptr<SharedSocket> socket,
                                   const std::string &owner) {
  std::shared_ptr<Pacer> made(new Pacer(std::move(context), std::move(socket)));
  const auto call = [weak = std::weak_ptr(made)] {
    if (const auto self = weak.lock()) self->on_timer();
  };
  made->timer_ = made->context_->make_timer(call, owner);
  return made;
}

Pacer::Pacer(std::shared_ptr<runtime::Context> context, std::shared_ptr<SharedSocket> socket)
    : context_(std::move(context)), socket_(std::move(socket)) {}

// On the context's own thread the timer's callback is either over or what we are called from.
Pacer::~Pacer() {
  if (!context_->is_current()) timer_->cancel_and_wait();
}

void Pacer::put(State &state, const std::shared_ptr<Path> &path, GstBuffer *buffer, Instant due, Instant latest) {
  const auto behind = state.queue.latest_due();
  due = std::min(std::max(due, behind.value_or(due)), std::max(latest, behind.value_or(latest)));
  state.queue.hold(due, {path, share(buffer)});
  if (state.queue.size() == 1) timer_->arm(due);
}

bool Pacer::park(const std::shared_ptr<Path> &path, GstBufferList *list, Nanos over) {
  auto state = state_.lock();
  const guint length = gst_buffer_list_length(list);
  if (state->queue.empty() && length < 2) return false;
  const Instant now = context_->now(), latest = now + over;
  for (guint i = 0; i < length; ++i) {
    const Instant due = now + over * i / length;
    put(*state, path, gst_buffer_list_get(list, i), due, latest);
  }
  return true;
}

bool Pacer::park(const std::shared_ptr<Path> &path, GstBuffer *buffer, Nanos over) {
  auto state = state_.lock();
  if (state->queue.empty()) return false;
  const Instant now = context_->now();
  put(*state, path, buffer, now, now + over);
  return true;
}

void Pacer::on_timer() {
  auto state = state_.lock();
  const Instant now = context_->now();
  for (auto due = state->queue.next_due(); due && *due <= now; due = state->queue.next_due()) {
    context_->record_lateness(now - *due);
    const auto parked = state->queue.take_next();
    socket_->send(parked->path, parked->buffer.get());
  }
  if (const auto due = state->queue.next_due()) timer_->arm(*due);
}

void Pacer::release() {
  net::DueQueue<Parked> parked;  // sent without the lock: reports may be read, and events go upstream
  std::swap(parked, state_.lock()->queue);
  while (const auto next = parked.take_next()) socket_->send(next->path, next->buffer.get());
}

std::size_t Pacer::drop() {
  net::DueQueue<Parked> dropped;  // let go of without the lock
  auto state = state_.lock();
  std::swap(dropped, state->queue);
  return dropped.size();
}

}  // namespace avc::udpsink
