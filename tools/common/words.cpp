#include "tools/common/words.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <numeric>

namespace avc::tools {
namespace {

std::size_t edits(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), 0U);
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({replaced, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row[b.size()];
}

std::optional<double> unit_seconds(std::string_view unit) {
  if (unit == "ms") return 0.001;
  if (unit == "s" || unit.empty()) return 1;
  if (unit == "m") return 60;
  if (unit == "h") return 3600;
  return std::nullopt;
}

}  // namespace

std::optional<double> parse_duration(std::string_view text) {
  double total = 0;
  if (text.empty()) return std::nullopt;
  while (!text.empty()) {
    double value = 0;
    const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed);
    if (fault != std::errc() || !std::isfinite(value) || value < 0) return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    const auto digits =
        std::find_if(text.begin(), text.end(), [](char c) { return (c >= '0' && c <= '9') || c == '.'; });
    const auto length = static_cast<std::size_t>(digits - text.begin());
    const auto unit = unit_seconds(text.substr(0, length));
    if (!unit || (length == 0 && total > 0)) return std::nullopt;
    total += value * *unit;
    text.remove_prefix(length);
  }
  if (total <= 0) return std::nullopt;
  return total;
}

std::optional<std::string> did_you_mean(std::string_view word, const std::vector<std::string> &candidates) {
  std::optional<std::string> best;
  std::size_t least = 0;
  for (const auto &candidate : candidates) {
    const std::size_t distance = edits(word, candidate);
    if (distance > std::max<std::size_t>(2, candidate.size() / 3)) continue;
    if (!best || distance < least) {
      best = candidate;
      least = distance;
    }
  }
  return best;
}

}  // namespace avc::tools
