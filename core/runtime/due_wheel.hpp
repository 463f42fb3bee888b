// Holds very many things until their times: what a DueQueue does for the packets of one participant, for those of
// thousands. A calendar queue (Brown, 1988) with days of about a quarter of a millisecond: holding is one step however
// much is held, and what is due is sorted only within its day. Things leave in the order of their times, ties in the
// order they came; never early. The days of the next four seconds are a ring; what is due after them waits in a heap.
//
// What belongs to a day lies together in blocks, so that it is written and read in a row: held by lists of single nodes
// it would be in no cache by the time it is due. It is not moved when it is taken: it stays where it is until let_go().
// The storage grows to the largest number held and is then reused, so a steady flow allocates nothing.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include "core/net/due_queue.hpp"
#include "core/runtime/large_pages.hpp"
#include "core/runtime/sort_by_due.hpp"
#include "core/runtime/stream_store.hpp"
#include "core/time.hpp"

namespace avc::runtime {

template <class T>
class DueWheel {
 public:
  struct Taken {
    Instant due;
    T *item;
  };
  struct Entry {
    Instant due;
    T item;
  };

  void hold(Instant due, T item) {
    hold_in_place(due, [&](T &place) { place = std::move(item); });
  }
  // The same for what is made where it is held: fill(item).
  template <class Fill>
  void hold_in_place(Instant due, Fill fill) {
    begin_ring(due);
    enter(due, fill);
  }

  // The same for what fills a cache line together with its time, given as its words. It goes past the caches.
  using Words = std::array<std::uint64_t, 7>;
  void hold_words(Instant due, const Words &words) {
    static_assert(sizeof(Held) == sizeof(Line) && std::is_trivially_copyable_v<T>);
    begin_ring(due);
    const std::int64_t day = std::max(day_of(due), today_);
    if (day - today_ >= kDays) return later_.hold(due, {due, std::bit_cast<T>(words)});
    const auto at = static_cast<std::uint64_t>(due.since_origin.count());
    store_past_caches(&put(day, due), {at, words[0], words[1], words[2], words[3], words[4], words[5], words[6]});
    ++in_ring_;
  }

  // What is going to be held lands on any day: said some steps before, the day's page is in the cache by then.
  void expect(Instant due) const { __builtin_prefetch(&pages_[place(day_of(due))], 1); }

  // Everything due by `now`, in its order. The list is good until the next call, the items until let_go().
  std::span<const Taken> take_due(Instant now) {
    taken_.clear();
    const std::int64_t last = day_of(now);
    const auto all = [](const Held &) { return true; };
    for (auto day = first_day(); day && *day < last; day = first_day()) take_day(*day, all);
    go_on_to(last);
    if (occupied(today_)) take_day(today_, [&](const Held &held) { return held.due <= now; });
    return taken_;
  }
  void let_go() {
    while (used_ != kNone) {
      const std::uint32_t next = std::exchange(blocks_[used_].next, free_);
      free_ = std::exchange(used_, next);
    }
  }

  // All of which wanted(item) is true, due or not, in its order, behind what is in `out`. Looks at everything held.
  template <class Wanted>
  void take_if(Wanted wanted, std::vector<Entry> &out) {
    taken_.clear();
    const auto leaves = [&](const Held &held) { return wanted(held.item); };
    for (auto day = first_day(); day; day = first_day(*day + 1)) take_day(*day, leaves);
    for (const Taken &taken : taken_) out.push_back({taken.due, std::move(*taken.item)});
    net::DueQueue<Held> kept;
    while (auto held = later_.take_next()) {
      if (leaves(*held)) {
        out.push_back({held->due, std::move(held->item)});
      } else {
        kept.hold(held->due, std::move(*held));
      }
    }
    later_ = std::move(kept);
  }

  std::optional<Instant> next_due() const {
    if (const auto day = first_day()) return pages_[place(*day)].earliest;
    return later_.next_due();
  }
  std::size_t size() const { return in_ring_ + later_.size(); }
  bool empty() const { return size() == 0; }

 private:
  static constexpr std::int64_t kDays = 16384;
  static constexpr int kDayBits = 18;  // of nanoseconds: 0.26 ms
  static constexpr std::uint32_t kNone = 0xffffffff, kInBlock = 31;
  struct Held {
    Instant due;
    T item;
  };
  struct alignas(64) Block {
    std::array<Held, kInBlock> held;
    std::uint32_t next = kNone;
  };
  struct Page {  // of a day
    Instant earliest = Instant::never();
    std::uint32_t first = kNone, last = kNone;  // blocks
    std::uint32_t in_last = kInBlock;           // that is held in the last one; those before it are full
  };

  static std::int64_t day_of(Instant at) { return at.since_origin.count() >> kDayBits; }
  static std::size_t place(std::int64_t day) { return static_cast<std::size_t>(day & (kDays - 1)); }
  bool occupied(std::int64_t day) const { return pages_[place(day)].first != kNone; }

  // While nothing is held the ring may begin anywhere. What is late belongs to today.
  void begin_ring(Instant due) {
    if (empty()) today_ = std::max(today_, day_of(due) - kDays / 2);
  }

  template <class Fill>
  void enter(Instant due, Fill fill) {
    const std::int64_t day = std::max(day_of(due), today_);
    if (day - today_ >= kDays) {
      T item{};
      fill(item);
      return later_.hold(due, {due, std::move(item)});
    }
    Held &held = put(day, due);
    held.due = due;
    fill(held.item);
    ++in_ring_;
  }

  Held &put(std::int64_t day, Instant due) {
    Page &page = pages_[place(day)];
    if (page.in_last == kInBlock) {
      const std::uint32_t block = new_block();
      if (page.first == kNone) marks_[place(day) / 64] |= std::uint64_t{1} << place(day) % 64;
      (page.first == kNone ? page.first : blocks_[page.last].next) = block;
      page.last = block;
      page.in_last = 0;
    }
    page.earliest = std::min(page.earliest, due);
    return blocks_[page.last].held[page.in_last++];
  }

  std::uint32_t new_block() {
    if (free_ == kNone) {
      blocks_.grow();
      return static_cast<std::uint32_t>(blocks_.size() - 1);
    }
    const std::uint32_t block = free_;
    free_ = std::exchange(blocks_[block].next, kNone);
    return block;
  }

  // Written past the caches half a second ago: fetched while the block before it is read.
  void expect_block(std::uint32_t block) {
    if (block == kNone) return;
    for (const Held &held : blocks_[block].held) __builtin_prefetch(&held);
  }

  // Those of a day that leave, sorted, go behind what is taken already; the others stay in their order.
  template <class Leaves>
  void take_day(std::int64_t day, Leaves leaves) {
    const std::size_t begin = taken_.size();
    const Page page = std::exchange(pages_[place(day)], Page{});
    marks_[place(day) / 64] &= ~(std::uint64_t{1} << place(day) % 64);
    for (std::uint32_t block = page.first; block != kNone;) {
      expect_block(blocks_[block].next);
      for (Held &held : std::span(blocks_[block].held).first(block == page.last ? page.in_last : kInBlock)) {
        if (leaves(held)) {
          taken_.push_back({held.due, &held.item});
          --in_ring_;
        } else {
          put(day, held.due) = std::move(held);
        }
      }
      const std::uint32_t next = std::exchange(blocks_[block].next, used_);
      used_ = std::exchange(block, next);
    }
    sort_by_due(std::span(taken_).subspan(begin), room_);
  }

  // All days before `day` are empty: the ring begins there, and what comes into its reach is entered.
  void go_on_to(std::int64_t day) {
    if (day <= today_) return;
    today_ = day;
    while (later_.next_due() && day_of(*later_.next_due()) - today_ < kDays) {
      Held held = *later_.take_next();
      enter(held.due, [&](T &item) { item = std::move(held.item); });
    }
  }

  // The first day of the ring, from `from` on, that has something.
  std::optional<std::int64_t> first_day(std::int64_t from) const {
    if (in_ring_ == 0 || from >= today_ + kDays) return std::nullopt;
    const std::size_t begin = place(from);
    for (std::size_t step = 0; step <= marks_.size(); ++step) {
      const std::size_t word = (begin / 64 + step) % marks_.size();
      std::uint64_t marks = marks_[word];
      if (step == 0) marks &= ~std::uint64_t{0} << begin % 64;
      if (step == marks_.size()) marks &= ~(~std::uint64_t{0} << begin % 64);
      if (marks == 0) continue;
      const std::size_t found = word * 64 + static_cast<std::size_t>(std::countr_zero(marks));
      const std::int64_t day = from + static_cast<std::int64_t>((found + kDays - begin) % kDays);
      return day < today_ + kDays ? std::optional(day) : std::nullopt;
    }
    return std::nullopt;
  }
  std::optional<std::int64_t> first_day() const { return first_day(today_); }

  std::array<Page, kDays> pages_{};
  std::array<std::uint64_t, kDays / 64> marks_{};  // pages with something on them
  std::int64_t today_ = 0;                         // where the ring begins
  PagedStore<Block> blocks_;
  std::uint32_t free_ = kNone, used_ = kNone;  // blocks in use by nobody, and those of what was taken
  std::vector<Taken> taken_, room_;
  std::size_t in_ring_ = 0;
  net::DueQueue<Held> later_;
};

}  // namespace avc::runtime
