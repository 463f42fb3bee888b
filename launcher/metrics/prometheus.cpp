#include "launcher/metrics/prometheus.hpp"

#include <algorithm>
#include <cassert>
#include <charconv>
#include <cmath>

namespace avc::metrics {
namespace {

std::string escaped(std::string_view value) {
  std::string safe;
  for (const char c : value) {
    switch (c) {
      case '\\':
        safe += "\\\\";
        break;
      case '"':
        safe += "\\\"";
        break;
      case '\n':
        safe += "\\n";
        break;
      default:
        safe += c;
    }
  }
  return safe;
}

void append(std::string &out, std::string_view name, const Labels &labels, double value) {
  out.append(name);
  for (std::size_t i = 0; i < labels.size(); ++i) {
    out.append(i == 0 ? "{" : ",").append(labels[i].first).append("=\"").append(escaped(labels[i].second)).append("\"");
  }
  out.append(labels.empty() ? " " : "} ").append(number_text(value)).append("\n");
}

const char *name_of(PrometheusText::Type type) {
  switch (type) {
    case PrometheusText::Type::counter:
      return "counter";
    case PrometheusText::Type::gauge:
      return "gauge";
    case PrometheusText::Type::histogram:
      return "histogram";
  }
  return "untyped";
}

}  // namespace

std::string number_text(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  char text[32];
  const auto end = std::to_chars(text, text + sizeof text, value).ptr;
  return {text, end};
}

void PrometheusText::family(std::string_view name, Type type, std::string_view help) {
  families_.push_back({std::string(name), std::string(help), "", type});
}

PrometheusText::Family &PrometheusText::find(std::string_view family) {
  const auto found =
      std::find_if(families_.begin(), families_.end(), [&](const Family &f) { return f.name == family; });
  assert(found != families_.end());
  return *found;
}

void PrometheusText::sample(std::string_view family, const Labels &labels, double value) {
  append(find(family).samples, family, labels, value);
}

void PrometheusText::histogram(std::string_view family, const Labels &labels, std::span<const double> ends,
                               std::span<const std::uint64_t> counts, double sum) {
  std::string &out = find(family).samples;
  const std::string name(family);
  std::uint64_t below = 0;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    below += counts[i];
    Labels with_end = labels;
    with_end.emplace_back("le", i < ends.size() ? number_text(ends[i]) : "+Inf");
    append(out, name + "_bucket", with_end, static_cast<double>(below));
  }
  append(out, name + "_sum", labels, sum);
  append(out, name + "_count", labels, static_cast<double>(below));
}

std::string PrometheusText::text() const {
  std::string out;
  for (const Family &family : families_) {
    if (family.samples.empty()) continue;
    out.append("# HELP ").append(family.name).append(" ").append(family.help).append("\n# TYPE ").append(family.name);
    out.append(" ").append(name_of(family.type)).append("\n").append(family.samples);
  }
  return out;
}

}  // namespace avc::metrics
