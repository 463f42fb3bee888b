#include "core/runtime/due_wheel.hpp"

#include "core/random.hpp"
#include "tests/check.hpp"

using namespace avc;
using namespace std::chrono_literals;

namespace {

std::vector<int> taken(runtime::DueWheel<int> &wheel, Instant now) {
  std::vector<int> items;
  for (const auto &entry : wheel.take_due(now)) items.push_back(*entry.item);
  wheel.let_go();
  return items;
}

}  // namespace

START_TEST(held_items_leave_in_due_order_and_not_before) {
  runtime::DueWheel<int> wheel;
  wheel.hold({20ms}, 2);
  wheel.hold({10ms}, 1);
  wheel.hold({20ms}, 3);
  ck_assert(taken(wheel, {10ms - 1ns}).empty());
  ck_assert(wheel.next_due() == Instant{10ms});
  ck_assert((taken(wheel, {10ms}) == std::vector{1}));
  ck_assert(wheel.next_due() == Instant{20ms});
  ck_assert((taken(wheel, {1s}) == std::vector{2, 3}));
  ck_assert(wheel.empty() && !wheel.next_due());
}
END_TEST

// Anything the heap does, whatever the times: near, far beyond the ring, and past ones.
START_TEST(it_does_what_the_heap_does) {
  const Rng rng(3);
  std::uint64_t draws = 0;
  const auto draw = [&](std::uint64_t below) { return static_cast<std::int64_t>(rng.at(draws++).below(below)); };
  for (const Nanos origin : {Nanos(0), Nanos(std::chrono::hours(50'000))}) {
    runtime::DueWheel<int> wheel;
    net::DueQueue<int> heap;
    Instant now{origin};
    int item = 0;
    for (int step = 0; step < 20'000; ++step) {
      for (std::int64_t i = draw(4); i > 0; --i, ++item) {
        const std::int64_t reach = draw(20) == 0 ? 20'000'000'000 : 40'000'000;
        const Instant due = now + Nanos(draw(static_cast<std::uint64_t>(reach)) - 1'000'000);
        wheel.hold(due, item);
        heap.hold(due, item);
      }
      now = now + Nanos(draw(500) == 0 ? draw(10'000'000'000) : draw(1'500'000));
      ck_assert(wheel.next_due() == heap.next_due());
      for (const int got : taken(wheel, now)) ck_assert_int_eq(got, heap.take_due(now).value_or(-1));
      ck_assert(!heap.take_due(now));
      ck_assert_uint_eq(wheel.size(), heap.size());
    }
  }
}
END_TEST

START_TEST(what_is_taken_by_what_it_is_leaves_nothing_of_it_and_all_else) {
  const Rng rng(7);
  std::uint64_t draws = 0;
  runtime::DueWheel<int> wheel;
  std::vector<runtime::DueWheel<int>::Entry> out;
  for (int round = 0; round < 20; ++round) {
    const Instant now{std::chrono::seconds(round)};
    taken(wheel, now);
    const std::size_t before = wheel.size();
    for (int item = 0; item < 300; ++item)
      wheel.hold(now + Nanos(static_cast<std::int64_t>(rng.at(draws++).below(9'000'000'000))), item);
    out.clear();
    wheel.take_if([](int item) { return item % 3 == 0; }, out);
    ck_assert_uint_eq(out.size(), 100);
    ck_assert_uint_eq(wheel.size(), before + 200);
    ck_assert(std::ranges::is_sorted(out, {}, [](const auto &entry) { return entry.due; }));
    for (const auto &entry : out) ck_assert_int_eq(entry.item % 3, 0);
  }
  std::size_t left = wheel.size();
  for (const int item : taken(wheel, {100s})) {
    ck_assert_int_ne(item % 3, 0);
    --left;
  }
  ck_assert_uint_eq(left, 0);
}
END_TEST

// A sender puts together what is due now while sources hand over what is due later.
START_TEST(what_was_taken_stays_as_it_is_until_it_is_let_go_of) {
  const Rng rng(9);
  std::uint64_t draws = 0;
  runtime::DueWheel<int> wheel;
  int item = 0;
  const auto fill = [&](Instant from, int count) {
    for (int i = 0; i < count; ++i)
      wheel.hold(from + Nanos(static_cast<std::int64_t>(rng.at(draws++).below(3'000'000))), item++);
  };
  for (int round = 0; round < 50; ++round) {
    const Instant now{std::chrono::milliseconds(round)};
    fill(now, 500);
    const auto due = wheel.take_due(now);
    std::vector<int> before;
    for (const auto &entry : due) before.push_back(*entry.item);
    fill(now, 500);
    for (std::size_t i = 0; i < due.size(); ++i) ck_assert_int_eq(*due[i].item, before[i]);
    wheel.let_go();
  }
}
END_TEST

// Of what fills a cache line, held either way, near and beyond the ring.
START_TEST(what_is_held_by_its_words_is_the_same) {
  struct Item {
    std::array<std::uint64_t, 7> words;
  };
  const Rng rng(11);
  std::uint64_t draws = 0;
  runtime::DueWheel<Item> by_words, whole;
  for (std::uint64_t i = 0; i < 5000; ++i) {
    const Instant due{Nanos(static_cast<std::int64_t>(rng.at(draws++).below(8'000'000'000)))};
    const Item item{{i, rng.at(draws++).below(1000), 3, ~i, 5, i * i, 7}};
    by_words.hold_words(due, item.words);
    whole.hold(due, item);
  }
  ck_assert_uint_eq(by_words.size(), whole.size());
  for (int ms = 0; ms <= 8001; ms += 7) {
    const Instant now{std::chrono::milliseconds(ms)};
    const auto got = by_words.take_due(now), wanted = whole.take_due(now);
    ck_assert_uint_eq(got.size(), wanted.size());
    for (std::size_t i = 0; i < got.size(); ++i) {
      ck_assert(got[i].due == wanted[i].due);
      ck_assert(got[i].item->words == wanted[i].item->words);
    }
    by_words.let_go();
    whole.let_go();
  }
  ck_assert(by_words.empty() && whole.empty());
}
END_TEST

AVC_TESTS("due wheel", held_items_leave_in_due_order_and_not_before, it_does_what_the_heap_does,
          what_is_taken_by_what_it_is_leaves_nothing_of_it_and_all_else,
          what_was_taken_stays_as_it_is_until_it_is_let_go_of, what_is_held_by_its_words_is_the_same)
