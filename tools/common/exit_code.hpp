// How a command ends. The numbers are part of the public interface; their order below is the order of precedence:
// when two things are true of one run, the one listed first is what the shell sees.
#pragma once

#include <stdexcept>
#include <string>

namespace avc::tools {

enum class Exit : int {
  bad_input = 104,
  no_start = 106,
  nothing_arrived = 107,
  generator_overloaded = 110,
  signal = 105,
  stopped = 103,
  threshold = 99,
  warnings = 98,
  ok = 0,
  other = 1,
};

// Which of two outcomes of the same run counts. A number that is not in the list counts as `other`, and loses only
// to those that say something exact about what went wrong.
Exit worse(Exit a, Exit b);
Exit exit_from_number(int number);

// The table for --help and the documentation: one code a line.
std::string exit_codes_help();

// Ends the command; main prints the message as one line on standard error.
class Failure : public std::runtime_error {
 public:
  Failure(Exit how, const std::string &message) : std::runtime_error(message), code(how) {}
  Exit code;
};

}  // namespace avc::tools
