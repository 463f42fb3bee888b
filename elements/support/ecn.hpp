// Explicit congestion notification on buffers: a packet's IP type-of-service byte as a GstNetControlMessageMeta.
// avchaosudpsink sends what such a meta says.
#pragma once

#include <gst/gst.h>

#include <optional>

#include "core/net/packet.hpp"
#include "elements/support/ptr.hpp"

namespace avc {

std::optional<int> type_of_service(GstBuffer *buffer);  // nothing without a meta

net::Ecn ecn_of(GstBuffer *buffer);  // not_capable without a meta

// The same packet, marked "congestion experienced" (RFC 3168); its DSCP stays what a meta says, or 0.
[[nodiscard]] Ptr<GstBuffer> with_ce(Ptr<GstBuffer> buffer);

}  // namespace avc
