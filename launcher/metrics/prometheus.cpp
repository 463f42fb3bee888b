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

void PrometheusText::sample(std::string_view family, const Labels &labels, double value) {
  const auto found =
      std::find_if(families_.begin(), families_.end(), [&](const Family &f) { return f.name == family; });
  assert(found != families_.end());
  std::string &out = found->samples;
  out.append(family);
  for (std::size_t i = 0; i < labels.size(); ++i) {
    out.append(i == 0 ? "{" : ",").append(labels[i].first).append("=\"").append(escaped(labels[i].second)).append("\"");
  }
  out.append(labels.empty() ? " " : "} ").append(number_text(value)).append("\n");
}

std::string PrometheusText::text() const {
  std::string out;
  for (const Family &family : families_) {
    if (family.samples.empty()) continue;
    out.append("# HELP ").append(family.name).append(" ").append(family.help).append("\n# TYPE ").append(family.name);
    out.append(family.type == Type::counter ? " counter\n" : " gauge\n").append(family.samples);
  }
  return out;
}

}  // namespace avc::metrics
