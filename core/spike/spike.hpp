// One piece of scheduled chaos: what, whom, when. Times are on the test's time line (0 = the start of the test).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "core/time.hpp"

namespace avc::spike {

using Value = std::variant<double, std::string>;
using Params = std::map<std::string, Value>;  // names and ranges: effect.hpp

struct Spike {
  std::string id;
  std::string type;
  std::vector<std::uint32_t> participants;  // empty: everybody
  Nanos offset{};                           // earliest start asked for
  std::optional<Nanos> duration;            // none: until cancelled or the test ends
  Params params;
  // As elements take them, where params name what only this process knows (a user's profile, a file by its relative
  // path); empty: params.
  Params resolved;

  const Params &effective() const { return resolved.empty() ? params : resolved; }
};

// A spike with its place in time. end is Instant::never() for one without duration.
struct Planned {
  Spike spike;
  Instant start;
  Instant end;
};

}  // namespace avc::spike
