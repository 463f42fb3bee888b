// The names, units and ranges of everything an Impairment holds, and what contradicts what: the one place that
// elements, scenarios, profiles and documentation take them from.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "core/net/impairment.hpp"
#include "core/result.hpp"

namespace avc::net {

struct Setting {
  std::string_view name;  // as an Impairment's field; also accepted with '-' and with _percentage
  std::string_view unit, meaning;
  double low = 0, high = 0;                   // of a number
  std::span<const std::string_view> words{};  // of a choice; then get and set speak of the word's index
  double (*get)(const Impairment &) = nullptr;
  void (*set)(Impairment &, double) = nullptr;
  bool minus_one = false;  // -1 is accepted as well: "choose for me"

  bool is_number() const { return words.empty(); }
};

// All but those that are texts: loss_pattern, link_trace and delay_table.
std::span<const Setting> settings();

// What is wrong with a number for this setting: nothing, or a fault that tells its range.
std::optional<Error> range_fault(const Setting &setting, double value);

// The impairment as it is, or the first fault: the setting at fault and its range, or the two that contradict.
Result<Impairment> checked(const Impairment &impairment);

// One setting changed, from a number or a text; link_trace takes the name of a built-in trace (trace_models.hpp),
// delay_table the values themselves (delay_table.hpp).
// Does not check contradictions, which may be there only until the next setting is changed.
using SettingValue = std::variant<double, std::string>;
Result<Impairment> with(Impairment impairment, std::string_view name, const SettingValue &value);

// A whole impairment from its settings by name, as a scenario or a profile file gives them; the rest is default.
Result<Impairment> impairment_of(const std::map<std::string, SettingValue> &settings);

// The other way round: what differs from a perfect network. A delay table, and a trace that is not built in, have no
// name and are left out.
std::map<std::string, SettingValue> settings_of(const Impairment &impairment);

}  // namespace avc::net
