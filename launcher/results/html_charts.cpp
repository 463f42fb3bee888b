#include <algorithm>
#include <cmath>

#include "launcher/results/html_parts.hpp"
#include "launcher/results/text.hpp"

namespace avc::results::html {
namespace {

constexpr double kWidth = 760, kLeft = 60, kRight = 24, kTop = 8, kPlot = 150, kBottom = 24;
constexpr std::size_t kPoints = 350;  // more than this cannot be told apart at this width
constexpr double kLane = 20;

double x_of(double t, double seconds) {
  return kLeft + (kWidth - kLeft - kRight) * std::clamp(seconds > 0 ? t / seconds : 0, 0.0, 1.0);
}

std::string px(double value) { return number(value, 1); }

// A step of 1, 2 or 5 times a power of ten that gives at most `most` steps.
double step_for(double range, int most) {
  const double rough = std::max(range, 1e-9) / most;
  const double power = std::pow(10, std::floor(std::log10(rough)));
  for (const double factor : {1.0, 2.0, 5.0})
    if (factor * power >= rough) return factor * power;
  return 10 * power;
}

double time_step(double seconds) {
  for (const double step : {1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400})
    if (seconds / step <= 8) return step;
  return std::ceil(seconds / 8 / 3600) * 3600;
}

std::string time_axis(double seconds, double y) {
  std::string out;
  const double step = time_step(seconds);
  for (double t = 0; t <= seconds + 1e-9; t += step)
    out += "<text class=\"tick\" text-anchor=\"middle\" x=\"" + px(x_of(t, seconds)) + "\" y=\"" + px(y) + "\">" +
           clock(t) + "</text>";
  return out;
}

// Groups of seconds are shown by their worst one, so that no peak is lost.
Chart thinned(const Chart &chart) {
  const std::size_t group = (chart.times.size() + kPoints - 1) / kPoints;
  if (group <= 1) return chart;
  Chart out = chart;
  out.times.clear();
  for (auto &series : out.series) series.values.clear();
  for (std::size_t from = 0; from < chart.times.size(); from += group) {
    const std::size_t to = std::min(from + group, chart.times.size());
    out.times.push_back(chart.times[to - 1]);
    for (std::size_t s = 0; s < chart.series.size(); ++s) {
      std::optional<double> worst;
      for (std::size_t i = from; i < to; ++i) {
        const auto &value = chart.series[s].values[i];
        if (value && (!worst || (chart.lowest_is_worst ? *value < *worst : *value > *worst))) worst = value;
      }
      out.series[s].values.push_back(worst);
    }
  }
  out.note +=
      (out.note.empty() ? "" : " ") + std::string("Each point is the worst of ") + std::to_string(group) + " seconds.";
  return out;
}

std::string lines(const Series &series, std::size_t index, const Chart &chart, double seconds, double high) {
  std::string out, path;
  const auto flush = [&] {
    if (!path.empty()) out += "<path class=\"line s" + std::to_string(index) + "\" d=\"" + path + "\"/>";
    path.clear();
  };
  for (std::size_t i = 0; i < series.values.size(); ++i) {
    if (!series.values[i]) {
      flush();
      continue;
    }
    const double share = std::clamp((*series.values[i] - chart.low) / (high - chart.low), 0.0, 1.0);
    path += (path.empty() ? "M" : "L") + px(x_of(chart.times[i], seconds)) + " " + px(kTop + kPlot * (1 - share));
  }
  flush();
  return out;
}

std::string summary(const Series &series, const Chart &chart) {
  double low = 0, high = 0, sum = 0;
  int count = 0;
  for (const auto &value : series.values) {
    if (!value) continue;
    low = count ? std::min(low, *value) : *value;
    high = count ? std::max(high, *value) : *value;
    sum += *value;
    ++count;
  }
  if (!count) return series.name + ": nothing measured";
  return series.name + ": " + number(low) + " to " + number(high) + ", mean " + number(sum / count) +
         (chart.unit.empty() ? "" : " " + chart.unit);
}

double top_of(const Chart &chart) {
  if (chart.high) return *chart.high;
  double high = 0;
  for (const auto &series : chart.series)
    for (const auto &value : series.values) high = std::max(high, value.value_or(0));
  high = std::max(high, chart.low + 1);
  const double step = step_for(high - chart.low, 4);
  return chart.low + std::ceil((high - chart.low) / step) * step;
}

}  // namespace

std::string draw(const Chart &full, const std::vector<Band> &bands, double seconds) {
  const Chart chart = thinned(full);
  const double high = top_of(chart), step = step_for(high - chart.low, 4);
  std::string alt;
  for (const auto &series : full.series) alt += summary(series, full) + ". ";
  std::string out = "<figure><figcaption><h3 id=\"" + escaped(chart.id) + "\">" + escaped(chart.title) +
                    (chart.unit.empty() ? "" : " <span class=\"unit\">" + escaped(chart.unit) + "</span>") +
                    "</h3><span class=\"legend\">";
  for (std::size_t s = 0; s < chart.series.size(); ++s)
    out += "<span class=\"key k" + std::to_string(s) + "\">" + escaped(chart.series[s].name) + "</span>";
  out += "</span></figcaption><svg role=\"img\" viewBox=\"0 0 " + px(kWidth) + " " + px(kTop + kPlot + kBottom) +
         "\" aria-label=\"" + escaped(chart.title + ". " + alt) + "\">";
  for (const auto &band : bands)
    out += "<rect class=\"band\" x=\"" + px(x_of(band.from, seconds)) + "\" y=\"" + px(kTop) + "\" width=\"" +
           px(std::max(x_of(band.to, seconds) - x_of(band.from, seconds), 1.0)) + "\" height=\"" + px(kPlot) +
           "\"><title>" + escaped(band.label) + "</title></rect>";
  for (double value = chart.low; value <= high + step * 1e-6; value += step) {
    const double y = kTop + kPlot * (1 - (value - chart.low) / (high - chart.low));
    out += "<path class=\"grid\" d=\"M" + px(kLeft) + " " + px(y) + "H" + px(kWidth - kRight) +
           "\"/><text class=\"tick\" text-anchor=\"end\" x=\"" + px(kLeft - 6) + "\" y=\"" + px(y + 4) + "\">" +
           number(value, 3) + "</text>";
  }
  out += time_axis(seconds, kTop + kPlot + 17);
  for (std::size_t s = 0; s < chart.series.size(); ++s) out += lines(chart.series[s], s, chart, seconds, high);
  out += "</svg>";
  if (!chart.note.empty()) out += "<p class=\"note\">" + escaped(chart.note) + "</p>";
  return out + "</figure>";
}

std::string draw_bands(const std::vector<Band> &bands, double seconds) {
  std::vector<double> lanes;  // where each is free from
  std::vector<std::size_t> lane_of;
  for (const auto &band : bands) {
    std::size_t lane = 0;
    while (lane < lanes.size() && lanes[lane] > band.from) ++lane;
    if (lane == lanes.size()) lanes.push_back(0);
    lanes[lane] = band.to;
    lane_of.push_back(lane);
  }
  const double height = kTop + kLane * static_cast<double>(lanes.size()) + kBottom;
  std::string out =
      "<figure><figcaption><h3>Spikes</h3><span class=\"note\">numbers as in the table above</span>"
      "</figcaption><svg role=\"img\" viewBox=\"0 0 " +
      px(kWidth) + " " + px(height) + "\" aria-label=\"When each of the " + std::to_string(bands.size()) +
      " spikes acted; the times are in the table above\">";
  for (std::size_t i = 0; i < bands.size(); ++i) {
    const double x = x_of(bands[i].from, seconds), y = kTop + kLane * static_cast<double>(lane_of[i]);
    const double width = std::max(x_of(bands[i].to, seconds) - x, 2.0);
    const std::string label = std::to_string(bands[i].number);
    out += "<rect class=\"spike\" rx=\"3\" x=\"" + px(x) + "\" y=\"" + px(y) + "\" width=\"" + px(width) +
           "\" height=\"" + px(kLane - 4) + "\"><title>" + escaped(bands[i].label) + "</title></rect>";
    if (width > 8.0 * static_cast<double>(label.size()) + 2)
      out += "<text class=\"on-spike\" text-anchor=\"middle\" x=\"" + px(x + width / 2) + "\" y=\"" + px(y + 12) +
             "\">" + label + "</text>";
  }
  return out + time_axis(seconds, height - 7) + "</svg></figure>";
}

}  // namespace avc::results::html
