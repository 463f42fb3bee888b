#include "core/spike/effect.hpp"

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "core/net/settings.hpp"
#include "core/net/trace_models.hpp"
#include "core/spike/effect_table.hpp"
#include "core/text.hpp"

namespace avc::spike {
namespace {

std::string range_text(const Rule &rule) {
  if (rule.apply_text) {
    std::string text;
    for (const std::string_view name : net::built_in_traces()) text.append(name).append(", ");
    return text + "or a file's path with a /";
  }
  if (rule.words.empty()) return number_text(rule.low) + " to " + number_text(rule.high);
  std::string text;
  for (const std::string_view word : rule.words) text.append(text.empty() ? "" : " or ").append(word);
  return text;
}

std::string shown(const Value &value) {
  if (const auto *number = std::get_if<double>(&value)) return number_text(*number);
  return "\"" + std::get<std::string>(value).substr(0, 40) + "\"";
}

// The value as a number (or as the index of its word), or none if it is not acceptable.
std::optional<double> accepted(const Rule &rule, const Value &value) {
  const auto *text = std::get_if<std::string>(&value);
  if (!rule.words.empty()) {
    if (!text) {  // 0 and 1 for false and true
      const double number = std::get<double>(value);
      return rule.words.data() == kBools.data() && (number == 0 || number == 1) ? std::optional(number) : std::nullopt;
    }
    const auto found = std::find(rule.words.begin(), rule.words.end(), *text);
    if (found != rule.words.end()) return static_cast<double>(found - rule.words.begin());
    return rule.words.data() == kBools.data() && (*text == "0" || *text == "1") ? parse_number(*text) : std::nullopt;
  }
  const auto number = text ? parse_number(*text) : std::optional(std::get<double>(value));
  // Written so that NaN fails too.
  if (!number || !(*number >= rule.low && *number <= rule.high)) return std::nullopt;
  return rule.whole && *number != std::floor(*number) ? std::nullopt : number;
}

Error refused(const Rule &rule, const std::string &given_as, const Value &value) {
  std::string text = shown(value) + " is not accepted; it must be " + range_text(rule);
  if (!rule.unit.empty()) text.append(" ").append(rule.unit);
  if (rule.whole) text.append(", a whole number");
  return {"params." + given_as, text};
}

std::vector<std::string_view> names_of(std::span<const Rule> rules) {
  std::vector<std::string_view> names;
  for (const Rule &rule : rules) names.push_back(rule.name);
  return names;
}

const Rule *find_rule(const Type &type, std::string_view name) {
  for (const Rule &rule : type.rules) {
    if (same_setting(rule.name, name)) return &rule;
  }
  return nullptr;
}

// The settings of a link, given by name, on top of what the effect has already.
Result<Effect> with_settings(Effect effect, const Params &settings) {
  std::map<std::string, std::string> given;  // plain name to the name used
  for (const auto &[name, value] : settings) {
    const auto [first, added] = given.try_emplace(setting_name(name), name);
    if (!added) return Error{"params." + name, "the same setting as " + first->second + ", given twice"};
    const auto *text = std::get_if<std::string>(&value);
    if (text && same_setting(name, "link_trace") && text->find('/') != text->npos) {
      if (!take_trace(effect, *text)) return Error{"params." + name, "is too long for a path"};
      continue;
    }
    auto changed = net::with(effect.link, name, value);
    if (!changed) return Error{"params." + name, changed.error().message};
    effect.link = *changed;
  }
  if (const auto sound = net::checked(effect.link); !sound)
    return Error{"params." + sound.error().field, sound.error().message};
  if (!effect.trace_location.empty() && effect.link.bandwidth_kbps > 0)
    return Error{"params.link_trace", "contradicts bandwidth_kbps: the line has one or the other"};
  return effect;
}

Result<Effect> apply(const Type &type, const Params &params) {
  std::map<const Rule *, std::pair<std::string, double>> given;
  Effect effect;
  Params settings;
  for (const auto &[name, value] : params) {
    const Rule *rule = find_rule(type, name);
    if (!rule && type.link_settings) {
      settings.emplace(name, value);
      continue;
    }
    if (!rule) return Error{"params." + name, unknown_text("parameter", name, names_of(type.rules))};
    const auto *text = std::get_if<std::string>(&value);
    const auto number = !rule->apply_text                         ? accepted(*rule, value)
                        : text && rule->apply_text(effect, *text) ? std::optional(0.0)
                                                                  : std::nullopt;
    if (!number) return refused(*rule, name, value);
    const auto [first, added] = given.try_emplace(rule, name, *number);
    if (!added) return Error{"params." + name, "the same setting as " + first->second.first + ", given twice"};
  }
  if (type.always) type.always(effect);
  for (const Rule &rule : type.rules) {
    const auto found = given.find(&rule);
    if (found == given.end() && rule.fallback.empty()) {
      if (!settings.empty()) continue;
      return Error{"params." + std::string(rule.name),
                   "is required: " + range_text(rule) + (rule.unit.empty() ? "" : " " + std::string(rule.unit))};
    }
    if (!rule.apply) continue;
    rule.apply(effect, found != given.end() ? found->second.second : *accepted(rule, std::string(rule.fallback)));
    if (rule.name == "burst_length" && found != given.end() && effect.link.loss_model != net::LossModel::burst) {
      return Error{"params." + found->second.first, "has a meaning only with pattern \"burst\""};
    }
  }
  return settings.empty() ? Result<Effect>(effect) : with_settings(std::move(effect), settings);
}

// In the order in which types are listed.
std::span<const Type> table() {
  static const std::vector<Type> all = [] {
    std::vector<Type> types(link_types().begin(), link_types().end());
    types.insert(types.end(), sender_types().begin(), sender_types().end());
    return types;
  }();
  return all;
}

struct Catalogue {
  Catalogue() {
    for (const Type &type : table()) {
      for (const Rule &rule : type.rules) ranges.push_back(range_text(rule));
    }
    auto range = ranges.begin();
    for (const Type &type : table()) {
      auto &list = params.emplace_back();
      for (const Rule &rule : type.rules) {
        list.push_back({rule.name, rule.unit, rule.meaning, *range++, rule.fallback});
      }
    }
    auto list = params.begin();
    for (const Type &type : table()) all.push_back({type.name, type.summary, *list++});
  }
  std::vector<std::string> ranges;  // the views below point here
  std::vector<std::vector<ParamInfo>> params;
  std::vector<TypeInfo> all;
};

}  // namespace

std::span<const TypeInfo> types() {
  static const Catalogue catalogue;
  return catalogue.all;
}

Result<Effect> effect_of(std::string_view name, const Params &params) {
  std::vector<std::string_view> names;
  for (const Type &type : table()) {
    names.push_back(type.name);
    if (type.name == name) return apply(type, params);
  }
  return Error{"type", name.empty() ? "is missing" : unknown_text("spike type", name, names)};
}

bool needs_connection(std::string_view name) {
  const auto effect = effect_of(name, {});
  return effect && effect->new_connection;
}

Error refused_without_connection(std::string_view name) {
  return {"type", std::string(name) +
                      " needs a participant that publishes by WHIP: plain RTP has no connection to replace, and a "
                      "viewer's can only be asked for anew by the viewer"};
}

}  // namespace avc::spike
