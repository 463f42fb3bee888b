#include "core/spike/effect.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <vector>

#include "core/net/profiles.hpp"
#include "core/net/settings.hpp"
#include "core/net/trace_models.hpp"
#include "core/text.hpp"

namespace avc::spike {
namespace {

// A parameter: a number within [low, high], one of `words` (then `apply` gets the word's index), or a text that
// `apply_text` takes or refuses.
struct Rule {
  std::string_view name, unit, meaning, fallback;
  double low = 0, high = 0;
  std::span<const std::string_view> words{};
  void (*apply)(Effect &, double) = nullptr;
  bool (*apply_text)(Effect &, const std::string &) = nullptr;
};

struct Type {
  std::string_view name, summary;
  std::span<const Rule> rules;
  void (*always)(Effect &) = nullptr;
  std::string_view needs{};    // what plain RTP participants lack for it; empty: nothing
  bool link_settings = false;  // takes every setting of a link too (net/settings.hpp), which then need no rule
};

constexpr std::array<std::string_view, 2> kPatterns{"random", "burst"};
constexpr std::array<std::string_view, 2> kBools{"false", "true"};

// Old clients send a port with the three types that once went through tc. Effects are per participant here.
constexpr Rule kPort{
    "port", "", "accepted for old clients, without effect", "0", 0, 65535, {}, [](Effect &, double) {}};

constexpr Rule kLoss[] = {
    {"loss_percentage",
     "percent",
     "share of packets lost, audio and video",
     "5",
     0,
     100,
     {},
     [](Effect &e, double v) { e.link.loss_percent = v; }},
    {"pattern", "", "each packet on its own, or in runs", "random", 0, 0, kPatterns,
     [](Effect &e, double v) { e.link.loss_model = v == 0 ? net::LossModel::random : net::LossModel::burst; }},
    {"burst_length",
     "packets",
     "mean length of a run of losses; only with pattern burst",
     "4",
     1,
     1000,
     {},
     [](Effect &e, double v) { e.link.burst_length = v; }},
    kPort,
};

constexpr Rule kJitter[] = {
    {"base_latency_ms",
     "ms",
     "delay of every packet",
     "20",
     0,
     10000,
     {},
     [](Effect &e, double v) { e.link.delay_ms = v; }},
    {"jitter_std_dev_ms",
     "ms",
     "standard deviation of the delay (normal distribution)",
     "50",
     0,
     10000,
     {},
     [](Effect &e, double v) { e.link.jitter_ms = v; }},
    {"allow_reordering", "", "let packets overtake each other", "false", 0, 0, kBools,
     [](Effect &e, double v) { e.link.allow_reordering = v != 0; }},
    kPort,
};

constexpr Rule kBitrate[] = {
    {"new_bitrate_kbps",
     "kbit/s",
     "the highest video rendition not above this is sent",
     "",
     1,
     1e6,
     {},
     [](Effect &e, double v) { e.source.max_bitrate_kbps = v; }},
    {"transition_seconds",
     "s",
     "time over which renditions are stepped down",
     "0",
     0,
     3600,
     {},
     [](Effect &e, double v) { e.source.transition = from_seconds(v); }},
};

constexpr Rule kFrameDrop[] = {
    {"drop_percentage",
     "percent",
     "share of video frames never sent; sequence numbers show no hole",
     "",
     0,
     100,
     {},
     [](Effect &e, double v) { e.source.frame_drop_percent = v; }},
};

constexpr Rule kBandwidth[] = {
    {"bandwidth_kbps",
     "kbit/s",
     "capacity of each participant's link, with 28 bytes of UDP/IPv4 per packet",
     "1000",
     1,
     1e7,
     {},
     [](Effect &e, double v) { e.link.bandwidth_kbps = v; }},
    {"queue_ms",
     "ms",
     "longest time a packet may queue before it is dropped",
     "200",
     1,
     60000,
     {},
     [](Effect &e, double v) { e.link.queue_ms = v; }},
    kPort,
};

constexpr Rule kDuplicate[] = {
    {"duplicate_percentage",
     "percent",
     "share of packets sent twice",
     "5",
     0,
     100,
     {},
     [](Effect &e, double v) { e.link.duplicate_percent = v; }},
    {"correlation",
     "percent",
     "tendency of duplicates to follow one another",
     "0",
     0,
     100,
     {},
     [](Effect &e, double v) { e.link.duplicate_correlation = v; }},
};

constexpr Rule kReorder[] = {
    {"reorder_percentage",
     "percent",
     "share of packets sent at once while the others are delayed",
     "25",
     0,
     100,
     {},
     [](Effect &e, double v) { e.link.reorder_percent = v; }},
    {"delay_ms", "ms", "delay of the others", "20", 0, 10000, {}, [](Effect &e, double v) { e.link.delay_ms = v; }},
    {"gap",
     "packets",
     "at least this far from one to the next; 0 and 1: no gap",
     "0",
     0,
     100000,
     {},
     [](Effect &e, double v) { e.link.reorder_gap = static_cast<std::uint32_t>(v); }},
    {"correlation",
     "percent",
     "tendency of those chosen to follow one another",
     "0",
     0,
     100,
     {},
     [](Effect &e, double v) { e.link.reorder_correlation = v; }},
};

constexpr Rule kCorrupt[] = {
    {"corrupt_percentage",
     "percent",
     "share of packets with one bit changed",
     "1",
     0,
     100,
     {},
     [](Effect &e, double v) { e.link.corrupt_percent = v; }},
    {"headers", "", "the bit may lie in the RTP header", "false", 0, 0, kBools,
     [](Effect &e, double v) { e.link.corrupt_headers = v != 0; }},
    {"correlation",
     "percent",
     "tendency of corrupt packets to follow one another",
     "0",
     0,
     100,
     {},
     [](Effect &e, double v) { e.link.corrupt_correlation = v; }},
};

constexpr Rule kKeyframeLoss[] = {
    {"loss_percentage",
     "percent",
     "share of the packets of video keyframes lost",
     "100",
     0,
     100,
     {},
     [](Effect &e, double v) { e.link.loss_percent = v; }},
};

constexpr Rule kRtcpLoss[] = {
    {"loss_percentage",
     "percent",
     "share of RTCP packets lost",
     "100",
     0,
     100,
     {},
     [](Effect &e, double v) { e.link.loss_percent = v; }},
};

const Rule kProfile[] = {
    {"profile", "", "name of the network condition; any setting of a link beside it or in its place", "", 0, 0,
     net::profile_names(),
     [](Effect &e, double v) { e.link = *net::profile(net::profile_names()[static_cast<std::size_t>(v)]); }},
};

constexpr std::array<std::string_view, 3> kDisciplines{"droptail", "drophead", "codel"};

// A built-in trace, or a file for whoever applies the effect to read; only the form of the path is checked here.
bool take_trace(Effect &effect, const std::string &text) {
  effect.link.link_trace = net::built_in_trace(text);
  if (effect.link.link_trace) return true;
  if (text.find('/') == text.npos || text.size() > 4096) return false;
  effect.trace_location = text;
  return true;
}

constexpr Rule kTrace[] = {
    {"trace", "", "capacity of each participant's link over time", "", 0, 0, {}, nullptr, take_trace},
    {"queue_ms",
     "ms",
     "longest time a packet may queue before it is dropped",
     "200",
     1,
     60000,
     {},
     [](Effect &e, double v) { e.link.queue_ms = v; }},
    {"queue_discipline", "", "which packet is dropped, and when", "droptail", 0, 0, kDisciplines,
     [](Effect &e, double v) { e.link.queue_discipline = static_cast<net::QueueDiscipline>(v); }},
};

constexpr Type kTypes[] = {
    {"rtp_packet_loss", "loses RTP packets", kLoss},
    {"network_jitter", "delays each packet by its own time", kJitter},
    {"bitrate_reduce", "sends a smaller rendition of the video", kBitrate},
    {"frame_drop", "leaves out whole video frames at the source", kFrameDrop},
    {"bandwidth_limit", "puts a slow line with a queue in front of the receiver", kBandwidth},
    {"audio_silence", "sends silent audio frames", {}, [](Effect &e) { e.source.audio_silence = true; }},
    {"packet_duplicate", "sends packets twice", kDuplicate},
    {"packet_reorder", "lets some packets overtake the others", kReorder},
    {"packet_corrupt", "changes one bit of a packet", kCorrupt},
    {"blackout", "loses every packet", {}, [](Effect &e) { e.link.loss_percent = 100; }},
    {"keyframe_loss", "loses packets of video keyframes", kKeyframeLoss,
     [](Effect &e) { e.link.apply_to = net::ApplyTo::keyframes; }},
    {"rtcp_loss", "loses RTCP packets", kRtcpLoss, [](Effect &e) { e.link.apply_to = net::ApplyTo::rtcp; }},
    {"network_profile", "puts a named network condition in front of the receiver", kProfile, nullptr, {}, true},
    {"link_trace", "gives the link a capacity that changes as recorded", kTrace},
    {"srtp_rekey", "renews the SRTP keys", {}, nullptr, "DTLS-SRTP keys"},
    {"ice_restart", "restarts ICE", {}, nullptr, "an ICE connection"},
};

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
  return number && *number >= rule.low && *number <= rule.high ? number : std::nullopt;
}

Error refused(const Rule &rule, const std::string &given_as, const Value &value) {
  std::string text = shown(value) + " is not accepted; it must be " + range_text(rule);
  if (!rule.unit.empty()) text.append(" ").append(rule.unit);
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

struct Catalogue {
  Catalogue() {
    for (const Type &type : kTypes) {
      for (const Rule &rule : type.rules) ranges.push_back(range_text(rule));
    }
    auto range = ranges.begin();
    for (const Type &type : kTypes) {
      auto &list = params.emplace_back();
      for (const Rule &rule : type.rules) {
        list.push_back({rule.name, rule.unit, rule.meaning, *range++, rule.fallback});
      }
    }
    auto list = params.begin();
    for (const Type &type : kTypes) all.push_back({type.name, type.summary, *list++});
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
  for (const Type &type : kTypes) {
    names.push_back(type.name);
    if (type.name != name) continue;
    if (!type.needs.empty()) {
      return Error{
          "type", std::string(type.name) + " needs a WebRTC participant: plain RTP has not " + std::string(type.needs)};
    }
    return apply(type, params);
  }
  return Error{"type", name.empty() ? "is missing" : unknown_text("spike type", name, names)};
}

}  // namespace avc::spike
