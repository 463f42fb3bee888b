// Lengths of time as people write them: 90, "90", "90s", "25m", "1h30m", "500ms".
#pragma once

#include <optional>
#include <string_view>

#include "core/json/json.hpp"
#include "core/time.hpp"

namespace avc::scenario {

inline constexpr double kLongestSeconds = 30 * 86400.0;

std::optional<double> parse_seconds(std::string_view text);

// The key's value within [low, high] seconds; a fault names the key, the value and the range.
std::optional<double> read_seconds(json::Object &object, std::string_view key, double low = 0,
                                   double high = kLongestSeconds);
std::optional<Nanos> read_duration(json::Object &object, std::string_view key);

}  // namespace avc::scenario
