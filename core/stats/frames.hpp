// Video frames put together from packets by RTP timestamp, marker and sequence continuity alone; nothing is decoded,
// and a frame whose references are missing counts as complete when its own packets are there.
//
// Where a frame begins is known from the packet before it, or from the payload (an access unit delimiter, parameter
// sets, the first slice of a picture). What cannot be shown to be complete is broken. Packets may come in any order
// within the last kFrames frames.
#pragma once

#include <array>
#include <vector>

#include "core/stats/stream_stats.hpp"

namespace avc::stats {

struct FramePacket {
  std::int64_t number = 0;  // sequence number and timestamp, extended
  std::int64_t timestamp = 0;
  bool marker = false;        // the last packet of its frame
  bool begins_frame = false;  // the payload says that nothing of the frame comes before it
  bool keyframe = false;
  Instant at{};
};

// A freeze by W3C webrtc-stats: an interval between two rendered frames of at least max(3 * avg, avg + 150 ms), avg
// being the mean of the last 30 intervals. As in libwebrtc, none is called before five intervals are known.
class FreezeDetector {
 public:
  void rendered(Instant at);
  void restart() { *this = FreezeDetector(count_, time_); }
  std::int64_t count() const { return count_; }
  Nanos time() const { return time_; }

  FreezeDetector() = default;

 private:
  static constexpr std::size_t kIntervals = 30, kEnough = 5;

  FreezeDetector(std::int64_t count, Nanos time) : count_(count), time_(time) {}

  std::array<Nanos, kIntervals> intervals_{};
  std::size_t known_ = 0, next_ = 0;
  Nanos sum_{};
  bool any_ = false;
  Instant last_{};
  std::int64_t count_ = 0;
  Nanos time_{};
};

class FrameAssembler {
 public:
  static constexpr std::size_t kFrames = 64;

  void add(const FramePacket &packet);
  void restart();  // numbers and timestamps begin anew; what is open is over
  void describe(StreamStats &stats) const;

 private:
  struct Frame {
    std::int64_t timestamp = 0;
    std::int64_t first = 0, last = 0;  // lowest and highest number seen
    std::int32_t packets = 0;
    bool begins = false;  // the packet `first` begins the frame
    bool marker = false;  // the packet `last` ends it
    bool keyframe = false;
    bool complete = false;
  };

  std::size_t frame_for(const FramePacket &packet);  // its index; frames_.size() when it is too old
  bool start_known(std::size_t index) const;
  void check(std::size_t index, Instant at);
  std::int64_t lost_before(std::size_t index) const;  // whole frames missing between it and the one before
  void settle(std::size_t count);

  std::vector<Frame> frames_;  // by timestamp; the first one may be settled already, kept for what follows it
  bool front_settled_ = false;
  std::int64_t interval_ = 0;  // between two frames without a hole, in timestamp units
  std::int64_t complete_ = 0, keyframes_ = 0, broken_ = 0, lost_ = 0;
  std::int64_t rendered_ = 0;  // timestamp of the newest frame that was complete
  bool any_rendered_ = false;
  FreezeDetector freezes_;
};

}  // namespace avc::stats
