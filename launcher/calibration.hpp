// What a packet costs on this machine, as `avchaos doctor --calibrate` measured it and left it in a file. A file of
// another machine, or one that cannot be read, is not believed: the guess of capacity.hpp then stands.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "launcher/config.hpp"
#include "launcher/session/capacity.hpp"

namespace avc::launcher {

struct Calibration {
  session::PacketCost cost;
  std::string path;     // of the file that was believed; empty: none
  std::string warning;  // why one that is there was not
};

// The first of the files that is there. `machine`: the processor line of results::environment().
Calibration find_calibration(const std::vector<std::string> &paths, const std::string &machine,
                             const ReadFile &read_file);

}  // namespace avc::launcher
