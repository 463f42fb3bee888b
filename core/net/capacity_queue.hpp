// A first-in first-out queue before a line of limited speed, as a router's: when more comes than the line carries,
// waiting grows before anything is dropped.
//
// With drop tail a packet's fate is known when it arrives: it is told then, and a later change of speed or limits
// leaves it as it was told. Drop head and CoDel decide when a packet reaches the line, so a packet may have to wait
// for its fate. Fates are told in the order of arrival, each once:
//   until_arrival(t)  those of packets that reach the line before t: all that came before t is known, so they are
//                     decided by the packets alone. Called for each arrival.
//   until_clock(t)    also those that would have left the line by t if nothing else came. For a user who cannot wait
//                     for the next arrival; asked as late as that, a packet handed in late by less than its
//                     predecessor's time on the line is still seen.
// Everything happens on the packets' own time line. Not modelled: several queues or priorities, cross traffic.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>

#include "core/net/codel.hpp"
#include "core/net/line.hpp"
#include "core/net/pi2.hpp"
#include "core/net/pie.hpp"
#include "core/net/ring.hpp"
#include "core/time.hpp"

namespace avc::net {

struct QueueDepth {
  Nanos wait{};  // how long a packet that came now would wait; where fates are open, if nothing is dropped
  std::size_t packets = 0;
  std::uint64_t bytes = 0;  // with packet_overhead
};

// What a packet brings along that a managed queue asks for.
struct Claim {
  Ecn ecn = Ecn::not_capable;
  double u = 0;  // its chance, for PIE and PI2
};

class CapacityQueue {
 public:
  enum class Answer : std::uint8_t { passes, full, waits };
  struct Admission {
    Answer answer;
    Line::Passage passage;  // valid if it passes
    bool ce = false;        // it passes marked
    bool managed = false;   // full: not for want of room, PIE or PI2 chose it
  };
  struct Fate {
    bool dropped = false;
    Line::Passage passage;  // valid if it was not
    bool ce = false;
  };

  // Without speed and slots the line takes no time, but packets still wait for those queued before them. Arrivals
  // should not go back in time by more than a packet's time on the line. `must_wait`: tell its fate later even if it
  // could be told now (not for drop tail). Ask until_arrival() first.
  Admission admit(const LineSettings &settings, Slots *slots, std::size_t bytes, Instant arrival,
                  bool must_wait = false, Claim claim = {});

  std::optional<Fate> pushed_out();  // those decided already: ask after admit()
  std::optional<Fate> until_arrival(Instant arrival);
  std::optional<Fate> until_clock(Instant now);
  std::optional<Fate> rest();           // all that wait, as if nothing more came
  std::optional<Instant> next() const;  // when until_clock() will next have an answer

  void flush();  // empty queue, idle line

  QueueDepth depth(Instant at) const;  // of packets whose first bit is not on the line yet
  bool fates_open() const { return !open_.empty() || !fates_.empty(); }
  // Nobody has waited here: what needs no line passes at once and leaves nothing behind.
  bool untouched() const { return untouched_; }

 private:
  struct Told {  // waits, and is told when it starts
    Instant start;
    std::uint64_t bytes;
  };
  struct Open {
    Instant arrival;
    std::uint64_t bytes;
    bool markable = false;
  };
  struct Step {
    bool dropped = false, ce = false;
    Line::Plan plan;
  };

  Admission admit_told(const LineSettings &settings, Slots *slots, std::uint64_t size, Instant arrival, Claim claim);
  Mark manage(const LineSettings &settings, Instant arrival, Nanos wait, Claim claim);
  Admission admit_open(const LineSettings &settings, Slots *slots, const Open &packet, bool must_wait);
  Step step(const Open &packet, std::uint64_t behind, CoDel &codel, Slots &slots) const;
  Step head_step(CoDel &codel, Slots &slots) const;
  void decide(const Step &head);
  void push_out_head();
  // Walks over those that wait, as if nothing more came, up to the first one sent: how many that are, and when it
  // leaves the line (or the last is dropped).
  std::pair<std::size_t, Instant> outlook() const;
  void forget_started(Instant at);

  bool untouched_ = true;
  Line line_;
  CoDel codel_;
  Pie pie_;
  Pi2 pi2_;
  Ring<Told> told_;
  std::uint64_t told_bytes_ = 0;
  Ring<Open> open_;
  std::uint64_t open_bytes_ = 0;
  Ring<Fate> fates_;       // decided, not fetched yet; older than all in open_
  LineSettings settings_;  // for those in open_: the line as it is when they reach it
  Slots slots_;
};

}  // namespace avc::net
