// An encoder that leaves out frames: which of the video frames are never sent.
//
// The share of frames dropped is the share that was asked for, to the frame, over any stretch of the stream. Frames
// are dropped evenly, as an encoder does that lowers its frame rate. Keyframes are kept as long as the others are
// enough to reach the share, so that a decoder recovers at each of them.
#pragma once

#include <algorithm>
#include <cmath>

namespace avc::media {

class FrameDropper {
 public:
  // `keyframe_share`: keyframes / all frames of the clip; `phase` in [0, 1) differs between participants.
  explicit FrameDropper(double keyframe_share = 0, double phase = 0)
      : keyframe_share_(keyframe_share), owed_{phase, phase} {}

  bool drop(double percent, bool keyframe) {
    if (percent <= 0) return false;
    double &owed = owed_[keyframe ? 1 : 0];
    owed += share_of(percent / 100, keyframe);
    if (owed < 1) return false;
    owed -= 1;
    return true;
  }

 private:
  double share_of(double asked, bool keyframe) const {
    const double others = 1 - keyframe_share_;
    if (!keyframe) return others > 0 ? std::min(1.0, asked / others) : 0;
    return keyframe_share_ > 0 ? std::clamp((asked - others) / keyframe_share_, 0.0, 1.0) : 0;
  }

  double keyframe_share_;
  double owed_[2];
};

}  // namespace avc::media
