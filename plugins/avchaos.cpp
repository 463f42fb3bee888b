// The plugin `avchaos`: registers the elements, nothing else.
#include <gst/gst.h>

#include "elements/avchaossrc.hpp"
#include "elements/avchaosudpsink.hpp"
#include "elements/chaosdegrader.hpp"
#include "elements/participanttagger.hpp"
#include "elements/rtpqualityprobe.hpp"
#include "elements/spikescheduler.hpp"

static gboolean plugin_init(GstPlugin *plugin) {
  const struct {
    const char *name;
    GType type;
  } elements[] = {
      {"avchaossrc", AVC_TYPE_CHAOS_SRC},
      {"chaosdegrader", AVC_TYPE_CHAOS_DEGRADER},
      {"avchaosudpsink", AVC_TYPE_UDP_SINK},
      {"participanttagger", AVC_TYPE_PARTICIPANT_TAGGER},
      {"rtpqualityprobe", AVC_TYPE_RTP_QUALITY_PROBE},
      {"spikescheduler", AVC_TYPE_SPIKE_SCHEDULER},
  };
  for (const auto &[name, type] : elements) {
    if (!gst_element_register(plugin, name, GST_RANK_NONE, type)) return FALSE;
  }
  return TRUE;
}

#define PACKAGE "gst-avchaos"
GST_PLUGIN_DEFINE(GST_VERSION_MAJOR, GST_VERSION_MINOR, avchaos,
                  "Simulated conference participants with scheduled network chaos, and what arrived of them",
                  plugin_init, AVC_VERSION, "LGPL", "gst-avchaos", "https://gstreamer.freedesktop.org/")
