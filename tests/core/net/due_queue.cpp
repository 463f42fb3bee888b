#include "core/net/due_queue.hpp"

#include "core/random.hpp"
#include "tests/check.hpp"

using namespace avc;
using namespace std::chrono_literals;

START_TEST(held_items_leave_in_due_order_and_not_before) {
  net::DueQueue<int> queue;
  queue.hold({20ms}, 2);
  queue.hold({10ms}, 1);
  ck_assert(!queue.take_due({10ms - 1ns}));
  ck_assert_int_eq(*queue.take_due({10ms}), 1);
  ck_assert(queue.next_due() == Instant{20ms});
}
END_TEST

START_TEST(ties_leave_in_the_order_they_came) {
  net::DueQueue<int> queue;
  for (int i = 0; i < 100; ++i) queue.hold({5ms}, i);
  for (int i = 0; i < 100; ++i) ck_assert_int_eq(*queue.take_due({5ms}), i);
  ck_assert(queue.empty() && !queue.next_due());
}
END_TEST

START_TEST(a_thousand_random_deadlines_come_out_sorted) {
  net::DueQueue<std::int64_t> queue;
  std::vector<std::int64_t> dues;
  for (int i = 0; i < 1000; ++i) {
    dues.push_back(static_cast<std::int64_t>(Rng(3).at(i).below(500)));
    queue.hold({Nanos(dues.back())}, dues.back());
  }
  std::sort(dues.begin(), dues.end());
  for (const auto due : dues) ck_assert_int_eq(*queue.take_due({1s}), due);
}
END_TEST

START_TEST(latest_due_is_where_nothing_held_can_be_overtaken) {
  net::DueQueue<int> queue;
  ck_assert(!queue.latest_due());
  queue.hold({30ms}, 3);
  queue.hold({10ms}, 1);
  ck_assert(queue.latest_due() == Instant{30ms});
  queue.hold(*queue.latest_due(), 4);
  for (const int expected : {1, 3, 4}) ck_assert_int_eq(*queue.take_next(), expected);
  ck_assert(!queue.latest_due() && !queue.take_next());
  queue.hold({1ms}, 5);
  ck_assert(queue.latest_due() == Instant{1ms});
}
END_TEST

START_TEST(owning_items_move_through_and_clear_frees_them) {
  auto counted = std::make_shared<int>(1);
  net::DueQueue<std::unique_ptr<std::shared_ptr<int>>> queue;
  for (int i = 0; i < 10; ++i) queue.hold({Nanos(10 - i)}, std::make_unique<std::shared_ptr<int>>(counted));
  { const auto one = queue.take_due({10ns}); }
  ck_assert_int_eq(counted.use_count(), 10);
  queue.clear();
  ck_assert_int_eq(counted.use_count(), 1);
  ck_assert_uint_eq(queue.size(), 0);
}
END_TEST

AVC_TESTS("due_queue", held_items_leave_in_due_order_and_not_before, ties_leave_in_the_order_they_came,
          a_thousand_random_deadlines_come_out_sorted, latest_due_is_where_nothing_held_can_be_overtaken,
          owning_items_move_through_and_clear_frees_them)
