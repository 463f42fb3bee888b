// Parts of what avchaosudpsink says of itself in its property `stats` (docs/elements/avchaosudpsink.md lists them).
#pragma once

#include <gst/gst.h>

#include <map>

#include "elements/udpsink/outlet.hpp"

namespace avc::udpsink {

[[nodiscard]] Ptr<GstStructure> errors_structure(const runtime::ErrnoCounts &counts);
// The list `remote`: a structure for each SSRC that somebody reported about.
void add_remotes(GstStructure *stats, const std::map<std::uint32_t, Remote> &remotes);

}  // namespace avc::udpsink
