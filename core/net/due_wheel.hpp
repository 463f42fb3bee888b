// Holds very many things until their times: what a DueQueue does for the packets of one participant, for those of
// thousands. A calendar queue (Brown, 1988) with days of about a millisecond: holding is one step however much is held,
// and what is due is sorted only among itself. Things leave in the order of their times, ties in the order they came;
// never early. The days of the next four seconds are a ring; what is due after them waits in a heap.
//
// The storage grows to the largest number held and is then reused, so a steady flow allocates nothing.
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
    std::uint64_t number;
    T item;
  };

  void hold(Instant due, T item) { enter({due, next_number_++, std::move(item)}); }

  // Everything due by `now`, in its order, behind what is in `out`.
  void take_due(Instant now, std::vector<Entry> &out) {
    const auto begin = static_cast<std::ptrdiff_t>(out.size());
    const std::int64_t last = day_of(now);
    const auto all = [](const Entry &) { return true; };
    for (auto day = first_day(); day && *day < last; day = first_day()) tear_off(*day, all, out);
    go_on_to(last);
    if (occupied(today_))
      tear_off(
          today_, [&](const Entry &entry) { return entry.due <= now; }, out);
    std::sort(out.begin() + begin, out.end(), leaves_earlier);
  }

  // All of which wanted(item) is true, due or not, in its order, behind what is in `out`. Looks at everything held.
  template <class Wanted>
  void take_if(Wanted wanted, std::vector<Entry> &out) {
    const auto begin = static_cast<std::ptrdiff_t>(out.size());
    const auto leaves = [&](const Entry &entry) { return wanted(entry.item); };
    for (auto day = first_day(); day; day = first_day(*day + 1)) tear_off(*day, leaves, out);
    DueQueue<Entry> kept;
    while (auto entry = later_.take_next()) {
      if (leaves(*entry)) {
        out.push_back(std::move(*entry));
      } else {
        kept.hold(entry->due, std::move(*entry));
      }
    }
    later_ = std::move(kept);
    std::sort(out.begin() + begin, out.end(), leaves_earlier);
  }

  std::optional<Instant> next_due() const {
    if (const auto day = first_day()) return pages_[place(*day)].earliest;
    return later_.next_due();
  }
  std::size_t size() const { return in_ring_ + later_.size(); }
  bool empty() const { return size() == 0; }

 private:
  static constexpr std::int64_t kDays = 4096;
  static constexpr int kDayBits = 20;  // of nanoseconds: 1.05 ms
  static constexpr std::uint32_t kNone = 0xffffffff;
  struct Node {
    Entry entry;
    std::uint32_t next;
  };
  struct Page {
    Instant earliest = Instant::never();
    std::uint32_t first = kNone;
  };

  static bool leaves_earlier(const Entry &a, const Entry &b) {
    return a.due != b.due ? a.due < b.due : a.number < b.number;
  }
  static std::int64_t day_of(Instant at) { return at.since_origin.count() >> kDayBits; }
  static std::size_t place(std::int64_t day) { return static_cast<std::size_t>(day & (kDays - 1)); }
  bool occupied(std::int64_t day) const { return pages_[place(day)].first != kNone; }

  // What is late belongs to today. While nothing is held the ring may begin anywhere.
  void enter(Entry entry) {
    if (empty()) today_ = std::max(today_, day_of(entry.due) - kDays / 2);
    const std::int64_t day = std::max(day_of(entry.due), today_);
    const Instant due = entry.due;
    if (day - today_ >= kDays) return later_.hold(due, std::move(entry));
    std::uint32_t node = free_;
    if (node == kNone) {
      node = static_cast<std::uint32_t>(nodes_.size());
      nodes_.push_back({std::move(entry), kNone});
    } else {
      free_ = nodes_[node].next;
      nodes_[node].entry = std::move(entry);
    }
    put(day, node);
    ++in_ring_;
  }

  void put(std::int64_t day, std::uint32_t node) {
    Page &page = pages_[place(day)];
    nodes_[node].next = std::exchange(page.first, node);
    page.earliest = std::min(page.earliest, nodes_[node].entry.due);
    marks_[place(day) / 64] |= std::uint64_t{1} << place(day) % 64;
  }

  template <class Leaves>
  void tear_off(std::int64_t day, Leaves leaves, std::vector<Entry> &out) {
    std::uint32_t node = std::exchange(pages_[place(day)], Page{}).first;
    marks_[place(day) / 64] &= ~(std::uint64_t{1} << place(day) % 64);
    while (node != kNone) {
      const std::uint32_t next = nodes_[node].next;
      if (leaves(nodes_[node].entry)) {
        out.push_back(std::move(nodes_[node].entry));
        nodes_[node].next = std::exchange(free_, node);
        --in_ring_;
      } else {
        put(day, node);
      }
      node = next;
    }
  }

  // All days before `day` are empty: the ring begins there, and what comes into its reach is entered.
  void go_on_to(std::int64_t day) {
    if (day <= today_) return;
    today_ = day;
    while (later_.next_due() && day_of(*later_.next_due()) - today_ < kDays) enter(*later_.take_next());
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
  std::vector<Node> nodes_;
  std::uint32_t free_ = kNone;  // nodes in use by nobody
  std::size_t in_ring_ = 0;
  DueQueue<Entry> later_;
  std::uint64_t next_number_ = 0;
};

}  // namespace avc::net
