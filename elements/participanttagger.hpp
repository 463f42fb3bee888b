// participanttagger: marks RTP packets as one participant's (docs/elements/participanttagger.md).
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS
#define AVC_TYPE_PARTICIPANT_TAGGER (avc_participant_tagger_get_type())
G_DECLARE_FINAL_TYPE(AvcParticipantTagger, avc_participant_tagger, AVC, PARTICIPANT_TAGGER, GstElement)
G_END_DECLS
