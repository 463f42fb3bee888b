// rtpqualityprobe: measures what RTP streams are like at this point (docs/elements/rtpqualityprobe.md).
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS
#define AVC_TYPE_RTP_QUALITY_PROBE (avc_rtp_quality_probe_get_type())
G_DECLARE_FINAL_TYPE(AvcRtpQualityProbe, avc_rtp_quality_probe, AVC, RTP_QUALITY_PROBE, GstElement)
G_END_DECLS
