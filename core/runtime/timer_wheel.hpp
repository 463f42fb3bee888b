// Deadlines in order, without threads, clocks or allocation: a wheel of 1 ms slots for the next second, and a list
// for what lies further ahead, looked through twice a second. Arming and cancelling take constant time.
//
// The wheel only sorts roughly; exact deadlines are kept, nothing is given out early, and a batch leaves ordered by
// deadline, ties by when they were armed. Not thread-safe.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "core/time.hpp"

namespace avc::runtime {

class TimerWheel {
 public:
  // To be embedded (or derived from) by whoever owns the deadline; must be removed before it is destroyed.
  class Entry {
   public:
    Entry() = default;
    Entry(const Entry &) = delete;
    Entry &operator=(const Entry &) = delete;
    bool armed() const { return place_ != kNowhere; }

   private:
    friend class TimerWheel;
    Instant due_;
    std::uint64_t number_ = 0;  // of the arming, for ties
    Entry *next_ = nullptr, *previous_ = nullptr;
    std::size_t place_ = kNowhere;  // slot, kFar, kBatch or kNowhere
    std::size_t index_ = 0;         // in the batch
  };

  explicit TimerWheel(Instant now);

  void insert(Entry &entry, Instant due);  // moves it if it is armed already
  void remove(Entry &entry);               // nothing if it is not armed

  // Everything due by `now` becomes the batch, after what is left of the one before. Then take() gives it out one by
  // one; entries removed or armed anew in between leave the batch.
  void collect(Instant now);
  Entry *take();

  std::optional<Instant> next_due();  // of what is not in the batch

 private:
  static constexpr std::size_t kSlots = 1024;
  static constexpr std::size_t kFar = kSlots, kBatch = kSlots + 1, kNowhere = kSlots + 2;

  void link(Entry &entry, std::size_t place);
  void unlink(Entry &entry);
  void place(Entry &entry);
  void empty_into_batch(std::size_t slot, Instant now);
  void bring_near();
  std::size_t first_slot() const;

  std::array<Entry *, kSlots + 1> heads_{};          // the last is the far list's
  std::array<std::uint64_t, kSlots / 64> filled_{};  // a bit for each slot that is not empty
  std::int64_t cursor_;                              // tick (whole ms) of the latest collect
  std::int64_t far_tick_;                            // ticks from here on are far
  std::optional<Instant> far_min_;                   // earliest in the far list, if known
  std::uint64_t next_number_ = 0;
  std::vector<Entry *> batch_;  // sorted; null where removed since
  std::size_t taken_ = 0;       // of the batch
};

}  // namespace avc::runtime
