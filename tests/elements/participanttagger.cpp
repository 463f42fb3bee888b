// participanttagger: bytes on the wire, caps, events, sender reports.
#include "tests/elements/rtp_packets.hpp"

#include <gst/rtp/rtp.h>

#include "core/rtp/extension.hpp"
#include "elements/support/chaos_events.hpp"

using namespace avc;
using namespace avc::test;

namespace {

constexpr const char *kVideoCaps = "application/x-rtp,media=video,payload=96,clock-rate=90000,encoding-name=H264";
constexpr const char *kMixedCaps = "application/x-rtp";

Ptr<GstHarness> tagger(const char *properties, const char *caps = kVideoCaps) {
  auto h = harness_of(std::string("participanttagger ") + properties);
  gst_harness_set_src_caps_str(h.get(), caps);
  return h;
}

GstElement *element_of(const Ptr<GstHarness> &h) { return h->element; }

// How a packet's bytes can lie in memories.
enum class Layout { one, header_with_room, header_tight, header_shared, header_split };
constexpr Layout kLayouts[] = {Layout::one, Layout::header_with_room, Layout::header_tight, Layout::header_shared,
                               Layout::header_split};

Ptr<GstMemory> memory_of(std::span<const std::uint8_t> bytes, std::size_t capacity) {
  void *data = g_malloc(capacity);
  std::copy(bytes.begin(), bytes.end(), static_cast<std::uint8_t *>(data));
  return take(gst_memory_new_wrapped(static_cast<GstMemoryFlags>(0), data, capacity, 0, bytes.size(), data, g_free));
}

// Where the layout shares the header, `kept` becomes the other buffer that it is in.
Ptr<GstBuffer> laid_out(const Octets &bytes, std::size_t header, Layout layout, Ptr<GstBuffer> &kept) {
  if (layout == Layout::one) return buffer_of(bytes);
  auto buffer = take(gst_buffer_new());
  const std::span all(bytes);
  if (layout == Layout::header_split) {
    gst_buffer_append_memory(buffer.get(), give(memory_of(all.first(7), 7)));
    gst_buffer_append_memory(buffer.get(), give(memory_of(all.subspan(7), all.size() - 7)));
    return buffer;
  }
  auto front = memory_of(all.first(header), layout == Layout::header_tight ? header : header + 64);
  if (layout == Layout::header_shared) {
    kept = take(gst_buffer_new());
    gst_buffer_append_memory(kept.get(), gst_memory_ref(front.get()));
  }
  gst_buffer_append_memory(buffer.get(), give(std::move(front)));
  gst_buffer_append_memory(buffer.get(), give(memory_of(all.subspan(header), all.size() - header)));
  return buffer;
}

std::vector<Ptr<GstEvent>> events_of(const Ptr<GstHarness> &h) {
  std::vector<Ptr<GstEvent>> events;
  while (GstEvent *event = gst_harness_try_pull_event(h.get())) events.push_back(take(event));
  return events;
}

}  // namespace

// Headers in hex, by properties: what goes in and what comes out. The participant is 1001 = 0x3e9, its SSRC 1001000 =
// 0x000f4628.
GST_START_TEST(headers_come_out_to_the_byte) {
  const struct {
    const char *properties, *in, *out;
  } rows[] = {
      // the contract's 20 bytes
      {"participant-id=1001", "80e0000100000002aabbccdd", "90e0000100000002000f462800010001e9030000"},
      {"participant-id=1001", "8060fffffffffffeaabbccdd", "9060fffffffffffe000f462800010001e9030000"},
      // an extension that is there gives way; CSRCs stay
      {"participant-id=1001", "9260000100000002aabbccdd0000000a0000000bbede000110aa0000",
       "9260000100000002000f46280000000a0000000b00010001e9030000"},
      {"participant-id=1001", "9060000100000002aabbccdd00010001ff000000", "9060000100000002000f462800010001e9030000"},
      {"participant-id=4294967295", "8060000100000002aabbccdd", "9060000100000002fffffc1800010001ffffffff"},
      // RFC 8285: alone, beside another, in place of itself, beside one that needs the two-byte form
      {"participant-id=1001 extension=rfc8285 extension-id=3", "8060000100000002aabbccdd",
       "9060000100000002000f4628bede000233000003e9000000"},
      {"participant-id=1001 extension=rfc8285 extension-id=3", "9060000100000002aabbccddbede000111aabb00",
       "9060000100000002000f4628bede000211aabb33000003e9"},
      {"participant-id=1001 extension=rfc8285 extension-id=3", "9060000100000002aabbccddbede00023300000001000000",
       "9060000100000002000f4628bede000233000003e9000000"},
      {"participant-id=1001 extension=rfc8285 extension-id=3", "9060000100000002aabbccdd1000000110010a00",
       "9060000100000002000f462810000003"
       "10010a0304000003e9000000"},
      // the slot for the transport-wide sequence number: beside the id, alone, never beside the word of RFC 3550
      {"participant-id=1001 extension=rfc8285 extension-id=3 transport-cc-id=4", "8060000100000002aabbccdd",
       "9060000100000002000f4628bede000233000003e9410000"},
      {"participant-id=1001 extension=none transport-cc-id=4", "8060000100000002aabbccdd",
       "9060000100000002000f4628bede000141000000"},
      {"participant-id=1001 transport-cc-id=4", "8060000100000002aabbccdd", "9060000100000002000f462800010001e9030000"},
      {"participant-id=1001 extension=none", "8060000100000002aabbccdd", "8060000100000002000f4628"},
      {"participant-id=1001 extension=none", "9060000100000002aabbccddbede000111aabb00",
       "9060000100000002000f4628bede000111aabb00"},
      // the other fields
      {"ssrc=5 extension=none", "8060000100000002aabbccdd", "806000010000000200000005"},
      {"ssrc=5 extension=none payload-type=102", "80e0000100000002aabbccdd", "80e600010000000200000005"},
      {"ssrc=5 extension=none seqnum-offset=65535 timestamp-offset=4294967295", "8060000000000000aabbccdd",
       "8060ffffffffffff00000005"},
  };
  for (const auto &row : rows) {
    for (const auto layout : kLayouts) {
      auto h = tagger(row.properties);
      const Octets header = unhex(row.in);
      Octets packet = header;
      for (std::uint8_t i = 0; i < 50; i++) packet.push_back(i);
      Ptr<GstBuffer> kept;
      auto buffer = laid_out(packet, header.size(), layout, kept);
      ck_assert_int_eq(gst_harness_push(h.get(), give(std::move(buffer))), GST_FLOW_OK);
      const auto out = take(gst_harness_pull(h.get()));
      const Octets bytes = bytes_of(out.get());
      const std::string expected = std::string(row.out) + hex(std::span(packet).subspan(header.size()));
      const std::string got = hex(bytes);
      ck_assert_msg(got == expected, "%s, layout %d: %s became %s", row.properties, int(layout), row.in, got.c_str());
      if (kept) ck_assert(hex(bytes_of(kept.get())) == row.in);
    }
  }
}
GST_END_TEST;

GST_START_TEST(a_header_with_room_grows_in_place_and_no_payload_is_copied) {
  auto h = tagger("rtcp-interval-ms=0");
  for (const auto layout : {Layout::header_with_room, Layout::header_tight, Layout::header_shared}) {
    Ptr<GstBuffer> kept;
    auto buffer = laid_out(octets_of({}), 12, layout, kept);
    GstMemory *front = gst_buffer_peek_memory(buffer.get(), 0), *payload = gst_buffer_peek_memory(buffer.get(), 1);
    gst_harness_push(h.get(), give(std::move(buffer)));
    const auto out = take(gst_harness_pull(h.get()));
    ck_assert((gst_buffer_peek_memory(out.get(), 0) == front) == (layout == Layout::header_with_room));
    ck_assert(gst_buffer_peek_memory(out.get(), gst_buffer_n_memory(out.get()) - 1) == payload);
  }
}
GST_END_TEST;

GST_START_TEST(lists_are_marked_like_single_buffers_and_stay_lists) {
  auto h = tagger("participant-id=7 rtcp-interval-ms=0");
  GstBufferList *list = gst_buffer_list_new();
  std::vector<std::string> singles;
  for (std::uint16_t i = 0; i < 5; i++) {
    const RtpPacket packet{{96, i == 4, false, i, 3000, 1}};
    gst_buffer_list_add(list, give(packet_of(packet)));
    gst_harness_push(h.get(), give(packet_of(packet)));
    singles.push_back(hex(pull_bytes(h)));
  }
  const auto shared = share(list);  // somebody else's view of the list must not change
  gst_pad_push_list(h->srcpad, list);
  for (const auto &single : singles) {
    ck_assert(hex(pull_bytes(h)) == single);
  }
  for (guint i = 0; i < 5; i++) {
    const auto bytes = bytes_of(gst_buffer_list_get(shared.get(), i));
    ck_assert_int_eq(header_of(bytes).ssrc, 1);
  }
  ck_assert_int_eq(stat(element_of(h), "packets"), 10);
}
GST_END_TEST;

GST_START_TEST(audio_and_video_of_a_mixed_stream_get_their_own_ssrcs) {
  auto h = tagger("participant-id=1002 rtcp-interval-ms=0 payload-type=102", kMixedCaps);
  gst_harness_push(h.get(), give(packet_of({{96, false, false, 1, 0, 1}})));
  gst_harness_push(h.get(), give(packet_of({{111, false, false, 2, 0, 2}})));
  const auto video = pull_bytes(h);
  const auto audio = pull_bytes(h);
  ck_assert_int_eq(header_of(video).ssrc, 1002000);
  ck_assert_int_eq(header_of(video).payload_type, 102);
  ck_assert_int_eq(header_of(audio).ssrc, 1002001);
  ck_assert_int_eq(header_of(audio).payload_type, 111);
  ck_assert(rtp::find_participant(header_of(audio)) == 1002u);
  ck_assert_int_eq(stat(element_of(h), "video-packets"), 1);
  ck_assert_int_eq(stat(element_of(h), "audio-packets"), 1);
}
GST_END_TEST;

GST_START_TEST(caps_are_rewritten_once_and_kept) {
  auto h = tagger("participant-id=1001 payload-type=102 extension=rfc8285 extension-id=5 seqnum-offset=10",
                  "application/x-rtp,media=video,payload=96,ssrc=(uint)9,seqnum-offset=(uint)65530");
  gst_harness_set_src_caps_str(  // the same for us, so nothing new for downstream
      h.get(), "application/x-rtp,media=video,payload=97,ssrc=(uint)8,seqnum-offset=(uint)65530");
  int caps_events = 0;
  for (const auto &event : events_of(h)) {
    if (GST_EVENT_TYPE(event.get()) != GST_EVENT_CAPS) continue;
    caps_events++;
    GstCaps *caps = nullptr;
    gst_event_parse_caps(event.get(), &caps);
    const auto expected =
        take(gst_caps_from_string("application/x-rtp,media=video,payload=102,ssrc=(uint)1001000,seqnum-offset=(uint)4,"
                                  "extmap-5=(string)urn:avchaos:participant-id"));
    ck_assert(gst_caps_is_equal(caps, expected.get()));
  }
  ck_assert_int_eq(caps_events, 1);
}
GST_END_TEST;

GST_START_TEST(the_participant_is_announced_before_the_first_packet) {
  auto h = tagger("participant-id=1005 rtcp-interval-ms=0");
  gst_harness_push(h.get(), give(packet_of(RtpPacket{})));
  const auto sticky = take(gst_pad_get_sticky_event(h->sinkpad, GST_EVENT_CUSTOM_DOWNSTREAM_STICKY, 0));
  ck_assert(sticky != nullptr);
  const auto info = parse_participant(sticky.get());
  ck_assert(info && info->participant_id == 1005 && info->video_ssrc == 1005000 && info->audio_ssrc == 1005001);
}
GST_END_TEST;

GST_START_TEST(upstreams_participant_is_taken_over_and_corrected) {
  auto h = tagger("rtcp-interval-ms=0", kMixedCaps);
  gst_harness_push_event(h.get(), give(make_event(ParticipantInfo{1234, 1, 2, 97, 98, 55})));
  gst_harness_push(h.get(), give(packet_of({{98, false, false, 0, 0, 1}})));
  int announced = 0;
  for (const auto &event : events_of(h)) {
    const auto info = parse_participant(event.get());
    if (!info) continue;
    announced++;
    ck_assert(*info == (ParticipantInfo{1234, 1234000, 1234001, 97, 98, 55}));
  }
  ck_assert_int_eq(announced, 1);
  ck_assert_int_eq(header_of(pull_bytes(h)).ssrc, 1234001);
}
GST_END_TEST;

GST_START_TEST(what_is_not_rtp_passes_unchanged_is_counted_and_warned_of_once) {
  auto h = tagger("rtcp-interval-ms=0");
  const auto bus = take(gst_bus_new());
  gst_element_set_bus(element_of(h), bus.get());
  const Octets rows[] = {{},
                         {0x80},
                         unhex("8060000100000002aabbcc"),
                         unhex("4060000100000002aabbccdd"),
                         unhex("9060000100000002aabbccdd0001ffff"),
                         unhex("8f60000100000002aabbccdd")};
  for (const auto &row : rows) {
    ck_assert_int_eq(gst_harness_push(h.get(), give(buffer_of(row))), GST_FLOW_OK);
    ck_assert(pull_bytes(h) == row);
  }
  ck_assert_int_eq(stat(element_of(h), "malformed"), std::size(rows));
  ck_assert_int_eq(stat(element_of(h), "packets"), 0);
  ck_assert(take(gst_bus_pop_filtered(bus.get(), GST_MESSAGE_WARNING)) != nullptr);
  ck_assert(take(gst_bus_pop_filtered(bus.get(), GST_MESSAGE_WARNING)) == nullptr);
  gst_element_set_bus(element_of(h), nullptr);
}
GST_END_TEST;

GST_START_TEST(rtcp_from_upstream_passes_unchanged_and_is_not_malformed) {
  auto h = tagger("");
  const Octets report = unhex("80c9000100000001");
  gst_harness_push(h.get(), give(buffer_of(report)));
  ck_assert(pull_bytes(h) == report);
  ck_assert_int_eq(stat(element_of(h), "malformed"), 0);
}
GST_END_TEST;

GST_START_TEST(sender_reports_come_at_once_and_then_once_per_interval_of_media_time) {
  auto h = tagger("participant-id=1001 rtcp-interval-ms=1000", kMixedCaps);
  std::vector<GstClockTime> reports;
  for (std::uint16_t i = 0; i < 100; i++) {  // 40 ms apart: 4 s
    gst_harness_push(h.get(),
                     give(packet_of({{96, true, false, i, i * 3600u, 1}, 10, GstClockTime(i * 40 * GST_MSECOND)})));
    while (auto out = take(gst_harness_try_pull(h.get()))) {
      const auto bytes = bytes_of(out.get());
      if (rtp::classify(bytes) != rtp::Datagram::rtcp) continue;
      reports.push_back(GST_BUFFER_PTS(out.get()));

      GstRTCPBuffer rtcp = GST_RTCP_BUFFER_INIT;
      GstRTCPPacket packet;
      ck_assert(gst_rtcp_buffer_validate(out.get()) && gst_rtcp_buffer_map(out.get(), GST_MAP_READ, &rtcp));
      ck_assert(gst_rtcp_buffer_get_first_packet(&rtcp, &packet));
      guint32 ssrc = 0, timestamp = 0, count = 0, octets = 0;
      guint64 ntp = 0;
      gst_rtcp_packet_sr_get_sender_info(&packet, &ssrc, &ntp, &timestamp, &count, &octets);
      ck_assert_int_eq(ssrc, 1001000);
      ck_assert_int_eq(timestamp, i * 3600u);
      ck_assert_int_eq(count, i + 1);
      ck_assert_int_eq(octets, (i + 1) * 10);
      ck_assert(gst_rtcp_packet_move_to_next(&packet) && gst_rtcp_packet_get_type(&packet) == GST_RTCP_TYPE_SDES);
      gst_rtcp_buffer_unmap(&rtcp);
    }
  }
  const std::vector<GstClockTime> expected{0, GST_SECOND, 2 * GST_SECOND, 3 * GST_SECOND};
  ck_assert(reports == expected);
  ck_assert_int_eq(stat(element_of(h), "sender-reports"), 4);
}
GST_END_TEST;

// Two reports of one stream must tie RTP time to wall clock time at the clock's rate: with the harness' test clock
// standing still, the wall clock of running time R is a constant plus R, within what the test itself takes.
GST_START_TEST(sender_reports_tie_rtp_time_to_the_wall_clock) {
  auto h = tagger("rtcp-interval-ms=1000");
  gst_harness_use_testclock(h.get());
  guint64 ntp[2] = {};
  for (std::uint16_t i = 0; i < 2; i++) {
    gst_harness_push(h.get(),
                     give(packet_of({{96, true, false, i, i * 180000u, 1}, 10, GstClockTime(i * 2 * GST_SECOND)})));
    gst_buffer_unref(gst_harness_pull(h.get()));
    const auto report = pull_bytes(h);
    ntp[i] = rtp::read64(report, 8);
  }
  const double unix_now = static_cast<double>(g_get_real_time()) / 1e6;
  const double seconds = static_cast<double>(ntp[1] - ntp[0]) / 4294967296.0;
  ck_assert_msg(seconds > 1.999 && seconds < 7, "%f s for 2 s of media", seconds);
  const double first = static_cast<double>(ntp[0]) / 4294967296.0 - 2208988800.0;
  ck_assert_msg(std::abs(first - unix_now) < 10, "report says %f, it is %f", first, unix_now);
}
GST_END_TEST;

GST_START_TEST(flow_of_downstream_is_handed_up) {
  auto h = take(gst_harness_new("participanttagger"));
  gst_harness_set_src_caps_str(h.get(), kVideoCaps);
  gst_harness_push_event(h.get(), gst_event_new_eos());
  ck_assert_int_eq(gst_harness_push(h.get(), give(packet_of(RtpPacket{}))), GST_FLOW_EOS);
}
GST_END_TEST;

AVC_GST_TESTS("participanttagger", headers_come_out_to_the_byte,
              a_header_with_room_grows_in_place_and_no_payload_is_copied,
              lists_are_marked_like_single_buffers_and_stay_lists,
              audio_and_video_of_a_mixed_stream_get_their_own_ssrcs, caps_are_rewritten_once_and_kept,
              the_participant_is_announced_before_the_first_packet, upstreams_participant_is_taken_over_and_corrected,
              what_is_not_rtp_passes_unchanged_is_counted_and_warned_of_once,
              rtcp_from_upstream_passes_unchanged_and_is_not_malformed,
              sender_reports_come_at_once_and_then_once_per_interval_of_media_time,
              sender_reports_tie_rtp_time_to_the_wall_clock, flow_of_downstream_is_handed_up)
