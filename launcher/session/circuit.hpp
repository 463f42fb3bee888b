// Whether new tests are taken, by how well this generator keeps time: a circuit breaker.
//
//   closed      as long as it is on time
//   open        from seconds in a row that were too late: nothing new for a while, which grows each time it opens again
//   half_open   after that: one test is taken on trial; a late second opens the circuit again, a while of seconds on
//               time with a test running closes it
//
// Time comes with every call, so that tests choose it.
#pragma once

#include "core/time.hpp"

namespace avc::session {

class Circuit {
 public:
  enum class State { closed, half_open, open };
  struct Limits {
    double late_ms = 100;  // p99 of a second
    int seconds = 3;       // so many of them in a row open a closed circuit: one alone is a hiccup of the machine
    Nanos wait = std::chrono::seconds(10), longest_wait = std::chrono::seconds(60);
    Nanos trial = std::chrono::seconds(5);
  };

  Circuit() = default;
  explicit Circuit(const Limits &limits) : limits_(limits), wait_(limits.wait) {}

  // What a running test's last second was like.
  void second(double late_p99_ms, Instant now);
  // A test is about to be made. In half_open it is the one on trial.
  void taken(Instant now);

  State state(Instant now) const;
  bool takes(Instant now) const;
  // How long a client had better wait; nothing where it need not.
  Nanos retry_after(Instant now) const;

 private:
  Instant trial_over() const { return tried_ + limits_.trial; }

  Limits limits_;
  bool tripped_ = false, trying_ = false;
  Instant opened_{}, tried_{};
  Nanos wait_ = Limits().wait;
  int late_seconds_ = 0;  // in a row
};

}  // namespace avc::session
