#include "core/stats/frames.hpp"

#include <algorithm>

namespace avc::stats {

void FreezeDetector::rendered(Instant at) {
  if (any_) {
    const Nanos interval = at - last_;
    if (known_ >= kEnough) {
      const Nanos average = sum_ / static_cast<Nanos::rep>(known_);
      if (interval >= std::max(3 * average, average + from_ms(150))) {
        ++count_;
        time_ += interval;
      }
    }
    sum_ += interval - intervals_[next_];
    intervals_[next_] = interval;
    next_ = (next_ + 1) % kIntervals;
    known_ = std::min(known_ + 1, kIntervals);
  }
  any_ = true;
  last_ = at;
}

std::size_t FrameAssembler::frame_for(const FramePacket &packet) {
  std::size_t at = frames_.size();
  while (at > 0 && frames_[at - 1].timestamp > packet.timestamp) --at;
  if (at > 0 && frames_[at - 1].timestamp == packet.timestamp) {
    return at - 1 == 0 && front_settled_ ? frames_.size() : at - 1;
  }
  if (at == 0 && front_settled_) return frames_.size();
  if (frames_.size() == kFrames) {
    settle(kFrames / 2);
    return frame_for(packet);
  }
  Frame frame;
  frame.timestamp = packet.timestamp;
  frame.first = frame.last = packet.number;
  frames_.insert(frames_.begin() + static_cast<std::ptrdiff_t>(at), frame);
  return at;
}

bool FrameAssembler::start_known(std::size_t index) const {
  const Frame &frame = frames_[index];
  if (frame.begins) return true;
  if (index == 0) return false;
  const Frame &before = frames_[index - 1];
  // One packet missing after a frame that has no end: it is that frame's end.
  return frame.first == before.last + 1 || (frame.first == before.last + 2 && !before.marker);
}

void FrameAssembler::check(std::size_t index, Instant at) {
  if (index >= frames_.size() || (index == 0 && front_settled_)) return;
  Frame &frame = frames_[index];
  if (frame.complete || !frame.marker || frame.packets != frame.last - frame.first + 1 || !start_known(index)) return;
  frame.complete = true;
  ++complete_;
  keyframes_ += frame.keyframe;
  // A frame that is complete only after a later one was shown is not shown any more.
  if (any_rendered_ && frame.timestamp < rendered_) return;
  any_rendered_ = true;
  rendered_ = frame.timestamp;
  freezes_.rendered(at);
}

void FrameAssembler::add(const FramePacket &packet) {
  if (frames_.capacity() == 0) frames_.reserve(kFrames);
  const std::size_t index = frame_for(packet);
  if (index == frames_.size()) return;
  Frame &frame = frames_[index];
  ++frame.packets;
  if (packet.number <= frame.first) {
    frame.first = packet.number;
    frame.begins = packet.begins_frame;
  }
  if (packet.number >= frame.last) {
    frame.last = packet.number;
    frame.marker = packet.marker;
  }
  frame.keyframe |= packet.keyframe;
  if (index > 0 && frame.first == frames_[index - 1].last + 1) {
    interval_ = frame.timestamp - frames_[index - 1].timestamp;
  }
  check(index, packet.at);
  check(index + 1, packet.at);  // its beginning may be known now
}

std::int64_t FrameAssembler::lost_before(std::size_t index) const {
  if (index == 0 || interval_ <= 0) return 0;
  const Frame &frame = frames_[index], &before = frames_[index - 1];
  const std::int64_t missing_packets = frame.first - before.last - 1;
  if (missing_packets <= 0) return 0;
  const std::int64_t frames = (frame.timestamp - before.timestamp + interval_ / 2) / interval_ - 1;
  return std::clamp<std::int64_t>(frames, 0, missing_packets);
}

// The oldest `count` frames are over. The last of them stays in front, to tell where the next one begins.
void FrameAssembler::settle(std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    lost_ += lost_before(i);
    if (i > 0 || !front_settled_) broken_ += !frames_[i].complete;
  }
  if (count == 0) return;
  frames_.erase(frames_.begin(), frames_.begin() + static_cast<std::ptrdiff_t>(count - 1));
  front_settled_ = true;
}

void FrameAssembler::restart() {
  settle(frames_.size());
  frames_.clear();
  front_settled_ = false;
  any_rendered_ = false;
  interval_ = 0;
  freezes_.restart();
}

void FrameAssembler::describe(StreamStats &stats) const {
  stats.frames_complete = complete_;
  stats.keyframes_complete = keyframes_;
  stats.frames_broken = broken_;
  stats.frames_lost = lost_;
  stats.freeze_count = freezes_.count();
  stats.freeze_time = freezes_.time();
  for (std::size_t i = 0; i < frames_.size(); ++i) {
    stats.frames_lost += lost_before(i);
    const bool open = i + 1 == frames_.size() || (i == 0 && front_settled_);
    if (!open) stats.frames_broken += !frames_[i].complete;
  }
}

}  // namespace avc::stats
