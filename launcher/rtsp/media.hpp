// The participant's side of gst-rtsp-server: a factory whose media are chains (chain.hpp), shared by all who watch.
#pragma once

// GStreamer's own headers narrow.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
#include <gst/rtsp-server/rtsp-server.h>
#pragma GCC diagnostic pop

#include "launcher/rtsp/mounts.hpp"

namespace avc::rtsp {

// `mounts` outlives it. None can be made for a participant that is not there (any more): the client gets an error.
GstRTSPMediaFactory *new_factory(Mounts &mounts, const Path &path);

}  // namespace avc::rtsp
