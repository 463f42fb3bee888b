// The bin that a participant is in. It keeps its streams' beginnings and ends to itself: a pipeline looks for the same
// message of all other children whenever one comes, and of thousands that begin in one second that takes as long as
// their media does.
#pragma once

#include <gst/gst.h>

namespace avc::session {

GstElement *new_participant_bin(const char *name);  // floating

}  // namespace avc::session
