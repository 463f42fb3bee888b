// avchaosudpsink: sends packets by UDP, batched over all sinks of a context (docs/elements/avchaosudpsink.md).
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS
#define AVC_TYPE_UDP_SINK (avc_udp_sink_get_type())
G_DECLARE_FINAL_TYPE(AvcUdpSink, avc_udp_sink, AVC, UDP_SINK, GstElement)
G_END_DECLS
