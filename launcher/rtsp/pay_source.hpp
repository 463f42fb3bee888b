// Where one stream's ready RTP packets come into an RTSP media: an appsrc with what the server asks payloaders for. To
// a client that comes when others play it tells where the stream is, which it reads off the last packet.
#pragma once

#include <gst/app/gstappsrc.h>

namespace avc::rtsp {

struct PayType {
  guint payload_type = 0, clock_rate = 0;
};

GstAppSrc *new_pay_source(const char *name, PayType type);  // floating

// Never waits: what nobody takes for some seconds goes, the oldest first.
void push_packet(GstAppSrc *source, GstBuffer *packet);

}  // namespace avc::rtsp
