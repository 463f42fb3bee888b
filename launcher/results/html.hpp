// report.html: one file without scripts or anything loaded from elsewhere, to be read in a browser, printed, or sent.
// It is made from report.json alone, so that what the page says can be checked there, and a stored report of an
// earlier run gives the same page. Every text in it is escaped.
#pragma once

#include <string>
#include <string_view>

namespace avc::results {

std::string report_html(std::string_view report_json);

}  // namespace avc::results
