#include "core/runtime/large_pages.hpp"

#include <cstring>
#include <utility>

#include "tests/check.hpp"

using namespace avc;
using namespace avc::runtime;

namespace {

int alive = 0;
struct Thing {
  Thing() { ++alive; }
  ~Thing() { --alive; }
  std::size_t number = 0;
  char rest[500];
};

}  // namespace

START_TEST(pages_are_aligned_and_as_large_as_asked_for) {
  for (const std::size_t bytes : {std::size_t{1}, kLargePage, kLargePage + 1}) {
    const auto pages = large_pages(bytes);
    ck_assert_uint_eq(reinterpret_cast<std::uintptr_t>(pages.get()) % kLargePage, 0);
    std::memset(pages.get(), 1, bytes);
  }
}
END_TEST

START_TEST(what_is_stored_stays_where_it_is_and_ends_with_the_store) {
  constexpr std::size_t kMany = 10'000;  // some pages
  {
    PagedStore<Thing> store;
    std::vector<const Thing *> places;
    for (std::size_t i = 0; i < kMany; ++i) {
      store.grow();
      store[i].number = i;
      places.push_back(&store[i]);
    }
    ck_assert_uint_eq(store.size(), kMany);
    for (std::size_t i = 0; i < kMany; ++i) {
      ck_assert_ptr_eq(&std::as_const(store)[i], places[i]);
      ck_assert_uint_eq(places[i]->number, i);
    }
  }
  ck_assert_int_eq(alive, 0);
}
END_TEST

AVC_TESTS("large pages", pages_are_aligned_and_as_large_as_asked_for,
          what_is_stored_stays_where_it_is_and_ends_with_the_store)
