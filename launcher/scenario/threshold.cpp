#include "launcher/scenario/threshold.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cmath>
#include <utility>
#include <vector>

namespace avc::scenario {
namespace {

constexpr MetricInfo kMetrics[] = {
    {"jitter_ms", MetricKind::trend, "ms", "interarrival jitter at the receiver (RFC 3550)"},
    {"delay_ms", MetricKind::trend, "ms", "delay the simulated link added"},
    {"queue_ms", MetricKind::trend, "ms", "wait in the simulated link's queue"},
    {"generator_late_ms", MetricKind::trend, "ms", "lateness of the generator's own deadlines"},
    {"join_time_ms", MetricKind::trend, "ms", "from a subscriber's start until it was connected"},
    {"time_to_first_keyframe_ms", MetricKind::trend, "ms", "from a subscriber's start to its first whole keyframe"},
    {"loss_percent", MetricKind::share, "%", "packets missing at the receiver"},
    {"injected_loss_percent", MetricKind::share, "%", "packets the simulated link dropped"},
    {"frames_complete_percent", MetricKind::share, "%", "video frames that arrived whole"},
    {"delivery_percent", MetricKind::share, "%", "packets received of those sent"},
    {"mos_score", MetricKind::gauge, "", "audio quality, E-model (1 to 4.5)"},
    {"bitrate_kbps", MetricKind::gauge, "kbit/s", "bitrate received"},
    {"participants_active", MetricKind::gauge, "", "participants running"},
    {"freeze_count", MetricKind::counter, "", "video freezes (W3C definition)"},
    {"freeze_seconds", MetricKind::counter, "s", "time the video stood still"},
    {"packets_lost", MetricKind::counter, "", "packets missing at the receiver"},
    {"generator_send_errors", MetricKind::counter, "", "packets the kernel refused to send"},
};

struct AggregateName {
  std::string_view name;
  Aggregate aggregate;
};
constexpr AggregateName kAggregates[] = {
    {"avg", Aggregate::avg},     {"min", Aggregate::min},   {"max", Aggregate::max},  {"med", Aggregate::med},
    {"count", Aggregate::count}, {"last", Aggregate::last}, {"rate", Aggregate::rate}};

// Two-character operators first, or "<" would match the start of "<=".
constexpr std::pair<std::string_view, Comparison> kComparisons[] = {
    {"<=", Comparison::less_equal}, {">=", Comparison::greater_equal}, {"==", Comparison::equal},
    {"!=", Comparison::not_equal},  {"<", Comparison::less},           {">", Comparison::greater}};

bool kind_has(MetricKind kind, Aggregate aggregate) {
  switch (aggregate) {
    case Aggregate::avg:
    case Aggregate::min:
    case Aggregate::med:
    case Aggregate::percentile:
      return kind != MetricKind::counter;
    case Aggregate::max:
      return true;
    case Aggregate::count:
      return kind == MetricKind::trend || kind == MetricKind::counter;
    case Aggregate::last:
      return kind == MetricKind::gauge;
    case Aggregate::rate:
      return kind == MetricKind::counter;
  }
  return false;
}

std::string_view aggregates_of(MetricKind kind) {
  switch (kind) {
    case MetricKind::trend:
      return "avg min max med p(N) count";
    case MetricKind::share:
      return "avg min max med p(N)";
    case MetricKind::gauge:
      return "avg min max med p(N) last";
    case MetricKind::counter:
      break;
  }
  return "count rate max";
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.front()))) text.remove_prefix(1);
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back()))) text.remove_suffix(1);
  return text;
}

bool number(std::string_view text, double &out) {
  text = trim(text);
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc() && end == text.data() + text.size() && std::isfinite(out);
}

std::string canonical(std::string_view name) {
  std::string out(trim(name));
  std::replace(out.begin(), out.end(), '-', '_');
  constexpr std::string_view kLong = "percentage";
  if (out.ends_with(kLong)) out.resize(out.size() - 3);
  return out;
}

std::string all_metrics() {
  std::string list;
  for (const auto &metric : kMetrics) list += (list.empty() ? "" : ", ") + std::string(metric.name);
  return list;
}

// "media:video, spike_type:blackout" into the map; the message of what is wrong, or nothing.
std::string read_selectors(std::string_view text, const MetricInfo &metric, Threshold &out) {
  while (!trim(text).empty()) {
    const auto comma = text.find(',');
    const auto item = trim(text.substr(0, comma));
    text = comma == std::string_view::npos ? std::string_view() : text.substr(comma + 1);
    const auto colon = item.find(':');
    if (colon == std::string_view::npos) return "selector \"" + std::string(item) + "\" is not name:value";
    const auto key = canonical(item.substr(0, colon));
    const auto value = std::string(trim(item.substr(colon + 1)));
    const bool of_streams = metric.name != "generator_late_ms" && metric.name != "generator_send_errors" &&
                            metric.name != "participants_active" && metric.name != "join_time_ms" &&
                            metric.name != "time_to_first_keyframe_ms";
    if (key == "media" && of_streams) {
      if (value != "video" && value != "audio") return "selector media must be video or audio";
    } else if (key == "spike_type" && of_streams) {
      if (value.empty()) return "selector spike_type needs the name of a spike type";
    } else {
      return "unknown selector \"" + key + "\" for " + std::string(metric.name) +
             (of_streams ? " (known: media, spike_type)" : " (it has none)");
    }
    if (!out.selectors.emplace(key, value).second) return "selector \"" + key + "\" is given twice";
  }
  return {};
}

std::string read_aggregate(std::string_view text, const MetricInfo &metric, Threshold &out) {
  text = trim(text);
  if (text.starts_with("p(") && text.ends_with(")")) {
    if (!number(text.substr(2, text.size() - 3), out.percentile) || out.percentile < 0 || out.percentile > 100)
      return "p(N) needs a number from 0 to 100";
    out.aggregate = Aggregate::percentile;
  } else {
    const auto *found = std::find_if(std::begin(kAggregates), std::end(kAggregates),
                                     [&](const AggregateName &a) { return a.name == text; });
    if (found == std::end(kAggregates))
      return "unknown aggregate \"" + std::string(text) + "\"; " + std::string(metric.name) +
             " has: " + std::string(aggregates_of(metric.kind));
    out.aggregate = found->aggregate;
  }
  if (!kind_has(metric.kind, out.aggregate))
    return std::string(metric.name) + " has no " + std::string(text) +
           ", only: " + std::string(aggregates_of(metric.kind));
  return {};
}

std::string read_expr(std::string_view expr, const MetricInfo &metric, Threshold &out) {
  for (const auto &[sign, comparison] : kComparisons) {
    const auto at = expr.find(sign);
    if (at == std::string_view::npos) continue;
    out.comparison = comparison;
    if (auto wrong = read_aggregate(expr.substr(0, at), metric, out); !wrong.empty()) return wrong;
    if (!number(expr.substr(at + sign.size()), out.limit))
      return "\"" + std::string(expr) + "\" needs a number after " + std::string(sign);
    return {};
  }
  return "\"" + std::string(expr) + "\" is not an aggregate, an operator (< <= > >= == !=) and a number";
}

}  // namespace

std::span<const MetricInfo> metrics() { return kMetrics; }

const MetricInfo *find_metric(std::string_view name) {
  const auto *found =
      std::find_if(std::begin(kMetrics), std::end(kMetrics), [&](const MetricInfo &m) { return m.name == name; });
  return found == std::end(kMetrics) ? nullptr : found;
}

Result<Threshold> parse_threshold(std::string_view metric_text, std::string_view expr) {
  Threshold out;
  out.metric_text = std::string(trim(metric_text));
  out.expr = std::string(trim(expr));
  const std::string field = "thresholds." + out.metric_text;

  const std::string_view text = out.metric_text;
  const auto brace = text.find('{');
  if (brace != std::string_view::npos && text.back() != '}') return Error{field, "the selectors' \"}\" is missing"};
  out.metric = canonical(text.substr(0, brace));
  const auto *metric = find_metric(out.metric);
  if (!metric) return Error{field, "unknown metric (known: " + all_metrics() + ")"};
  if (brace != std::string_view::npos) {
    const auto wrong = read_selectors(text.substr(brace + 1, text.size() - brace - 2), *metric, out);
    if (!wrong.empty()) return Error{field, wrong};
  }
  if (const auto wrong = read_expr(out.expr, *metric, out); !wrong.empty()) return Error{field, wrong};
  return out;
}

bool holds(const Threshold &threshold, double value) {
  switch (threshold.comparison) {
    case Comparison::less:
      return value < threshold.limit;
    case Comparison::less_equal:
      return value <= threshold.limit;
    case Comparison::greater:
      return value > threshold.limit;
    case Comparison::greater_equal:
      return value >= threshold.limit;
    case Comparison::equal:
      return value == threshold.limit;
    case Comparison::not_equal:
      return value != threshold.limit;
  }
  return false;
}

}  // namespace avc::scenario
