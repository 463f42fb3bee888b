#include "core/stats/frames.hpp"

#include "tests/check.hpp"

using namespace avc;
using namespace avc::stats;

namespace {

constexpr std::int64_t kTicks = 3000;  // 30 frames a second at 90 kHz

struct Stream {
  FrameAssembler frames;

  // Packet `part` (0, 1 or 2) of frame n, which has three packets; the numbers follow from that.
  void packet(int n, int part, Instant at = {}) {
    frames.add({.number = 3 * n + part,
                .timestamp = n * kTicks,
                .marker = part == 2,
                .begins_frame = n == 0 && part == 0,
                .keyframe = n == 0,
                .at = at});
  }
  void frame(int n, Instant at = {}) {
    for (int part = 0; part < 3; ++part) packet(n, part, at);
  }
  StreamStats stats() const {
    StreamStats stats;
    frames.describe(stats);
    return stats;
  }
  void expect(std::int64_t complete, std::int64_t broken, std::int64_t lost) const {
    const auto s = stats();
    ck_assert_msg(s.frames_complete == complete && s.frames_broken == broken && s.frames_lost == lost,
                  "complete %ld broken %ld lost %ld", static_cast<long>(s.frames_complete),
                  static_cast<long>(s.frames_broken), static_cast<long>(s.frames_lost));
  }
};

}  // namespace

START_TEST(frames_with_all_packets_are_complete) {
  Stream s;
  for (int n = 0; n < 200; ++n) s.frame(n);
  s.expect(200, 0, 0);
  ck_assert_int_eq(s.stats().keyframes_complete, 1);
}
END_TEST

START_TEST(the_newest_frame_is_not_broken_before_it_is_over) {
  Stream s;
  s.frame(0);
  s.packet(1, 0);
  s.expect(1, 0, 0);
  s.packet(2, 0);
  s.expect(1, 1, 0);
}
END_TEST

START_TEST(a_missing_packet_breaks_its_own_frame_only) {
  for (int part = 0; part < 3; ++part) {
    Stream s;
    for (int n = 0; n < 4; ++n) {
      for (int p = 0; p < 3; ++p) {
        if (n != 1 || p != part) s.packet(n, p);
      }
    }
    // Without the first packet of frame 1 it cannot be known where it begins; without the last, frame 2 can.
    s.expect(3, 1, 0);
  }
}
END_TEST

START_TEST(after_a_hole_that_may_hold_its_beginning_a_frame_is_not_complete) {
  Stream s;
  s.frame(0);
  s.packet(1, 0);  // then both the end of frame 1 and the beginning of frame 2 are lost
  s.packet(2, 1);
  s.packet(2, 2);
  s.frame(3);
  s.expect(2, 2, 0);
}
END_TEST

START_TEST(the_payload_may_show_where_a_frame_begins) {
  Stream s;
  s.frame(0);
  s.frames.add({.number = 9, .timestamp = 3 * kTicks, .begins_frame = true});
  s.frames.add({.number = 10, .timestamp = 3 * kTicks, .marker = true});
  ck_assert_int_eq(s.stats().frames_complete, 2);
}
END_TEST

START_TEST(packets_in_any_order_complete_a_frame) {
  Stream s;
  s.packet(0, 0);
  s.packet(0, 2);
  s.packet(1, 2);
  s.packet(0, 1);
  s.packet(1, 0);
  s.expect(1, 0, 0);
  s.packet(1, 1);
  s.expect(2, 0, 0);
}
END_TEST

START_TEST(a_packet_that_comes_late_mends_its_frame_and_its_neighbour) {
  Stream s;
  s.frame(0);
  s.packet(1, 0);
  s.packet(1, 1);
  s.packet(2, 1);
  s.packet(2, 2);
  s.packet(2, 0);  // frame 1's end is still missing: frame 2's beginning is where that was
  s.packet(3, 0);
  s.expect(2, 1, 0);
  s.packet(1, 2);
  s.expect(3, 0, 0);
}
END_TEST

START_TEST(frames_of_which_nothing_came_are_counted_from_the_timestamps) {
  Stream s;
  s.frame(0);
  s.frame(1);
  s.frame(6);  // its first packet says nothing of what is before it
  s.expect(2, 0, 4);
  s.frame(7);
  s.expect(3, 1, 4);
}
END_TEST

START_TEST(frames_the_sender_left_out_are_not_lost) {
  Stream s;
  s.frame(0);
  s.frame(1);
  // The timestamps jump and the numbers do not.
  for (int part = 0; part < 3; ++part) {
    s.frames.add({.number = 6 + part, .timestamp = 10 * kTicks, .marker = part == 2});
  }
  s.expect(3, 0, 0);
}
END_TEST

START_TEST(counts_stay_the_same_when_frames_leave_the_window) {
  Stream s;
  for (int n = 0; n < 1000; ++n) {
    if (n % 10 == 5) continue;  // lost as a whole
    for (int part = 0; part < 3; ++part) {
      if (n % 10 == 7 && part == 1) continue;  // broken
      s.packet(n, part);
    }
  }
  // The frame after a lost one has no known beginning: broken as well.
  s.expect(700, 200, 100);
}
END_TEST

START_TEST(a_gap_of_the_average_plus_150_ms_is_a_freeze) {
  for (const auto &[gap_ms, freezes] : {std::pair{182, 0}, std::pair{183, 1}, std::pair{184, 1}}) {
    FreezeDetector detector;
    Instant at{};
    for (int n = 0; n <= 30; ++n, at = at + from_ms(33)) detector.rendered(at);
    detector.rendered(at + from_ms(gap_ms - 33));
    ck_assert_int_eq(detector.count(), freezes);
    ck_assert(detector.time() == (freezes ? from_ms(gap_ms) : Nanos()));
  }
}
END_TEST

START_TEST(slow_video_freezes_at_three_times_its_average) {
  // At 5 frames a second three averages (600 ms) are more than one average plus 150 ms (350 ms).
  for (const auto &[gap_ms, freezes] : {std::pair{599, 0}, std::pair{600, 1}}) {
    FreezeDetector detector;
    Instant at{};
    for (int n = 0; n <= 30; ++n, at = at + from_ms(200)) detector.rendered(at);
    detector.rendered(at + from_ms(gap_ms - 200));
    ck_assert_int_eq(detector.count(), freezes);
  }
}
END_TEST

START_TEST(a_late_complete_frame_is_not_shown_and_ends_no_freeze) {
  Stream s;
  Instant at{};
  for (int n = 0; n < 10; ++n, at = at + from_ms(33)) s.frame(n, at);
  s.packet(10, 0, at);
  s.packet(10, 1, at);
  s.frame(11, at + from_ms(300));  // shown: after 333 ms
  ck_assert_int_eq(s.stats().freeze_count, 1);
  s.packet(10, 2, at + from_ms(310));
  s.expect(12, 0, 0);
  s.frame(12, at + from_ms(333));
  ck_assert_int_eq(s.stats().freeze_count, 1);
  ck_assert(s.stats().freeze_time == from_ms(333));
}
END_TEST

AVC_TESTS("frames", frames_with_all_packets_are_complete, the_newest_frame_is_not_broken_before_it_is_over,
          a_missing_packet_breaks_its_own_frame_only, after_a_hole_that_may_hold_its_beginning_a_frame_is_not_complete,
          the_payload_may_show_where_a_frame_begins, packets_in_any_order_complete_a_frame,
          a_packet_that_comes_late_mends_its_frame_and_its_neighbour,
          frames_of_which_nothing_came_are_counted_from_the_timestamps, frames_the_sender_left_out_are_not_lost,
          counts_stay_the_same_when_frames_leave_the_window, a_gap_of_the_average_plus_150_ms_is_a_freeze,
          slow_video_freezes_at_three_times_its_average, a_late_complete_frame_is_not_shown_and_ends_no_freeze)
