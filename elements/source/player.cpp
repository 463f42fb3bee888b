#include "elements/source/player.hpp"

#include <algorithm>
#include <cassert>

#include "elements/support/clock.hpp"

namespace avc::source {
namespace {

// A source that starts this close to running time 0 starts at 0, so that runs are alike to the nanosecond; a later
// one starts on a grid. None before its own time has come.
constexpr Nanos kStartGrid = std::chrono::milliseconds(100);

// Frames that a source far behind sends in one turn, if not those that are handed on together anyway. Then it gives
// way: a thousand others of its thread are behind too, what they send leaves when the turn ends, and whoever stops one
// of them may have to wait for that.
constexpr int kMostInTurn = 8;

constexpr Nanos kMargin = std::chrono::milliseconds(4);

Nanos start_of(Nanos running_time, const Settings &settings) {
  const auto steps = running_time <= kStartGrid ? 0 : (running_time + kStartGrid - Nanos(1)) / kStartGrid;
  return std::max<Nanos>(kStartGrid * steps, std::chrono::milliseconds(settings.start_at_ms));
}

}  // namespace

Player::Player(GstElement *element, Guarded<Settings> &settings) : element_(element), settings_(settings) {}

Player::~Player() { stop(); }

void Player::open() {
  auto orders = orders_.lock();
  orders->group_id = gst_util_group_id_next();
  orders->over = false;
  for (const auto &output : *orders->outputs) output->reset();
}

void Player::play(std::shared_ptr<runtime::Executor> executor, Instant base_time) {
  if (executor != this->executor()) {
    drop_executor();
    auto timer = executor->make_timer([this] { turn(); }, path_of(element_));
    const std::lock_guard hold(timer_mutex_);
    executor_ = std::move(executor);
    timer_ = std::move(timer);
  }
  {
    auto orders = orders_.lock();
    orders->playing = true;
    orders->base_time = base_time;
  }
  wake();
}

void Player::pause() {
  orders_.lock()->playing = false;
  const std::lock_guard hold(timer_mutex_);
  if (timer_) timer_->cancel();
}

void Player::stop() {
  drop_executor();
  introduced_.reset();
  Orders left;  // what they hold is let go of without the lock
  auto orders = orders_.lock();
  left.outputs = orders->outputs;
  std::swap(*orders, left);
}

void Player::drop_executor() {
  std::unique_ptr<runtime::Timer> timer;
  std::shared_ptr<runtime::Executor> executor;
  {
    const std::lock_guard hold(timer_mutex_);
    timer.swap(timer_);
    executor.swap(executor_);
  }
  if (!timer) return;
  // On its own thread, inside a push of ours, the turn under way finds that it may not go on.
  if (executor->is_current())
    timer->cancel();
  else
    timer->cancel_and_wait();
}

std::shared_ptr<runtime::Executor> Player::executor() const {
  const std::lock_guard hold(timer_mutex_);
  return executor_;
}

void Player::wake() {
  const std::lock_guard hold(timer_mutex_);
  if (timer_) timer_->arm(executor_->now());
}

void Player::set_clip(std::shared_ptr<const media::Clip> clip) {
  orders_.lock()->clip.swap(clip);
  wake();
}

void Player::add(std::shared_ptr<Output> output) {
  auto orders = orders_.lock();
  auto outputs = std::make_shared<Outputs>(*orders->outputs);
  outputs->push_back(std::move(output));
  orders->outputs = std::move(outputs);
}

std::shared_ptr<Output> Player::remove(GstPad *pad) {
  auto orders = orders_.lock();
  auto outputs = std::make_shared<Outputs>(*orders->outputs);
  const auto found =
      std::find_if(outputs->begin(), outputs->end(), [pad](const auto &output) { return output->pad() == pad; });
  if (found == outputs->end()) return nullptr;
  auto output = *found;
  outputs->erase(found);
  orders->outputs = std::move(outputs);
  return output;
}

void Player::send(Ptr<GstEvent> event) {
  orders_.lock()->events.push_back(std::move(event));
  wake();
}

void Player::request_key_unit(std::optional<guint> ssrc) {
  auto orders = orders_.lock();
  orders->key_unit = true;
  orders->key_unit_ssrc = ssrc;
}

void Player::change(SpikeChange change) { orders_.lock()->changes.push_back(std::move(change)); }

std::shared_ptr<const media::Clip> Player::clip() const { return orders_.lock()->clip; }

void Player::carry_out_orders(Orders &orders) {
  for (SpikeChange &change : orders.changes) orders.run->change(std::move(change));
  orders.changes.clear();
  if (orders.key_unit && (!orders.key_unit_ssrc || orders.run->is_of(*orders.key_unit_ssrc)))
    orders.run->request_key_unit();
  orders.key_unit = false;
}

std::optional<Player::Step> Player::next_step(Instant now) {
  std::optional<Settings> settings;
  if (!orders_.lock()->run) settings = *settings_.lock();  // needed to make one
  auto orders = orders_.lock();
  if (!orders->playing || orders->over) return std::nullopt;
  if (!orders->run && orders->clip && settings)
    orders->run = std::make_shared<Run>(orders->clip, *settings, orders->group_id,
                                        start_of(now - orders->base_time, *settings), counters_);
  if (orders->run) carry_out_orders(*orders);
  Step step{orders->run, orders->outputs, orders->base_time, std::move(orders->events)};
  orders->events.clear();
  return step;
}

bool Player::deliver(const Step &step) {
  const Offer nobody;
  const Offer &offer = step.run ? step.run->offer() : nobody;
  for (const auto &event : step.events) {
    for (const auto &output : *step.outputs) output->send(offer, event.get());
    if (GST_EVENT_TYPE(event.get()) != GST_EVENT_EOS) continue;
    orders_.lock()->over = true;
    return false;
  }
  return step.run != nullptr;
}

// Whoever is new downstream hears of us before the frame that is due, and may say what it is to be like: a spike in
// force, a key unit. True if it has to be looked at anew.
bool Player::introduce(const Step &step) {
  if (step.outputs == introduced_) return false;
  introduced_ = step.outputs;
  step.run->introduce(*step.outputs);
  return true;
}

void Player::end(const Step &step) {
  const auto eos = take(gst_event_new_eos());
  for (const auto &output : *step.outputs) output->send(step.run->offer(), eos.get());
  orders_.lock()->over = true;
}

// Frames from `due` on, so many as are handed on together. True if a keyframe was among them.
bool Player::emit(const Step &step, Nanos ahead, Instant due, runtime::Executor &executor) {
  const Live live = settings_.lock()->live();
  const Instant until = due + ahead, now = executor.now();
  bool keyframe = false;
  while (true) {
    const bool sent = step.run->emit(live, *step.outputs);
    keyframe |= step.run->sent_keyframe();
    // What is ahead of its time is kept downstream, where it is seen how late it leaves.
    if (sent && (ahead == Nanos(0) || now > due)) executor.record_lateness(now - due);
    const auto next = step.run->next();
    if (!next || step.base_time + *next >= until) break;
    due = step.base_time + *next;
  }
  for (const auto &output : *step.outputs) output->flush();
  return keyframe;
}

// Ahead of time means some milliseconds before the first frame's: the thread that gets here may be late.
void Player::turn() {
  const auto executor = this->executor();
  if (!executor) return;
  int sent = 0;
  while (const auto step = next_step(executor->now())) {
    if (!deliver(*step)) return;
    const auto running_time = step->run->next();
    if (!running_time) return end(*step);
    const bool controlled = gst_object_has_active_control_bindings(GST_OBJECT(element_));
    const Nanos ahead = controlled ? Nanos(0) : step->run->ahead(*step->outputs);
    const Instant due = step->base_time + *running_time;
    const Instant wanted = due - std::min(ahead, kMargin);
    if (wanted > executor->now() || sent >= (ahead > Nanos(0) ? 1 : kMostInTurn)) {
      const std::lock_guard hold(timer_mutex_);
      if (timer_) timer_->arm(wanted);
      return;
    }
    if (introduce(*step)) continue;
    if (controlled) gst_object_sync_values(GST_OBJECT(element_), static_cast<GstClockTime>(running_time->count()));
    // A request that came before the keyframe was out has been granted by it: depayloaders ask when they get caps.
    if (emit(*step, ahead, due, *executor)) orders_.lock()->key_unit = false;
    ++sent;
  }
}

}  // namespace avc::source
