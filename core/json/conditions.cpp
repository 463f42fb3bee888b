#include "core/json/conditions.hpp"

#include <algorithm>
#include <limits>

#include "core/json/json.hpp"
#include "core/net/profiles.hpp"
#include "core/net/trace_models.hpp"
#include "core/text.hpp"

namespace avc::json {
namespace {

constexpr std::string_view kType = "network_profile";
constexpr std::string_view kParams = "params.";
// No bounds here: whoever knows the parameter states its range.
constexpr double kMost = std::numeric_limits<double>::infinity();

spike::Params::const_iterator find_setting(const spike::Params &params, std::string_view name) {
  return std::ranges::find_if(params, [&](const auto &each) { return same_setting(each.first, name); });
}

bool good_name(std::string_view name) {
  constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
  return !name.empty() && name.size() <= 64 && name.find_first_not_of(kLetters) == name.npos;
}

std::string without_params(const std::string &field) {
  return field.starts_with(kParams) ? field.substr(kParams.size()) : field;
}

// The object's settings as parameters of a network_profile spike.
std::optional<spike::Params> read_settings(const Value &value) {
  auto object = value.object();
  if (!object) return std::nullopt;
  spike::Params settings;
  const std::size_t before = value.notes().faults.size();
  for (const auto &[key, member] : object->members()) {
    if (auto param = read_param(member)) settings.emplace(key, std::move(*param));
  }
  if (value.notes().faults.size() != before) return std::nullopt;
  // A length of bursts alone says that losses come in bursts.
  if (find_setting(settings, "burst_length") != settings.end() &&
      find_setting(settings, "loss_model") == settings.end())
    settings.emplace("loss_model", "burst");
  return settings;
}

std::string name_of(const std::shared_ptr<const net::LinkTrace> &trace) {
  for (const std::string_view name : net::built_in_traces())
    if (net::built_in_trace(name) == trace) return std::string(name);
  return {};
}

}  // namespace

std::optional<spike::Value> read_param(const Value &value) {
  switch (value.kind()) {
    case Value::Kind::number:
      if (const auto number = value.number(-kMost, kMost)) return *number;
      return std::nullopt;
    case Value::Kind::boolean:
      return std::string(*value.boolean() ? "true" : "false");
    case Value::Kind::text:
      if (auto text = value.text()) return std::move(*text);
      return std::nullopt;
    default:
      value.fault("must be a number or a text");
      return std::nullopt;
  }
}

std::variant<Conditions, std::vector<Error>> Conditions::parse(std::string_view text, FindTrace find_trace) {
  auto document = Document::parse(text);
  if (!document) return std::vector{document.error()};
  Notes notes;
  Conditions conditions(std::move(find_trace));
  if (auto object = document->root(notes).object()) {
    for (const auto &[name, value] : object->members()) {
      if (!good_name(name)) {
        value.fault("a profile's name has 1 to 64 letters, digits, and . _ -");
      } else if (net::profile(name)) {
        value.fault("is the name of a built-in profile; choose another");
      } else if (auto network = read_network(value, Conditions(conditions.find_trace_))) {
        if (!network->trace.empty()) {  // a path of its own becomes the real one
          if (const auto found = find_setting(network->settings, "link_trace"); found != network->settings.end())
            network->settings[found->first] = network->trace;
        }
        conditions.profiles_.emplace(name, std::move(network->settings));
      }
    }
  }
  if (!notes.faults.empty()) return notes.faults;
  return conditions;
}

Conditions Conditions::with(FindTrace find_trace) const {
  Conditions other = *this;
  other.find_trace_ = std::move(find_trace);
  return other;
}

Result<spike::Effect> Conditions::resolve(spike::Spike &spike) const {
  spike::Params params = spike.params;
  if (spike.type == kType) {
    const auto named = find_setting(params, "profile");
    const auto *name = named != params.end() ? std::get_if<std::string>(&named->second) : nullptr;
    if (const auto mine = name ? profiles_.find(*name) : profiles_.end(); mine != profiles_.end()) {
      params.erase(named);
      for (const auto &[key, value] : mine->second)
        if (find_setting(params, key) == params.end()) params.emplace(key, value);
    }
  }
  auto effect = spike::effect_of(spike.type, params);
  if (!effect) {
    Error error = effect.error();
    if (error.field == "params.profile" && !profiles_.empty() && params.contains("profile")) {
      error.message += ", or of this daemon's file";
      for (const auto &[name, settings] : profiles_) error.message += " " + name;
    }
    return error;
  }
  if (!effect->trace_location.empty() && find_trace_) {
    const auto given = find_setting(params, spike.type == kType ? "link_trace" : "trace");
    auto real = find_trace_(effect->trace_location);
    if (!real) return Error{std::string(kParams) + given->first, real.error().message};
    params[given->first] = *real;
    effect->trace_location = *real;
  }
  if (params != spike.params) spike.resolved = std::move(params);
  return effect;
}

Result<Network> Conditions::network(spike::Params settings) const {
  Network network;
  spike::Spike as_spike;
  as_spike.type = kType;
  as_spike.params = settings;
  network.settings = std::move(settings);
  if (network.settings.empty()) return network;  // {}: a perfect network
  const auto effect = resolve(as_spike);
  if (!effect) return Error{without_params(effect.error().field), effect.error().message};
  network.link = effect->link;
  const auto table = find_setting(as_spike.effective(), "delay_table");
  if (table != as_spike.effective().end()) network.delay_table = std::get<std::string>(table->second);
  network.trace = effect->trace_location.empty() ? name_of(effect->link.link_trace) : effect->trace_location;
  return network;
}

std::optional<Network> read_network(const Value &value, const Conditions &conditions) {
  std::optional<spike::Params> settings;
  const bool by_name = value.kind() == Value::Kind::text;
  if (!by_name) {
    settings = read_settings(value);
  } else if (auto name = value.text(64)) {
    settings = spike::Params{{"profile", std::move(*name)}};
  }
  if (!settings) return std::nullopt;
  auto network = conditions.network(std::move(*settings));
  if (network) return std::move(*network);
  const auto &[field, message] = network.error();
  value.notes().fault(by_name ? value.path() : value.path().empty() ? field : value.path() + "." + field, message);
  return std::nullopt;
}

}  // namespace avc::json
