#include "core/runtime/timer_wheel.hpp"

#include <algorithm>
#include <bit>

namespace avc::runtime {
namespace {

std::int64_t tick_of(Instant at) {
  constexpr std::int64_t kTick = 1'000'000;
  const auto ns = at.since_origin.count();
  return ns / kTick - (ns % kTick < 0);
}

}  // namespace

TimerWheel::TimerWheel(Instant now) : cursor_(tick_of(now)), far_tick_(cursor_ + static_cast<std::int64_t>(kSlots)) {}

void TimerWheel::insert(Entry &entry, Instant due) {
  remove(entry);
  entry.due_ = due;
  entry.number_ = next_number_++;
  place(entry);
}

void TimerWheel::remove(Entry &entry) {
  if (entry.place_ == kNowhere) return;
  if (entry.place_ == kBatch)
    batch_[entry.index_] = nullptr;
  else
    unlink(entry);
  entry.place_ = kNowhere;
}

void TimerWheel::collect(Instant now) {
  batch_.erase(batch_.begin(), batch_.begin() + static_cast<std::ptrdiff_t>(taken_));
  taken_ = 0;
  const std::size_t left = batch_.size();
  const std::int64_t tick = std::max(cursor_, tick_of(now));
  // What was overdue when armed lies in the cursor's slot; a jump beyond the wheel's horizon empties every slot once.
  const std::int64_t last = std::min(tick, cursor_ + static_cast<std::int64_t>(kSlots) - 1);
  for (std::int64_t t = cursor_; t <= last; ++t) empty_into_batch(static_cast<std::size_t>(t) % kSlots, now);
  cursor_ = tick;
  if (far_tick_ - cursor_ <= static_cast<std::int64_t>(kSlots / 2)) {
    bring_near();
    empty_into_batch(static_cast<std::size_t>(cursor_) % kSlots, now);
  }
  std::sort(batch_.begin() + static_cast<std::ptrdiff_t>(left), batch_.end(), [](const Entry *a, const Entry *b) {
    return a->due_ != b->due_ ? a->due_ < b->due_ : a->number_ < b->number_;
  });
  for (std::size_t i = 0; i < batch_.size(); ++i)
    if (batch_[i]) batch_[i]->index_ = i;
}

TimerWheel::Entry *TimerWheel::take() {
  while (taken_ < batch_.size()) {
    Entry *entry = batch_[taken_++];
    if (!entry) continue;
    entry->place_ = kNowhere;
    return entry;
  }
  return nullptr;
}

std::optional<Instant> TimerWheel::next_due() {
  const std::size_t slot = first_slot();
  if (slot < kSlots) {
    Instant earliest = Instant::never();
    for (const Entry *e = heads_[slot]; e; e = e->next_) earliest = std::min(earliest, e->due_);
    return earliest;
  }
  if (!far_min_ && heads_[kFar]) {
    far_min_ = Instant::never();
    for (const Entry *e = heads_[kFar]; e; e = e->next_) far_min_ = std::min(*far_min_, e->due_);
  }
  return far_min_;
}

void TimerWheel::link(Entry &entry, std::size_t place) {
  entry.place_ = place;
  entry.previous_ = nullptr;
  entry.next_ = heads_[place];
  if (entry.next_) entry.next_->previous_ = &entry;
  heads_[place] = &entry;
  if (place < kSlots) filled_[place / 64] |= std::uint64_t{1} << place % 64;
}

void TimerWheel::unlink(Entry &entry) {
  (entry.previous_ ? entry.previous_->next_ : heads_[entry.place_]) = entry.next_;
  if (entry.next_) entry.next_->previous_ = entry.previous_;
  if (entry.place_ == kFar) {
    if (far_min_ == entry.due_) far_min_.reset();
  } else if (!heads_[entry.place_]) {
    filled_[entry.place_ / 64] &= ~(std::uint64_t{1} << entry.place_ % 64);
  }
}

void TimerWheel::place(Entry &entry) {
  const std::int64_t tick = std::max(cursor_, tick_of(entry.due_));
  if (tick < far_tick_) {
    link(entry, static_cast<std::size_t>(tick) % kSlots);
    return;
  }
  if (!heads_[kFar])
    far_min_ = entry.due_;
  else if (far_min_)
    far_min_ = std::min(*far_min_, entry.due_);
  link(entry, kFar);
}

void TimerWheel::empty_into_batch(std::size_t slot, Instant now) {
  for (Entry *entry = heads_[slot]; entry;) {
    Entry *next = entry->next_;
    if (entry->due_ <= now) {
      unlink(*entry);
      entry->place_ = kBatch;
      batch_.push_back(entry);
    }
    entry = next;
  }
}

// Moves the horizon on and puts what it now covers into the wheel.
void TimerWheel::bring_near() {
  far_tick_ = cursor_ + static_cast<std::int64_t>(kSlots);
  Entry *entry = heads_[kFar];
  heads_[kFar] = nullptr;
  far_min_.reset();
  while (entry) {
    Entry *next = entry->next_;
    place(*entry);
    entry = next;
  }
}

// The first that is not empty, counted round from the cursor's; kSlots if all are.
std::size_t TimerWheel::first_slot() const {
  const std::size_t start = static_cast<std::size_t>(cursor_) % kSlots, words = filled_.size();
  const std::uint64_t upper = ~std::uint64_t{0} << start % 64;
  for (std::size_t i = 0; i <= words; ++i) {
    const std::size_t word = (start / 64 + i) % words;
    const std::uint64_t mask = i == 0 ? upper : i == words ? ~upper : ~std::uint64_t{0};
    if (const auto bits = filled_[word] & mask) return word * 64 + static_cast<std::size_t>(std::countr_zero(bits));
  }
  return kSlots;
}

}  // namespace avc::runtime
