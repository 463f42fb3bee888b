// What a viewer says of what it gets, and what follows: its RTCP is read where it comes out of SRTP, packets are noted
// where they leave webrtcbin, and from both comes the rendition that the path carries (core/rate/adaptive_sender.hpp).
//
// NACK, PLI and FIR are answered by webrtcbin itself: by the RTP session's retransmissions, of which no more are let
// through than the path can take, and by a request for a keyframe that reaches the source.
//
// Called on webrtcbin's threads and the one that pushes, which may all be at work at once; figures() on the main
// context.
#pragma once

#include <gst/gst.h>

#include <optional>
#include <vector>

#include "core/rate/adaptive_sender.hpp"
#include "core/runtime/guarded.hpp"
#include "launcher/results/samples.hpp"
#include "launcher/webrtc/sdp.hpp"

namespace avc::webrtc {

class Feedback {
 public:
  Feedback(std::uint32_t participant, const Streams &streams);
  Feedback(const Feedback &) = delete;
  Feedback &operator=(const Feedback &) = delete;

  // What it taps has to be at rest before it goes.
  void hear(GstElement *dtlssrtpdec);
  void note_what_leaves(GstPad *pad);
  void limit_repairs(GstElement *rtprtxsend);
  // Before media flows. `source` lives as long as what is tapped. Not adaptive: it says what it would do, and does not.
  void begin(GstElement *source, bool adaptive);

  results::FarSide figures() const;

 private:
  struct State {
    std::optional<rate::AdaptiveSender> sender;  // from begin() on
    std::vector<double> renditions;              // kbps, as the source calls them
    bool adaptive = false;
  };
  void rtcp(GstBuffer *buffer);
  void leaving(GstBuffer *buffer);
  bool may_repair(GstEvent *request);

  const std::uint32_t participant_;
  const unsigned audio_payload_type_;     // 128: none
  const unsigned video_ext_, audio_ext_;  // ids of the transport-wide sequence number; 0: none
  GstElement *source_ = nullptr;
  mutable Guarded<State> state_;
};

}  // namespace avc::webrtc
