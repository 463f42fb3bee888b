// The figures that a spike is about, one row each: what was injected, and what the receiver measured before, during and
// after. They are what every form of the report shows of a spike: report.json, report.html and the terminal.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "launcher/results/samples.hpp"

namespace avc::results {

struct Figure {
  std::string name, unit;  // for people: "loss", "%"
  int decimals = 1;
  std::optional<double> injected, before, during, after;
};

// Those of the spike's type, and of what people see and hear (whole frames, freezes, MOS) those that changed.
// Empty until the spike has begun and ended.
std::vector<Figure> figures_of(const SpikeRecord &spike);

// Another spike acted on some of its participants in one of its windows: the numbers are not this spike's alone.
bool mixed(const SpikeRecord &spike);

// Parts separated by "; ": "loss 10.2 %; delay 3 ms", "loss 10.1 % (before 0, after 0)". Empty until the spike's window
// is closed.
std::string injected_text(const SpikeRecord &spike);
std::string measured_text(const SpikeRecord &spike);

}  // namespace avc::results
