#include "core/net/line.hpp"

#include <algorithm>

#include "core/net/delay.hpp"

namespace avc::net {
namespace {

// An hour at most, so that sums stay far from the ends of the time line whatever the settings.
Nanos bounded_ms(double ms) { return ms > 0 ? from_ms(std::min(ms, kLongestMs)) : Nanos{}; }

constexpr Nanos kNoLongestWait = std::chrono::hours(24 * 365);

}  // namespace

std::uint64_t LineSettings::size(std::size_t bytes) const {
  const std::int64_t size = std::max<std::int64_t>(static_cast<std::int64_t>(bytes) + packet_overhead, 0);
  if (cell_bytes == 0) return static_cast<std::uint64_t>(size);
  const std::int64_t payload = cell_bytes, cells = (size + payload - 1) / payload;
  return static_cast<std::uint64_t>(cells * std::max<std::int64_t>(payload + cell_overhead, 0));
}

LineSettings line_settings(const Impairment &s, const Rng &rng, Instant from) {
  LineSettings line{.kbps = s.bandwidth_kbps,
                    .trace = s.link_trace,
                    .packet_overhead = s.packet_overhead,
                    .cell_bytes = s.cell_bytes,
                    .cell_overhead = s.cell_overhead,
                    .discipline = s.queue_discipline,
                    .longest_wait = s.queue_ms < 0 ? kNoLongestWait : bounded_ms(s.queue_ms),
                    .queue_packets = s.queue_packets,
                    .queue_bytes = s.queue_bytes,
                    .codel_target = bounded_ms(s.codel_target_ms),
                    .codel_interval = bounded_ms(s.codel_interval_ms),
                    .pie_target = bounded_ms(s.pie_target_ms),
                    .pie_burst = bounded_ms(s.pie_burst_ms),
                    .pi2_target = bounded_ms(s.pi2_target_ms),
                    .pi2_step = bounded_ms(s.pi2_step_ms)};
  if (s.bandwidth_kbps > 0) line.burst = bounded_ms(static_cast<double>(s.burst_bytes) * 8 / s.bandwidth_kbps);
  if (s.link_trace && s.trace_once) {
    line.trace_once = true;
    line.trace_offset = bounded_ms(s.trace_offset_ms) - from.since_origin;
  } else if (s.link_trace) {
    line.trace_offset = s.trace_offset_ms >= 0
                            ? bounded_ms(s.trace_offset_ms)
                            : from_ms(rng.split("trace").at(0).uniform() * to_ms(s.link_trace->period()));
  }
  return line;
}

Line::Plan Line::plan(const LineSettings &settings, Slots *slots, std::uint64_t size, Instant arrival) const {
  const bool bucket = settings.burst > Nanos();
  Plan plan{{arrival, std::max(arrival, bucket ? state_.bucket_full - settings.burst : state_.free_at), {}}, state_};
  if (slots) in_slot(plan, *slots, size);
  if (settings.trace) {
    by_trace(plan, settings, size);
  } else {
    plan.after.trace = nullptr;
    // The bucket fills at the line's speed; a packet leaves as soon as its bytes are in it.
    Instant full = bucket ? std::max(plan.passage.start, state_.bucket_full) : plan.passage.start;
    if (settings.kbps > 0)
      full = full + bounded_ms(static_cast<double>(size) * 8 / settings.kbps);  // bits / (bits per ms)
    plan.passage.end = std::max(plan.passage.start, full - settings.burst);
    plan.after.bucket_full = full;
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
    if (settings.trace_once && state.opportunity.round < 0) state.opportunity = {};
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
  if (settings.trace_once && state.opportunity.round > 0) {
    plan.possible = false;
    plan.passage.start = plan.passage.end = plan.passage.gate;
    return;
  }
  plan.passage.end = time(state.opportunity);
}

}  // namespace avc::net
