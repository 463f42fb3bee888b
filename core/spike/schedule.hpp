// A test's spikes as time goes by: what is in force, for whom, and when that changes next.
//
// Instants are on the test's time line. A spike is in force from its start up to, and not at, its end; what is in
// force is always derived from the list, so an end leaves exactly the others.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "core/spike/spike.hpp"

namespace avc::spike {

bool addresses(const Spike &spike, std::uint32_t participant);

enum class State : std::uint8_t { planned, active, ended, cancelled };
std::string_view name(State state);

struct Change {
  enum class Kind : std::uint8_t { started, ended, cancelled } kind;
  Planned spike;
  Instant at;  // the planned moment, which may lie before the one asked about
};

class Schedule {
 public:
  struct Entry {
    Planned planned;
    State state = State::planned;
  };

  Schedule() = default;
  explicit Schedule(std::vector<Planned> spikes);  // of several with one id the first is kept

  void expect(std::size_t spikes) { entries_.reserve(spikes); }  // so many in all; others may come
  // False, and nothing changes, nor does `spike`: one with this id is planned or active, or this one has no length.
  bool inject(Planned &&spike);
  // Gives the change for an active spike, which ends at once, or for a planned one, which will not start.
  std::vector<Change> cancel(std::string_view id, Instant now);
  // Spikes that are over by `now` count as ended without having been seen; those in force start with advance().
  std::vector<Planned> skip_to(Instant now);
  // Everything that happened up to and including `now`, in order; at one instant ends come before starts.
  std::vector<Change> advance(Instant now);

  void forget_over();  // what is ended or cancelled; in_force() of the past no longer knows it

  Instant next_change() const { return next_change_; }  // never() when nothing is to come
  std::vector<Planned> in_force(Instant at, std::uint32_t participant) const;
  const std::vector<Entry> &entries() const { return entries_; }  // in order of being added

 private:
  void find_next_change();

  std::vector<Entry> entries_;
  Instant next_change_ = Instant::never();
};

}  // namespace avc::spike
