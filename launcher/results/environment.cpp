#include "launcher/results/environment.hpp"

#include <sys/utsname.h>

#include <fstream>
#include <string_view>
#include <thread>

#include "launcher/results/text.hpp"

namespace avc::results {
namespace {

// What follows "name :" in the first such line of a file of /proc.
std::string line_of(const char *file, std::string_view name) {
  std::ifstream lines(file);
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with(name)) continue;
    const auto from = line.find_first_not_of(" \t", line.find(':') + 1);
    return from == std::string::npos ? "" : line.substr(from);
  }
  return {};
}

}  // namespace

std::vector<std::pair<std::string, std::string>> environment() {
  std::vector<std::pair<std::string, std::string>> out{{"gst-avchaos", AVC_VERSION}};
  const std::string processor = line_of("/proc/cpuinfo", "model name");
  out.emplace_back(kProcessor, std::to_string(std::thread::hardware_concurrency()) + " × " +
                                   (processor.empty() ? "unknown" : processor));
  const std::string memory = line_of("/proc/meminfo", "MemTotal");  // "16384000 kB"
  if (!memory.empty()) out.emplace_back("Memory", number(std::strtod(memory.c_str(), nullptr) / 1048576, 1) + " GiB");
  if (utsname system{}; uname(&system) == 0)
    out.emplace_back("Kernel", std::string(system.sysname) + " " + system.release + " " + system.machine);
  return out;
}

}  // namespace avc::results
