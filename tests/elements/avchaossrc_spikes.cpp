// avchaossrc carries out spikes at the times they name, and everything is as before when they end.
#include <gst/video/video.h>

#include "tests/elements/source_clip.hpp"

using namespace avc;
using namespace avc::test;

namespace {

constexpr GstClockTime ms(gint64 n) { return static_cast<GstClockTime>(n) * GST_MSECOND; }

// All that is to be seen of the packets from `from` on.
std::string written(const Sent &sent, GstClockTime from, GstClockTime to) {
  std::string text;
  for (const auto &list : sent.lists) {
    for (const SentPacket &packet : list) {
      if (packet.pts < from || packet.pts >= to) continue;
      text += std::to_string(packet.pts) + " " + std::to_string(packet.header.ssrc) + " " +
              std::to_string(packet.header.sequence) + " " + std::to_string(packet.header.timestamp) + " " +
              std::to_string(packet.header.marker + 2 * packet.delta + 4 * packet.headers) + " " + packet.payload +
              "\n";
    }
  }
  return text;
}

struct Kind {
  const char *type;
  spike::Params params;
};
const Kind kKinds[] = {{"participant_leave", {}},
                       {"audio_silence", {}},
                       {"bitrate_reduce", {{"new_bitrate_kbps", 200.0}}},
                       {"bitrate_reduce", {{"new_bitrate_kbps", 100.0}}},
                       {"blackout", {}}};

}  // namespace

GST_START_TEST(who_leaves_sends_gaps_and_comes_back_with_a_keyframe_numbered_as_if_it_had_stayed) {
  Sent plain, sent;
  {
    SourceBench bench(source_text() + "s.rtp ! " + kSink);
    bench.keep_from("rtp", plain);
    bench.play();
    bench.advance_to(ms(6000));
  }
  SourceBench bench(source_text() + "s.rtp ! " + kSink);
  bench.keep_from("rtp", sent);
  bench.play();
  start_spike(bench, "rtp", "l", "participant_leave", ms(1500), {}, ms(3300));
  bench.advance_to(ms(2000));
  const auto away = bench.stats();
  ck_assert_str_eq(gst_structure_get_string(away.get(), "state"), "left");
  // Nobody who is away answers.
  gst_pad_send_event(bench.pad("rtp").get(), gst_video_event_new_upstream_force_key_unit(GST_CLOCK_TIME_NONE, TRUE, 1));
  bench.advance_to(ms(6000));
  const auto back = bench.stats();
  ck_assert_str_eq(gst_structure_get_string(back.get(), "state"), "running");

  ck_assert(written(sent, 0, ms(1500)) == written(plain, 0, ms(1500)));
  ck_assert(written(sent, ms(1500), ms(3300)).empty());
  ck_assert_uint_eq(frames_between(sent, ms(3300), ms(4000), 1001001), 35);  // audio at once
  ck_assert_uint_eq(frames_between(sent, ms(3300), ms(4000)), 0);            // video with the keyframe at 4 s
  ck_assert(written(sent, ms(4000), ms(6000)) == written(plain, ms(4000), ms(6000)));
  std::size_t gaps = 0;
  for (const auto &event : sent.events) gaps += event == "gap";
  ck_assert_uint_eq(gaps, (45 + 90) + 17);
  ck_assert_uint_eq(bench.stat("frames-withheld"), gaps);
  ck_assert_uint_eq(bench.stat("frames-sent"), 150 - 45 - 17);
  ck_assert_uint_eq(bench.stat("audio-frames-sent"), 300 - 90);
  ck_assert_uint_eq(bench.stat("key-unit-jumps"), 0);
}
GST_END_TEST;

GST_START_TEST(after_any_two_spikes_every_packet_is_as_without_them) {
  constexpr const char *kMedia = "renditions=300,150,80 s.rtp ! ";
  Sent plain;
  SourceBench without(source_text() + kMedia + kSink);
  without.keep_from("rtp", plain);
  without.play();
  without.advance_to(ms(6000));
  for (const Kind &one : kKinds) {
    for (const Kind &two : kKinds) {
      Sent sent;
      SourceBench bench(source_text() + kMedia + kSink);
      bench.keep_from("rtp", sent);
      bench.play();
      start_spike(bench, "rtp", "one", one.type, ms(1100), one.params, ms(2500));
      start_spike(bench, "rtp", "two", two.type, ms(1700), two.params);
      bench.advance_to(ms(3100));
      end_spike(bench, "rtp", "two", ms(3100));
      bench.advance_to(ms(6000));
      // A rendition lasts to the next keyframe; numbers differ by what smaller pictures took fewer of.
      const auto after = packets_of(sent, 1001000), expected = packets_of(plain, 1001000);
      ck_assert_uint_gt(after.size(), 50);
      for (std::size_t i = 1; after[after.size() - i].pts >= ms(4000); ++i) {
        const SentPacket &a = after[after.size() - i], &e = expected[expected.size() - i];
        ck_assert_msg(a.payload == e.payload && a.pts == e.pts && a.header.timestamp == e.header.timestamp, "%s and %s",
                      one.type, two.type);
      }
      const auto sound = packets_of(sent, 1001001), same = packets_of(plain, 1001001);
      for (std::size_t i = 1; sound[sound.size() - i].pts >= ms(3200); ++i) {
        const SentPacket &a = sound[sound.size() - i], &e = same[same.size() - i];
        ck_assert(a.payload == e.payload && a.pts == e.pts && a.header.sequence == e.header.sequence);
      }
      assert_no_hole(std::vector(after.end() - 20, after.end()));
    }
  }
}
GST_END_TEST;

GST_START_TEST(a_spike_told_ahead_begins_and_ends_at_its_times_unless_it_is_ended_before) {
  Sent sent;
  SourceBench bench(source_text() + "s.audio_0 ! " + kSink);
  bench.keep_from("audio_0", sent);
  bench.play();
  start_spike(bench, "audio_0", "a", "audio_silence", ms(100), {}, ms(200));
  start_spike(bench, "audio_0", "b", "audio_silence", ms(300), {}, ms(400));
  start_spike(bench, "audio_0", "never", "audio_silence", ms(500), {}, ms(600));
  bench.advance_to(ms(340));
  end_spike(bench, "audio_0", "b", ms(340));
  end_spike(bench, "audio_0", "never", ms(340));
  bench.advance_to(ms(700));
  for (const SentPacket &packet : packets_of(sent, 1001001)) {
    const bool quiet =
        (packet.pts >= ms(100) && packet.pts < ms(200)) || (packet.pts >= ms(300) && packet.pts < ms(340));
    ck_assert_msg((packet.payload == "\xf8\xff\xfe") == quiet, "at %d ms", int(packet.pts / ms(1)));
  }
}
GST_END_TEST;

AVC_GST_TESTS("avchaossrc_spikes", who_leaves_sends_gaps_and_comes_back_with_a_keyframe_numbered_as_if_it_had_stayed,
              after_any_two_spikes_every_packet_is_as_without_them,
              a_spike_told_ahead_begins_and_ends_at_its_times_unless_it_is_ended_before)
