#include "launcher/results/html_parts.hpp"

#include <algorithm>
#include <cstdio>

#include "launcher/results/text.hpp"

namespace avc::results::html {

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::string clock(double seconds) {
  const auto tenths = static_cast<long>(std::max(seconds, 0.0) * 10 + 0.5), whole = tenths / 10;
  char text[40];
  int length = 0;
  if (whole >= 3600)
    length = std::snprintf(text, sizeof text, "%ld:%02ld:%02ld", whole / 3600, whole / 60 % 60, whole % 60);
  else
    length = std::snprintf(text, sizeof text, "%ld:%02ld", whole / 60, whole % 60);
  if (tenths % 10) std::snprintf(text + length, sizeof text - static_cast<std::size_t>(length), ".%ld", tenths % 10);
  return text;
}

std::string figure(const std::optional<double> &value, int decimals) { return value ? number(*value, decimals) : "–"; }

// With all its decimals, so that a column lines up.
std::string fixed(const std::optional<double> &value, int decimals) {
  if (!value) return "–";
  char text[64];
  std::snprintf(text, sizeof text, "%.*f", decimals, std::clamp(*value, -1e15, 1e15));
  return text;
}

std::string tile(std::string_view label, const std::optional<double> &value, std::string_view unit, int decimals) {
  return "<div><dt>" + escaped(label) + "</dt><dd>" + figure(value, decimals) +
         (value && !unit.empty() ? " <small>" + escaped(unit) + "</small>" : "") + "</dd></div>";
}

std::string fact(std::string_view label, const std::string &value) {
  return value.empty() ? "" : "<dt>" + escaped(label) + "</dt><dd>" + escaped(value) + "</dd>";
}

std::string cell(const std::string &text) { return "<td>" + text + "</td>"; }
std::string numeric(const std::string &text) { return "<td class=\"n\">" + text + "</td>"; }

std::string head(std::initializer_list<std::string_view> names, std::size_t numeric_from) {
  std::string out = "<thead><tr>";
  std::size_t column = 0;
  for (const auto name : names)
    out +=
        std::string("<th scope=\"col\"") + (column++ >= numeric_from ? " class=\"n\">" : ">") + escaped(name) + "</th>";
  return out + "</tr></thead><tbody>";
}

}  // namespace avc::results::html
