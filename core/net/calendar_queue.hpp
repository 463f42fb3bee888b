// Holds very many things until their times: what a DueQueue does for the packets of one participant, for those of
// thousands. A calendar queue (Brown, 1988) with a day of one millisecond: holding is one step however much is held,
// and what is due is sorted only among itself. Things due at the same instant leave in the order they came. The days
// of the next four seconds are a ring; what is due after them waits in a heap.
//
// The storage grows to the largest number held and is then reused, so a steady flow allocates nothing.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "core/net/due_queue.hpp"
#include "core/time.hpp"

namespace avc::net {

template <class T>
class CalendarQueue {
 public:
  void hold(Instant due, T item) { enter({due, next_number_++, std::move(item)}); }

  // Calls use(item) for everything due, in its order. `use` leaves the queue alone.
  template <class Use>
  void take_due(Instant now, Use use) {
    leaving_.clear();
    const std::int64_t last = day_of(now);
    for (auto day = first_day(); day && *day < last; day = first_day())
      tear_off(*day, [](const Entry &) { return true; });
    go_on_to(last);
    if (occupied(today_)) tear_off(today_, [&](const Entry &entry) { return entry.due <= now; });
    std::sort(leaving_.begin(), leaving_.end(), leaves_earlier);
    for (Entry &entry : leaving_) use(entry.item);
    leaving_.clear();
  }

  // Lets go of all that unwanted(item) says; answers how many they were.
  template <class Unwanted>
  std::size_t remove_if(Unwanted unwanted) {
    const auto says = [&](const Entry &entry) { return unwanted(entry.item); };
    leaving_.clear();
    for (std::int64_t day = today_; day < today_ + kDays; ++day) {
      if (occupied(day)) tear_off(day, says);
    }
    DueQueue<Entry> kept;
    while (auto entry = later_.take_next()) {
      if (says(*entry))
        leaving_.push_back(std::move(*entry));
      else
        kept.hold(entry->due, std::move(*entry));
    }
    later_ = std::move(kept);
    const std::size_t removed = leaving_.size();
    leaving_.clear();
    return removed;
  }

  std::optional<Instant> next_due() const {
    if (const auto day = first_day()) return page(*day).earliest;
    return later_.next_due();
  }
  std::size_t size() const { return in_ring_ + later_.size(); }
  bool empty() const { return size() == 0; }

 private:
  static constexpr std::int64_t kDays = 4096;
  static constexpr std::uint32_t kNone = ~std::uint32_t{0};

  struct Entry {
    Instant due;
    std::uint64_t number;
    T item;
  };
  struct Node {
    Entry entry;
    std::uint32_t next;
  };
  struct Page {
    std::uint32_t first = kNone, last = kNone;
    Instant earliest = Instant::never();
  };

  static bool leaves_earlier(const Entry &a, const Entry &b) {
    return a.due != b.due ? a.due < b.due : a.number < b.number;
  }
  static std::int64_t day_of(Instant at) { return at.since_origin.count() / 1'000'000; }
  static std::size_t place(std::int64_t day) { return static_cast<std::size_t>(day) % kDays; }
  Page &page(std::int64_t day) { return pages_[place(day)]; }
  const Page &page(std::int64_t day) const { return pages_[place(day)]; }
  bool occupied(std::int64_t day) const { return page(day).first != kNone; }

  // Those whose day is past belong to today.
  void enter(Entry entry) {
    const std::int64_t day = std::max(day_of(entry.due), today_);
    if (day >= today_ + kDays) {
      const Instant due = entry.due;
      return later_.hold(due, std::move(entry));
    }
    const std::uint32_t node = new_node(std::move(entry));
    append(day, node);
    in_ring_++;
  }

  std::uint32_t new_node(Entry entry) {
    if (free_ == kNone) {
      nodes_.push_back({std::move(entry), kNone});
      return static_cast<std::uint32_t>(nodes_.size() - 1);
    }
    const std::uint32_t node = std::exchange(free_, nodes_[free_].next);
    nodes_[node] = {std::move(entry), kNone};
    return node;
  }

  void append(std::int64_t day, std::uint32_t node) {
    Page &to = page(day);
    (to.first == kNone ? to.first : nodes_[to.last].next) = node;
    to.last = node;
    nodes_[node].next = kNone;
    to.earliest = std::min(to.earliest, nodes_[node].entry.due);
    marks_[place(day) / 64] |= std::uint64_t{1} << place(day) % 64;
  }

  // Moves what `leaves` says from a page to leaving_; the rest stays in its order.
  template <class Leaves>
  void tear_off(std::int64_t day, Leaves leaves) {
    std::uint32_t node = std::exchange(page(day), Page{}).first;
    marks_[place(day) / 64] &= ~(std::uint64_t{1} << place(day) % 64);
    while (node != kNone) {
      const std::uint32_t next = nodes_[node].next;
      if (leaves(nodes_[node].entry)) {
        leaving_.push_back(std::move(nodes_[node].entry));
        nodes_[node].next = std::exchange(free_, node);
        in_ring_--;
      } else {
        append(day, node);
      }
      node = next;
    }
  }

  // All days before `day` are empty: the ring begins there, and what comes into its reach is entered.
  void go_on_to(std::int64_t day) {
    if (day <= today_) return;
    today_ = day;
    while (later_.next_due() && day_of(*later_.next_due()) < today_ + kDays) enter(*later_.take_next());
  }

  std::optional<std::int64_t> first_day() const {
    if (in_ring_ == 0) return std::nullopt;
    const std::size_t begin = place(today_);
    for (std::size_t step = 0; step <= marks_.size(); ++step) {
      const std::size_t word = (begin / 64 + step) % marks_.size();
      std::uint64_t marks = marks_[word];
      if (step == 0) marks &= ~std::uint64_t{0} << begin % 64;
      if (marks == 0) continue;
      const std::size_t found = word * 64 + static_cast<std::size_t>(std::countr_zero(marks));
      return today_ + static_cast<std::int64_t>((found + kDays - begin) % kDays);
    }
    return std::nullopt;
  }

  std::array<Page, kDays> pages_{};
  std::array<std::uint64_t, kDays / 64> marks_{};  // pages with something on them
  std::int64_t today_ = 0;
  std::vector<Node> nodes_;
  std::uint32_t free_ = kNone;  // nodes in use by nobody
  std::size_t in_ring_ = 0;
  DueQueue<Entry> later_;
  std::vector<Entry> leaving_;
  std::uint64_t next_number_ = 0;
};

}  // namespace avc::net
