// spikescheduler: sends a schedule of chaos along with the media (docs/elements/spikescheduler.md).
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS
#define AVC_TYPE_SPIKE_SCHEDULER (avc_spike_scheduler_get_type())
G_DECLARE_FINAL_TYPE(AvcSpikeScheduler, avc_spike_scheduler, AVC, SPIKE_SCHEDULER, GstElement)
G_END_DECLS
