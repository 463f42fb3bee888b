// What a machine must offer for a load generator to keep time and lose nothing by itself: kernel batching of UDP,
// socket buffers, open files, processors, a cheap clock. Every finding says what to change.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace avc::tools {

enum class Health { ok, warn, fail };

struct Finding {
  Health health;
  std::string what;    // "receive buffer limit"
  std::string detail;  // "212 992 bytes"
  std::string advice;  // what to change; empty when nothing needs to
};

// `root` stands before /proc and /sys (tests give a folder of their own).
std::vector<Finding> check_files(const std::filesystem::path &root);
// Asks the kernel itself.
std::vector<Finding> check_kernel();
Finding judge_open_files(unsigned long long soft, unsigned long long hard);

}  // namespace avc::tools
