#include "core/net/line.hpp"

#include <algorithm>

#include "core/net/delay.hpp"

namespace avc::net {
namespace {

// An hour at most, so that sums stay far from the ends of the time line whatever the settings.
Nanos bounded_ms(double ms) { return ms > 0 ? from_ms(std::min(ms, kLongestMs)) : Nanos{}; }

}  // namespace

std::uint64_t LineSettings::size(std::size_t bytes) const {
  const std::uint64_t size = bytes + packet_overhead;
  if (cell_bytes == 0) return size;
  return (size + cell_bytes - 1) / cell_bytes * (std::uint64_t{cell_bytes} + cell_overhead);
}

LineSettings line_settings(const Impairment &s, const Rng &rng) {
  LineSettings line{.kbps = s.bandwidth_kbps,
                    .trace = s.link_trace,
                    .packet_overhead = s.packet_overhead,
                    .cell_bytes = s.cell_bytes,
                    .cell_overhead = s.cell_overhead,
                    .discipline = s.queue_discipline,
                    .longest_wait = bounded_ms(s.queue_ms),
                    .queue_packets = s.queue_packets,
                    .queue_bytes = s.queue_bytes,
                    .codel_target = bounded_ms(s.codel_target_ms),
                    .codel_interval = bounded_ms(s.codel_interval_ms)};
  if (s.link_trace) {
    line.trace_offset = s.trace_offset_ms >= 0
                            ? bounded_ms(s.trace_offset_ms)
                            : from_ms(rng.split("trace").at(0).uniform() * to_ms(s.link_trace->period()));
  }
  return line;
}

Line::Plan Line::plan(const LineSettings &settings, Slots *slots, std::uint64_t size, Instant arrival) const {
  Plan plan{{arrival, std::max(arrival, state_.free_at), {}}, state_};
  if (slots) in_slot(plan, *slots, size);
  if (settings.trace) {
    by_trace(plan, settings, size);
  } else {
    plan.after.trace = nullptr;
    plan.passage.end = plan.passage.start;
    if (settings.kbps > 0)  // bits / (bits per ms)
      plan.passage.end = plan.passage.start + bounded_ms(static_cast<double>(size) * 8 / settings.kbps);
  }
  if (settings.takes_time()) plan.after.free_at = std::max(state_.free_at, plan.passage.end);
  return plan;
}

// A packet goes in the first slot after its arrival that has room; what a slot let in may end after the next began.
void Line::in_slot(Plan &plan, Slots &slots, std::uint64_t size) {
  State &state = plan.after;
  plan.passage.gate = slots.first_from(plan.passage.gate);
  Instant slot = std::max(plan.passage.gate, state.slot);
  const bool same = slot == state.slot;
  const bool full = same && ((slots.packets() > 0 && state.slot_packets >= slots.packets()) ||
                             (slots.bytes() > 0 && state.slot_bytes + size > slots.bytes()));
  if (full) slot = slots.next(slot);
  if (full || !same) {
    state.slot = slot;
    state.slot_packets = 0;
    state.slot_bytes = 0;
  }
  ++state.slot_packets;
  state.slot_bytes += size;
  plan.passage.start = std::max(plan.passage.start, slot);
}

// Bytes of an opportunity that the packet does not need are there for those that wait behind it; what nobody waits
// for is gone.
void Line::by_trace(Plan &plan, const LineSettings &settings, std::uint64_t size) {
  const LinkTrace &trace = *settings.trace;
  State &state = plan.after;
  const auto time = [&](LinkTrace::Place place) { return trace.time(place) - settings.trace_offset; };
  if (state.trace != &trace || time(state.opportunity) < plan.passage.start) {
    state.trace = &trace;
    state.opportunity = trace.first_from(plan.passage.start + settings.trace_offset);
    state.left = LinkTrace::kOpportunity;
  } else if (state.left == 0) {
    state.opportunity = trace.next(state.opportunity);
    state.left = LinkTrace::kOpportunity;
  }
  plan.passage.start = time(state.opportunity);
  while (size > state.left) {
    size -= state.left;
    state.opportunity = trace.next(state.opportunity);
    state.left = LinkTrace::kOpportunity;
  }
  state.left -= static_cast<std::uint32_t>(size);
  plan.passage.end = time(state.opportunity);
}

}  // namespace avc::net
