// The pieces of report.html that draw: escaping, time axes and line charts as inline SVG.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace avc::results::html {

std::string escaped(std::string_view text);  // for text and for quoted attributes
std::string clock(double seconds);           // 75.2 -> 1:15
std::string style();                         // the page's style sheet

struct Band {  // a spike on the time axis
  double from = 0, to = 0;
  int number = 0;  // of its row in the table of spikes
  std::string label;
};

struct Series {
  std::string name;
  std::vector<std::optional<double>> values;  // one per point of Chart::times; a gap where there is none
};

struct Chart {
  std::string id, title, unit, note;
  double low = 0;                // where the value axis begins
  std::optional<double> high;    // and ends; without one it ends above the largest value
  bool lowest_is_worst = false;  // which value stands for a group, when there are more seconds than pixels
  std::vector<double> times;
  std::vector<Series> series;
};

std::string draw(const Chart &chart, const std::vector<Band> &bands, double seconds);
std::string draw_bands(const std::vector<Band> &bands, double seconds);  // one lane for each that overlaps another

}  // namespace avc::results::html
