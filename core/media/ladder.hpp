// The bit rates a clip was prepared in, and which of them a limit picks. A limit that comes with a transition walks
// down through the renditions in equal steps of time; the walk ends at the rendition the limit picks.
#pragma once

#include <cstddef>
#include <span>

#include "core/time.hpp"

namespace avc::media {

// `kbps` falls from the best rendition to the smallest. A limit of 0 is none. The smallest when none is low enough.
inline std::size_t pick_rendition(std::span<const double> kbps, double limit_kbps) {
  if (limit_kbps <= 0) return 0;
  for (std::size_t i = 0; i < kbps.size(); ++i)
    if (kbps[i] <= limit_kbps) return i;
  return kbps.empty() ? 0 : kbps.size() - 1;
}

// Where a walk from one rendition to another stands `elapsed` after its start.
inline std::size_t rendition_on_the_way(std::size_t from, std::size_t to, Nanos elapsed, Nanos transition) {
  if (from == to || transition <= Nanos(0) || elapsed >= transition) return to;
  if (elapsed < Nanos(0)) return from;
  const std::size_t steps = from < to ? to - from : from - to;
  const auto done = static_cast<std::size_t>(to_seconds(elapsed) / to_seconds(transition) * static_cast<double>(steps));
  return from < to ? from + done : from - done;
}

}  // namespace avc::media
