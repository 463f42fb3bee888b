#include "core/text.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <system_error>
#include <vector>

namespace avc {
namespace {

constexpr std::size_t kLongestWord = 64;  // nobody's typing error: keeps hostile input from costing anything

// Edits (insert, delete, replace, swap of neighbours) between two words: optimal string alignment.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) last[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t differs = a[i - 1] == b[j - 1] ? 0 : 1;
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + differs});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) row[j] = std::min(row[j], before[j - 2] + 1);
    }
    before.swap(last);
    last.swap(row);
  }
  return last[b.size()];
}

}  // namespace

std::string setting_name(std::string_view name) {
  std::string plain(name);
  std::replace(plain.begin(), plain.end(), '-', '_');
  constexpr std::string_view kLong = "_percentage", kShort = "_percent";
  if (plain.ends_with(kLong)) plain.resize(plain.size() - (kLong.size() - kShort.size()));
  return plain;
}

bool same_setting(std::string_view a, std::string_view b) { return setting_name(a) == setting_name(b); }

std::optional<std::string_view> nearest(std::string_view word, std::span<const std::string_view> known) {
  if (word.empty() || word.size() > kLongestWord) return std::nullopt;
  const std::string wanted = setting_name(word);
  std::optional<std::string_view> best;
  std::size_t best_distance = std::max<std::size_t>(1, wanted.size() / 3) + 1;
  for (const std::string_view candidate : known) {
    const std::string plain = setting_name(candidate);
    const bool part = wanted.size() >= 4 && plain.find(wanted) != plain.npos;
    const std::size_t d = part ? 1 : distance(wanted, plain);
    if (d < best_distance) {
      best = candidate;
      best_distance = d;
    }
  }
  return best;
}

std::string unknown_text(std::string_view kind, std::string_view word, std::span<const std::string_view> known) {
  std::string text = "unknown " + std::string(kind) + " \"" + std::string(word.substr(0, kLongestWord)) + "\"";
  if (const auto meant = nearest(word, known)) return text + "; did you mean \"" + std::string(*meant) + "\"?";
  if (known.empty()) return text + "; it takes none";
  text += "; known: ";
  for (std::size_t i = 0; i < known.size(); ++i) text.append(i == 0 ? "" : ", ").append(known[i]);
  return text;
}

std::optional<double> parse_number(std::string_view text) {
  if (text.starts_with('+') && text.size() > 1 && text[1] != '-') text.remove_prefix(1);
  double value = 0;
  const char *end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, value);
  if (read.ec == std::errc::invalid_argument || read.ptr != end) return std::nullopt;
  if (read.ec == std::errc::result_out_of_range) {
    // Too large to hold, or too small to tell from nothing: "1e-999" is 0 in any range.
    if (text.find("e-") != text.npos || text.find("E-") != text.npos) return 0.0;
    const double huge = std::numeric_limits<double>::infinity();
    return text.front() == '-' ? -huge : huge;
  }
  return value;
}

std::string number_text(double value) {
  std::array<char, 32> buffer{};
  const auto written = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value);
  std::string text(buffer.data(), written.ptr);
  if (text.find('e') != text.npos && std::abs(value) < 1e15 && value == std::trunc(value)) {
    text = std::to_string(static_cast<long long>(value));  // 1000000, not 1e+06
  }
  return text;
}

bool nests_deeper(std::string_view json, unsigned levels) {
  unsigned depth = 0;
  bool in_text = false;
  for (std::size_t i = 0; i < json.size(); ++i) {
    const char c = json[i];
    if (in_text) {
      if (c == '\\') ++i;
      in_text = c != '"';
    } else if (c == '"') {
      in_text = true;
    } else if (c == '[' || c == '{') {
      if (++depth > levels) return true;
    } else if ((c == ']' || c == '}') && depth > 0) {
      --depth;
    }
  }
  return false;
}

}  // namespace avc
