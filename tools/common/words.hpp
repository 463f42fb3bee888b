// Small readings of what people type: spans of time, and the word they probably meant.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace avc::tools {

// "90", "90s", "25m", "1h", "1h30m", "1.5m", "500ms": seconds, above 0. Nothing if it is not such a text.
std::optional<double> parse_duration(std::string_view text);

// The candidate within two edits of `word`, or a third of its length, if there is one.
std::optional<std::string> did_you_mean(std::string_view word, const std::vector<std::string> &candidates);

}  // namespace avc::tools
