// The end of a run in text, made from report.json: injected against measured for every spike (before, during, after),
// totals of both sides, the generator's own health, thresholds, warnings and the verdict. Also the plan of a run that
// has not begun.
#pragma once

#include <string>

#include "tools/common/json.hpp"
#include "tools/render/text.hpp"

namespace avc::tools::render {

std::string report_text(Json report, std::size_t columns, const Paint &paint);
std::string plan_text(Json plan, std::size_t columns, const Paint &paint);
std::string joining(Json plan);                                                  // ", joining over 30 s", or nothing
std::string verdict_line(Json report, std::size_t columns, const Paint &paint);  // "PASSED: every threshold held"

}  // namespace avc::tools::render
