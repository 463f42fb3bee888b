// Which bitrates a test prepares, and which of them a reduction gets.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

namespace avc::session {

// The test's own bitrate and about a half, a quarter and an eighth of it (2500: 1200, 600, 300), for reductions that
// nobody has announced.
inline std::vector<std::uint32_t> default_ladder(std::uint32_t kbps) {
  std::vector<std::uint32_t> ladder{kbps};
  for (const double share : {0.48, 0.24, 0.12}) {
    const auto step = static_cast<std::uint32_t>(share * kbps + 0.5);
    if (step >= 50 && step < ladder.back()) ladder.push_back(step);
  }
  return ladder;
}

// The highest prepared rendition not above what was asked for, or the lowest there is.
inline double chosen_rendition(std::vector<double> prepared, double asked_kbps) {
  std::sort(prepared.begin(), prepared.end(), std::greater<>());
  for (const double kbps : prepared) {
    if (kbps <= asked_kbps) return kbps;
  }
  return prepared.empty() ? 0 : prepared.back();
}

}  // namespace avc::session
