// Which access unit and which audio frame of a clip are due when, over any number of loops.
//
// Two time lines meet here. The output line starts with the stream, never jumps and never goes back: RTP timestamps
// and deadlines are taken from it. The position runs through the clip, wraps at the clip's length, and may be moved
// forward (to the next keyframe) for audio and video together. Both lines are kept in whole nanoseconds for all
// time, so nothing adds up: after any number of loops audio is within half an audio frame of its picture.
//
// The clip's video decides its length, which need not be a whole number of audio frames. Audio frames always leave
// exactly 20 ms apart; at the seam the one nearest to the position is taken.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "core/time.hpp"

namespace avc::media {

inline constexpr Nanos kAudioFrame = std::chrono::milliseconds(20);

struct ClipTiming {
  Nanos length{};                        // of one loop, > 0
  std::vector<Nanos> video;              // ascending, >= 0, < length; may be empty
  std::vector<std::uint32_t> keyframes;  // indices into video, ascending

  std::uint32_t audio_frames() const;  // how many it takes to fill the length
};

struct StartPoint {
  Nanos position{};  // where in the clip; moved back to a keyframe
  Nanos delay{};     // the output line is this long empty first
};

// A place and a delay of at most a second that differ between participants, so that their keyframes do not coincide.
StartPoint spread_start(const ClipTiming &clip, std::uint32_t participant);

enum class Medium : std::uint8_t { video, audio };

struct Tick {
  Medium medium = Medium::video;
  Nanos at{};               // on the output line
  std::uint32_t index = 0;  // access unit or audio frame of the clip
  std::uint64_t loop = 0;   // how often the clip was played to its end before
};

class Timeline {
 public:
  Timeline(const ClipTiming &clip, StartPoint start, bool loop);  // the clip must outlive it

  std::optional<Tick> peek() const;  // the next one due; none when a clip that does not loop is over
  void advance();                    // past what peek() gave

  // Moves audio and video forward so that the next access unit is a keyframe, at the time the next one would have
  // had. False when it is one already, or when none follows.
  bool jump_to_keyframe();

 private:
  std::optional<Tick> peek_video() const;
  std::optional<Tick> peek_audio() const;
  Nanos video_position(std::uint64_t loop, std::uint32_t index) const;

  const ClipTiming *clip_;
  Nanos delay_;
  Nanos shift_;  // position - (output time - delay)
  bool loop_;
  std::uint64_t video_loop_ = 0;
  std::uint32_t video_index_ = 0;
  std::uint64_t audio_number_ = 0;
};

}  // namespace avc::media
