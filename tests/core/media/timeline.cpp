#include "core/media/timeline.hpp"

#include "tests/check.hpp"

using namespace avc;
using namespace avc::media;
using namespace std::chrono_literals;

namespace {

// 30 frames a second, a keyframe every second, `frames` of them.
ClipTiming clip_30fps(int frames) {
  ClipTiming clip;
  for (int i = 0; i < frames; ++i) {
    clip.video.push_back(Nanos(1'000'000'000LL * i / 30));
    if (i % 30 == 0) clip.keyframes.push_back(static_cast<std::uint32_t>(i));
  }
  clip.length = Nanos(1'000'000'000LL * frames / 30);
  return clip;
}

Nanos distance(Nanos a, Nanos b) { return a > b ? a - b : b - a; }

// The distance on a circle of the clip's length.
Nanos apart(Nanos a, Nanos b, Nanos length) { return std::min(distance(a, b), length - distance(a, b)); }

struct Fault {
  Nanos worst_av{};          // between an audio frame's place in the clip and the picture's at the same moment
  Nanos worst_video_step{};  // away from 1/30 s
  std::uint64_t loops = 0, ticks = 0;
};

Fault play(Timeline &timeline, const ClipTiming &clip, std::uint64_t loops) {
  Fault fault;
  std::optional<Tick> video, audio;
  while (auto tick = timeline.peek()) {
    timeline.advance();
    ++fault.ticks;
    fault.loops = std::max(fault.loops, tick->loop);
    if (fault.loops >= loops) break;
    if (tick->medium == Medium::video) {
      if (video) {
        ck_assert(tick->at > video->at);
        fault.worst_video_step = std::max(fault.worst_video_step, distance(tick->at - video->at, Nanos(33'333'333)));
      }
      video = tick;
      continue;
    }
    if (audio) ck_assert_int_eq((tick->at - audio->at).count(), kAudioFrame.count());
    ck_assert(tick->index < clip.audio_frames());
    audio = tick;
    if (!video) continue;
    const Nanos picture = clip.video[video->index] + (tick->at - video->at);
    fault.worst_av = std::max(fault.worst_av, apart(picture % clip.length, kAudioFrame * tick->index, clip.length));
  }
  return fault;
}

}  // namespace

START_TEST(a_hundred_loops_keep_audio_within_half_a_frame_of_the_picture) {
  for (const int frames : {60, 61, 77, 151, 815}) {  // most are not a whole number of 20 ms
    const ClipTiming clip = clip_30fps(frames);
    Timeline timeline(clip, {}, true);
    const Fault fault = play(timeline, clip, 101);
    ck_assert_uint_ge(fault.loops, 100);
    ck_assert_msg(fault.worst_av <= 10ms + Nanos(2), "%d frames: %g ms", frames, to_ms(fault.worst_av));
    ck_assert_int_le(fault.worst_video_step.count(), 2);  // the seam is as long as any other frame
  }
}
END_TEST

START_TEST(a_clip_of_whole_audio_frames_plays_every_audio_frame_once_per_loop) {
  const ClipTiming clip = clip_30fps(60);
  Timeline timeline(clip, {}, true);
  std::vector<int> played(clip.audio_frames());
  std::uint32_t expected = 0;
  for (int n = 0; n < 3 * 160; ++n, timeline.advance()) {
    const auto tick = timeline.peek();
    if (tick->medium != Medium::audio) continue;
    ck_assert_uint_eq(tick->index, expected);
    expected = (expected + 1) % clip.audio_frames();
    ++played[tick->index];
  }
  for (const int times : played) ck_assert_int_eq(times, 3);
}
END_TEST

START_TEST(a_clip_that_does_not_loop_ends_after_its_last_frame) {
  const ClipTiming clip = clip_30fps(45);
  Timeline timeline(clip, {}, false);
  int video = 0, audio = 0;
  for (; auto tick = timeline.peek(); timeline.advance()) ++(tick->medium == Medium::video ? video : audio);
  ck_assert_int_eq(video, 45);
  ck_assert_int_eq(audio, 75);
}
END_TEST

START_TEST(a_jump_moves_audio_and_video_alike_and_leaves_the_output_line_alone) {
  const ClipTiming clip = clip_30fps(151);
  Timeline timeline(clip, {}, true);
  for (int n = 0; n < 1000; ++n) {
    if (n % 37 == 0) {
      const auto before = timeline.peek();
      timeline.jump_to_keyframe();
      ck_assert(timeline.peek()->at == before->at);
      ck_assert(!timeline.jump_to_keyframe());  // the next one is a keyframe now
    }
    timeline.advance();
  }
  const Fault fault = play(timeline, clip, 120);
  ck_assert(fault.worst_av <= 10ms + Nanos(2));
  ck_assert_int_le(fault.worst_video_step.count(), 2);
}
END_TEST

START_TEST(the_access_unit_after_a_jump_is_the_next_keyframe_also_across_the_seam) {
  const ClipTiming clip = clip_30fps(60);
  Timeline timeline(clip, {}, true);
  const auto next_video = [&] {
    while (timeline.peek()->medium != Medium::video) timeline.advance();
    return *timeline.peek();
  };
  next_video();
  timeline.advance();
  ck_assert(timeline.jump_to_keyframe());
  ck_assert_uint_eq(next_video().index, 30);
  timeline.advance();
  next_video();
  ck_assert(timeline.jump_to_keyframe());
  ck_assert_uint_eq(next_video().index, 0);
  ck_assert_uint_eq(next_video().loop, 1);
}
END_TEST

START_TEST(a_clip_that_does_not_loop_has_nothing_to_jump_to_after_its_last_keyframe) {
  const ClipTiming clip = clip_30fps(45);
  Timeline timeline(clip, {1s, 0ms}, false);
  while (timeline.peek()->medium != Medium::video) timeline.advance();
  timeline.advance();
  ck_assert(!timeline.jump_to_keyframe());
}
END_TEST

START_TEST(a_start_in_the_middle_begins_with_the_keyframe_before_it) {
  const ClipTiming clip = clip_30fps(150);
  Timeline timeline(clip, {2500ms, 40ms}, true);
  const auto tick = timeline.peek();
  ck_assert(tick->medium == Medium::video);
  ck_assert_uint_eq(tick->index, 60);
  ck_assert(tick->at == 40ms);
  const Fault fault = play(timeline, clip, 3);
  ck_assert(fault.worst_av <= 10ms + Nanos(2));
}
END_TEST

START_TEST(participants_start_spread_over_a_second_and_over_the_clip) {
  const ClipTiming clip = clip_30fps(150);
  std::array<int, 10> tenths{}, groups{};
  for (std::uint32_t id = 1001; id < 1101; ++id) {
    const StartPoint start = spread_start(clip, id);
    ck_assert(start.delay >= 0s && start.delay < 1s);
    ++tenths[static_cast<std::size_t>(start.delay / 100ms)];
    ++groups[static_cast<std::size_t>(start.position / 1s)];
  }
  for (const int n : tenths) ck_assert(n >= 8 && n <= 12);
  for (std::size_t g = 0; g < 5; ++g) ck_assert(groups[g] >= 12 && groups[g] <= 28);
}
END_TEST

AVC_TESTS("media timeline", a_hundred_loops_keep_audio_within_half_a_frame_of_the_picture,
          a_clip_of_whole_audio_frames_plays_every_audio_frame_once_per_loop,
          a_clip_that_does_not_loop_ends_after_its_last_frame,
          a_jump_moves_audio_and_video_alike_and_leaves_the_output_line_alone,
          the_access_unit_after_a_jump_is_the_next_keyframe_also_across_the_seam,
          a_clip_that_does_not_loop_has_nothing_to_jump_to_after_its_last_keyframe,
          a_start_in_the_middle_begins_with_the_keyframe_before_it,
          participants_start_spread_over_a_second_and_over_the_clip)
