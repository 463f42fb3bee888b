#include "core/net/capacity_queue.hpp"

#include <algorithm>

#include "core/net/delay.hpp"

namespace avc::net {

CapacityQueue::Admission CapacityQueue::admit(const LineSettings &settings, Slots *slots, std::size_t bytes,
                                              Instant arrival, bool must_wait, Claim claim) {
  if (settings.takes_time() || slots) untouched_ = false;
  const std::uint64_t size = settings.size(bytes);
  const bool late = settings.discipline == QueueDiscipline::drophead || settings.discipline == QueueDiscipline::codel;
  if (late && (settings.takes_time() || slots))
    return admit_open(settings, slots, {arrival, size, claim.ecn != Ecn::not_capable}, must_wait);
  while (!open_.empty()) decide(head_step(codel_, slots_));
  return admit_told(settings, slots, size, arrival, claim);
}

CapacityQueue::Admission CapacityQueue::admit_told(const LineSettings &settings, Slots *slots, std::uint64_t size,
                                                   Instant arrival, Claim claim) {
  forget_started(arrival);
  const Line::Plan plan = line_.plan(settings, slots, size, arrival);
  const Line::Passage &passage = plan.passage;
  if (!plan.possible) return {Answer::full, {}};
  const Mark mark = manage(settings, arrival, passage.start - passage.gate, claim);
  if (mark == Mark::drop) return {Answer::full, {}, false, true};
  if (passage.start > arrival) {
    const bool full =
        (settings.takes_time() || slots) && (passage.start - passage.gate > settings.longest_wait ||
                                             (settings.queue_packets > 0 && told_.size() >= settings.queue_packets) ||
                                             (settings.queue_bytes > 0 && told_bytes_ + size > settings.queue_bytes));
    if (full) return {Answer::full, {}};
    told_.push({passage.start, size});
    told_bytes_ += size;
  }
  line_.take(plan);
  return {Answer::passes, passage, mark == Mark::ce};
}

Mark CapacityQueue::manage(const LineSettings &settings, Instant arrival, Nanos wait, Claim claim) {
  if (!settings.takes_time()) return Mark::none;
  if (settings.discipline == QueueDiscipline::pie) {
    return pie_.decide(settings.pie_target, settings.pie_burst, arrival, line_.free_at(), told_bytes_,
                       claim.ecn != Ecn::not_capable, claim.u);
  }
  if (settings.discipline == QueueDiscipline::pi2)
    return pi2_.decide(settings.pi2_target, settings.pi2_step, arrival, line_.free_at(), wait, claim.ecn, claim.u);
  return Mark::none;
}

CapacityQueue::Admission CapacityQueue::admit_open(const LineSettings &settings, Slots *slots, const Open &packet,
                                                   bool must_wait) {
  const Instant arrival = packet.arrival;
  const std::uint64_t size = packet.bytes;
  if (settings != settings_) settings_ = settings;
  // Our own, because it follows those that wait while the other one follows arrivals.
  static const Slots none;
  const Slots &wanted = slots ? *slots : none;
  if (!slots_.same_as(wanted)) slots_ = wanted;
  forget_started(arrival);
  if (open_.empty() && !must_wait) {
    const Step now = step(packet, 0, codel_, slots_);
    if (now.plan.possible && now.plan.passage.start == arrival) {
      line_.take(now.plan);
      return {Answer::passes, now.plan.passage, now.ce};
    }
  }
  const auto full = [&] {
    return (settings.queue_packets > 0 && open_.size() >= settings.queue_packets) ||
           (settings.queue_bytes > 0 && open_bytes_ + size > settings.queue_bytes);
  };
  const bool never_fits = settings.queue_bytes > 0 && size > settings.queue_bytes;
  if (settings.discipline == QueueDiscipline::drophead && !never_fits)
    while (!open_.empty() && full()) push_out_head();
  if (full()) return {Answer::full, {}};
  open_.push(packet);
  open_bytes_ += size;
  return {Answer::waits, {}};
}

CapacityQueue::Step CapacityQueue::step(const Open &packet, std::uint64_t behind, CoDel &codel, Slots &slots) const {
  Step step{false, false, line_.plan(settings_, slots.active() ? &slots : nullptr, packet.bytes, packet.arrival)};
  if (packet.arrival > line_.free_at()) codel.ran_empty();
  const Line::Passage &passage = step.plan.passage;
  if (!step.plan.possible || passage.start - passage.gate > settings_.longest_wait) {
    step.dropped = true;
  } else if (settings_.discipline == QueueDiscipline::codel) {
    step.dropped = codel.drop(settings_.codel_target, settings_.codel_interval, passage.start,
                              passage.start - passage.gate, behind);
    step.ce = step.dropped && packet.markable;
    if (step.ce) {
      step.dropped = false;
      codel.marked();
    }
  }
  return step;
}

CapacityQueue::Step CapacityQueue::head_step(CoDel &codel, Slots &slots) const {
  return step(open_.front(), open_bytes_ - open_.front().bytes, codel, slots);
}

void CapacityQueue::decide(const Step &head) {
  if (!head.dropped) line_.take(head.plan);
  fates_.push({head.dropped, head.plan.passage, head.ce});
  open_bytes_ -= open_.front().bytes;
  open_.pop();
}

void CapacityQueue::push_out_head() {
  fates_.push({true, {}});
  open_bytes_ -= open_.front().bytes;
  open_.pop();
}

std::optional<CapacityQueue::Fate> CapacityQueue::pushed_out() {
  if (fates_.empty()) return std::nullopt;
  const Fate fate = fates_.front();
  fates_.pop();
  return fate;
}

std::optional<CapacityQueue::Fate> CapacityQueue::until_arrival(Instant arrival) {
  while (fates_.empty() && !open_.empty()) {
    CoDel codel = codel_;
    const Step head = head_step(codel, slots_);
    if (head.plan.passage.start >= arrival) break;
    codel_ = codel;
    decide(head);
  }
  return pushed_out();
}

std::optional<CapacityQueue::Fate> CapacityQueue::until_clock(Instant now) {
  if (fates_.empty() && !open_.empty()) {
    const auto [count, at] = outlook();
    if (at <= now)
      for (std::size_t i = 0; i < count; ++i) decide(head_step(codel_, slots_));
  }
  return pushed_out();
}

std::optional<CapacityQueue::Fate> CapacityQueue::rest() { return until_arrival(Instant::never()); }

std::optional<Instant> CapacityQueue::next() const {
  if (!fates_.empty()) return Instant{Nanos::min()};
  if (open_.empty()) return std::nullopt;
  return outlook().second;
}

std::pair<std::size_t, Instant> CapacityQueue::outlook() const {
  CoDel codel = codel_;
  Slots slots = slots_;
  std::uint64_t behind = open_bytes_;
  Instant at;
  std::size_t i = 0;
  while (i < open_.size()) {
    const Open &packet = open_[i++];
    behind -= packet.bytes;
    const Step next = step(packet, behind, codel, slots);
    at = next.dropped ? next.plan.passage.start : next.plan.passage.end;
    if (!next.dropped) break;
  }
  return {i, at};
}

void CapacityQueue::flush() {
  untouched_ = true;
  line_.flush();
  codel_ = {};
  pie_ = {};
  pi2_ = {};
  told_.clear();
  open_.clear();
  fates_.clear();
  told_bytes_ = open_bytes_ = 0;
}

QueueDepth CapacityQueue::depth(Instant at) const {
  QueueDepth depth{{}, open_.size(), open_bytes_};
  if (line_.free_at() > at) depth.wait = line_.free_at() - at;
  if (const double kbps = settings_.mean_kbps(); open_bytes_ > 0 && kbps > 0)
    depth.wait += from_ms(std::min(static_cast<double>(open_bytes_) * 8 / kbps, kLongestMs));
  for (std::size_t i = 0; i < told_.size(); ++i) {
    if (told_[i].start <= at) continue;
    ++depth.packets;
    depth.bytes += told_[i].bytes;
  }
  return depth;
}

void CapacityQueue::forget_started(Instant at) {
  while (!told_.empty() && told_.front().start <= at) {
    told_bytes_ -= told_.front().bytes;
    told_.pop();
  }
}

}  // namespace avc::net
