// What to send through which impairment, one job per line of standard input:
//
//   OUT PACKETS GAP_NS BYTES SEED [SETTING=VALUE…]
// Packet n of the video of participant 1001 is sent at n * GAP_NS; OUT gets the record.
#pragma once

#include <cstdint>
#include <iostream>
#include <map>
#include <sstream>
#include <string>

#include "core/time.hpp"

namespace avc::oracle {

inline constexpr std::uint32_t kParticipant = 1001;

struct Job {
  std::string out;
  std::uint64_t packets = 0, bytes = 0, seed = 0;
  Nanos gap{};
  std::map<std::string, std::string> settings;

  Instant sent(std::uint64_t packet) const { return {gap * static_cast<std::int64_t>(packet)}; }
};

// False at the end, and at a line that is no job (then `in` is not at its end).
inline bool next_job(std::istream &in, Job &job) {
  std::string line, word;
  if (!std::getline(in, line)) return false;
  std::istringstream words(line);
  std::int64_t gap = 0;
  job = {};
  if (!(words >> job.out >> job.packets >> gap >> job.bytes >> job.seed)) return false;
  job.gap = Nanos(gap);
  while (words >> word) {
    const auto equals = word.find('=');
    if (equals == std::string::npos) return false;
    job.settings.emplace(word.substr(0, equals), word.substr(equals + 1));
  }
  return true;
}

}  // namespace avc::oracle
