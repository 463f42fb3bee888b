#include "core/runtime/sort_by_due.hpp"

#include <algorithm>
#include <cstdint>
#include <vector>

#include "core/random.hpp"
#include "core/time.hpp"
#include "tests/check.hpp"

using namespace avc;

namespace {

struct Thing {
  Instant due;
  std::size_t number;

  friend bool operator==(const Thing &, const Thing &) = default;
};

// As std::stable_sort has it, for so many things with times at(i).
template <class At>
void is_sorted_as_usual(std::size_t count, At at) {
  std::vector<Thing> things, room;
  for (std::size_t i = 0; i < count; ++i) things.push_back({{Nanos(at(i))}, i});
  auto wanted = things;
  std::ranges::stable_sort(wanted, {}, &Thing::due);
  runtime::sort_by_due(std::span(things), room);
  ck_assert(things == wanted);
}

}  // namespace

START_TEST(times_are_in_order_and_ties_in_the_order_they_came) {
  const Rng rng(5);
  for (const std::size_t count : {0, 1, 2, 3, 31, 130, 1000, 5000}) {
    const auto drawn = [&](std::uint64_t below) {
      return [&rng, below](std::size_t i) { return static_cast<std::int64_t>(rng.at(i).below(below)); };
    };
    is_sorted_as_usual(count, drawn(262'144));                // a day of the wheel
    is_sorted_as_usual(count, drawn(3));                      // many at the same time
    is_sorted_as_usual(count, drawn(4'000'000'000'000'000));  // weeks
    is_sorted_as_usual(count, [](std::size_t) { return -5; });
    is_sorted_as_usual(count, [](std::size_t i) { return -static_cast<std::int64_t>(i); });
  }
}
END_TEST

// Something that is hours late must not make thousands share a bucket.
START_TEST(one_far_away_does_no_harm) {
  const Rng rng(6);
  is_sorted_as_usual(20'000, [&](std::size_t i) {
    return i == 7 ? -10'000'000'000'000 : static_cast<std::int64_t>(rng.at(i).below(262'144));
  });
}
END_TEST

AVC_TESTS("sort by due", times_are_in_order_and_ties_in_the_order_they_came, one_far_away_does_no_harm)
