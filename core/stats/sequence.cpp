#include "core/stats/sequence.hpp"

#include <algorithm>

#include "core/rtp/seqnum.hpp"

namespace avc::stats {
namespace {

constexpr std::size_t slot(std::int64_t number) {
  return static_cast<std::size_t>(static_cast<std::uint64_t>(number) % SequenceTracker::kWindow);
}

}  // namespace

void SequenceTracker::Runs::packet(bool arrived) {
  if (!arrived) {
    ++open;
  } else if (open > 0) {
    ++count;
    const auto longest = static_cast<std::int64_t>(lengths.size());
    ++lengths[static_cast<std::size_t>(std::min(open, longest) - 1)];
    open = 0;
  }
}

bool SequenceTracker::arrived(std::int64_t number) const { return bits_[slot(number) / 64] >> (slot(number) % 64) & 1; }
void SequenceTracker::mark(std::int64_t number) { bits_[slot(number) / 64] |= std::uint64_t{1} << (slot(number) % 64); }
void SequenceTracker::unmark(std::int64_t number) {
  bits_[slot(number) / 64] &= ~(std::uint64_t{1} << (slot(number) % 64));
}

void SequenceTracker::begin(std::int64_t number) {
  bits_ = {};
  started_ = true;
  base_ = highest_ = number;
  restart_with_ = -1;
  mark(number);
  ++received_;
}

void SequenceTracker::advance_to(std::int64_t number) {
  for (std::int64_t n = highest_ + 1; n <= number; ++n) {
    if (n - kWindow >= base_) settled_.packet(arrived(n - kWindow));
    unmark(n);
  }
  highest_ = number;
  mark(number);
  ++received_;
}

std::int64_t SequenceTracker::known_from() const { return std::max(base_, highest_ - kWindow + 1); }

void SequenceTracker::settle_all(Runs &runs) const {
  for (std::int64_t n = known_from(); n <= highest_; ++n) runs.packet(arrived(n));
}

SequenceTracker::Seen SequenceTracker::see(std::uint16_t sequence, int max_gap) {
  if (!started_) {
    begin(sequence);
    in_sequence_ = 1;
    return {Kind::fresh, highest_};
  }
  const int step = rtp::steps(static_cast<std::uint16_t>(highest_), sequence);
  const std::int64_t number = highest_ + step;
  if (step > 0 && step < std::clamp(max_gap, kMaxDropout, kMaxGap + 1)) {
    if (!trusted()) in_sequence_ = step == 1 ? in_sequence_ + 1 : 1;
    advance_to(number);
    return {Kind::fresh, number};
  }
  if (step <= 0 && step > -kWindow) {
    if (number >= base_ && arrived(number)) return {Kind::duplicate, number};
    base_ = std::min(base_, number);
    mark(number);
    ++received_;
    return {Kind::late, number};
  }
  if (!trusted()) {
    *this = SequenceTracker();
    begin(sequence);
    in_sequence_ = 1;
    return {Kind::replaced, highest_};
  }
  if (sequence != restart_with_) {
    restart_with_ = static_cast<std::uint16_t>(sequence + 1);
    return {Kind::held, 0};
  }
  settle_all(settled_);
  expected_before_ += highest_ - base_ + 1;
  const auto held = static_cast<std::uint16_t>(sequence - 1);
  begin((highest_ / 0x10000 + 2) * 0x10000 + held);  // above every number given out so far
  advance_to(highest_ + 1);
  return {Kind::restarted, highest_};
}

void SequenceTracker::describe_runs(StreamStats &stats) const {
  Runs runs = settled_;
  if (started_) settle_all(runs);
  stats.loss_runs = runs.count;
  stats.loss_run_lengths = runs.lengths;
}

}  // namespace avc::stats
