// Prometheus' text format (0.0.4): families in the order they were named, each with its HELP and TYPE once and all of
// its samples together, whatever order the samples came in. Label values are escaped.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace avc::metrics {

using Labels = std::vector<std::pair<std::string, std::string>>;

class PrometheusText {
 public:
  enum class Type { counter, gauge, histogram };

  // A family without samples is left out.
  void family(std::string_view name, Type type, std::string_view help);
  void sample(std::string_view family, const Labels &labels, double value);
  // Counts by class, the last one without an upper end; `sum` in the unit of the ends.
  void histogram(std::string_view family, const Labels &labels, std::span<const double> ends,
                 std::span<const std::uint64_t> counts, double sum);

  std::string text() const;

 private:
  struct Family {
    std::string name, help, samples;
    Type type;
  };

  Family &find(std::string_view family);

  std::vector<Family> families_;
};

std::string number_text(double value);  // the shortest that reads back the same; NaN, +Inf, -Inf

}  // namespace avc::metrics
