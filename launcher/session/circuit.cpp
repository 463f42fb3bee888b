#include "launcher/session/circuit.hpp"

#include <algorithm>

namespace avc::session {

void Circuit::second(double late_p99_ms, Instant now) {
  late_seconds_ = late_p99_ms > limits_.late_ms ? late_seconds_ + 1 : 0;
  if (late_seconds_ > 0) {
    if (!tripped_ && late_seconds_ < limits_.seconds) return;
    // The wait begins anew with each late second; it grows only where a trial has failed.
    if (tripped_ && state(now) == State::half_open) wait_ = std::min(wait_ * 2, limits_.longest_wait);
    tripped_ = true;
    trying_ = false;
    opened_ = now;
    return;
  }
  if (state(now) != State::half_open) return;
  if (!trying_) {  // a test that was there before shows it as well
    trying_ = true;
    tried_ = now;
  } else if (now >= trial_over()) {
    tripped_ = trying_ = false;
    wait_ = limits_.wait;
  }
}

void Circuit::taken(Instant now) {
  if (state(now) != State::half_open) return;
  trying_ = true;
  tried_ = now;
}

Circuit::State Circuit::state(Instant now) const {
  if (!tripped_) return State::closed;
  return now < opened_ + wait_ ? State::open : State::half_open;
}

bool Circuit::takes(Instant now) const { return retry_after(now) == Nanos(0); }

Nanos Circuit::retry_after(Instant now) const {
  switch (state(now)) {
    case State::closed:
      return Nanos(0);
    case State::open:
      return opened_ + wait_ - now;
    case State::half_open:
      // A test on trial that never sends a second's worth does not keep others out for ever.
      return trying_ && now < trial_over() ? trial_over() - now : Nanos(0);
  }
  return Nanos(0);
}

}  // namespace avc::session
