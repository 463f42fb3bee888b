// Where spikes go on a test's time line: strategy, seed and test length in, a sorted list of planned spikes out.
//
// Nothing in a plan lies outside the test: starts are in [0, length), ends are cut at the length, and a spike that
// is not wanted before the test is over is left out with a warning. Where the spacing asked for does not fit, it is
// made smaller, with a warning. docs/spikes.md has the formulas.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/random.hpp"
#include "core/result.hpp"
#include "core/spike/spike.hpp"

namespace avc::spike {

enum class Strategy : std::uint8_t {
  even,          // over the whole test
  random,        // uniform over the whole test
  front_loaded,  // over the first 40 %
  back_loaded,   // over the last 40 %
  legacy,        // exactly at each spike's own offset
};

std::string_view name(Strategy strategy);
Result<Strategy> strategy_from(std::string_view name);  // the error's field is "strategy"

struct Distribution {
  Strategy strategy = Strategy::even;
  Nanos min_spacing = std::chrono::seconds(5);  // >= 0, between starts; legacy knows none
  double jitter_percent = 15;                   // 0..100, of a quarter of the even interval, either way
  bool respect_min_offset = true;               // no spike before its own offset

  friend bool operator==(const Distribution &, const Distribution &) = default;
};

struct Plan {
  std::vector<Planned> spikes;  // by start, ties in the order given
  Nanos length{};               // what the strategy spread them over
  std::vector<std::string> warnings;
};

// length <= 0: a test without end, spread over 300 s or up to the last spike asked for, and nothing is cut.
Plan make_plan(std::vector<Spike> spikes, const Distribution &distribution, Nanos length, const Rng &rng);

}  // namespace avc::spike
