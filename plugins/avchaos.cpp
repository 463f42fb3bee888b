// The plugin `avchaos`: registers the elements, nothing else.
#include <gst/gst.h>

static gboolean plugin_init(GstPlugin *) { return TRUE; }

#define PACKAGE "gst-avchaos"
GST_PLUGIN_DEFINE(GST_VERSION_MAJOR, GST_VERSION_MINOR, avchaos,
                  "Simulated conference participants with scheduled network chaos, and what arrived of them",
                  plugin_init, AVC_VERSION, "LGPL", "gst-avchaos", "https://gstreamer.freedesktop.org/")
