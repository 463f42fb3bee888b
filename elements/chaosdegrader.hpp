// chaosdegrader: a network link in user space (docs/elements/chaosdegrader.md).
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS
#define AVC_TYPE_CHAOS_DEGRADER (avc_chaos_degrader_get_type())
G_DECLARE_FINAL_TYPE(AvcChaosDegrader, avc_chaos_degrader, AVC, CHAOS_DEGRADER, GstElement)
G_END_DECLS
