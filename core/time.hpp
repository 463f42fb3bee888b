// Points in time and spans of time, kept apart by type.
//
// An Instant is a place on one time line; which line (a clock's time, a stream's running time, a test's elapsed
// time) is said by the function that takes it. Nothing in core reads a clock: instants are always handed in.
#pragma once

#include <chrono>
#include <compare>

namespace avc {

using Nanos = std::chrono::nanoseconds;

struct Instant {
  Nanos since_origin{};

  friend constexpr auto operator<=>(const Instant &, const Instant &) = default;
  friend constexpr Instant operator+(Instant at, Nanos span) { return {at.since_origin + span}; }
  friend constexpr Instant operator-(Instant at, Nanos span) { return {at.since_origin - span}; }
  friend constexpr Nanos operator-(Instant later, Instant earlier) {
    return later.since_origin - earlier.since_origin;
  }

  static constexpr Instant never() { return {Nanos::max()}; }  // a deadline that does not come
};

constexpr double to_ms(Nanos span) { return std::chrono::duration<double, std::milli>(span).count(); }
constexpr double to_seconds(Nanos span) { return std::chrono::duration<double>(span).count(); }

// Rounds half away from zero to whole nanoseconds, so that platforms agree on the last digit.
constexpr Nanos from_ms(double ms) {
  return Nanos(static_cast<Nanos::rep>(ms * 1e6 + (ms < 0 ? -0.5 : 0.5)));
}
constexpr Nanos from_seconds(double seconds) { return from_ms(seconds * 1e3); }

}  // namespace avc
