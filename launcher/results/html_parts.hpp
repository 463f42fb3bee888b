// The pieces of report.html that draw: escaping, cells of tables, time axes and line charts as inline SVG; and the
// sections that have a file of their own.
#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "launcher/results/json_view.hpp"

namespace avc::results::html {

std::string escaped(std::string_view text);  // for text and for quoted attributes
std::string clock(double seconds);           // 75.2 -> 1:15
std::string style();                         // the page's style sheet

// A dash where there is no value. fixed(): with all its decimals, so that a column lines up.
std::string figure(const std::optional<double> &value, int decimals = 2);
std::string fixed(const std::optional<double> &value, int decimals);
std::string tile(std::string_view label, const std::optional<double> &value, std::string_view unit, int decimals);
std::string fact(std::string_view label, const std::string &value);  // nothing without a value
std::string cell(const std::string &markup);
std::string numeric(const std::string &markup);
std::string head(std::initializer_list<std::string_view> names, std::size_t numeric_from = 99);

std::string subscribers(const View &report);  // a section; nothing where there are none

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
