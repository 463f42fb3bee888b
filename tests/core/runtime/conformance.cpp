// What every executor promises, asked of each in turn: one moved by hand, a context on a clock moved by hand, a
// context on the real clock.
#include <condition_variable>
#include <future>
#include <mutex>
#include <thread>

#include "core/runtime/context.hpp"
#include "core/runtime/manual_executor.hpp"
#include "core/runtime/steady_clock.hpp"
#include "tests/check.hpp"
#include "tests/core/runtime/hand_clock.hpp"

using namespace avc;
using namespace std::chrono_literals;
using runtime::Context, runtime::Executor, runtime::ManualExecutor, runtime::Timer, runtime::TurnEnd;

namespace {

class Hook final : public TurnEnd {
 public:
  explicit Hook(std::function<void()> called) : called_(std::move(called)) {}
  void turn_ended() override { called_(); }

 private:
  std::function<void()> called_;
};

class World {
 public:
  virtual ~World() = default;
  virtual Executor &executor() = 0;
  virtual void pass(Nanos span) = 0;  // returns when everything due by then, and its turn ends, have been served
  virtual bool on_the_dot() const { return true; }

  // Runs `what` in a turn of its own: nothing it arms is served before it returns, however slow the machine.
  void in_turn(const std::function<void()> &what) {
    const auto timer = executor().make_timer(what);
    timer->arm(executor().now());
    pass({});
  }
};

class ManualWorld final : public World {
 public:
  Executor &executor() override { return executor_; }
  void pass(Nanos span) override { executor_.advance(span); }

 private:
  ManualExecutor executor_;
};

// Waits until a context has served everything armed for `until` so far.
void fence(Executor &executor, Instant until) {
  std::promise<void> reached;
  Hook hook([&] { reached.set_value(); });
  const auto timer = executor.make_timer([&] { executor.at_turn_end(hook); });
  timer->arm(until);
  reached.get_future().wait();
  executor.forget(hook);
}

class HandWorld final : public World {
 public:
  Executor &executor() override { return *context_; }
  void pass(Nanos span) override {
    const Instant end = clock_->now() + span;
    fence(*context_, clock_->now());
    while (clock_->now() < end) {
      clock_->set(std::min(end, clock_->now() + 1ms));
      fence(*context_, clock_->now());
    }
  }

 private:
  std::shared_ptr<test::HandClock> clock_ = std::make_shared<test::HandClock>();
  std::shared_ptr<Context> context_ = Context::shared("", clock_);
};

class RealWorld final : public World {
 public:
  Executor &executor() override { return *context_; }
  void pass(Nanos span) override { fence(*context_, context_->now() + span); }
  bool on_the_dot() const override { return false; }

 private:
  std::shared_ptr<Context> context_ = Context::shared("", std::make_shared<runtime::SteadyClock>());
};

void in_every_world(const std::function<void(World &)> &test) {
  ManualWorld manual;
  test(manual);
  HandWorld hand;
  test(hand);
  RealWorld real;
  test(real);
}

// What callbacks on another thread noted, in order.
class Notes {
 public:
  void add(int note) {
    const std::scoped_lock lock(mutex_);
    notes_.push_back(note);
  }
  std::vector<int> all() {
    const std::scoped_lock lock(mutex_);
    return notes_;
  }

 private:
  std::mutex mutex_;
  std::vector<int> notes_;
};

}  // namespace

START_TEST(a_timer_is_served_at_its_deadline_and_never_before) {
  in_every_world([](World &world) {
    auto &executor = world.executor();
    for (const Nanos span : {Nanos(0), Nanos(1ms), Nanos(3ms), Nanos(20ms)}) {
      const Instant due = executor.now() + span;
      std::optional<Instant> served;
      const auto timer = executor.make_timer([&] { served = executor.now(); });
      timer->arm(due);
      world.pass(span);
      ck_assert(served && *served >= due);
      if (world.on_the_dot()) ck_assert(*served == due);
    }
  });
}
END_TEST

START_TEST(deadlines_are_served_in_order_and_ties_as_armed) {
  in_every_world([](World &world) {
    auto &executor = world.executor();
    Notes notes;
    std::vector<std::unique_ptr<Timer>> timers;
    for (int i = 0; i < 6; ++i) timers.push_back(executor.make_timer([&notes, i] { notes.add(i); }));
    world.in_turn([&] {
      const Instant start = executor.now() + 5ms;
      const int offsets[] = {3, 1, 2, 1, 0, 3};
      for (std::size_t i = 0; i < 6; ++i) timers[i]->arm(start + offsets[i] * 1ms);
    });
    world.pass(20ms);
    ck_assert(notes.all() == (std::vector<int>{4, 1, 3, 2, 0, 5}));
  });
}
END_TEST

START_TEST(arming_again_replaces_the_deadline) {
  in_every_world([](World &world) {
    auto &executor = world.executor();
    std::atomic<int> served = 0;
    const auto timer = executor.make_timer([&] { ++served; });
    world.in_turn([&] {
      timer->arm(executor.now() + 1h);
      timer->arm(executor.now() + 2ms);
    });
    world.pass(3ms);
    ck_assert_int_eq(served, 1);
    world.in_turn([&] {
      timer->arm(executor.now() + 5ms);
      timer->arm(executor.now() + 1h);
    });
    world.pass(10ms);
    ck_assert_int_eq(served, 1);
  });
}
END_TEST

START_TEST(a_callback_may_arm_its_own_timer) {
  in_every_world([](World &world) {
    auto &executor = world.executor();
    std::atomic<int> served = 0;
    std::unique_ptr<Timer> timer;
    Instant next = executor.now();
    timer = executor.make_timer([&] {
      if (++served < 5) timer->arm(next = next + 2ms);
    });
    timer->arm(next);
    world.pass(20ms);
    ck_assert_int_eq(served, 5);
  });
}
END_TEST

START_TEST(cancelled_timers_are_not_served) {
  in_every_world([](World &world) {
    auto &executor = world.executor();
    std::atomic<int> served = 0;
    const auto timer = executor.make_timer([&] { ++served; });
    timer->arm(executor.now() + 2ms);
    timer->cancel();
    {
      executor.make_timer([&] { ++served; })->arm(executor.now() + 2ms);
    }  // destroyed at once
    const auto waited = executor.make_timer([&] { ++served; });
    waited->arm(executor.now() + 1h);
    waited->cancel_and_wait();
    world.pass(5ms);
    ck_assert_int_eq(served, 0);
  });
}
END_TEST

START_TEST(a_callback_may_cancel_and_rearm_others_of_its_turn) {
  in_every_world([](World &world) {
    auto &executor = world.executor();
    Notes notes;
    const auto cancelled = executor.make_timer([&] { notes.add(1); });
    const auto moved = executor.make_timer([&] { notes.add(2); });
    const auto stays = executor.make_timer([&] { notes.add(3); });
    Instant due;
    const auto first = executor.make_timer([&] {
      cancelled->cancel();
      moved->arm(due + 2ms);
      notes.add(0);
    });
    world.in_turn([&] {
      due = executor.now() + 2ms;
      for (auto *timer : {first.get(), cancelled.get(), moved.get(), stays.get()}) timer->arm(due);
    });
    world.pass(10ms);
    ck_assert(notes.all() == (std::vector<int>{0, 3, 2}));
  });
}
END_TEST

START_TEST(a_timer_may_be_destroyed_by_its_own_callback) {
  in_every_world([](World &world) {
    auto &executor = world.executor();
    const auto captured = std::make_shared<int>(7);
    int seen = 0;
    std::unique_ptr<Timer> timer;
    timer = executor.make_timer([&timer, &seen, captured] {
      timer.reset();
      seen = *captured;  // still there
    });
    timer->arm(executor.now());
    world.pass(1ms);
    ck_assert_int_eq(seen, 7);
    ck_assert_int_eq(captured.use_count(), 1);
  });
}
END_TEST

START_TEST(is_current_holds_in_callbacks_and_hooks_only) {
  in_every_world([](World &world) {
    auto &executor = world.executor();
    bool in_callback = false, in_hook = false;
    Hook hook([&] { in_hook = executor.is_current(); });
    const auto timer = executor.make_timer([&] {
      in_callback = executor.is_current();
      executor.at_turn_end(hook);
    });
    timer->arm(executor.now());
    world.pass(1ms);
    ck_assert(in_callback && in_hook && !executor.is_current());
    executor.forget(hook);
  });
}
END_TEST

START_TEST(hooks_are_called_once_after_all_callbacks_of_the_turn) {
  in_every_world([](World &world) {
    auto &executor = world.executor();
    Notes notes;
    Hook last([&] { notes.add(20); });
    Hook hook([&] {
      notes.add(10);
      executor.at_turn_end(last);
    });
    std::vector<std::unique_ptr<Timer>> timers;
    for (int i = 0; i < 3; ++i) {
      timers.push_back(executor.make_timer([&, i] {
        notes.add(i);
        executor.at_turn_end(hook);
        executor.at_turn_end(hook);
      }));
    }
    world.in_turn([&] {
      const Instant due = executor.now() + 3ms;
      for (auto &timer : timers) timer->arm(due);
    });
    world.pass(5ms);
    ck_assert(notes.all() == (std::vector<int>{0, 1, 2, 10, 20}));
    executor.forget(hook);
    executor.forget(last);
  });
}
END_TEST

START_TEST(forgotten_hooks_are_not_called) {
  in_every_world([](World &world) {
    auto &executor = world.executor();
    Notes notes;
    Hook first([&] { notes.add(1); }), gone([&] { notes.add(2); }), third([&] { notes.add(3); });
    const auto timer = executor.make_timer([&] {
      for (auto *hook : {&first, &gone, &third}) executor.at_turn_end(*hook);
      executor.forget(gone);
    });
    timer->arm(executor.now());
    world.pass(1ms);
    ck_assert(notes.all() == (std::vector<int>{1, 3}));
    for (auto *hook : {&first, &gone, &third}) executor.forget(*hook);
  });
}
END_TEST

// The callback blocks until the canceller is known to be on its way, so the wait is real in every world.
START_TEST(cancel_and_wait_returns_after_the_callback_and_undoes_its_rearming) {
  in_every_world([](World &world) {
    auto &executor = world.executor();
    std::promise<void> running, cancelling;
    std::atomic<int> begun = 0, done = 0;
    std::unique_ptr<Timer> timer;
    timer = executor.make_timer([&] {
      if (++begun == 1) {
        running.set_value();
        cancelling.get_future().wait();
      }
      timer->arm(executor.now());
      ++done;
    });
    timer->arm(executor.now());
    std::thread canceller([&] {
      running.get_future().wait();
      cancelling.set_value();
      timer->cancel_and_wait();
      ck_assert_int_eq(begun, done);
    });
    world.pass(5ms);
    canceller.join();
    const int before = begun;
    world.pass(5ms);
    ck_assert_int_eq(begun, before);
  });
}
END_TEST

START_TEST(on_its_own_thread_cancelling_does_not_wait) {
  in_every_world([](World &world) {
    auto &executor = world.executor();
    std::atomic<int> served = 0;
    std::unique_ptr<Timer> own, other;
    other = executor.make_timer([&] { served += 100; });
    own = executor.make_timer([&] {
      ++served;
      own->arm(executor.now());
      other->arm(executor.now());
      own->cancel_and_wait();
      other->cancel_and_wait();
    });
    own->arm(executor.now());
    world.pass(5ms);
    ck_assert_int_eq(served, 1);
  });
}
END_TEST

START_TEST(deadlines_a_second_and_more_ahead_keep_their_order) {
  in_every_world([](World &world) {
    if (!world.on_the_dot()) return;  // would take real seconds
    auto &executor = world.executor();
    Notes notes;
    std::vector<std::unique_ptr<Timer>> timers;
    const Nanos spans[] = {2500ms, 1023ms, 1024ms, 1025ms, 600ms, 3h};
    for (int i = 0; i < 6; ++i) {
      timers.push_back(executor.make_timer([&notes, i] { notes.add(i); }));
      timers.back()->arm(executor.now() + spans[i]);
    }
    world.pass(3s);
    ck_assert(notes.all() == (std::vector<int>{4, 1, 2, 3, 0}));
  });
}
END_TEST

START_TEST(timers_may_outlive_their_executor) {
  std::unique_ptr<Timer> timer;
  int served = 0;
  {
    ManualExecutor executor;
    timer = executor.make_timer([&] { ++served; });
    timer->arm(executor.now() + 1ms);
  }
  timer->arm({});
  timer->cancel();
  timer.reset();
  {
    const auto context = Context::shared("", std::make_shared<test::HandClock>());
    timer = context->make_timer([&] { ++served; });
    timer->arm({1ms});
  }
  timer->arm({});
  timer->cancel_and_wait();
  ck_assert_int_eq(served, 0);
}
END_TEST

AVC_TESTS("executor_conformance", a_timer_is_served_at_its_deadline_and_never_before,
          deadlines_are_served_in_order_and_ties_as_armed, arming_again_replaces_the_deadline,
          a_callback_may_arm_its_own_timer, cancelled_timers_are_not_served,
          a_callback_may_cancel_and_rearm_others_of_its_turn, a_timer_may_be_destroyed_by_its_own_callback,
          is_current_holds_in_callbacks_and_hooks_only, hooks_are_called_once_after_all_callbacks_of_the_turn,
          forgotten_hooks_are_not_called, cancel_and_wait_returns_after_the_callback_and_undoes_its_rearming,
          on_its_own_thread_cancelling_does_not_wait, deadlines_a_second_and_more_ahead_keep_their_order,
          timers_may_outlive_their_executor)
