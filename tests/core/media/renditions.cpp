// Rendition choice, frame drops and the composition of several spikes at one source.
#include "core/media/frame_dropper.hpp"
#include "core/media/ladder.hpp"
#include "core/media/source_effects.hpp"
#include "tests/check.hpp"

using namespace avc;
using namespace avc::media;
using namespace std::chrono_literals;

START_TEST(a_limit_picks_the_highest_rendition_not_above_it) {
  const std::array<double, 4> kbps{2500, 1200, 600, 300};
  ck_assert_uint_eq(pick_rendition(kbps, 0), 0);
  ck_assert_uint_eq(pick_rendition(kbps, 9000), 0);
  ck_assert_uint_eq(pick_rendition(kbps, 2499), 1);
  ck_assert_uint_eq(pick_rendition(kbps, 1000), 2);
  ck_assert_uint_eq(pick_rendition(kbps, 600), 2);
  ck_assert_uint_eq(pick_rendition(kbps, 10), 3);
}
END_TEST

START_TEST(a_transition_walks_through_the_renditions_in_equal_steps) {
  ck_assert_uint_eq(rendition_on_the_way(0, 3, 0s, 3s), 0);
  ck_assert_uint_eq(rendition_on_the_way(0, 3, 999ms, 3s), 0);
  ck_assert_uint_eq(rendition_on_the_way(0, 3, 1001ms, 3s), 1);
  ck_assert_uint_eq(rendition_on_the_way(0, 3, 2001ms, 3s), 2);
  ck_assert_uint_eq(rendition_on_the_way(0, 3, 3s, 3s), 3);
  ck_assert_uint_eq(rendition_on_the_way(3, 1, 1600ms, 3s), 2);
  ck_assert_uint_eq(rendition_on_the_way(0, 3, 0s, 0s), 3);
}
END_TEST

START_TEST(the_share_of_frames_dropped_is_the_share_asked_for) {
  for (const double percent : {0.0, 1.0, 30.0, 50.0, 90.0, 97.0, 98.0, 100.0}) {
    FrameDropper dropper(1.0 / 30, 0.4);
    int dropped = 0, keyframes_dropped = 0;
    for (int n = 0; n < 3000; ++n) {
      const bool keyframe = n % 30 == 0;
      const bool gone = dropper.drop(percent, keyframe);
      dropped += gone;
      keyframes_dropped += gone && keyframe;
    }
    ck_assert_msg(std::abs(dropped - 30 * percent) <= 2, "%g %%: %d of 3000", percent, dropped);
    if (percent < 96) ck_assert_int_eq(keyframes_dropped, 0);
  }
}
END_TEST

START_TEST(several_spikes_compose_and_each_ends_alone) {
  SourceEffects effects;
  spike::SourceEffect base;
  base.frame_drop_percent = 10;
  ck_assert(effects.put("a", {.max_bitrate_kbps = 600, .transition = 2s, .frame_drop_percent = 50}));
  ck_assert(effects.put("b", {.max_bitrate_kbps = 300, .audio_silence = true}));
  ck_assert(!effects.put("a", {.frame_drop_percent = 99}));  // a second start of the same spike

  auto all = effects.over(base);
  ck_assert_double_eq_tol(all.frame_drop_percent, 55, 1e-9);
  ck_assert_double_eq(*all.max_bitrate_kbps, 300);
  ck_assert(all.transition == 0s);
  ck_assert(all.audio_silence);

  ck_assert(effects.remove("b"));
  all = effects.over(base);
  ck_assert_double_eq(*all.max_bitrate_kbps, 600);
  ck_assert(all.transition == 2s);
  ck_assert(!all.audio_silence);

  ck_assert(effects.remove("a"));
  ck_assert(!effects.remove("a"));
  ck_assert(effects.over(base) == base);
}
END_TEST

AVC_TESTS("media renditions", a_limit_picks_the_highest_rendition_not_above_it,
          a_transition_walks_through_the_renditions_in_equal_steps, the_share_of_frames_dropped_is_the_share_asked_for,
          several_spikes_compose_and_each_ends_alone)
