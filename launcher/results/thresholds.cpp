#include "launcher/results/thresholds.hpp"

#include <algorithm>
#include <cmath>

#include "launcher/results/text.hpp"

namespace avc::results {
namespace {

using scenario::Aggregate;
using scenario::MetricKind;
using scenario::Threshold;

double of(std::int64_t count) { return static_cast<double>(count); }
double of(std::uint64_t count) { return static_cast<double>(count); }

constexpr std::string_view kLate = "generator_late_ms", kErrors = "generator_send_errors",
                           kActive = "participants_active";

std::string aggregate_name(const Threshold &threshold) {
  switch (threshold.aggregate) {
    case Aggregate::avg:
      return "avg";
    case Aggregate::min:
      return "min";
    case Aggregate::max:
      return "max";
    case Aggregate::med:
      return "med";
    case Aggregate::percentile:
      return "p(" + number(threshold.percentile) + ")";
    case Aggregate::count:
      return "count";
    case Aggregate::last:
      return "last";
    case Aggregate::rate:
      return "rate";
  }
  return {};
}

std::string describe(const Threshold &threshold, const ThresholdResult &result) {
  if (!result.value)
    return threshold.metric_text + ": no samples" + (result.ok ? ", which is allowed" : ", which counts as a failure");
  const auto *metric = scenario::find_metric(threshold.metric);
  std::string unit =
      threshold.aggregate == Aggregate::count && metric->kind == MetricKind::trend ? "" : std::string(metric->unit);
  if (threshold.aggregate == Aggregate::rate) unit += unit.empty() ? "per second" : " per second";
  std::string text = threshold.metric_text + ": " + aggregate_name(threshold) + " was " +
                     number(std::round(*result.value * 1e4) / 1e4, 3);
  if (!unit.empty()) text += " " + unit;
  return text + (result.ok ? ", as wanted (" : ", wanted ") + threshold.expr + (result.ok ? ")" : "");
}

}  // namespace

Thresholds::Thresholds(std::vector<Threshold> thresholds) {
  for (auto &threshold : thresholds) {
    const auto *metric = scenario::find_metric(threshold.metric);
    if (!metric) continue;  // parse_threshold makes none such
    watches_.push_back({.threshold = std::move(threshold), .kind = metric->kind});
  }
}

// Nothing where the metric says nothing of this stream in this second.
std::optional<Thresholds::Piece> Thresholds::piece_of(std::string_view metric, const StreamSecond &stream) {
  const auto &received = stream.received;
  const auto &sent = stream.sent;
  const bool video = stream.media == Media::video;
  const auto share = [](double part, double whole) {
    return whole > 0 ? std::optional<Piece>({part, whole}) : std::nullopt;
  };
  const auto one = [](bool there, double value) { return there ? std::optional<Piece>({value, 1}) : std::nullopt; };
  if (metric == "loss_percent") return share(of(received.packets_lost), of(received.packets_expected));
  if (metric == "injected_loss_percent") return share(of(sent.lost + sent.queue_dropped), of(sent.packets));
  if (metric == "frames_complete_percent") return share(of(received.frames_complete), of(received.frames()));
  if (metric == "delivery_percent" && stream.subscribed)
    return Piece{received.packets_received > 0 ? 1 - received.loss_percent() / 100 : 0, 1};
  if (metric == "delivery_percent")
    return stream.observed ? share(of(received.packets_received), of(sent.packets)) : std::nullopt;
  if (metric == "jitter_ms") return one(received.jitter_samples > 0, received.mean_jitter_ms());
  if (metric == "delay_ms") return one(stream.delay_ms.has_value(), stream.delay_ms.value_or(0));
  if (metric == "queue_ms") return one(sent.packets > 0, stream.queue_ms);
  if (metric == "mos_score") return one(stream.mos_score.has_value(), stream.mos_score.value_or(0));
  if (metric == "freeze_count") return one(video && stream.seen, of(received.freeze_count));
  if (metric == "freeze_seconds") return one(video && stream.seen, to_seconds(received.freeze_time));
  if (metric == "packets_lost") return one(stream.seen, of(received.packets_lost));
  if (metric == "bitrate_kbps" && stream.seen)
    return Piece{of(received.bytes_received) * 8 / 1000, stream.seconds, true};
  return std::nullopt;
}

bool Thresholds::wanted(const Threshold &threshold, const StreamSecond &stream) {
  if (stream.t - stream.seconds < threshold.delay_seconds - 0.5) return false;  // seconds are whole ones, about
  const auto media = threshold.selectors.find("media");
  if (media != threshold.selectors.end() && (media->second == "video") != (stream.media == Media::video)) return false;
  const auto type = threshold.selectors.find("spike_type");
  bool touched = false, acting = false;
  for (const auto &touch : stream.touches) {
    if (type != threshold.selectors.end() && touch.type != type->second) continue;
    touched = true;
    acting = acting || touch.acting;
  }
  switch (threshold.scope) {
    case Threshold::Scope::whole:
      return type == threshold.selectors.end() || acting;
    case Threshold::Scope::before:
      return !touched;
    case Threshold::Scope::during:
      return acting;
    case Threshold::Scope::after:
      return touched && !acting;
  }
  return false;
}

double Thresholds::sample(const Watch &watch, const Sum &sum) {
  switch (watch.kind) {
    case MetricKind::share:
      return std::clamp(sum.part / sum.whole * 100, 0.0, 100.0);
    case MetricKind::counter:
      return std::max(sum.part, 0.0);
    case MetricKind::trend:
    case MetricKind::gauge:
      break;
  }
  return sum.part / sum.whole;
}

void Thresholds::add(Watch &watch, const StreamSecond &stream, const Piece &piece) {
  const auto put = [&](Sum &sum) {
    sum.part += piece.part;
    if (!piece.whole_is_time || sum.time != stream.t) sum.whole += piece.whole;
    sum.time = stream.t;
  };
  put(watch.total);
  if (watch.last_time != stream.t) watch.seconds += stream.seconds;
  watch.last_time = stream.t;
  switch (watch.threshold.per) {
    case Threshold::Per::stream:
      watch.samples.add(sample(watch, {piece.part, piece.whole}));
      break;
    case Threshold::Per::participant:
      put(watch.participants[stream.participant]);
      break;
    case Threshold::Per::second:
      if (!watch.second) watch.second = Sum{};
      put(*watch.second);
      break;
  }
}

void Thresholds::stream(const StreamSecond &stream) {
  for (auto &watch : watches_) {
    if (!wanted(watch.threshold, stream)) continue;
    if (const auto piece = piece_of(watch.threshold.metric, stream)) add(watch, stream, *piece);
  }
}

void Thresholds::event(std::string_view metric, double t, double value) {
  for (auto &watch : watches_) {
    if (watch.threshold.metric != metric || t < watch.threshold.delay_seconds - 0.5) continue;
    watch.samples.add(value);
    watch.total.part += value;
    watch.total.whole += 1;
  }
}

void Thresholds::second(double t, double seconds, std::uint32_t participants_active, const GeneratorHealth &generator) {
  for (auto &watch : watches_) {
    if (watch.second) watch.samples.add(sample(watch, *watch.second));
    watch.second.reset();
    if (t - seconds < watch.threshold.delay_seconds - 0.5) continue;
    if (watch.threshold.metric == kActive) watch.samples.add(participants_active);
    if (watch.threshold.metric == kErrors) {
      const double errors = of(generator.send_errors) - of(generator_.send_errors);
      watch.samples.add(std::max(errors, 0.0));
      watch.total.part += errors;
      watch.seconds += seconds;
    }
  }
  generator_ = generator;
  for (auto &watch : watches_) look_at(watch, t, seconds);
}

void Thresholds::look_at(Watch &watch, double t, double seconds) {
  const Threshold &threshold = watch.threshold;
  if (!threshold.abort_on_fail && threshold.for_seconds <= 0) return;
  if (watch.broken_at || t - seconds < threshold.delay_seconds - 0.5) return;
  const auto now = value(watch);
  if (!now || scenario::holds(threshold, *now)) {
    watch.failing_since.reset();
    return;
  }
  if (!watch.failing_since) watch.failing_since = t - seconds;
  if (t - *watch.failing_since < threshold.for_seconds - 0.5) return;
  watch.broken_at = t;
  if (threshold.abort_on_fail && !threshold.warn && !must_end_) must_end_ = result_of(watch).text;
}

// Only some percentiles of the lateness are known here; the next higher one stands for those between.
std::optional<double> Thresholds::lateness(const Threshold &threshold, const GeneratorHealth &generator) {
  if (!generator.late_count) return std::nullopt;
  switch (threshold.aggregate) {
    case Aggregate::count:
      return of(generator.late_count);
    case Aggregate::avg:
      return generator.late_avg_ms;
    case Aggregate::min:
      return 0;
    case Aggregate::max:
      return generator.late_max_ms;
    case Aggregate::med:
      return generator.late_p50_ms;
    default:
      break;
  }
  if (threshold.percentile <= 50) return generator.late_p50_ms;
  if (threshold.percentile <= 95) return generator.late_p95_ms;
  return threshold.percentile <= 99 ? generator.late_p99_ms : generator.late_max_ms;
}

std::optional<double> Thresholds::value(const Watch &watch, const Distribution &samples) {
  if (!samples.count()) return std::nullopt;
  switch (watch.threshold.aggregate) {
    case Aggregate::avg:
      return watch.kind == MetricKind::share ? std::clamp(watch.total.part / watch.total.whole * 100, 0.0, 100.0)
                                             : samples.avg();
    case Aggregate::min:
      return samples.min();
    case Aggregate::max:
      return samples.max();
    case Aggregate::med:
      return samples.percentile(50);
    case Aggregate::percentile:
      return samples.percentile(watch.threshold.percentile);
    case Aggregate::count:
      return watch.kind == MetricKind::counter ? watch.total.part : of(samples.count());
    case Aggregate::last:
      return samples.last();
    case Aggregate::rate:
      return watch.seconds > 0 ? watch.total.part / watch.seconds : 0;
  }
  return std::nullopt;
}

std::optional<double> Thresholds::value(const Watch &watch) const {
  if (watch.threshold.metric == kLate) return lateness(watch.threshold, generator_);
  if (watch.threshold.per != Threshold::Per::participant) return value(watch, watch.samples);
  Distribution samples;
  for (const auto &[id, sum] : watch.participants) samples.add(sample(watch, sum));
  return value(watch, samples);
}

ThresholdResult Thresholds::result_of(const Watch &watch) const {
  const auto &threshold = watch.threshold;
  ThresholdResult result{.metric = threshold.metric_text,
                         .expr = threshold.expr,
                         .severity = threshold.warn ? Severity::warn : Severity::fail};
  result.value = value(watch);
  const bool holds = result.value ? scenario::holds(threshold, *result.value) : threshold.allow_no_data;
  const bool forgiven = !holds && result.value && threshold.for_seconds > 0;
  result.ok = !watch.broken_at && (holds || forgiven);
  result.text = describe(threshold, result);
  if (watch.broken_at) {
    result.text += "; it did not hold from " + number(*watch.failing_since, 1) + " s to " +
                   number(*watch.broken_at, 1) + " s of the test";
  } else if (forgiven) {
    result.text += "; not, but for less than " + number(threshold.for_seconds, 1) + " s";
  }
  return result;
}

std::vector<ThresholdResult> Thresholds::results() const {
  std::vector<ThresholdResult> results;
  for (const auto &watch : watches_) results.push_back(result_of(watch));
  return results;
}

}  // namespace avc::results
