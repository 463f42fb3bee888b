// report.csv: one row a second, for spreadsheets (RFC 4180, UTF-8, a header line, a point as decimal sign). What
// could not be measured is an empty field.
#pragma once

#include <string>
#include <string_view>

namespace avc::results {

std::string samples_csv(std::string_view report_json);

}  // namespace avc::results
