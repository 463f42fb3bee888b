#include "launcher/scenario/duration.hpp"

#include <string>

#include "core/text.hpp"

namespace avc::scenario {
namespace {

struct Unit {
  std::string_view name;
  double seconds;
};
constexpr Unit kUnits[] = {{"ms", 0.001}, {"s", 1}, {"m", 60}, {"h", 3600}, {"d", 86400}};

std::optional<double> unit_seconds(std::string_view name) {
  for (const Unit &unit : kUnits) {
    if (unit.name == name) return unit.seconds;
  }
  return std::nullopt;
}

}  // namespace

std::optional<double> parse_seconds(std::string_view text) {
  if (const auto plain = parse_number(text)) return plain;
  double total = 0, last_unit = 1e18;
  while (!text.empty()) {
    const std::size_t digits = std::min(text.find_first_not_of("0123456789."), text.size());
    const std::size_t end = std::min(text.find_first_of("0123456789.", digits), text.size());
    const auto amount = parse_number(text.substr(0, digits));
    const auto unit = unit_seconds(text.substr(digits, end - digits));
    if (!amount || !unit || *unit >= last_unit) return std::nullopt;  // "1h30m", not "30m1h" nor "1m1m"
    total += *amount * *unit;
    last_unit = *unit;
    text.remove_prefix(end);
  }
  return last_unit < 1e18 ? std::optional(total) : std::nullopt;
}

std::optional<double> read_seconds(json::Object &object, std::string_view key, double low, double high) {
  const auto value = object.get(key);
  if (!value) return std::nullopt;
  if (value->kind() != json::Value::Kind::text) return value->number(low, high);
  const auto text = value->text(64);
  const auto seconds = text ? parse_seconds(*text) : std::nullopt;
  if (text && !seconds)
    value->fault("\"" + *text + "\" is not a length of time; write seconds, or \"90s\", \"25m\", \"1h30m\"");
  if (!seconds) return std::nullopt;
  if (*seconds >= low && *seconds <= high) return seconds;
  value->fault("\"" + *text + "\" is not accepted; it must be " + number_text(low) + " to " + number_text(high) +
               " seconds");
  return std::nullopt;
}

std::optional<Nanos> read_duration(json::Object &object, std::string_view key) {
  const auto seconds = read_seconds(object, key);
  return seconds ? std::optional(from_seconds(*seconds)) : std::nullopt;
}

}  // namespace avc::scenario
