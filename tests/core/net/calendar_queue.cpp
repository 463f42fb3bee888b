#include "core/net/calendar_queue.hpp"

#include "core/random.hpp"
#include "tests/check.hpp"

using namespace avc;
using namespace std::chrono_literals;

namespace {

std::vector<int> taken(net::CalendarQueue<int> &queue, Instant now) {
  std::vector<int> items;
  queue.take_due(now, [&](int item) { items.push_back(item); });
  return items;
}

}  // namespace

START_TEST(held_items_leave_in_due_order_and_not_before) {
  net::CalendarQueue<int> queue;
  queue.hold({20ms + 500us}, 3);
  queue.hold({20ms + 100us}, 2);
  queue.hold({10ms}, 1);
  ck_assert(queue.next_due() == Instant{10ms});
  ck_assert(taken(queue, {10ms - 1ns}).empty());
  ck_assert(taken(queue, {20ms + 100us}) == std::vector({1, 2}));
  ck_assert(queue.next_due() == Instant{20ms + 500us});
  ck_assert(taken(queue, {20ms + 499us}).empty());
  ck_assert(taken(queue, {20ms + 500us}) == std::vector({3}));
  ck_assert(queue.empty() && !queue.next_due());
}
END_TEST

START_TEST(ties_leave_in_the_order_they_came_wherever_they_waited) {
  net::CalendarQueue<int> queue;
  queue.hold({10s}, 0);  // beyond the ring, when it comes
  taken(queue, {9s});
  for (int i = 1; i < 100; ++i) queue.hold({10s}, i);
  const auto out = taken(queue, {10s});
  ck_assert_uint_eq(out.size(), 100);
  ck_assert(std::is_sorted(out.begin(), out.end()));
}
END_TEST

START_TEST(what_is_due_already_leaves_at_once_in_its_place) {
  net::CalendarQueue<int> queue;
  taken(queue, {1s});
  queue.hold({1s}, 2);
  queue.hold({Nanos::min()}, 0);
  queue.hold({-5ms}, 1);
  ck_assert(taken(queue, {1s}) == std::vector({0, 1, 2}));
}
END_TEST

START_TEST(it_agrees_with_a_heap_over_a_long_random_run) {
  const Rng rng(7);
  net::CalendarQueue<int> calendar;
  net::DueQueue<int> heap;
  Instant now;
  for (int i = 0; i < 50'000; ++i) {
    Draws draws = rng.at(static_cast<std::uint64_t>(i));
    // Mostly soon, sometimes far beyond the ring; time stands still, creeps, or leaps.
    const Nanos ahead(draws.below(draws.below(100) == 0 ? 20'000'000'000 : 40'000'000));
    calendar.hold(now + ahead - 1ms, i);
    heap.hold(now + ahead - 1ms, i);
    if (draws.below(4) != 0) continue;
    now = now + Nanos(draws.below(draws.below(2000) == 0 ? 9'000'000'000 : 300'000));
    ck_assert(calendar.next_due() == heap.next_due());
    calendar.take_due(now, [&](int item) { ck_assert_int_eq(*heap.take_due(now), item); });
    ck_assert(!heap.take_due(now));
    ck_assert_uint_eq(calendar.size(), heap.size());
  }
}
END_TEST

START_TEST(what_is_unwanted_is_let_go_of_and_the_rest_keeps_its_order) {
  net::CalendarQueue<int> queue;
  for (int i = 0; i < 100; ++i) queue.hold({i * 100ms}, i);
  ck_assert_uint_eq(queue.remove_if([](int item) { return item % 3 == 0; }), 34);
  ck_assert_uint_eq(queue.size(), 66);
  ck_assert(queue.next_due() == Instant{100ms});
  const auto out = taken(queue, {10s});
  ck_assert_uint_eq(out.size(), 66);
  ck_assert(std::is_sorted(out.begin(), out.end()));
  ck_assert(std::none_of(out.begin(), out.end(), [](int item) { return item % 3 == 0; }));
}
END_TEST

AVC_TESTS("calendar_queue", held_items_leave_in_due_order_and_not_before,
          ties_leave_in_the_order_they_came_wherever_they_waited, what_is_due_already_leaves_at_once_in_its_place,
          it_agrees_with_a_heap_over_a_long_random_run, what_is_unwanted_is_let_go_of_and_the_rest_keeps_its_order)
