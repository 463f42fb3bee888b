// Parts of what avchaosudpsink says of itself in its property `stats` (docs/elements/avchaosudpsink.md lists them).
#pragma once

#include <gst/gst.h>

#include <vector>

#include "elements/support/counters.hpp"
#include "elements/udpsink/shared_socket.hpp"

namespace avc::udpsink {

// All but the list `remote`; socket and context may be null.
[[nodiscard]] Ptr<GstStructure> sink_structure(Outlet &outlet, guint64 no_address, const SharedSocket *socket,
                                               const runtime::Context *context);
SinkCounters::Remote counters_of(const Remote &remote);
// The list `remote`: a structure for each SSRC that somebody reported about.
void add_remotes(GstStructure *stats, const std::vector<Remote> &remotes);

}  // namespace avc::udpsink
