#include "core/spike/generator.hpp"

#include <algorithm>
#include <cmath>
#include <optional>
#include <set>

#include "core/net/profiles.hpp"
#include "core/net/trace_models.hpp"
#include "core/spike/effect.hpp"
#include "core/text.hpp"

namespace avc::spike {
namespace {

constexpr std::int64_t kMostSpikes = 10000;
constexpr double kLongestSeconds = 86400;

constexpr std::string_view kReduction = "reduction_percent";

struct Range {
  double low, high;
};

// What is drawn where nothing is said; of the four types that it had, what the old tool drew.
struct DefaultRange {
  std::string_view type, name;
  Range range;
};
constexpr DefaultRange kDefaults[] = {
    {"rtp_packet_loss", "loss_percentage", {1, 25}},
    {"network_jitter", "base_latency_ms", {10, 50}},
    {"network_jitter", "jitter_std_dev_ms", {20, 200}},
    {"frame_drop", "drop_percentage", {10, 60}},
    {"bitrate_reduce", kReduction, {30, 80}},
    {"bitrate_reduce", "transition_seconds", {1, 5}},
    {"packet_duplicate", "duplicate_percentage", {1, 20}},
    {"packet_reorder", "reorder_percentage", {5, 50}},
    {"packet_reorder", "delay_ms", {10, 50}},
    {"packet_corrupt", "corrupt_percentage", {1, 5}},
    {"keyframe_loss", "loss_percentage", {10, 100}},
    {"rtcp_loss", "loss_percentage", {10, 100}},

};

// Words to pick from: `key` lists values of `param`.
struct WordList {
  std::string_view type, key, param;
  std::vector<std::string_view> fallback;
};
const WordList *list_of(std::string_view type) {
  const auto words = [](std::span<const std::string_view> all) {
    return std::vector<std::string_view>(all.begin(), all.end());
  };
  static const WordList lists[] = {
      {"rtp_packet_loss", "patterns", "pattern", {"random", "burst"}},
      {"network_profile", "profiles", "profile", words(net::profile_names())},
      {"link_trace", "traces", "trace", words(net::built_in_traces())},
  };
  const auto *found = std::ranges::find(lists, type, &WordList::type);
  return found == std::end(lists) ? nullptr : found;
}

const TypeInfo *find_type(std::string_view name) {
  for (const TypeInfo &type : types()) {
    if (type.name == name) return &type;
  }
  return nullptr;
}

// The settings of one type with its defaults filled in: what generate() draws from.
struct Recipe {
  std::map<std::string, Range> ranges;
  const WordList *list = nullptr;
  std::vector<std::string> words;  // of the list; empty: nothing is picked
  Params fixed;
};

// Collects faults under "types.NAME.".
class Reader {
 public:
  Reader(const WeightedType &type, const TypeInfo &info, std::vector<Error> &faults)
      : type_(type), info_(info), faults_(faults) {}

  Recipe read() {
    for (const auto &fallback : kDefaults) {
      if (fallback.type == info_.name) recipe_.ranges[std::string(fallback.name)] = fallback.range;
    }
    if (list_) recipe_.words.assign(list_->fallback.begin(), list_->fallback.end());
    recipe_.list = list_;
    for (const auto &[key, choice] : type_.params) take(key, choice);
    for (const auto &[name, range] : recipe_.ranges) {
      if (range.low <= range.high) continue;
      fault(name + "_min",
            number_text(range.low) + " is more than " + name + "_max, which is " + number_text(range.high));
    }
    return std::move(recipe_);
  }

 private:
  void fault(const std::string &key, std::string message) {
    faults_.push_back({"types." + type_.name + ".params." + key, std::move(message)});
  }

  void take(const std::string &key, const Choice &choice) {
    const std::string plain = setting_name(key);
    if (list_ && plain == list_->key) return take_words(key, choice);
    for (const std::string_view end : {"_min", "_max"}) {
      if (!plain.ends_with(end)) continue;
      if (const auto name = parameter(std::string_view(plain).substr(0, plain.size() - end.size()))) {
        return take_bound(key, *name, end == "_min", choice);
      }
    }
    const auto name = parameter(plain);
    if (!name || *name == kReduction) {
      return fault(key, unknown_text("parameter", key, names()));
    }
    recipe_.ranges.erase(*name);
    if (list_ && *name == list_->param) recipe_.words.clear();
    if (const auto *number = std::get_if<double>(&choice)) {
      recipe_.fixed[*name] = *number;
    } else if (const auto *text = std::get_if<std::string>(&choice)) {
      recipe_.fixed[*name] = *text;
    } else {
      fault(key, "must be one value, not a list");
    }
  }

  void take_words(const std::string &key, const Choice &choice) {
    const auto *list = std::get_if<std::vector<std::string>>(&choice);
    if (!list || list->empty()) {
      return fault(key, "must be a list of " + key + ", such as [\"" + std::string(list_->fallback[0]) + "\", \"" +
                            std::string(list_->fallback[1]) + "\"]");
    }
    recipe_.words = *list;
  }

  void take_bound(const std::string &key, const std::string &name, bool is_low, const Choice &choice) {
    const auto *text = std::get_if<std::string>(&choice);
    const auto *given = std::get_if<double>(&choice);
    const auto number = given ? std::optional(*given) : text ? parse_number(*text) : std::nullopt;
    if (!number || !std::isfinite(*number)) return fault(key, "must be a number");
    const auto [range, added] = recipe_.ranges.try_emplace(name, Range{*number, *number});
    (is_low ? range->second.low : range->second.high) = *number;
  }

  // The parameter's own spelling.
  std::optional<std::string> parameter(std::string_view name) const {
    if (info_.name == "bitrate_reduce" && same_setting(name, kReduction)) return std::string(kReduction);
    for (const ParamInfo &param : info_.params) {
      if (same_setting(param.name, name)) return std::string(param.name);
    }
    return std::nullopt;
  }

  std::vector<std::string_view> names() const {
    std::vector<std::string_view> names;
    for (const ParamInfo &param : info_.params) names.push_back(param.name);
    if (info_.name == "bitrate_reduce") names.insert(names.end(), {"reduction_percent_min", "reduction_percent_max"});
    if (list_) names.push_back(list_->key);
    return names;
  }

  const WeightedType &type_;
  const TypeInfo &info_;
  const WordList *list_ = list_of(info_.name);
  std::vector<Error> &faults_;
  Recipe recipe_;
};

double draw(Draws &chance, Range range) {
  if (range.low == std::trunc(range.low) && range.high == std::trunc(range.high)) {
    return range.low + static_cast<double>(chance.below(static_cast<std::uint64_t>(range.high - range.low) + 1));
  }
  return chance.uniform(range.low, range.high);
}

// One spike's parameters; `pick` chooses within a range.
template <class Pick>
Params params_of(const Recipe &recipe, const std::string &word, double bitrate_kbps, Pick pick) {
  Params params = recipe.fixed;
  for (const auto &[name, range] : recipe.ranges) {
    const double value = pick(range);
    if (name != kReduction) {
      params[name] = value;
    } else if (!params.contains("new_bitrate_kbps")) {
      params["new_bitrate_kbps"] = std::max(1.0, std::round(bitrate_kbps * (100 - value) / 100));
    }
  }
  if (!word.empty()) params[std::string(recipe.list->param)] = word;
  if (word == "random") params.erase("burst_length");
  return params;
}

// A recipe is good when its mildest and its strongest spike are, with every pattern.
void check_recipe(const WeightedType &type, const Recipe &recipe, double bitrate_kbps, std::vector<Error> &faults) {
  const std::string where = "types." + type.name + ".";
  if (const auto found = recipe.ranges.find(std::string(kReduction)); found != recipe.ranges.end()) {
    for (const auto &[bound, end] : {std::pair(found->second.low, "_min"), std::pair(found->second.high, "_max")}) {
      if (bound >= 0 && bound <= 100) continue;
      faults.push_back({where + "params." + std::string(kReduction) + end,
                        number_text(bound) + " is not accepted; it must be 0 to 100 percent"});
      return;
    }
  }
  std::vector<std::string> words = recipe.words;
  if (words.empty()) words.emplace_back();
  for (const auto &word : words) {
    for (const bool low : {true, false}) {
      const auto params = params_of(recipe, word, bitrate_kbps, [&](Range r) { return low ? r.low : r.high; });
      const auto effect = effect_of(type.name, params);
      if (effect) continue;
      std::string field = where + effect.error().field;
      const std::string name = effect.error().field.substr(effect.error().field.find('.') + 1);
      if (recipe.ranges.contains(name)) field += low ? "_min" : "_max";
      if (recipe.list && name == recipe.list->param && !word.empty()) field += "s";
      faults.push_back({field, effect.error().message});
      return;
    }
  }
}

bool sane_weight(double weight) { return weight >= 0 && weight <= 1e9; }

void check_types(const std::vector<WeightedType> &all, double bitrate_kbps, std::vector<Error> &faults) {
  std::vector<std::string_view> names;
  for (const TypeInfo &info : types()) names.push_back(info.name);
  double total = 0;
  for (const WeightedType &type : all) {
    const TypeInfo *info = find_type(type.name);
    total += type.weight;
    if (!info) {
      faults.push_back({"types." + type.name, unknown_text("spike type", type.name, names)});
      continue;
    }
    if (!sane_weight(type.weight)) faults.push_back({"types." + type.name + ".weight", "must be 0 to 1000000000"});
    const std::size_t before = faults.size();
    const Recipe recipe = Reader(type, *info, faults).read();
    if (faults.size() == before && type.weight > 0) check_recipe(type, recipe, bitrate_kbps, faults);
  }
  if (!(total > 0)) faults.push_back({"types", "at least one type must have a weight above 0"});
}

void check_selection(const Selection &selection, std::vector<Error> &faults) {
  const std::string where = "participant_selection.";
  double total = 0;
  for (const auto &[key, weight] :
       {std::pair("single_weight", selection.single_weight), std::pair("multiple_weight", selection.multiple_weight),
        std::pair("all_weight", selection.all_weight)}) {
    if (!sane_weight(weight)) faults.push_back({where + key, "must be 0 to 1000000000"});
    total += weight;
  }
  if (!(total > 0)) faults.push_back({"participant_selection", "at least one weight must be above 0"});
  if (selection.multiple_count_min < 1) faults.push_back({where + "multiple_count_min", "must be at least 1"});
  if (selection.multiple_count_max < selection.multiple_count_min) {
    faults.push_back({where + "multiple_count_max",
                      "is less than multiple_count_min, which is " + std::to_string(selection.multiple_count_min)});
  }
}

std::size_t weighted(Draws &chance, std::span<const double> weights) {
  double total = 0;
  for (const double weight : weights) total += weight;
  double left = chance.uniform() * total;
  std::size_t last = 0;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    if (weights[i] <= 0) continue;
    last = i;
    if (left < weights[i]) break;
    left -= weights[i];
  }
  return last;
}

// Without replacement, in rising order: R. Floyd's algorithm, one draw for each one picked.
std::vector<std::uint32_t> sample(Draws &chance, std::span<const std::uint32_t> from, std::size_t count) {
  std::set<std::size_t> picked;
  for (std::size_t j = from.size() - count; j < from.size(); ++j) {
    if (!picked.insert(chance.below(j + 1)).second) picked.insert(j);
  }
  std::vector<std::uint32_t> ids;
  for (const std::size_t index : picked) ids.push_back(from[index]);
  return ids;
}

std::vector<std::uint32_t> select(Draws &chance, const Selection &selection, std::span<const std::uint32_t> from) {
  const double weights[] = {selection.single_weight, selection.multiple_weight, selection.all_weight};
  const std::size_t kind = weighted(chance, weights);
  if (kind == 2) return {};
  const auto low = static_cast<double>(selection.multiple_count_min),
             high = static_cast<double>(selection.multiple_count_max);
  const double count = kind == 0 ? 1 : draw(chance, {low, high});
  return sample(chance, from, static_cast<std::size_t>(std::min(count, static_cast<double>(from.size()))));
}

}  // namespace

std::vector<WeightedType> default_types() {
  return {{"rtp_packet_loss", 40, {}}, {"network_jitter", 20, {}}, {"frame_drop", 20, {}}, {"bitrate_reduce", 20, {}}};
}

std::vector<Error> check(const RandomSpikes &settings, const Population &population) {
  std::vector<Error> faults;
  if (settings.count < 0 || settings.count > kMostSpikes) {
    faults.push_back({"count", std::to_string(settings.count) + " is not accepted; it must be 0 to 10000"});
  }
  if (settings.interval <= Nanos(0)) faults.push_back({"interval_seconds", "must be more than 0"});
  for (const auto &[key, seconds] : {std::pair("duration_seconds_min", settings.duration_min_seconds),
                                     std::pair("duration_seconds_max", settings.duration_max_seconds)}) {
    if (seconds > 0 && seconds <= kLongestSeconds) continue;
    faults.push_back({key, number_text(seconds) + " is not accepted; it must be above 0 and at most 86400 seconds"});
  }
  if (settings.duration_min_seconds > settings.duration_max_seconds) {
    faults.push_back({"duration_seconds_min", number_text(settings.duration_min_seconds) +
                                                  " is more than duration_seconds_max, which is " +
                                                  number_text(settings.duration_max_seconds)});
  }
  check_types(settings.types.empty() ? default_types() : settings.types, population.bitrate_kbps, faults);
  check_selection(settings.selection, faults);
  return faults;
}

std::vector<Spike> generate(const RandomSpikes &settings, const Population &population, Nanos length, const Rng &rng) {
  const auto types = settings.types.empty() ? default_types() : settings.types;
  std::vector<double> weights;
  std::vector<Recipe> recipes;
  std::vector<Error> none;
  for (const WeightedType &type : types) {
    weights.push_back(type.weight);
    recipes.push_back(Reader(type, *find_type(type.name), none).read());
  }
  std::vector<Spike> spikes;
  for (std::int64_t i = 0; i < settings.count; ++i) {
    const Nanos offset = settings.interval * (i + 1);
    if (length > Nanos(0) && offset >= length) break;
    auto chance = rng.at(static_cast<std::uint64_t>(i));
    const std::size_t kind = weighted(chance, weights);
    Spike spike;
    spike.id = "chaos_spike_" + std::to_string(i + 1);
    spike.type = types[kind].name;
    spike.offset = offset;
    spike.duration = from_seconds(draw(chance, {settings.duration_min_seconds, settings.duration_max_seconds}));
    spike.participants = select(chance, settings.selection, population.participants);
    const auto &words = recipes[kind].words;
    const std::string word = words.empty() ? "" : words[chance.below(words.size())];
    spike.params = params_of(recipes[kind], word, population.bitrate_kbps, [&](Range r) { return draw(chance, r); });
    spikes.push_back(std::move(spike));
  }
  return spikes;
}

}  // namespace avc::spike
