// Text on a terminal: how wide it is, numbers and times as people read them, and tables that line up.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace avc::tools::render {

std::size_t width_of(std::string_view utf8);                  // columns; escape sequences count nothing
std::string cut(std::string_view utf8, std::size_t columns);  // with "…" where something was cut; keeps escapes
std::string pad(std::string_view utf8, std::size_t columns, bool right = false);

// Lines of at most `columns` (0: one line), broken at spaces; all but the first begin with `indent` spaces. A word that
// is longer than a line stays whole.
std::string wrapped(std::string_view utf8, std::size_t columns, std::size_t indent);

std::string fixed(double value, int decimals);
std::string fixed(std::optional<double> value, int decimals);  // "–" when there is none
std::string grouped(double whole);                             // 12 345 678
std::string counted(double count, const std::string &one);     // 1 spike, 2 spikes
std::string clock(double seconds);                             // 00:42, 12:05, 1:02:03
std::string moment(double seconds);                            // as clock(), with tenths if there are any: 00:04.5
std::string bit_rate(double kbps);                             // "840 kbit/s", "11.2 Mbit/s"
std::string bytes(double count);                               // "1.2 MB"

enum class Colour { none, red, green, yellow, blue, dim, bold };

// Paints only where the output can show it.
struct Paint {
  bool on = false;
  std::string operator()(Colour colour, std::string_view text) const;
};

struct Column {
  std::string title;
  bool right = false;
};

// Rows with a head and a rule below it, two spaces between columns, no spaces at line ends. Where that is wider than
// `columns` (0: any width will do), the last column moves to lines of its own below each row.
std::string table(const std::vector<Column> &head, const std::vector<std::vector<std::string>> &rows,
                  std::size_t columns, const Paint &paint);

}  // namespace avc::tools::render
