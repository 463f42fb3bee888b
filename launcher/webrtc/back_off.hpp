// How long somebody waits who was refused and comes again: at first a little, then twice as long each time, up to a
// limit. Each pause is shortened by chance, to no less than half, so that those who were refused together do not come
// back together. Chance is the test's: the same seed gives the same pauses.
#pragma once

#include <algorithm>
#include <cmath>

#include "core/random.hpp"

namespace avc::webrtc {

struct BackOff {
  unsigned first_ms = 500, longest_ms = 15'000;
  Rng chance{};

  unsigned pause_ms(unsigned attempt) const {  // after that one; they count from 1
    const double doubled = first_ms * std::exp2(attempt - 1.0);
    const double whole = std::min<double>(doubled, longest_ms);
    return static_cast<unsigned>(whole * chance.at(attempt).uniform(0.5, 1));
  }
};

}  // namespace avc::webrtc
