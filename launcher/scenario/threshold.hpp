// One condition a run must meet: a metric, perhaps narrowed by selectors, an aggregate over its samples, a comparison.
// parse_threshold reads the short form `"loss_percent{media:video}": "p(95) < 2"`; the JSON object form adds the
// fields below it. What samples a metric has, and their evaluation: launcher/results/thresholds.hpp.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>

#include "core/result.hpp"

namespace avc::scenario {

enum class MetricKind : std::uint8_t { trend, share, gauge, counter };
struct MetricInfo {
  std::string_view name;
  MetricKind kind;
  std::string_view unit, meaning;
};
std::span<const MetricInfo> metrics();                      // every metric a threshold may name
const MetricInfo *find_metric(std::string_view canonical);  // nullptr when there is none

enum class Aggregate : std::uint8_t { avg, min, max, med, percentile, count, last, rate };
enum class Comparison : std::uint8_t { less, less_equal, greater, greater_equal, equal, not_equal };

struct Threshold {
  std::string metric;                            // canonical: loss_percent
  std::map<std::string, std::string> selectors;  // media: video
  std::string metric_text;                       // as written, selectors included
  std::string expr;                              // as written
  Aggregate aggregate = Aggregate::avg;
  double percentile = 0;  // of Aggregate::percentile, 0..100
  Comparison comparison = Comparison::less;
  double limit = 0;

  // Of the object form.
  enum class Scope : std::uint8_t { whole, before, during, after };  // of spikes
  enum class Per : std::uint8_t { stream, participant, second };
  bool warn = false;  // severity: warn
  Scope scope = Scope::whole;
  Per per = Per::stream;
  double for_seconds = 0;
  bool abort_on_fail = false;
  double delay_seconds = 0;
  bool allow_no_data = false;
};

// The error's field is `thresholds.METRIC`. Unknown metrics, selectors, aggregates, and aggregates that the metric's
// kind does not have, are errors.
Result<Threshold> parse_threshold(std::string_view metric, std::string_view expr);

// value (comparison) limit
bool holds(const Threshold &threshold, double value);

}  // namespace avc::scenario
