// What rtpqualityprobe says of one stream, taken out while a lock is held and made into a GstStructure when none is.
// Names are those of W3C webrtc-stats in kebab-case.
#pragma once

#include <gst/gst.h>

#include <span>

#include "core/net/packet.hpp"
#include "core/stats/stream_stats.hpp"

namespace avc::probe {

struct Row {
  std::uint32_t ssrc = 0;
  guint participant_id = 0, payload_type = 0;
  net::Stream media = net::Stream::other;
  stats::StreamStats stats;
};

// The list `streams`.
void add_streams(GstStructure *to, std::span<const Row> rows);

}  // namespace avc::probe
