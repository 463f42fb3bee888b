#include "core/runtime/context.hpp"

#include <atomic>
#include <fstream>
#include <future>
#include <thread>

#include "core/runtime/steady_clock.hpp"
#include "tests/check.hpp"
#include "tests/core/runtime/hand_clock.hpp"

using namespace avc;
using namespace std::chrono_literals;
using runtime::Context, runtime::SteadyClock, runtime::Timer;

namespace {

std::shared_ptr<Context> real(const std::string &name) {
  return Context::shared(name, std::make_shared<SteadyClock>());
}

int threads_of_this_process() {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;)
    if (word == "Threads:") {
      int threads = 0;
      status >> threads;
      return threads;
    }
  return -1;
}

// A joined thread may be counted for a moment longer; one that does not go runs into the test's timeout.
void wait_for_threads(int count) {
  while (threads_of_this_process() != count) std::this_thread::yield();
}

// Runs `what` on the context's thread and waits for it.
void on(Context &context, const std::function<void()> &what) {
  std::promise<void> done;
  const auto timer = context.make_timer([&] {
    what();
    done.set_value();
  });
  timer->arm({});
  done.get_future().wait();
  timer->cancel_and_wait();
}

}  // namespace

START_TEST(one_name_on_one_clock_is_one_context_and_one_thread) {
  const auto a = real("one"), b = real("one"), other = real("two");
  ck_assert(a == b && a != other);
  ck_assert(real("") != real(""));
  const auto clock = std::make_shared<test::HandClock>();
  const auto hand = Context::shared("one", clock);
  ck_assert(hand != a && hand == Context::shared("one", clock));
  std::thread::id first, second;
  on(*a, [&] { first = std::this_thread::get_id(); });
  on(*b, [&] { second = std::this_thread::get_id(); });
  ck_assert(first == second && first != std::this_thread::get_id());
  ck_assert_str_eq(a->name().c_str(), "one");
}
END_TEST

START_TEST(a_context_ends_with_its_last_user) {
  auto clock = std::make_shared<test::HandClock>();
  const std::weak_ptr<test::HandClock> watched = clock;
  const int before = threads_of_this_process();
  auto context = Context::shared("ends", std::move(clock));
  ck_assert_int_eq(threads_of_this_process(), before + 1);
  context.reset();
  wait_for_threads(before);
  ck_assert(watched.expired());
}
END_TEST

START_TEST(the_last_reference_may_go_on_the_contexts_own_thread) {
  const int before = threads_of_this_process();
  for (int i = 0; i < 20; ++i) {
    auto clock = std::make_shared<test::HandClock>();
    const std::weak_ptr<test::HandClock> watched = clock;
    auto context = Context::shared("own thread", std::move(clock));
    std::promise<void> gone;
    std::atomic<bool> let_go = false;
    const auto timer = context->make_timer([&] {
      while (!let_go) std::this_thread::yield();
      context.reset();
      gone.set_value();
    });
    timer->arm({});
    let_go = true;
    gone.get_future().wait();
    timer->cancel_and_wait();
    ck_assert(real("own thread") != nullptr);  // the name is free again at once
  }
  // Each thread has at most to return from its last callback; later contexts join it.
  while (threads_of_this_process() > before) {
    std::this_thread::yield();
    real("");
  }
}
END_TEST

// As an element does when its last reference goes in its own callback.
START_TEST(an_owner_of_everything_may_be_destroyed_by_its_callback) {
  class Owner final : public runtime::TurnEnd {
   public:
    explicit Owner(std::promise<void> &gone) : gone_(gone) {}
    ~Owner() override {
      context->forget(*this);
      gone_.set_value();
    }
    void turn_ended() override {}
    std::shared_ptr<Context> context = real("owner");
    std::unique_ptr<Timer> timer;

   private:
    std::promise<void> &gone_;
  };
  const int before = threads_of_this_process();
  for (int i = 0; i < 100; ++i) {
    std::promise<void> gone;
    auto *owner = new Owner(gone);
    owner->timer = owner->context->make_timer([owner] {
      owner->context->at_turn_end(*owner);
      owner->timer->arm({});
      delete owner;
    });
    owner->timer->arm({});
    gone.get_future().wait();
  }
  while (threads_of_this_process() > before) {
    std::this_thread::yield();
    real("");
  }
}
END_TEST

START_TEST(a_thousand_contexts_come_and_go) {
  const int before = threads_of_this_process();
  std::atomic<int> served = 0;
  for (int i = 0; i < 1000; ++i) {
    const auto context = real(i % 2 ? "again" : "");
    const auto timer = context->make_timer([&] { ++served; });
    timer->arm(context->now());
    if (i % 3 == 0) on(*context, [] {});
    timer->cancel_and_wait();
  }
  ck_assert_int_ge(served, 334);
  wait_for_threads(before);
}
END_TEST

START_TEST(threads_that_share_and_drop_a_name_all_at_once_agree) {
  std::vector<std::thread> threads;
  std::atomic<int> served = 0;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&] {
      for (int i = 0; i < 100; ++i) on(*real("contended"), [&] { ++served; });
    });
  for (auto &thread : threads) thread.join();
  ck_assert_int_eq(served, 400);
}
END_TEST

START_TEST(an_earlier_deadline_wakes_a_sleeping_context) {
  const auto clock = std::make_shared<test::HandClock>();
  const auto context = Context::shared("", clock);
  const auto late = context->make_timer([] {});
  late->arm({1h});
  while (clock->waits() == 0) std::this_thread::yield();
  bool served = false;
  on(*context, [&] { served = true; });
  ck_assert(served);
}
END_TEST

START_TEST(an_idle_context_does_not_wake) {
  const auto clock = std::make_shared<test::HandClock>();
  const auto context = Context::shared("", clock);
  on(*context, [] {});
  const auto late = context->make_timer([] {});
  late->arm({1h});
  on(*context, [] {});
  while (clock->waits() < 1) std::this_thread::yield();
  const int waits = clock->waits();
  for (int ms = 1; ms <= 1000; ++ms) clock->set({ms * 1ms});  // time passes, no deadline comes
  ck_assert_int_le(clock->waits(), waits + 2);                // at most what was under way
}
END_TEST

// Four threads arm and cancel timers whose callbacks arm themselves again, for 2000 rounds each.
START_TEST(cancel_and_wait_holds_under_load) {
  const auto context = real("load");
  std::vector<std::thread> threads;
  std::atomic<int> violations = 0;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&] {
      for (int i = 0; i < 2000; ++i) {
        std::atomic<bool> allowed = true, running = false;
        std::unique_ptr<Timer> timer;
        timer = context->make_timer([&] {
          running = true;
          if (!allowed) ++violations;
          timer->arm({});
          running = false;
        });
        timer->arm({});
        if (i % 4 == 0) std::this_thread::yield();
        timer->cancel_and_wait();
        allowed = false;
        if (running) ++violations;
      }
    });
  for (auto &thread : threads) thread.join();
  ck_assert_int_eq(violations, 0);
}
END_TEST

START_TEST(lateness_of_all_threads_lands_in_one_histogram) {
  const auto context = real("");
  std::thread other([&] {
    for (int i = 0; i < 100; ++i) context->record_lateness(2ms);
  });
  for (int i = 0; i < 100; ++i) context->record_lateness(-5ms);  // early is not late
  other.join();
  const auto lateness = context->lateness();
  ck_assert_uint_eq(lateness.count, 200);
  ck_assert_int_eq(lateness.p50, 0);
  ck_assert_int_eq(lateness.max, 2'000'000);
}
END_TEST

START_TEST(a_callback_that_does_not_return_for_a_second_is_named) {
  const auto context = real("");
  std::promise<void> begun, go_on;
  const auto timer = context->make_timer(
      [&] {
        begun.set_value();
        go_on.get_future().wait();
      },
      "the culprit");
  ck_assert(!context->stuck());
  timer->arm(context->now());
  begun.get_future().wait();
  ck_assert(!context->stuck());
  auto stuck = context->stuck();
  while (!stuck) stuck = context->stuck();
  ck_assert(stuck->since >= 1s);
  ck_assert_str_eq(stuck->owner.c_str(), "the culprit");
  go_on.set_value();
  timer->cancel_and_wait();
  while (context->stuck()) std::this_thread::yield();
}
END_TEST

// 1 ms turns: 400 deadlines 25 us apart on the real clock are served in far fewer turns than there are deadlines.
START_TEST(a_busy_context_serves_many_deadlines_in_few_turns) {
  class Counter final : public runtime::TurnEnd {
   public:
    void turn_ended() override { ++turns; }
    int turns = 0;
  };
  const auto context = real("");
  Counter counter;
  std::promise<void> all;
  int served = 0;
  std::vector<std::unique_ptr<Timer>> timers;
  for (int i = 0; i < 400; ++i)
    timers.push_back(context->make_timer([&] {
      context->at_turn_end(counter);
      if (++served == 400) all.set_value();
    }));
  on(*context, [&] {
    const Instant start = context->now() + 5ms;
    for (std::size_t i = 0; i < 400; ++i) timers[i]->arm(start + static_cast<int>(i) * 25us);
  });
  all.get_future().wait();
  for (auto &timer : timers) timer->cancel_and_wait();
  context->forget(counter);
  ck_assert_int_le(counter.turns, 20);  // 10 by plan, and one for the first; fewer if the machine is busy
}
END_TEST

AVC_TESTS("context", one_name_on_one_clock_is_one_context_and_one_thread, a_context_ends_with_its_last_user,
          the_last_reference_may_go_on_the_contexts_own_thread, an_owner_of_everything_may_be_destroyed_by_its_callback,
          a_thousand_contexts_come_and_go, threads_that_share_and_drop_a_name_all_at_once_agree,
          an_earlier_deadline_wakes_a_sleeping_context, an_idle_context_does_not_wake, cancel_and_wait_holds_under_load,
          lateness_of_all_threads_lands_in_one_histogram, a_callback_that_does_not_return_for_a_second_is_named,
          a_busy_context_serves_many_deadlines_in_few_turns)
