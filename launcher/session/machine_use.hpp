// What the kernel says of this process and of the machine it runs on: /proc, getrusage, and the container's cpu.stat.
// Readings are taken once a second; what happened between two is a results::MachineUse.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>

#include "launcher/results/samples.hpp"

namespace avc::session {

struct MachineReading {
  struct Thread {
    std::string name;
    double ran_seconds = 0, waited_seconds = 0;
  };
  double at = 0;  // seconds on a clock of the caller's
  unsigned processors = 1;
  double own_cpu_seconds = 0, machine_cpu_seconds = 0, steal_seconds = 0, throttled_seconds = 0;
  std::uint64_t involuntary_switches = 0;
  std::map<std::string, Thread> senders;  // by thread id
};

// `root`: where /proc and /sys are, for tests. What cannot be read counts as nothing.
MachineReading read_machine(double at, const std::filesystem::path &root = "/");

results::MachineUse use_between(const MachineReading &before, const MachineReading &now);

}  // namespace avc::session
