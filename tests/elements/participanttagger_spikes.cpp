// participanttagger carries out spikes: SSRC changes, jumps, leaving, floods; and everything is as before when they
// end.
#include "tests/elements/rtp_packets.hpp"

#include <gst/video/video.h>

#include <map>
#include <set>

#include "core/rtp/extension.hpp"
#include "core/rtp/rtcp.hpp"
#include "elements/support/chaos_events.hpp"

using namespace avc;
using namespace avc::test;

namespace {

constexpr const char *kMixedCaps = "application/x-rtp";
constexpr const char *kVideoCaps = "application/x-rtp,media=video,payload=96,clock-rate=90000,ssrc=(uint)1";
constexpr guint kVideo = 1001000, kAudio = 1001001, kFlood = 1001002;

constexpr GstClockTime ms(gint64 n) { return static_cast<GstClockTime>(n) * GST_MSECOND; }

// What came out, in order, with what RTP and RTCP say.
struct Out {
  GstClockTime pts = 0;
  bool rtcp = false;
  rtp::Header header{};
  Octets bytes;
};

// A tagger that gets a video and an audio packet every 20 ms; each tenth video packet is a keyframe's.
struct Bench {
  Ptr<GstHarness> h;
  std::vector<Out> out;
  GstClockTime next = 0;

  explicit Bench(const std::string &properties = "rtcp-interval-ms=0", const char *caps = kMixedCaps)
      : h(harness_of("participanttagger participant-id=1001 " + properties)) {
    gst_harness_set_src_caps_str(h.get(), caps);
  }

  void start(const std::string &id, const std::string &type, GstClockTime at, GstClockTime end = GST_CLOCK_TIME_NONE,
             spike::Params params = {}) {
    gst_harness_push_upstream_event(
        h.get(), give(make_event(SpikeStart{id, type, at, end, std::move(params)}, Direction::upstream)));
  }
  void end(const std::string &id, GstClockTime at) {
    gst_harness_push_upstream_event(h.get(), give(make_event(SpikeEnd{id, at}, Direction::upstream)));
  }

  void push(std::uint8_t payload_type, std::uint16_t n, bool delta) {
    const std::uint32_t rate = payload_type == 111 ? 48 : 90;
    auto buffer = packet_of({{payload_type, false, false, static_cast<std::uint16_t>(65500 + n),
                              static_cast<std::uint32_t>(4294900000u + n * 20u * rate), 1},
                             100,
                             ms(n * 20)});
    if (delta) GST_BUFFER_FLAG_SET(buffer.get(), GST_BUFFER_FLAG_DELTA_UNIT);
    ck_assert_int_eq(gst_harness_push(h.get(), give(std::move(buffer))), GST_FLOW_OK);
  }
  void play_until(GstClockTime time, bool audio = true) {
    for (; next < time; next += ms(20)) {
      const auto n = static_cast<std::uint16_t>(next / ms(20));
      push(96, n, n % 10 != 0);
      if (audio) push(111, n, false);
    }
    while (auto buffer = take(gst_harness_try_pull(h.get()))) {
      Out one{GST_BUFFER_PTS(buffer.get())};
      one.bytes = bytes_of(buffer.get());
      one.rtcp = rtp::classify(one.bytes) == rtp::Datagram::rtcp;
      if (!one.rtcp) one.header = header_of(one.bytes);
      out.push_back(std::move(one));
    }
  }
  std::vector<Out> of(guint ssrc, GstClockTime from = 0, GstClockTime to = GST_CLOCK_TIME_NONE) const {
    std::vector<Out> some;
    for (const Out &one : out)
      if (!one.rtcp && one.header.ssrc == ssrc && one.pts >= from && one.pts < to) some.push_back(one);
    return some;
  }
  guint64 stat(const char *field) const { return avc::test::stat(h->element, field); }
};

std::vector<Octets> bytes_between(const Bench &bench, GstClockTime from, GstClockTime to) {
  std::vector<Octets> all;
  for (const Out &one : bench.out)
    if (one.pts >= from && one.pts < to) all.push_back(one.bytes);
  return all;
}

struct Kind {
  const char *type;
  spike::Params params;
};
const Kind kKinds[] = {{"ssrc_change", {}},
                       {"ssrc_change", {{"media", "audio"}}},
                       {"timestamp_jump", {{"jump_ms", -90000.0}}},
                       {"timestamp_jump", {{"jump_ms", 12.5}, {"media", "video"}}},
                       {"sequence_jump", {{"packets", 65535.0}}},
                       {"sequence_jump", {{"packets", 33000.0}, {"media", "audio"}}},
                       {"participant_leave", {}},
                       {"packet_flood", {}},
                       {"rtp_packet_loss", {}}};

}  // namespace

GST_START_TEST(an_ssrc_changes_exactly_at_its_time_and_back) {
  Bench b;
  b.start("s", "ssrc_change", ms(100), ms(200));
  b.play_until(ms(300));
  for (const auto &[own, other] : {std::pair(kVideo, kVideo + 10), std::pair(kAudio, kAudio + 10)}) {
    ck_assert_uint_eq(b.of(own, 0, ms(100)).size(), 5);
    ck_assert_uint_eq(b.of(other).size(), 5);
    ck_assert(b.of(other).front().pts == ms(100) && b.of(other).back().pts == ms(180));
    ck_assert_uint_eq(b.of(own, ms(200)).size(), 5);
  }
  const auto first = b.of(kVideo + 10).front();
  ck_assert_uint_eq(first.header.sequence, 65505);  // numbers go on
  ck_assert(rtp::find_participant(header_of(first.bytes)) == 1001u);
}
GST_END_TEST;

GST_START_TEST(two_ssrc_changes_at_once_are_two_steps_and_each_ends_alone) {
  Bench b;
  b.start("a", "ssrc_change", ms(20), ms(80));
  b.start("b", "ssrc_change", ms(40), ms(120), {{"media", "video"}});
  b.play_until(ms(160));
  std::vector<guint> video, audio;
  for (const Out &one : b.out) (one.header.payload_type == 96 ? video : audio).push_back(one.header.ssrc % 1000);
  ck_assert((video == std::vector<guint>{0, 10, 20, 20, 10, 10, 0, 0}));
  ck_assert((audio == std::vector<guint>{1, 11, 11, 11, 1, 1, 1, 1}));
}
GST_END_TEST;

GST_START_TEST(timestamps_jump_by_the_clock_of_each_stream_and_wrap) {
  for (const double jump : {1000.0, -1000.0, 3600000.0, -3600000.0, 12.5, 0.0}) {
    Bench b;
    b.start("t", "timestamp_jump", ms(100), ms(200), {{"jump_ms", jump}});
    b.play_until(ms(300));
    for (const auto &[ssrc, rate] : {std::pair(kVideo, 90), std::pair(kAudio, 48)}) {
      const auto all = b.of(ssrc);
      ck_assert_uint_eq(all.size(), 15);
      for (std::size_t i = 0; i < all.size(); ++i) {
        const auto shift = i >= 5 && i < 10 ? static_cast<std::int64_t>(jump * rate) : 0;
        ck_assert_uint_eq(all[i].header.timestamp,
                          static_cast<std::uint32_t>(std::int64_t{4294900000} + std::int64_t(i) * 20 * rate + shift));
      }
    }
  }
}
GST_END_TEST;

GST_START_TEST(sequence_numbers_jump_and_come_back_without_a_hole_of_their_own) {
  Bench b;
  b.start("q", "sequence_jump", ms(100), ms(200), {{"packets", 40000.0}, {"media", "video"}});
  b.play_until(ms(300));
  const auto video = b.of(kVideo), audio = b.of(kAudio);
  for (std::size_t i = 0; i < 15; ++i) {
    const auto shift = i >= 5 && i < 10 ? 40000u : 0u;
    ck_assert_uint_eq(video[i].header.sequence, static_cast<std::uint16_t>(65500 + i + shift));
    ck_assert_uint_eq(audio[i].header.sequence, static_cast<std::uint16_t>(65500 + i));
  }
}
GST_END_TEST;

// Every type, alone and with every other (its like as well), overlapping, one inside the other, and cancelled.
GST_START_TEST(after_any_two_spikes_every_byte_is_as_without_them) {
  Bench plain("rtcp-interval-ms=0");
  plain.play_until(ms(1200));
  const auto expected = bytes_between(plain, ms(600), ms(1200));
  ck_assert_uint_eq(expected.size(), 60);
  for (const Kind &one : kKinds) {
    for (const Kind &two : kKinds) {
      for (const GstClockTime second_ends : {ms(250), ms(500)}) {
        Bench b("rtcp-interval-ms=0");
        b.start("one", one.type, ms(100), ms(400), one.params);
        b.play_until(ms(200));
        b.start("two", two.type, ms(200), GST_CLOCK_TIME_NONE, two.params);
        b.play_until(second_ends);
        b.end("two", second_ends);
        b.play_until(ms(1200));
        ck_assert_msg(bytes_between(b, ms(600), ms(1200)) == expected, "%s and %s", one.type, two.type);
        ck_assert(bytes_between(b, 0, ms(100)) == bytes_between(plain, 0, ms(100)));
      }
    }
  }
}
GST_END_TEST;

GST_START_TEST(an_end_before_the_planned_one_counts_and_the_planned_one_no_more) {
  Bench b;
  b.start("s", "sequence_jump", ms(100), ms(200), {{"packets", 7.0}});
  b.start("never", "ssrc_change", ms(140), ms(300));
  b.end("never", ms(130));  // cancelled before it began
  b.play_until(ms(140));
  b.end("s", ms(140));
  b.start("s", "sequence_jump", ms(180), ms(240), {{"packets", 100.0}});  // the name is used again
  b.play_until(ms(300));
  std::vector<int> shifts;
  for (const auto &one : b.of(kVideo))
    shifts.push_back(static_cast<std::uint16_t>(one.header.sequence - 65500 - one.pts / ms(20)));
  ck_assert((shifts == std::vector<int>{0, 0, 0, 0, 0, 7, 7, 0, 0, 100, 100, 100, 0, 0, 0}));
}
GST_END_TEST;

GST_START_TEST(caps_of_one_medium_name_the_ssrc_that_is_in_use) {
  Bench b("rtcp-interval-ms=0", kVideoCaps);
  b.start("s", "ssrc_change", ms(40), ms(80));
  b.play_until(ms(120), false);
  std::vector<guint> ssrcs;
  while (auto event = take(gst_harness_try_pull_event(b.h.get()))) {
    if (GST_EVENT_TYPE(event.get()) != GST_EVENT_CAPS) continue;
    GstCaps *caps = nullptr;
    guint ssrc = 0;
    gst_event_parse_caps(event.get(), &caps);
    gst_structure_get_uint(gst_caps_get_structure(caps, 0), "ssrc", &ssrc);
    ssrcs.push_back(ssrc);
  }
  ck_assert((ssrcs == std::vector<guint>{kVideo, kVideo + 10, kVideo}));
}
GST_END_TEST;

GST_START_TEST(sender_reports_follow_the_ssrc_and_count_for_each) {
  Bench b("rtcp-interval-ms=100");
  b.start("s", "ssrc_change", ms(200), ms(400), {{"media", "video"}});
  b.start("t", "timestamp_jump", ms(200), ms(400), {{"jump_ms", 500.0}, {"media", "video"}});
  b.play_until(ms(600));
  std::map<guint, std::vector<std::uint32_t>> counts;
  for (const Out &one : b.out) {
    if (!one.rtcp) continue;
    rtp::RtcpReader reader(one.bytes);
    const auto report = rtp::read_report(*reader.next());
    ck_assert(report && report->info);
    counts[report->sender_ssrc].push_back(report->info->packets);
    if (report->sender_ssrc / 10 == kAudio / 10 && report->sender_ssrc % 10 == 1) continue;
    const std::uint32_t jumped = report->sender_ssrc == kVideo + 10 ? 500 * 90 : 0;
    ck_assert_uint_eq(report->info->rtp_timestamp,
                      static_cast<std::uint32_t>(4294900000u + one.pts / ms(20) * 1800 + jumped));
  }
  ck_assert((counts[kVideo] == std::vector<std::uint32_t>{1, 6, 11, 16}));
  ck_assert((counts[kVideo + 10] == std::vector<std::uint32_t>{1, 6}));
  ck_assert((counts[kAudio] == std::vector<std::uint32_t>{1, 6, 11, 16, 21, 26}));
}
GST_END_TEST;

GST_START_TEST(who_leaves_says_goodbye_for_each_stream_sends_nothing_and_returns_with_a_keyframe) {
  Bench b("rtcp-interval-ms=60000");
  b.start("l", "participant_leave", ms(100), ms(300));
  b.play_until(ms(200));
  gboolean left = FALSE;
  GstStructure *raw = nullptr;
  g_object_get(b.h->element, "stats", &raw, nullptr);
  const auto stats = take(raw);
  ck_assert(gst_structure_get_boolean(stats.get(), "left", &left) && left);
  b.play_until(ms(600));
  std::vector<guint> goodbyes;
  for (const Out &one : b.out) {
    if (one.pts < ms(100)) continue;
    if (!one.rtcp) continue;
    ck_assert(one.pts == ms(100));
    rtp::RtcpReader reader(one.bytes);
    const auto report = reader.next();
    ck_assert(report && report->kind == rtp::RtcpKind::sr);
    ck_assert_uint_eq(rtp::read_report(*report)->info->packets, 5);
    ck_assert(reader.next()->kind == rtp::RtcpKind::sdes);
    const auto bye = reader.next();
    ck_assert(bye && bye->kind == rtp::RtcpKind::bye && !reader.next() && !reader.malformed());
    for (const guint ssrc : {kVideo, kAudio})
      if (rtp::bye_names(*bye, ssrc)) goodbyes.push_back(ssrc);
  }
  ck_assert((goodbyes == std::vector<guint>{kVideo, kAudio}));
  ck_assert_uint_eq(b.of(kVideo, ms(100), ms(400)).size() + b.of(kAudio, ms(100), ms(300)).size(), 0);
  ck_assert(b.of(kAudio, ms(300)).front().pts == ms(300));
  ck_assert(b.of(kVideo, ms(300)).front().pts == ms(400));  // n = 20 is a keyframe
  ck_assert_uint_eq(b.of(kVideo, ms(300)).front().header.sequence, static_cast<std::uint16_t>(65500 + 20));
  ck_assert_uint_eq(b.stat("withheld"), 10 + 10 + 5);
}
GST_END_TEST;

GST_START_TEST(who_falls_silent_or_sends_no_reports_says_no_goodbye) {
  for (const auto &[properties, bye] : {std::pair("rtcp-interval-ms=60000", "false"), {"rtcp-interval-ms=0", "true"}}) {
    Bench b(properties);
    b.start("l", "participant_leave", ms(100), ms(200), {{"bye", bye}});
    b.play_until(ms(400));
    for (const Out &one : b.out) ck_assert(!one.rtcp || one.pts == 0);
  }
}
GST_END_TEST;

GST_START_TEST(downstream_hears_that_time_goes_on_and_a_live_encoder_that_a_keyframe_is_wanted) {
  Bench b;
  b.start("l", "participant_leave", ms(100), ms(300));
  b.play_until(ms(400));
  GstClockTime last = 0;
  int gaps = 0;
  while (auto event = take(gst_harness_try_pull_event(b.h.get()))) {
    if (GST_EVENT_TYPE(event.get()) != GST_EVENT_GAP) continue;
    gst_event_parse_gap(event.get(), &last, nullptr);
    ++gaps;
  }
  ck_assert_int_eq(gaps, 25);
  ck_assert(last == ms(380));
  int asked = 0;
  while (auto event = take(gst_harness_try_pull_upstream_event(b.h.get())))
    asked += gst_video_event_is_force_key_unit(event.get());
  ck_assert_int_eq(asked, 1);
}
GST_END_TEST;

GST_START_TEST(gaps_move_time_so_that_a_goodbye_needs_no_packet) {
  Bench b("rtcp-interval-ms=60000");
  b.play_until(ms(100));
  b.start("l", "participant_leave", ms(100), ms(300));
  gst_harness_push_event(b.h.get(), gst_event_new_gap(ms(100), ms(20)));
  b.play_until(ms(100));
  ck_assert(b.out.back().rtcp && b.out.back().pts == ms(100));
}
GST_END_TEST;

GST_START_TEST(a_flood_has_its_rate_its_size_and_numbers_of_its_own) {
  for (const auto &extension : {"extension=rfc3550", "extension=rfc8285", "extension=none"}) {
    Bench b(std::string("rtcp-interval-ms=0 ") + extension);
    b.start("f", "packet_flood", ms(100), ms(1110), {{"packets_per_second", 300.0}, {"packet_bytes", 200.0}});
    b.play_until(ms(2000));
    const auto flood = b.of(kFlood);
    ck_assert_uint_eq(flood.size(), 303);  // 1.01 s of it
    for (std::size_t i = 0; i < flood.size(); ++i) {
      ck_assert_uint_eq(flood[i].bytes.size(), 200);
      ck_assert_uint_eq(flood[i].header.payload_type, 127);
      ck_assert_uint_eq(flood[i].header.sequence, static_cast<std::uint16_t>(flood[0].header.sequence + i));
      ck_assert(flood[i].pts >= ms(100) && flood[i].pts <= ms(1120));
    }
    ck_assert_uint_eq(b.of(kVideo).size() + b.of(kAudio).size(), 200);
    ck_assert_uint_eq(b.stat("flood-packets"), 303);
    ck_assert_uint_eq(b.stat("packets"), 200);
  }
}
GST_END_TEST;

GST_START_TEST(a_flood_uses_buffers_again_but_never_one_that_somebody_still_has) {
  Bench b;
  b.start("f", "packet_flood", 0, GST_CLOCK_TIME_NONE, {{"packets_per_second", 50.0}});
  std::set<GstBuffer *> seen;
  std::vector<Ptr<GstBuffer>> kept;
  for (std::uint16_t n = 0; n < 100; ++n) {
    b.push(96, n, true);
    while (auto buffer = take(gst_harness_try_pull(b.h.get()))) {
      if (header_of(bytes_of(buffer.get())).ssrc != kFlood) continue;
      if (n < 50) {
        seen.insert(buffer.get());
      } else {  // half of them as a copy, which shares the header's memory
        kept.push_back(n % 2 ? take(gst_buffer_copy(buffer.get())) : std::move(buffer));
      }
    }
  }
  ck_assert_uint_eq(seen.size(), 1);
  ck_assert_uint_eq(kept.size(), 50);
  for (std::size_t i = 1; i < kept.size(); ++i)
    ck_assert_uint_eq(header_of(bytes_of(kept[i].get())).sequence,
                      static_cast<std::uint16_t>(header_of(bytes_of(kept[0].get())).sequence + i));
}
GST_END_TEST;

GST_START_TEST(after_a_stall_a_flood_catches_up_with_a_tenth_of_a_second_only) {
  Bench b;
  b.start("f", "packet_flood", 0, GST_CLOCK_TIME_NONE, {{"packets_per_second", 1000.0}});
  b.play_until(ms(40));
  b.next = ms(10000);
  b.play_until(ms(10020));
  ck_assert_uint_eq(b.of(kFlood, ms(10000)).size(), 100);
  ck_assert_uint_eq(b.stat("flood-skipped"), 10000 - 20 - 100);
}
GST_END_TEST;

AVC_GST_TESTS("participanttagger_spikes", an_ssrc_changes_exactly_at_its_time_and_back,
              two_ssrc_changes_at_once_are_two_steps_and_each_ends_alone,
              timestamps_jump_by_the_clock_of_each_stream_and_wrap,
              sequence_numbers_jump_and_come_back_without_a_hole_of_their_own,
              after_any_two_spikes_every_byte_is_as_without_them,
              an_end_before_the_planned_one_counts_and_the_planned_one_no_more,
              caps_of_one_medium_name_the_ssrc_that_is_in_use, sender_reports_follow_the_ssrc_and_count_for_each,
              who_leaves_says_goodbye_for_each_stream_sends_nothing_and_returns_with_a_keyframe,
              who_falls_silent_or_sends_no_reports_says_no_goodbye,
              downstream_hears_that_time_goes_on_and_a_live_encoder_that_a_keyframe_is_wanted,
              gaps_move_time_so_that_a_goodbye_needs_no_packet, a_flood_has_its_rate_its_size_and_numbers_of_its_own,
              a_flood_uses_buffers_again_but_never_one_that_somebody_still_has,
              after_a_stall_a_flood_catches_up_with_a_tenth_of_a_second_only)
