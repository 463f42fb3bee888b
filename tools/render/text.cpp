#include "tools/render/text.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

#include <glib.h>

namespace avc::tools::render {
namespace {

// Length of the escape sequence at the front ("\x1b[...m"), or 0.
std::size_t escape_at(std::string_view text) {
  if (!text.starts_with("\x1b[")) return 0;
  const auto end = text.find_first_of("mKJA", 2);
  return end == std::string_view::npos ? text.size() : end + 1;
}

// Bytes of the character at the front; a byte that is not UTF-8 stands alone.
std::size_t char_length(std::string_view text) {
  const gunichar c = g_utf8_get_char_validated(text.data(), static_cast<gssize>(text.size()));
  const bool broken = c == static_cast<gunichar>(-1) || c == static_cast<gunichar>(-2);
  return broken ? 1 : static_cast<std::size_t>(g_unichar_to_utf8(c, nullptr));
}

std::size_t char_width(std::string_view one) {
  const gunichar c = g_utf8_get_char_validated(one.data(), static_cast<gssize>(one.size()));
  if (c == static_cast<gunichar>(-1) || c == static_cast<gunichar>(-2)) return 1;
  if (g_unichar_iszerowidth(c)) return 0;
  return g_unichar_iswide(c) ? 2 : 1;
}

std::string right_trimmed(std::string line) {
  while (line.ends_with(' ')) line.pop_back();
  return line;
}

}  // namespace

std::size_t width_of(std::string_view text) {
  std::size_t width = 0;
  while (!text.empty()) {
    if (const auto escape = escape_at(text)) {
      text.remove_prefix(escape);
      continue;
    }
    const auto length = char_length(text);
    width += char_width(text.substr(0, length));
    text.remove_prefix(length);
  }
  return width;
}

std::string cut(std::string_view text, std::size_t columns) {
  if (width_of(text) <= columns) return std::string(text);
  std::string out;
  std::size_t width = 0;
  bool room = columns > 0;
  while (!text.empty()) {
    if (const auto escape = escape_at(text)) {
      out += text.substr(0, escape);
      text.remove_prefix(escape);
      continue;
    }
    const auto length = char_length(text);
    const auto wide = char_width(text.substr(0, length));
    if (room && width + wide > columns - 1) {
      out += "…";
      room = false;
    }
    if (room) {
      out += text.substr(0, length);
      width += wide;
    }
    text.remove_prefix(length);
  }
  return out;
}

std::string pad(std::string_view text, std::size_t columns, bool right) {
  const std::size_t width = width_of(text);
  const std::string space(columns > width ? columns - width : 0, ' ');
  return right ? space + std::string(text) : std::string(text) + space;
}

// A space is kept only between two words of one line; those at the front of the text are its own indentation.
std::string wrapped(std::string_view text, std::size_t columns, std::size_t indent) {
  if (columns == 0 || width_of(text) <= columns) return std::string(text);
  const std::size_t lead = std::min(text.find_first_not_of(' '), text.size());
  std::string out(text.substr(0, lead));
  text.remove_prefix(lead);
  std::size_t used = lead;
  bool fresh = true;  // nothing but indentation on this line yet
  std::size_t gap = 0;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    const std::string_view word = text.substr(0, end);
    if (!fresh && used + gap + width_of(word) > columns) {
      out += "\n" + std::string(indent, ' ');
      used = indent;
      fresh = true;
    }
    if (!fresh) out += std::string(gap, ' ');
    used += (fresh ? 0 : gap) + width_of(word);
    out += word;
    fresh = false;
    text.remove_prefix(end);
    gap = std::min(text.find_first_not_of(' '), text.size());
    text.remove_prefix(gap);
  }
  return out;
}

std::string fixed(double value, int decimals) {
  if (!std::isfinite(value)) return "–";
  std::array<char, 64> buffer{};
  std::snprintf(buffer.data(), buffer.size(), "%.*f", decimals, value);
  const std::string text = buffer.data();
  return text.starts_with('-') && text.find_first_not_of("-0.") == std::string::npos ? text.substr(1) : text;
}

std::string fixed(std::optional<double> value, int decimals) { return value ? fixed(*value, decimals) : "–"; }

std::string grouped(double whole) {
  std::string digits = fixed(whole, 0);
  for (auto i = static_cast<std::ptrdiff_t>(digits.size()) - 3; i > (digits.starts_with('-') ? 1 : 0); i -= 3)
    digits.insert(static_cast<std::size_t>(i), 1, ' ');
  return digits;
}

std::string counted(double count, const std::string &one) {
  return grouped(count) + " " + one + (count == 1 ? "" : "s");
}

std::string clock(double seconds) {
  const auto whole = static_cast<long long>(std::max(0.0, std::round(std::min(seconds, 1e9))));
  std::array<char, 64> buffer{};
  if (whole >= 3600)
    std::snprintf(buffer.data(), buffer.size(), "%lld:%02lld:%02lld", whole / 3600, whole / 60 % 60, whole % 60);
  else
    std::snprintf(buffer.data(), buffer.size(), "%02lld:%02lld", whole / 60, whole % 60);
  return buffer.data();
}

std::string moment(double seconds) {
  const double tenths = std::round(std::clamp(seconds, 0.0, 1e9) * 10);
  const double whole = std::floor(tenths / 10), rest = tenths - whole * 10;
  return clock(whole) + (rest > 0 ? "." + fixed(rest, 0) : "");
}

std::string bit_rate(double kbps) {
  if (kbps >= 999500) return fixed(kbps / 1e6, 2) + " Gbit/s";
  if (kbps >= 1000) return fixed(kbps / 1e3, 1) + " Mbit/s";
  return fixed(kbps, 0) + " kbit/s";
}

std::string bytes(double count) {
  if (count >= 1e9) return fixed(count / 1e9, 2) + " GB";
  if (count >= 1e6) return fixed(count / 1e6, 1) + " MB";
  if (count >= 1e3) return fixed(count / 1e3, 1) + " kB";
  return fixed(count, 0) + " B";
}

std::string Paint::operator()(Colour colour, std::string_view text) const {
  if (!on || colour == Colour::none || text.empty()) return std::string(text);
  const char *code = "0";
  switch (colour) {
    case Colour::red:
      code = "31";
      break;
    case Colour::green:
      code = "32";
      break;
    case Colour::yellow:
      code = "33";
      break;
    case Colour::blue:
      code = "36";
      break;
    case Colour::dim:
      code = "2";
      break;
    case Colour::bold:
      code = "1";
      break;
    case Colour::none:
      break;
  }
  return std::string("\x1b[") + code + "m" + std::string(text) + "\x1b[0m";
}

std::string table(const std::vector<Column> &head, const std::vector<std::vector<std::string>> &rows,
                  std::size_t columns, const Paint &paint) {
  std::vector<std::size_t> widths;
  for (const auto &column : head) widths.push_back(width_of(column.title));
  for (const auto &row : rows)
    for (std::size_t i = 0; i < widths.size() && i < row.size(); ++i) widths[i] = std::max(widths[i], width_of(row[i]));
  std::size_t total = 2 * (widths.size() - 1);
  for (const std::size_t width : widths) total += width;
  const bool folded = columns > 0 && total > columns && head.size() > 1;
  const std::size_t shown = folded ? head.size() - 1 : head.size();

  const auto line = [&](const auto &cell) {
    std::string text;
    for (std::size_t i = 0; i < shown; ++i) text += (i ? "  " : "") + pad(cell(i), widths[i], head[i].right);
    return right_trimmed(text);
  };
  std::string out = paint(Colour::bold, line([&](std::size_t i) { return head[i].title; })) + "\n";
  std::string rule;
  for (std::size_t i = 0; i < shown; ++i) {
    if (i) rule += "  ";
    for (std::size_t n = 0; n < widths[i]; ++n) rule += "─";
  }
  out += paint(Colour::dim, rule) + "\n";
  for (const auto &row : rows) {
    out += line([&](std::size_t i) { return i < row.size() ? row[i] : std::string(); }) + "\n";
    if (folded && row.size() == head.size() && !row.back().empty())
      out += wrapped("    " + head.back().title + ": " + row.back(), columns, 6) + "\n";
  }
  return out;
}

}  // namespace avc::tools::render
