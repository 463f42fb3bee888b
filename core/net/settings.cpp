#include "core/net/settings.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <vector>

#include "core/net/delay.hpp"
#include "core/net/delay_table.hpp"
#include "core/net/trace_models.hpp"
#include "core/text.hpp"

namespace avc::net {
namespace {

template <auto Field>
double get(const Impairment &impairment) {
  return static_cast<double>(impairment.*Field);
}

template <auto Field>
void put(Impairment &impairment, double value) {
  using Type = std::remove_reference_t<decltype(impairment.*Field)>;
  impairment.*Field = static_cast<Type>(value);
}

template <auto Field>
constexpr Setting number(std::string_view name, std::string_view unit, double low, double high,
                         std::string_view meaning, bool minus_one = false) {
  return {name, unit, meaning, low, high, {}, get<Field>, put<Field>, minus_one};
}

template <auto Field>
constexpr Setting percent(std::string_view name, std::string_view meaning, bool minus_one = false) {
  return number<Field>(name, "percent", 0, 100, meaning, minus_one);
}

template <auto Field>
constexpr Setting choice(std::string_view name, std::span<const std::string_view> words, std::string_view meaning) {
  return {name, "", meaning, 0, static_cast<double>(words.size() - 1), words, get<Field>, put<Field>};
}

constexpr std::string_view kApplyTo[] = {"all", "video", "audio", "keyframes", "headers", "rtcp"};
constexpr std::string_view kLossModels[] = {"random", "burst", "gilbert-elliott", "markov4", "pattern"};
constexpr std::string_view kDistributions[] = {"uniform", "normal", "pareto", "paretonormal", "gamma", "table"};
constexpr std::string_view kSwitchTimes[] = {"exponential", "fixed"};
constexpr std::string_view kDisciplines[] = {"droptail", "drophead", "codel", "pie", "pi2"};
constexpr std::string_view kEcnModes[] = {"off", "marked", "ect0", "ect1"};
constexpr std::string_view kBools[] = {"false", "true"};

using I = Impairment;
constexpr double kMostCount = 4294967295.0, kMostBytes = 1e15;

constexpr Setting kSettings[] = {
    choice<&I::apply_to>("apply_to", kApplyTo, "packets that all of this acts on"),
    percent<&I::frame_drop_percent>("frame_drop_percent", "whole video frames lost"),
    number<&I::drop_packets>("drop_packets", "packets", 0, kMostCount, "so many are lost from when this changed on"),
    choice<&I::loss_model>("loss_model", kLossModels, "how losses are spread"),
    percent<&I::loss_percent>("loss_percent", "share of packets lost (random, burst)"),
    percent<&I::loss_correlation>("loss_correlation", "tendency of losses to follow one another (random)"),
    number<&I::burst_length>("burst_length", "packets", 1, 1e6, "mean packets lost in a row (burst)"),
    percent<&I::ge_p>("ge_p", "from the good to the bad state (gilbert-elliott)"),
    percent<&I::ge_r>("ge_r", "from the bad to the good state; -1: 100 - ge_p", true),
    percent<&I::ge_h>("ge_h", "lost in the bad state, netem's 1-h"),
    percent<&I::ge_k>("ge_k", "lost in the good state, netem's 1-k"),
    percent<&I::markov_p13>("markov_p13", "from received to a burst of losses (markov4)"),
    percent<&I::markov_p31>("markov_p31", "from a burst of losses back to received; -1: 100 - markov_p13", true),
    percent<&I::markov_p32>("markov_p32", "from lost to received within a burst"),
    percent<&I::markov_p23>("markov_p23", "from received to lost within a burst"),
    percent<&I::markov_p14>("markov_p14", "from received to a single loss"),
    number<&I::on_ms>("on_ms", "ms", 0, kLongestMs, "time for which a link that goes off is on"),
    number<&I::off_ms>("off_ms", "ms", 0, kLongestMs, "time for which it is off and loses all; 0: never off"),
    choice<&I::switch_times>("switch_times", kSwitchTimes, "whether on_ms and off_ms are means or exact"),
    number<&I::delay_ms>("delay_ms", "ms", 0, kLongestMs, "delay of every packet"),
    number<&I::jitter_ms>("jitter_ms", "ms", 0, kLongestMs, "variation of the delay"),
    percent<&I::delay_correlation>("delay_correlation", "likeness of one packet's jitter to the next one's"),
    percent<&I::delay_percent>("delay_percent", "share of packets that are delayed at all"),
    choice<&I::delay_distribution>("delay_distribution", kDistributions, "what jitter_ms means"),
    choice<&I::allow_reordering>("allow_reordering", kBools, "packets may overtake those with a longer delay"),
    percent<&I::reorder_percent>("reorder_percent", "share of packets sent at once while others are delayed"),
    percent<&I::reorder_correlation>("reorder_correlation", "tendency of these to follow one another"),
    number<&I::reorder_gap>("reorder_gap", "packets", 0, kMostCount, "at least this far from one to the next"),
    percent<&I::duplicate_percent>("duplicate_percent", "share of packets sent twice"),
    percent<&I::duplicate_correlation>("duplicate_correlation", "tendency of these to follow one another"),
    percent<&I::corrupt_percent>("corrupt_percent", "share of packets with one bit changed"),
    percent<&I::corrupt_correlation>("corrupt_correlation", "tendency of these to follow one another"),
    choice<&I::corrupt_headers>("corrupt_headers", kBools, "the bit may lie in the RTP header"),
    number<&I::bandwidth_kbps>("bandwidth_kbps", "kbit/s", 0, 1e9, "speed of the line, 0: no limit"),
    number<&I::trace_offset_ms>("trace_offset_ms", "ms", 0, kLongestMs,
                                "place in the trace at time 0; -1: each participant its own", true),
    choice<&I::trace_once>("trace_once", kBools, "the trace runs once from when it is set, then nothing passes"),
    number<&I::burst_bytes>("burst_bytes", "bytes", 0, kMostBytes, "may leave at once after idleness (token bucket)"),
    number<&I::packet_overhead>("packet_overhead", "bytes", -65535, 65535, "counted per packet beside its own"),
    number<&I::cell_bytes>("cell_bytes", "bytes", 0, 65535, "payload of a link-layer cell, 0: no cells"),
    number<&I::cell_overhead>("cell_overhead", "bytes", -65535, 65535, "header of a link-layer cell"),
    number<&I::slot_min_ms>("slot_min_ms", "ms", 0, kLongestMs, "shortest time from batch to batch"),
    number<&I::slot_max_ms>("slot_max_ms", "ms", 0, kLongestMs, "longest time from batch to batch, 0: no batches"),
    number<&I::slot_delay_ms>("slot_delay_ms", "ms", 0, kLongestMs, "mean from batch to batch, by slot_distribution"),
    number<&I::slot_jitter_ms>("slot_jitter_ms", "ms", 0, kLongestMs, "variation of slot_delay_ms"),
    choice<&I::slot_distribution>("slot_distribution", kDistributions, "what slot_jitter_ms means"),
    number<&I::slot_packets>("slot_packets", "packets", 0, kMostCount, "most packets in a batch, 0: any number"),
    number<&I::slot_bytes>("slot_bytes", "bytes", 0, kMostBytes, "most bytes in a batch, 0: any number"),
    choice<&I::queue_discipline>("queue_discipline", kDisciplines, "which packet is dropped, and when"),
    number<&I::queue_ms>("queue_ms", "ms", 0, kLongestMs,
                         "longest wait for the line before a packet is dropped; -1: any", true),
    number<&I::queue_packets>("queue_packets", "packets", 0, kMostCount, "most packets that wait, 0: any number"),
    number<&I::queue_bytes>("queue_bytes", "bytes", 0, kMostBytes, "most bytes that wait, 0: any number"),
    number<&I::codel_target_ms>("codel_target_ms", "ms", 0.001, 10000, "wait that CoDel tolerates"),
    number<&I::codel_interval_ms>("codel_interval_ms", "ms", 0.001, 60000, "for so long before it drops"),
    number<&I::pie_target_ms>("pie_target_ms", "ms", 0.001, 10000, "wait that PIE steers to"),
    number<&I::pie_burst_ms>("pie_burst_ms", "ms", 0, 60000, "for so long after calm PIE drops nothing"),
    number<&I::pi2_target_ms>("pi2_target_ms", "ms", 0.001, 10000, "wait that PI2 steers to"),
    number<&I::pi2_step_ms>("pi2_step_ms", "ms", 0.001, 10000, "wait from which PI2 marks every ECT(1) packet"),
    choice<&I::ecn>("ecn", kEcnModes, "packets marked instead of lost: those that say they can be, or all"),
    number<&I::limit_packets>("limit_packets", "packets", 0, kMostCount,
                              "most on the whole way, delayed ones too, 0: any number"),
};

constexpr std::string_view kPattern = "loss_pattern", kTrace = "link_trace", kTable = "delay_table";

std::string range_text(const Setting &setting) {
  if (setting.is_number()) {
    std::string text = number_text(setting.low) + " to " + number_text(setting.high);
    if (setting.minus_one) text += " or -1";
    return setting.unit.empty() ? text : text.append(" ").append(setting.unit);
  }
  std::string text;
  for (const std::string_view word : setting.words) text.append(text.empty() ? "" : " or ").append(word);
  return text;
}

Error refused(const Setting &setting, const std::string &shown) {
  return {std::string(setting.name), shown + " is not accepted; it must be " + range_text(setting)};
}

bool in_range(const Setting &setting, double value) {  // written so that NaN is not
  return (value >= setting.low && value <= setting.high) || (setting.minus_one && value == -1);
}

std::optional<Error> contradiction(const Impairment &s) {
  const double p31 = s.markov_p31 < 0 ? 100 - s.markov_p13 : s.markov_p31;
  if (s.markov_p13 + s.markov_p14 > 100)
    return Error{"markov_p14", "markov_p13 and markov_p14 are more than 100 percent together"};
  if (p31 + s.markov_p32 > 100) {
    return Error{"markov_p32", "markov_p31 and markov_p32 are more than 100 percent together (markov_p31 is " +
                                   number_text(p31) + ")"};
  }
  if (s.loss_model == LossModel::pattern && s.loss_pattern.empty())
    return Error{"loss_pattern", "is empty; loss_model pattern needs 1 to 256 digits, each 0 or 1"};
  if (s.link_trace && s.bandwidth_kbps > 0)
    return Error{"link_trace", "contradicts bandwidth_kbps: the line has one or the other"};
  if (s.link_trace && s.burst_bytes > 0)
    return Error{"burst_bytes", "contradicts link_trace: bursts belong to a line of fixed speed"};
  if (s.trace_once && s.bandwidth_kbps > 0)
    return Error{"trace_once", "needs link_trace; a line of fixed speed has no end"};
  if (!s.delay_table && s.delay_distribution == DelayDistribution::table)
    return Error{"delay_table", "is empty; delay_distribution table needs it"};
  if (!s.delay_table && s.slot_distribution == DelayDistribution::table && s.slot_delay_ms > 0)
    return Error{"delay_table", "is empty; slot_distribution table needs it"};
  if (s.slot_max_ms > 0 && s.slot_delay_ms > 0)
    return Error{"slot_delay_ms", "contradicts slot_max_ms: batches come by one or the other"};
  if (s.slot_min_ms > s.slot_max_ms)
    return Error{"slot_min_ms", number_text(s.slot_min_ms) + " is above slot_max_ms, " + number_text(s.slot_max_ms)};
  return std::nullopt;
}

// The number that a value stands for, or none.
std::optional<double> accepted(const Setting &setting, const SettingValue &value) {
  const auto *text = std::get_if<std::string>(&value);
  if (setting.is_number() || !text) {
    const auto number = text ? parse_number(*text) : std::optional(std::get<double>(value));
    const bool whole = setting.is_number() || (number && *number == std::trunc(*number));
    const bool countable = setting.words.data() == kBools || setting.is_number();  // no numbers for words
    if (!number || !whole || !countable || !in_range(setting, *number)) return std::nullopt;
    Impairment trial;  // a count takes no fraction
    setting.set(trial, *number);
    return setting.get(trial) == *number ? number : std::nullopt;
  }
  const auto found = std::find(setting.words.begin(), setting.words.end(), *text);
  if (found == setting.words.end()) return std::nullopt;
  return static_cast<double>(found - setting.words.begin());
}

std::string shown(const SettingValue &value) {
  if (const auto *number = std::get_if<double>(&value)) return number_text(*number);
  return "\"" + std::get<std::string>(value).substr(0, 40) + "\"";
}

Result<Impairment> with_pattern(Impairment impairment, const std::string &text) {
  const auto parsed = LossPattern::parse(text);
  if (!parsed) return Error{std::string(kPattern), parsed.error().message};
  impairment.loss_pattern = *parsed;
  return impairment;
}

Result<Impairment> with_table(Impairment impairment, const std::string &text) {
  auto parsed = DelayTable::parse(text);
  if (!parsed) return Error{std::string(kTable), parsed.error().message};
  impairment.delay_table = *std::move(parsed);
  return impairment;
}

Result<Impairment> with_trace(Impairment impairment, const SettingValue &value) {
  const auto *text = std::get_if<std::string>(&value);
  impairment.link_trace = text ? built_in_trace(*text) : nullptr;
  if (!impairment.link_trace)
    return Error{std::string(kTrace), unknown_text("trace", text ? *text : shown(value), built_in_traces())};
  return impairment;
}

}  // namespace

std::span<const Setting> settings() { return kSettings; }

std::optional<Error> range_fault(const Setting &setting, double value) {
  if (in_range(setting, value)) return std::nullopt;
  return refused(setting, number_text(value));
}

Result<Impairment> checked(const Impairment &impairment) {
  for (const Setting &setting : kSettings)
    if (auto fault = range_fault(setting, setting.get(impairment))) return *fault;
  if (auto error = contradiction(impairment)) return *error;
  return impairment;
}

Result<Impairment> with(Impairment impairment, std::string_view name, const SettingValue &value) {
  const auto *text = std::get_if<std::string>(&value);
  if (same_setting(name, kPattern)) return with_pattern(std::move(impairment), text ? *text : "");
  if (same_setting(name, kTable)) return with_table(std::move(impairment), text ? *text : "");
  if (same_setting(name, kTrace)) return with_trace(std::move(impairment), value);
  std::vector<std::string_view> names;
  for (const Setting &setting : kSettings) {
    names.push_back(setting.name);
    if (!same_setting(name, setting.name)) continue;
    const auto number = accepted(setting, value);
    if (!number) return refused(setting, shown(value));
    setting.set(impairment, *number);
    return impairment;
  }
  names.insert(names.end(), {kPattern, kTrace, kTable});
  return Error{std::string(name), unknown_text("setting", name, names)};
}

Result<Impairment> impairment_of(const std::map<std::string, SettingValue> &settings) {
  Impairment impairment;
  for (const auto &[name, value] : settings) {
    auto changed = with(impairment, name, value);
    if (!changed) return changed.error();
    impairment = *changed;
  }
  return checked(impairment);
}

std::map<std::string, SettingValue> settings_of(const Impairment &impairment) {
  const Impairment perfect;
  std::map<std::string, SettingValue> settings;
  for (const Setting &setting : kSettings) {
    const double value = setting.get(impairment);
    if (value == setting.get(perfect)) continue;
    const std::string name(setting.name);
    if (setting.is_number())
      settings.emplace(name, value);
    else
      settings.emplace(name, std::string(setting.words[static_cast<std::size_t>(value)]));
  }
  if (!impairment.loss_pattern.empty()) settings.emplace(kPattern, impairment.loss_pattern.text());
  for (const std::string_view name : built_in_traces())
    if (impairment.link_trace && impairment.link_trace == built_in_trace(name))
      settings.emplace(kTrace, std::string(name));
  return settings;
}

}  // namespace avc::net
