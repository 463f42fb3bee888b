#include "core/runtime/timer_wheel.hpp"

#include <map>

#include "core/random.hpp"
#include "tests/check.hpp"

using namespace avc;
using namespace std::chrono_literals;
using runtime::TimerWheel;
using Entry = TimerWheel::Entry;

namespace {

struct Named : Entry {
  int id = 0;
};
std::vector<int> due(TimerWheel &wheel, Instant now) {
  std::vector<int> ids;
  wheel.collect(now);
  while (auto *entry = wheel.take()) ids.push_back(static_cast<Named *>(entry)->id);
  return ids;
}

}  // namespace

START_TEST(nothing_leaves_a_nanosecond_early) {
  TimerWheel wheel{{5s}};
  Named entry;
  wheel.insert(entry, {5s + 1500us});
  ck_assert(wheel.next_due() == Instant{5s + 1500us});
  ck_assert(due(wheel, {5s + 1500us - 1ns}).empty());
  ck_assert_uint_eq(due(wheel, {5s + 1500us}).size(), 1);
  ck_assert(!entry.armed() && !wheel.next_due());
}
END_TEST

START_TEST(overdue_entries_leave_at_once_and_negative_times_are_times) {
  TimerWheel wheel{{1s}};
  Named past, negative;
  past.id = 1;
  negative.id = 2;
  wheel.insert(past, {2ms});
  wheel.insert(negative, {-3s});
  ck_assert(wheel.next_due() == Instant{-3s});
  ck_assert(due(wheel, {1s}) == (std::vector<int>{2, 1}));
}
END_TEST

START_TEST(the_batch_is_sorted_by_deadline_and_ties_by_arming) {
  TimerWheel wheel{{}};
  std::array<Named, 4> entries;
  for (int i = 0; i < 4; ++i) entries[static_cast<std::size_t>(i)].id = i;
  wheel.insert(entries[0], {300us});
  wheel.insert(entries[1], {100us});
  wheel.insert(entries[2], {300us});
  wheel.insert(entries[3], {100us});
  wheel.insert(entries[1], {100us});  // armed anew: behind 3 now
  ck_assert(due(wheel, {1ms}) == (std::vector<int>{3, 1, 0, 2}));
}
END_TEST

START_TEST(what_is_removed_or_moved_leaves_the_batch) {
  TimerWheel wheel{{}};
  std::array<Named, 3> entries;
  for (int i = 0; i < 3; ++i) {
    entries[static_cast<std::size_t>(i)].id = i;
    wheel.insert(entries[static_cast<std::size_t>(i)], {1ms});
  }
  wheel.collect({1ms});
  wheel.remove(entries[1]);
  wheel.insert(entries[2], {5s});
  ck_assert(static_cast<Named *>(wheel.take())->id == 0);
  ck_assert(!wheel.take());
  ck_assert(wheel.next_due() == Instant{5s});
  wheel.remove(entries[2]);
  ck_assert(!wheel.next_due());
}
END_TEST

// 20000 random arms, cancels and steps (from nanoseconds to several revolutions) against an ordered map.
START_TEST(a_random_history_agrees_with_a_sorted_map) {
  TimerWheel wheel{{}};
  std::vector<Named> entries(200);
  std::multimap<Instant, int> model;
  Instant now;
  const auto forget = [&](int id) { std::erase_if(model, [&](const auto &held) { return held.second == id; }); };
  for (std::uint64_t i = 0; i < 20'000; ++i) {
    auto draws = Rng(17).at(i);
    const auto id = static_cast<int>(draws.below(entries.size()));
    auto &entry = entries[static_cast<std::size_t>(id)];
    entry.id = id;
    const Nanos span(static_cast<std::int64_t>(std::exp2(34 * draws.uniform())));  // up to 17 s
    const double what = draws.uniform();
    if (what < 0.6) {
      wheel.insert(entry, now + span - 1us);
      forget(id);
      model.emplace(now + span - 1us, id);
    } else if (what < 0.75) {
      wheel.remove(entry);
      forget(id);
    } else {
      now = now + span / 4;
      std::vector<int> expected;
      while (!model.empty() && model.begin()->first <= now) {
        expected.push_back(model.begin()->second);
        model.erase(model.begin());
      }
      ck_assert(due(wheel, now) == expected);
    }
    ck_assert(wheel.next_due() == (model.empty() ? std::nullopt : std::optional(model.begin()->first)));
  }
  for (auto &entry : entries) wheel.remove(entry);
}
END_TEST

AVC_TESTS("timer_wheel", nothing_leaves_a_nanosecond_early, overdue_entries_leave_at_once_and_negative_times_are_times,
          the_batch_is_sorted_by_deadline_and_ties_by_arming, what_is_removed_or_moved_leaves_the_batch,
          a_random_history_agrees_with_a_sorted_map)
