// What a packet costs on this machine: two runs of daemons of our own, and its processor time over its packets.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

namespace avc::tools {

struct CalibrationRuns {
  std::uint32_t participants = 200;
  double seconds = 5;  // of each of the two runs
};

struct PacketCosts {
  double sender = 0, receiver = 0;  // seconds of processor time
  std::string machine;              // as the daemon names it
  std::uint32_t participants = 0;
};

// Where the daemon looks: AVCHAOS_CALIBRATION, or calibration.json in the state directory of this user.
std::filesystem::path calibration_path();

// Throws Failure.
PacketCosts measure_packet_costs(const CalibrationRuns &runs);

std::string calibration_json(const PacketCosts &costs, const std::string &measured_at);

}  // namespace avc::tools
