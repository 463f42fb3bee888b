#include <algorithm>
#include <set>

#include "core/spike/effect.hpp"
#include "core/text.hpp"
#include "launcher/scenario/duration.hpp"
#include "launcher/scenario/readers.hpp"

namespace avc::scenario {
namespace {

std::optional<spike::Choice> read_choice(const json::Value &value) {
  if (value.kind() != json::Value::Kind::array) {
    const auto param = json::read_param(value);
    if (!param) return std::nullopt;
    if (const auto *number = std::get_if<double>(&*param)) return *number;
    return std::get<std::string>(*param);
  }
  std::vector<std::string> words;
  for (const auto &item : value.array(100)) {
    if (auto text = item.text()) words.push_back(std::move(*text));
  }
  return words;
}

// Paths among the traces to draw from become real ones.
void find_traces(const json::Value &where, spike::Choice &choice, const json::Conditions &conditions) {
  const auto find = [&](std::string &text) {
    if (text.find('/') == text.npos) return;
    spike::Spike spike;
    spike.type = "link_trace";
    spike.params.emplace("trace", text);
    if (const auto effect = conditions.resolve(spike))
      text = std::get<std::string>(spike.effective().at("trace"));
    else
      where.fault(effect.error().message);
  };
  if (auto *text = std::get_if<std::string>(&choice)) find(*text);
  if (auto *list = std::get_if<std::vector<std::string>>(&choice)) std::ranges::for_each(*list, find);
}

void read_type(const std::string &name, const json::Value &value, const json::Conditions &conditions,
               std::vector<spike::WeightedType> &types) {
  auto object = value.object();
  if (!object) return;
  spike::WeightedType type{name, object->number("weight", 0, 1e9).value_or(0), {}};
  if (auto params = object->object("params")) {
    for (const auto &[key, param] : params->members()) {
      auto choice = read_choice(param);
      if (!choice) continue;
      if (name == "link_trace") find_traces(param, *choice, conditions);
      type.params.emplace(key, std::move(*choice));
    }
  }
  object->done();
  types.push_back(std::move(type));
}

void read_selection(json::Object &object, spike::Selection &selection) {
  const auto single = object.number("single_weight", 0, 1e9), multiple = object.number("multiple_weight", 0, 1e9),
             all = object.number("all_weight", 0, 1e9);
  // Where none is given the defaults stay; where one is, those left out are 0.
  if (single.value_or(0) + multiple.value_or(0) + all.value_or(0) > 0) {
    selection.single_weight = single.value_or(0);
    selection.multiple_weight = multiple.value_or(0);
    selection.all_weight = all.value_or(0);
  }
  if (const auto count = object.integer("multiple_count_min", 0, 100000); count.value_or(0) > 0) {
    selection.multiple_count_min = *count;
  }
  if (const auto count = object.integer("multiple_count_max", 0, 100000); count.value_or(0) > 0) {
    selection.multiple_count_max = *count;
  } else {
    selection.multiple_count_max = std::max(selection.multiple_count_max, selection.multiple_count_min);
  }
  object.done();
}

void take_over(const std::string &where, const Error &error, json::Notes &notes) {
  notes.fault(where.empty() ? error.field : where + "." + error.field, error.message);
}

}  // namespace

std::optional<spike::Spike> read_spike(json::Object &event, bool id_required, const json::Conditions &conditions) {
  spike::Spike spike;
  const std::size_t faults_before = event.notes().faults.size();
  spike.id = event.text("spike_id", 128).value_or("");
  spike.type = event.text("type", 64).value_or("");
  if (id_required && spike.id.empty()) event.fault("spike_id", "is missing");
  for (const auto &item : event.array("participant_ids", 100000)) {
    const auto id = item.integer(0, 4294967295);
    if (!id) continue;
    spike.participants.push_back(static_cast<std::uint32_t>(*id));
  }
  std::sort(spike.participants.begin(), spike.participants.end());
  spike.participants.erase(std::unique(spike.participants.begin(), spike.participants.end()), spike.participants.end());
  spike.offset = read_duration(event, "start_offset_seconds").value_or(Nanos(0));
  const auto duration = read_duration(event, "duration_seconds");
  if (duration && *duration > Nanos(0)) spike.duration = duration;
  if (auto params = event.object("params")) {
    for (const auto &[key, value] : params->members()) {
      if (auto param = json::read_param(value)) spike.params.emplace(key, std::move(*param));
    }
  }
  event.done();
  if (event.notes().faults.size() != faults_before) return std::nullopt;
  const auto effect = conditions.resolve(spike);
  if (effect) return spike;
  take_over(event.path(), effect.error(), event.notes());
  return std::nullopt;
}

std::vector<spike::Spike> read_spike_list(const std::vector<json::Value> &events, const json::Conditions &conditions) {
  std::vector<spike::Spike> spikes;
  std::set<std::string> ids;
  for (std::size_t i = 0; i < events.size(); ++i) {
    auto event = events[i].object();
    if (!event) continue;
    auto spike = read_spike(*event, false, conditions);
    if (!spike) continue;
    if (spike->id.empty()) spike->id = "spike_" + std::to_string(i + 1);
    if (!ids.insert(spike->id).second) event->fault("spike_id", "\"" + spike->id + "\" is another spike's id too");
    spikes.push_back(std::move(*spike));
  }
  return spikes;
}

// Zeros count as absent where they did in the old tool.
spike::RandomSpikes read_random(json::Object &object, const json::Conditions &conditions) {
  spike::RandomSpikes settings;
  if (const auto count = object.integer("count", 0, 10000); count.value_or(0) > 0) settings.count = *count;
  if (const auto interval = read_duration(object, "interval_seconds"); interval.value_or(Nanos(0)) > Nanos(0)) {
    settings.interval = *interval;
  }
  const auto shortest = read_seconds(object, "duration_seconds_min", 0, 86400),
             longest = read_seconds(object, "duration_seconds_max", 0, 86400);
  if (shortest.value_or(0) > 0) settings.duration_min_seconds = *shortest;
  if (longest.value_or(0) > 0) settings.duration_max_seconds = *longest;
  if (auto types = object.object("types")) {
    for (const auto &[name, value] : types->members()) read_type(name, value, conditions, settings.types);
  }
  if (auto selection = object.object("participant_selection")) read_selection(*selection, settings.selection);
  object.done();
  return settings;
}

void read_distribution(json::Object &object, spike::Distribution &distribution) {
  if (const auto name = object.text("strategy", 64); name && !name->empty()) {
    if (const auto strategy = spike::strategy_from(*name)) {
      distribution.strategy = *strategy;
    } else {
      object.fault("strategy", strategy.error().message);
    }
  }
  if (const auto spacing = read_duration(object, "min_spacing_seconds")) distribution.min_spacing = *spacing;
  if (const auto percent = object.number("jitter_percent", 0, 100)) distribution.jitter_percent = *percent;
  if (const auto respect = object.boolean("respect_min_offset")) distribution.respect_min_offset = *respect;
  object.done();
}

}  // namespace avc::scenario
