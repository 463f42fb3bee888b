// Holds very many things until their times: what a DueQueue does for the packets of one participant, for those of
// thousands. A calendar queue (Brown, 1988) with days of about a quarter of a millisecond: holding is one step however
// much is held, and what is due is sorted only within its day. Things leave in the order of their times, ties in the
// order they came; never early. The days of the next four seconds are a ring; what is due after them waits in a heap.
//
// What belongs to a day lies together in blocks, so that it is written and read in a row: held by lists of single nodes
// it would be in no cache by the time it is due. The storage grows to the largest number held and is then reused, so a
// steady flow allocates nothing.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "core/net/due_queue.hpp"
#include "core/time.hpp"

namespace avc::net {

template <class T>
class DueWheel {
 public:
  struct Entry {
    Instant due;
    std::uint32_t number;  // among those taken together
    T item;
  };

  void hold(Instant due, T item) {
    // While nothing is held the ring may begin anywhere. What is late belongs to today.
    if (empty()) today_ = std::max(today_, day_of(due) - kDays / 2);
    enter(due, std::move(item));
  }

  // Everything due by `now`, in its order, behind what is in `out`.
  void take_due(Instant now, std::vector<Entry> &out) {
    const std::int64_t last = day_of(now);
    const auto all = [](const Held &) { return true; };
    for (auto day = first_day(); day && *day < last; day = first_day()) tear_off(*day, all, out);
    go_on_to(last);
    if (occupied(today_))
      tear_off(
          today_, [&](const Held &held) { return held.due <= now; }, out);
  }

  // All of which wanted(item) is true, due or not, in its order, behind what is in `out`. Looks at everything held.
  template <class Wanted>
  void take_if(Wanted wanted, std::vector<Entry> &out) {
    const auto leaves = [&](const Held &held) { return wanted(held.item); };
    for (auto day = first_day(); day; day = first_day(*day + 1)) tear_off(*day, leaves, out);
    DueQueue<Held> kept;
    while (auto held = later_.take_next()) {
      if (leaves(*held)) {
        out.push_back({held->due, 0, std::move(held->item)});
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
  static constexpr std::uint32_t kNone = 0xffffffff;
  struct Held {
    Instant due;
    T item;
  };
  struct Block {
    std::array<Held, 31> held;
    std::uint32_t count = 0, next = kNone;
  };
  struct Page {
    Instant earliest = Instant::never();
    std::uint32_t first = kNone, last = kNone;  // blocks
  };

  static std::int64_t day_of(Instant at) { return at.since_origin.count() >> kDayBits; }
  static std::size_t place(std::int64_t day) { return static_cast<std::size_t>(day & (kDays - 1)); }
  bool occupied(std::int64_t day) const { return pages_[place(day)].first != kNone; }

  void enter(Instant due, T item) {
    const std::int64_t day = std::max(day_of(due), today_);
    if (day - today_ >= kDays) return later_.hold(due, {due, std::move(item)});
    put(day, {due, std::move(item)});
    ++in_ring_;
  }

  void put(std::int64_t day, Held held) {
    Page &page = pages_[place(day)];
    if (page.first == kNone) marks_[place(day) / 64] |= std::uint64_t{1} << place(day) % 64;
    if (page.first == kNone || blocks_[page.last].count == blocks_[page.last].held.size()) {
      const std::uint32_t block = new_block();
      (page.first == kNone ? page.first : blocks_[page.last].next) = block;
      page.last = block;
    }
    page.earliest = std::min(page.earliest, held.due);
    Block &block = blocks_[page.last];
    block.held[block.count++] = std::move(held);
  }

  std::uint32_t new_block() {
    if (free_ == kNone) {
      blocks_.emplace_back();
      return static_cast<std::uint32_t>(blocks_.size() - 1);
    }
    const std::uint32_t block = free_;
    free_ = std::exchange(blocks_[block].next, kNone);
    return block;
  }

  // Those of a day that leave go behind `out`, sorted; the others stay in their order.
  template <class Leaves>
  void tear_off(std::int64_t day, Leaves leaves, std::vector<Entry> &out) {
    const std::size_t begin = out.size();
    std::uint32_t block = std::exchange(pages_[place(day)], Page{}).first;
    marks_[place(day) / 64] &= ~(std::uint64_t{1} << place(day) % 64);
    while (block != kNone) {
      for (std::uint32_t i = 0; i < blocks_[block].count; ++i) {
        Held &held = blocks_[block].held[i];
        if (leaves(held)) {
          out.push_back({held.due, static_cast<std::uint32_t>(out.size()), std::move(held.item)});
          --in_ring_;
        } else {
          put(day, std::move(held));
        }
      }
      blocks_[block].count = 0;
      const std::uint32_t next = std::exchange(blocks_[block].next, free_);
      free_ = std::exchange(block, next);
    }
    std::sort(out.begin() + static_cast<std::ptrdiff_t>(begin), out.end(),
              [](const Entry &a, const Entry &b) { return a.due != b.due ? a.due < b.due : a.number < b.number; });
  }

  // All days before `day` are empty: the ring begins there, and what comes into its reach is entered.
  void go_on_to(std::int64_t day) {
    if (day <= today_) return;
    today_ = day;
    while (later_.next_due() && day_of(*later_.next_due()) - today_ < kDays) {
      Held held = *later_.take_next();
      enter(held.due, std::move(held.item));
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
  std::vector<Block> blocks_;
  std::uint32_t free_ = kNone;  // blocks in use by nobody
  std::size_t in_ring_ = 0;
  DueQueue<Held> later_;
};

}  // namespace avc::net
