// A line that carries one packet after the other: at a fixed speed, at the opportunities of a trace, or without
// taking any time; all of it perhaps only in slots. It says when a packet would pass, and remembers those that did.
#pragma once

#include <cstdint>
#include <memory>

#include "core/net/impairment.hpp"
#include "core/net/link_trace.hpp"
#include "core/net/slots.hpp"
#include "core/time.hpp"

namespace avc::net {

// What of an Impairment concerns line and queue, ready for use.
struct LineSettings {
  double kbps = 0;  // 0: takes no time, unless there is a trace
  std::shared_ptr<const LinkTrace> trace;
  Nanos trace_offset{};
  bool trace_once = false;
  Nanos burst{};  // the time the line takes for as much as may leave at once
  std::int32_t packet_overhead = 0;
  std::uint32_t cell_bytes = 0;
  std::int32_t cell_overhead = 0;

  QueueDiscipline discipline = QueueDiscipline::droptail;
  Nanos longest_wait{};
  std::uint32_t queue_packets = 0;
  std::uint64_t queue_bytes = 0;
  Nanos codel_target{}, codel_interval{};
  Nanos pie_target{}, pie_burst{};
  Nanos pi2_target{}, pi2_step{};

  std::uint64_t size(std::size_t bytes) const;  // on the line, with overhead and in whole cells
  bool takes_time() const { return trace || kbps > 0; }
  double mean_kbps() const { return trace ? trace->mean_kbps() : kbps; }

  friend bool operator==(const LineSettings &, const LineSettings &) = default;
};

// `rng`: the layer's, for the participant's own place in the trace. `from`: when a trace that runs once begins.
LineSettings line_settings(const Impairment &settings, const Rng &rng, Instant from = {});

class Line {
 public:
  struct Passage {
    Instant gate;   // when it could have gone had nothing been before it: its arrival, or the slot after
    Instant start;  // the packet's first bit goes on the line
    Instant end;    // its last bit is through
  };
  struct State {
    Instant free_at{Nanos::min()};          // when the line has sent all that passed
    Instant bucket_full{Nanos::min() / 2};  // when it may again send all of `burst` at once
    const LinkTrace *trace = nullptr;
    LinkTrace::Place opportunity;
    std::uint32_t left = 0;  // bytes of that opportunity not used yet
    Instant slot{Nanos::min()};
    std::uint32_t slot_packets = 0;  // that passed in the slot
    std::uint64_t slot_bytes = 0;
  };
  struct Plan {
    Passage passage;
    State after;
    bool possible = true;  // false: it never passes; the trace that runs once is over
  };

  // `slots` may be none. Nothing has passed until the plan is taken.
  Plan plan(const LineSettings &settings, Slots *slots, std::uint64_t size, Instant arrival) const;
  void take(const Plan &plan) { state_ = plan.after; }
  void flush() { state_ = {}; }

  Instant free_at() const { return state_.free_at; }

 private:
  static void in_slot(Plan &plan, Slots &slots, std::uint64_t size);
  static void by_trace(Plan &plan, const LineSettings &settings, std::uint64_t size);

  State state_;
};

}  // namespace avc::net
