#include "core/runtime/turns.hpp"

#include <algorithm>
#include <cassert>
#include <utility>

namespace avc::runtime {
namespace {

constexpr TurnEnd *kForgotten = nullptr;

Nanos steady_now() { return std::chrono::steady_clock::now().time_since_epoch(); }

thread_local const Turns *t_current = nullptr;  // whose turn this thread is in

class Inside {
 public:
  explicit Inside(const Turns *turns) : before_(std::exchange(t_current, turns)) {}
  ~Inside() { t_current = before_; }
  Inside(const Inside &) = delete;
  Inside &operator=(const Inside &) = delete;

 private:
  const Turns *before_;
};

}  // namespace

class Turns::WheelTimer final : public Timer, public TimerWheel::Entry {
 public:
  WheelTimer(std::shared_ptr<Turns> turns, std::function<void()> callback, std::string owner)
      : turns_(std::move(turns)),
        callback_(std::make_unique<std::function<void()>>(std::move(callback))),
        owner_(std::move(owner)) {}

  ~WheelTimer() override {
    const std::scoped_lock lock(turns_->mutex_);
    turns_->wheel_.remove(*this);
    if (turns_->running_ != this) return;
    assert(turns_->is_current());
    turns_->outlives_timer_ = std::move(callback_);
    turns_->running_ = nullptr;
  }

  void arm(Instant when) override {
    const std::scoped_lock lock(turns_->mutex_);
    if (turns_->stopped_) return;
    turns_->wheel_.insert(*this, when);
    const Instant turn = std::max(when, turns_->not_before_);
    if (turn >= turns_->asleep_until_) return;
    turns_->asleep_until_ = turn;
    turns_->wake();
  }

  void cancel() override {
    const std::scoped_lock lock(turns_->mutex_);
    turns_->wheel_.remove(*this);
  }

  void cancel_and_wait() override {
    std::unique_lock lock(turns_->mutex_);
    do {
      turns_->wheel_.remove(*this);
      if (turns_->is_current()) return;
      turns_->wait_while(lock, [this] { return turns_->running_ == this; });
    } while (armed());
  }

 private:
  friend class Turns;
  std::shared_ptr<Turns> turns_;
  std::unique_ptr<std::function<void()>> callback_;
  const std::string owner_;
};

bool Turns::turn(Instant now) {
  std::unique_lock lock(mutex_);
  asleep_until_ = {Nanos::min()};
  wheel_.collect(now);
  auto *entry = stopped_ ? nullptr : wheel_.take();
  if (!entry) return false;
  const Inside inside(this);
  began_ = steady_now().count();
  for (; entry; entry = stopped_ ? nullptr : wheel_.take()) call(static_cast<WheelTimer &>(*entry), lock);
  end_turn(lock);
  began_ = 0;
  keep_lateness();
  return true;
}

void Turns::call(WheelTimer &timer, std::unique_lock<std::mutex> &lock) {
  running_ = &timer;
  lock.unlock();
  (*timer.callback_)();
  lock.lock();
  running_ = nullptr;
  if (waiters_ > 0) finished_.notify_all();
  if (outlives_timer_) {  // what it captured is let go without the lock: that may end the executor
    auto callback = std::move(outlives_timer_);
    lock.unlock();
    callback.reset();
    lock.lock();
  }
}

void Turns::end_turn(std::unique_lock<std::mutex> &lock) {
  for (std::size_t next = 0; next < hooks_.size();) {  // hooks may ask for hooks, and forget() leaves null
    ending_ = hooks_[next++];
    if (!ending_) continue;
    ending_->queued_ = false;
    lock.unlock();
    ending_->turn_ended();
    lock.lock();
    ending_ = nullptr;
    if (waiters_ > 0) finished_.notify_all();
  }
  hooks_.clear();
}

Instant Turns::sleep_until(Instant not_before) {
  const std::scoped_lock lock(mutex_);
  not_before_ = not_before;
  asleep_until_ = std::max(wheel_.next_due().value_or(Instant::never()), not_before);
  return asleep_until_;
}

void Turns::stop() {
  const std::scoped_lock lock(mutex_);
  stopped_ = true;
  wake();
}

bool Turns::stopped() {
  const std::scoped_lock lock(mutex_);
  return stopped_;
}

std::unique_ptr<Timer> Turns::make_timer(std::function<void()> callback, std::string owner) {
  return std::make_unique<WheelTimer>(shared_from_this(), std::move(callback), std::move(owner));
}

bool Turns::is_current() const { return t_current == this; }

std::optional<Instant> Turns::next_due() {
  const std::scoped_lock lock(mutex_);
  return wheel_.next_due();
}

void Turns::at_turn_end(TurnEnd &hook) {
  assert(is_current());
  const std::scoped_lock lock(mutex_);
  if (std::exchange(hook.queued_, true)) return;
  hooks_.push_back(&hook);
}

void Turns::forget(TurnEnd &hook) {
  std::unique_lock lock(mutex_);
  do {
    if (std::exchange(hook.queued_, false)) std::replace(hooks_.begin(), hooks_.end(), &hook, kForgotten);
    if (!is_current()) wait_while(lock, [&] { return ending_ == &hook; });
  } while (hook.queued_);
}

void Turns::wait_for(TurnEnd &hook) {
  std::unique_lock lock(mutex_);
  if (!is_current()) wait_while(lock, [&] { return ending_ == &hook; });
}

void Turns::wait_while(std::unique_lock<std::mutex> &lock, const std::function<bool()> &busy) {
  ++waiters_;
  finished_.wait(lock, [&] { return !busy(); });
  --waiters_;
}

void Turns::record_lateness(Nanos late, std::uint64_t times) {
  if (is_current()) {
    late_in_turn_.emplace_back(late, times);
    return;
  }
  const std::scoped_lock lock(lateness_mutex_);
  lateness_.record(late.count(), times);
  late_counts_.record(late, times);
}

void Turns::keep_lateness() {
  if (late_in_turn_.empty()) return;
  const std::scoped_lock lock(lateness_mutex_);
  for (const auto &[late, times] : late_in_turn_) {
    lateness_.record(late.count(), times);
    late_counts_.record(late, times);
  }
  late_in_turn_.clear();
}

stats::Summary Turns::lateness() {
  const std::scoped_lock lock(lateness_mutex_);
  if (summary_.count != lateness_.count()) summary_ = lateness_.summary();
  return summary_;
}

stats::LateCounts Turns::late_counts() {
  const std::scoped_lock lock(lateness_mutex_);
  return late_counts_;
}

Turns::Busy Turns::busy() {
  const std::scoped_lock lock(mutex_);
  const Nanos::rep began = began_;
  if (began == 0) return {};
  return {steady_now() - Nanos(began), running_ ? running_->owner_ : std::string()};
}

}  // namespace avc::runtime
