// Holds anything until its time. Says when to come back; never looks at a clock.
//
// A binary heap in one vector: the storage grows to the largest number held and is then reused, so a steady flow
// allocates nothing. Things due at the same instant leave in the order they came.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "core/time.hpp"

namespace avc::net {

template <class T>
class DueQueue {
 public:
  void hold(Instant due, T item) {
    latest_ = heap_.empty() ? due : std::max(latest_, due);
    heap_.push_back({due, next_number_++, std::move(item)});
    std::push_heap(heap_.begin(), heap_.end(), leaves_later);
  }

  std::optional<T> take_due(Instant now) {
    if (heap_.empty() || heap_.front().due > now) return std::nullopt;
    return take_next();
  }

  // The next in line whether due or not, for draining.
  std::optional<T> take_next() {
    if (heap_.empty()) return std::nullopt;
    std::pop_heap(heap_.begin(), heap_.end(), leaves_later);
    std::optional<T> item(std::move(heap_.back().item));
    heap_.pop_back();
    return item;
  }

  void clear() { heap_.clear(); }

  std::optional<Instant> next_due() const { return heap_.empty() ? std::nullopt : std::optional(heap_.front().due); }
  // Where something that must leave after everything held now has to be put.
  std::optional<Instant> latest_due() const { return heap_.empty() ? std::nullopt : std::optional(latest_); }
  bool empty() const { return heap_.empty(); }
  std::size_t size() const { return heap_.size(); }

 private:
  struct Held {
    Instant due;
    std::uint64_t number;
    T item;
  };
  static bool leaves_later(const Held &a, const Held &b) {
    return a.due != b.due ? a.due > b.due : a.number > b.number;
  }

  std::vector<Held> heap_;
  std::uint64_t next_number_ = 0;
  Instant latest_;  // of those held; valid while there are any (the latest is always the last to leave)
};

}  // namespace avc::net
