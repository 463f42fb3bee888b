// The machine a run was made on, for its report: pairs of a name and a line of text. Reads /proc once per call; what
// cannot be found out is left out.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace avc::results {

inline constexpr const char *kProcessor = "Processor";  // name of the line of number and model of the processors

std::vector<std::pair<std::string, std::string>> environment();

}  // namespace avc::results
