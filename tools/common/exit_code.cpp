#include "tools/common/exit_code.hpp"

#include <algorithm>
#include <array>

namespace avc::tools {
namespace {

struct Row {
  Exit code;
  const char *meaning;
};

constexpr std::array<Row, 10> kRows{{
    {Exit::bad_input, "bad scenario or arguments"},
    {Exit::no_start, "could not start (port in use, no server, no capacity, target refused by policy)"},
    {Exit::nothing_arrived, "nothing arrived at the receiver, or the set-up failed"},
    {Exit::generator_overloaded, "the generator itself was overloaded: the result says nothing about the system"},
    {Exit::signal, "stopped by a signal (the report is still written)"},
    {Exit::stopped, "stopped over REST by somebody else"},
    {Exit::threshold, "a threshold failed, or had no data"},
    {Exit::warnings, "warnings only, with --strict"},
    {Exit::ok, "passed"},
    {Exit::other, "anything else"},
}};

// `other` is listed last for readers, but a run that went wrong is worse than one that passed.
std::size_t rank(Exit code) {
  const auto at = std::find_if(kRows.begin(), kRows.end(), [&](const Row &row) { return row.code == code; });
  const auto place = static_cast<std::size_t>(at - kRows.begin());
  return code == Exit::ok ? kRows.size() : place;
}

}  // namespace

Exit worse(Exit a, Exit b) { return rank(a) <= rank(b) ? a : b; }

Exit exit_from_number(int number) {
  const auto at =
      std::find_if(kRows.begin(), kRows.end(), [&](const Row &row) { return static_cast<int>(row.code) == number; });
  return at == kRows.end() ? Exit::other : at->code;
}

std::string exit_codes_help() {
  std::string text = "Exit codes, in order of precedence:\n";
  for (const Row &row : kRows) {
    const std::string number = std::to_string(static_cast<int>(row.code));
    text += std::string(5 - number.size(), ' ') + number + "  " + row.meaning + "\n";
  }
  return text;
}

}  // namespace avc::tools
