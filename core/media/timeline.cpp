#include "core/media/timeline.hpp"

#include <algorithm>
#include <cassert>

namespace avc::media {
namespace {

constexpr Nanos kLongestDelay = std::chrono::seconds(1);

// Multiples of the golden ratio's fraction fill [0, 1) evenly however many are taken (32 bit fixed point).
std::uint32_t golden(std::uint32_t n) { return n * 2654435769u; }

Nanos scaled(Nanos span, std::uint32_t fraction) {
  return Nanos(static_cast<Nanos::rep>((static_cast<unsigned __int128>(span.count()) * fraction) >> 32));
}

}  // namespace

std::uint32_t ClipTiming::audio_frames() const {
  return static_cast<std::uint32_t>((length + kAudioFrame - Nanos(1)) / kAudioFrame);
}

StartPoint spread_start(const ClipTiming &clip, std::uint32_t participant) {
  if (clip.keyframes.empty()) return {Nanos(0), scaled(kLongestDelay, golden(participant))};
  const auto keys = clip.keyframes.size();
  // The delay walks through one group of pictures, the position through the groups: another multiplier, so that the
  // two are not tied to each other.
  const auto key = static_cast<std::size_t>((std::uint64_t{participant * 0x85ebca6bu} * keys) >> 32);
  const Nanos group = keys > 1 ? clip.video[clip.keyframes[1]] - clip.video[clip.keyframes[0]] : clip.length;
  return {clip.video[clip.keyframes[key]], scaled(std::min(group, kLongestDelay), golden(participant))};
}

Timeline::Timeline(const ClipTiming &clip, StartPoint start, bool loop)
    : clip_(&clip), delay_(start.delay), shift_(0), loop_(loop) {
  assert(clip.length > Nanos(0));
  const Nanos wanted = start.position % clip.length;
  for (const std::uint32_t key : clip.keyframes) {
    if (clip.video[key] > wanted) break;
    video_index_ = key;
    shift_ = clip.video[key];
  }
  if (clip.keyframes.empty()) shift_ = wanted;
}

Nanos Timeline::video_position(std::uint64_t loop, std::uint32_t index) const {
  return clip_->length * static_cast<Nanos::rep>(loop) + clip_->video[index];
}

std::optional<Tick> Timeline::peek_video() const {
  if (clip_->video.empty() || (!loop_ && video_loop_ > 0)) return std::nullopt;
  return Tick{Medium::video, delay_ + video_position(video_loop_, video_index_) - shift_, video_index_, video_loop_};
}

std::optional<Tick> Timeline::peek_audio() const {
  const Nanos since_start = kAudioFrame * static_cast<Nanos::rep>(audio_number_);
  const Nanos position = since_start + shift_;
  if (!loop_ && position >= clip_->length) return std::nullopt;
  const Nanos within = position % clip_->length;
  const Nanos::rep nearest = (within + kAudioFrame / 2) / kAudioFrame;
  const bool wraps = kAudioFrame * nearest >= clip_->length;
  return Tick{Medium::audio, delay_ + since_start, wraps ? 0 : static_cast<std::uint32_t>(nearest),
              static_cast<std::uint64_t>(position / clip_->length)};
}

std::optional<Tick> Timeline::peek() const {
  const auto video = peek_video();
  const auto audio = peek_audio();
  if (!video || !audio) return video ? video : audio;
  return video->at <= audio->at ? video : audio;
}

void Timeline::advance() {
  const auto tick = peek();
  if (!tick) return;
  if (tick->medium == Medium::audio) {
    ++audio_number_;
    return;
  }
  if (++video_index_ < clip_->video.size()) return;
  video_index_ = 0;
  ++video_loop_;
}

bool Timeline::jump_to_keyframe() {
  if (!peek_video() || clip_->keyframes.empty()) return false;
  const auto &keys = clip_->keyframes;
  const auto next = std::lower_bound(keys.begin(), keys.end(), video_index_);
  if (next != keys.end() && *next == video_index_) return false;
  if (next == keys.end() && !loop_) return false;
  const Nanos before = video_position(video_loop_, video_index_);
  if (next == keys.end()) ++video_loop_;
  video_index_ = next == keys.end() ? keys.front() : *next;
  shift_ += video_position(video_loop_, video_index_) - before;
  return true;
}

}  // namespace avc::media
