// avchaossrc: the coded frames, or ready RTP, of one simulated participant (docs/elements/avchaossrc.md).
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS
#define AVC_TYPE_CHAOS_SRC (avc_chaos_src_get_type())
G_DECLARE_FINAL_TYPE(AvcChaosSrc, avc_chaos_src, AVC, CHAOS_SRC, GstElement)
G_END_DECLS
