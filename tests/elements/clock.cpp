// A context on a GstClock, driven by GstTestClock.
#include "elements/support/clock.hpp"

#include <atomic>
#include <future>

#include "tests/gst_check.hpp"

using namespace avc;
using namespace std::chrono_literals;
using runtime::Context;

namespace {

struct OnTestClock {
  GstTestClock *test_clock = GST_TEST_CLOCK(gst_test_clock_new());
  Ptr<GstClock> clock = take(GST_CLOCK(test_clock));
  std::shared_ptr<Context> context =
      Context::shared("", std::make_shared<GstWaitClock>(take(GST_CLOCK(gst_object_ref(test_clock)))));

  // The deadline the context sleeps to; blocks until it sleeps.
  Instant pending() {
    GstClockID id = nullptr;
    gst_test_clock_wait_for_next_pending_id(test_clock, &id);
    const Instant at = to_instant(gst_clock_id_get_time(id));
    gst_clock_id_unref(id);
    return at;
  }
};

}  // namespace

GST_START_TEST(times_translate_both_ways) {
  fail_unless(to_instant(5) == Instant{5ns});
  fail_unless(to_instant(GST_CLOCK_TIME_NONE) == Instant::never());
  fail_unless(to_clock_time(Instant::never()) == GST_CLOCK_TIME_NONE);
  fail_unless_equals_uint64(to_clock_time({2s}), 2 * GST_SECOND);
  fail_unless_equals_uint64(to_clock_time({-2s}), 0);
}
GST_END_TEST;

GST_START_TEST(a_context_sleeps_to_the_exact_deadline_on_the_clock) {
  OnTestClock world;
  std::promise<Instant> served;
  const auto timer = world.context->make_timer([&] { served.set_value(world.context->now()); });
  timer->arm({20ms + 7ns});
  fail_unless(world.pending() == Instant{20ms + 7ns});
  gst_test_clock_set_time(world.test_clock, to_clock_time({20ms + 6ns}));
  fail_unless(world.pending() == Instant{20ms + 7ns});
  fail_unless(gst_test_clock_crank(world.test_clock));
  fail_unless(served.get_future().get() == Instant{20ms + 7ns});
  timer->cancel_and_wait();
}
GST_END_TEST;

GST_START_TEST(an_earlier_deadline_wakes_the_wait) {
  OnTestClock world;
  std::promise<void> served;
  const auto late = world.context->make_timer([] {});
  const auto early = world.context->make_timer([&] { served.set_value(); });
  late->arm({1h});
  fail_unless(world.pending() == Instant{1h});
  early->arm({10ms});
  while (world.pending() != Instant{10ms}) std::this_thread::yield();
  fail_unless(gst_test_clock_crank(world.test_clock));
  served.get_future().wait();
  early->cancel_and_wait();
  while (world.pending() != Instant{1h}) std::this_thread::yield();
}
GST_END_TEST;

GST_START_TEST(what_is_due_now_is_served_without_the_clock_moving) {
  OnTestClock world;
  for (int i = 0; i < 100; ++i) {
    std::promise<void> served;
    const auto timer = world.context->make_timer([&] { served.set_value(); });
    timer->arm({});
    served.get_future().wait();
    timer->cancel_and_wait();
  }
  fail_unless_equals_uint64(gst_clock_get_time(world.clock.get()), 0);
}
GST_END_TEST;

GST_START_TEST(a_sleeping_context_ends_at_once) {
  for (int i = 0; i < 100; ++i) {
    OnTestClock world;
    auto timer = world.context->make_timer([] {});
    if (i % 2) timer->arm({1h});  // otherwise it has no deadline at all
    if (i % 4 == 3) world.pending();
    world.context.reset();
    timer.reset();
    ASSERT_OBJECT_REFCOUNT(world.clock.get(), "clock", 1);
  }
}
GST_END_TEST;

GST_START_TEST(the_system_clock_serves_and_wakes) {
  const auto context = Context::shared("", std::make_shared<GstWaitClock>(take(gst_system_clock_obtain())));
  std::promise<Instant> served;
  const auto late = context->make_timer([] {});
  const auto timer = context->make_timer([&] { served.set_value(context->now()); });
  const Instant due = context->now() + 3ms;
  late->arm(due + 1h);
  timer->arm(due);
  fail_unless(served.get_future().get() >= due);
  timer->cancel_and_wait();
}
GST_END_TEST;

GST_START_TEST(elements_with_one_context_name_and_clock_share_it) {
  const auto clock = take(GST_CLOCK(gst_test_clock_new()));
  const auto a = take(GST_ELEMENT(gst_object_ref_sink(gst_bin_new("a"))));
  const auto b = take(GST_ELEMENT(gst_object_ref_sink(gst_bin_new("b"))));
  for (auto *element : {a.get(), b.get()}) gst_element_set_clock(element, clock.get());
  const auto first = context_for(a.get(), "c0");
  fail_unless(first == context_for(b.get(), "c0"));
  fail_unless(first != context_for(b.get(), "c1"));
  fail_unless(context_for(a.get(), "") != context_for(a.get(), ""));
  gst_element_set_clock(b.get(), nullptr);
  fail_unless(first != context_for(b.get(), "c0"));  // on the system's clock
}
GST_END_TEST;

AVC_GST_TESTS("clock", times_translate_both_ways, a_context_sleeps_to_the_exact_deadline_on_the_clock,
              an_earlier_deadline_wakes_the_wait, what_is_due_now_is_served_without_the_clock_moving,
              a_sleeping_context_ends_at_once, the_system_clock_serves_and_wakes,
              elements_with_one_context_name_and_clock_share_it)
