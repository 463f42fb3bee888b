#include "core/runtime/context.hpp"

#include <pthread.h>
#include <sys/prctl.h>

#include <atomic>
#include <cstdlib>
#include <map>
#include <mutex>
#include <utility>
#include <vector>

#include "core/runtime/turns.hpp"

namespace avc::runtime {
namespace {

using Key = std::pair<std::string, const void *>;

// Never destroyed: contexts may end after static destructors have run.
struct Registry {
  std::mutex mutex;
  std::map<Key, std::weak_ptr<Context>> contexts;
};
Registry &registry() {
  static auto *the_one = new Registry;
  return *the_one;
}

// Threads whose contexts were let go by the threads themselves, which cannot join themselves.
class Orphans {
 public:
  void adopt(std::thread thread, std::shared_ptr<std::atomic<bool>> finished) {
    const std::scoped_lock lock(mutex_);
    threads_.push_back({std::move(thread), std::move(finished)});
  }
  void join_finished() { join(true); }
  void join_all() { join(false); }

 private:
  struct Orphan {
    std::thread thread;
    std::shared_ptr<std::atomic<bool>> finished;
  };
  void join(bool only_finished) {
    const std::scoped_lock lock(mutex_);
    std::erase_if(threads_, [&](Orphan &orphan) {
      if (only_finished && !*orphan.finished) return false;
      orphan.thread.join();
      return true;
    });
  }

  std::mutex mutex_;
  std::vector<Orphan> threads_;
};
Orphans &orphans() {
  static auto *the_ones = [] {
    std::atexit([] { orphans().join_all(); });
    return new Orphans;
  }();
  return *the_ones;
}

// The more a turn had to do, the longer the next one gathers: what a turn costs whatever it does is paid less often.
Nanos relief(Nanos took, Nanos spacing) { return std::clamp(took * 4, Nanos(0), spacing / 2); }

}  // namespace

class Context::Loop final : public Turns {
 public:
  explicit Loop(std::shared_ptr<WaitClock> clock) : Turns(clock->now()), clock_(std::move(clock)) {}

  WaitClock &clock() { return *clock_; }
  std::shared_ptr<std::atomic<bool>> finished() { return finished_; }

  void run() {
    const Nanos spacing = clock_->turn_spacing();
    Instant last_turn{Nanos::min()}, not_before{Nanos::min()};
    while (!stopped()) {
      const Instant now = clock_->now();
      if (now >= not_before || now < last_turn) {
        if (turn(now)) {
          last_turn = now;
          not_before = now + spacing + relief(clock_->now() - now, spacing);
          continue;
        }
      }
      // A timer armed since the turn may be due already, and a GstTestClock would sleep on it until it is cranked.
      if (const Instant until = sleep_until(not_before); until > now) clock_->wait_until(until);
    }
  }

 private:
  void wake() override { clock_->wake(); }

  std::shared_ptr<WaitClock> clock_;
  std::shared_ptr<std::atomic<bool>> finished_ = std::make_shared<std::atomic<bool>>(false);
};

std::shared_ptr<Context> Context::shared(const std::string &name, std::shared_ptr<WaitClock> clock) {
  orphans().join_finished();
  if (name.empty()) return std::shared_ptr<Context>(new Context(name, std::move(clock)));
  auto &all = registry();
  const std::scoped_lock lock(all.mutex);
  auto &place = all.contexts[{name, clock->identity()}];
  if (auto found = place.lock()) return found;
  auto made = std::shared_ptr<Context>(new Context(name, std::move(clock)));
  place = made;
  return made;
}

Context::Context(std::string name, std::shared_ptr<WaitClock> clock)
    : name_(std::move(name)), clock_identity_(clock->identity()), loop_(std::make_shared<Loop>(std::move(clock))) {
  thread_ = std::thread([loop = loop_, title = ("avc:" + name_).substr(0, 15)]() mutable {
    pthread_setname_np(pthread_self(), title.c_str());
    prctl(PR_SET_TIMERSLACK, 1000UL);  // wake within a microsecond and not, as usual, within 50
    loop->run();
    const auto finished = loop->finished();
    loop.reset();  // the clock goes before anyone may take us for gone
    *finished = true;
  });
}

Context::~Context() {
  if (!name_.empty()) {
    auto &all = registry();
    const std::scoped_lock lock(all.mutex);
    const auto place = all.contexts.find({name_, clock_identity_});
    // Somebody may have made a new one of the same name since our last reference went.
    if (place != all.contexts.end() && place->second.expired()) all.contexts.erase(place);
  }
  loop_->stop();
  if (thread_.get_id() == std::this_thread::get_id())
    orphans().adopt(std::move(thread_), loop_->finished());
  else
    thread_.join();
  orphans().join_finished();
}

stats::Summary Context::lateness() const { return loop_->lateness(); }
stats::LateCounts Context::late_counts() const { return loop_->late_counts(); }

std::optional<Context::Stuck> Context::stuck() const {
  constexpr Nanos kStuck = std::chrono::seconds(1);
  const auto busy = loop_->busy();
  if (busy.since < kStuck) return std::nullopt;
  return Stuck{busy.since, busy.owner};
}

Instant Context::now() const { return loop_->clock().now(); }
bool Context::is_current() const { return loop_->is_current(); }
std::unique_ptr<Timer> Context::make_timer(std::function<void()> callback, std::string owner) {
  return loop_->make_timer(std::move(callback), std::move(owner));
}
void Context::at_turn_end(TurnEnd &hook) { loop_->at_turn_end(hook); }
void Context::forget(TurnEnd &hook) { loop_->forget(hook); }
void Context::wait_for(TurnEnd &hook) { loop_->wait_for(hook); }
void Context::record_lateness(Nanos late, std::uint64_t times) { loop_->record_lateness(late, times); }

}  // namespace avc::runtime
