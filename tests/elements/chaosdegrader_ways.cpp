// What feedback sets off and feedback itself, in chaosdegrader: retransmissions, the RTCP of the way back, and how that
// way learns whose it is and which spikes are in force.
#include "tests/elements/degrader_bench.hpp"

using namespace avc;
using namespace avc::test;

namespace {

constexpr std::uint8_t kRtxPayload = 97;

RtpPacket rtx(std::uint16_t n, GstClockTime pts) {
  return {{kRtxPayload, false, false, static_cast<std::uint16_t>(500 + n), 0, 0xabcdef}, 100, pts};
}

Ptr<GstBuffer> report(GstClockTime pts) { return buffer_of(unhex("80c9000100000001"), pts); }

// The fates of one stream, a letter for each packet in their order.
std::string fates(const TempFile &log, const std::string &stream) {
  std::string text;
  for (const auto &line : log.lines()) {
    if (line.find("\"" + stream + "\"") != std::string::npos)
      text += line.find("\"fate\":\"sent\"") != std::string::npos ? '.' : 'x';
  }
  return text;
}

constexpr std::uint16_t kMany = 200;

// Of the video, of retransmissions if there are any, and of reports.
struct Fates {
  std::string video, rtx, rtcp, feedback;
};
Fates fates_of(const std::string &properties, bool with_rtx) {
  const TempFile log;
  {
    Bench b(properties + " decision-log=" + log.path);
    for (std::uint16_t i = 0; i < kMany; i++) {
      b.push(video(i, ms(i)));
      if (with_rtx && i % 2 == 1) b.push(rtx(i / 2, ms(i)));
      gst_harness_push(b.h.get(), give(report(ms(i))));
    }
    gst_element_set_state(b.element(), GST_STATE_READY);
  }
  return {fates(log, "1001/video"), fates(log, "1001/rtx"), fates(log, "1001/rtcp"), fates(log, "1001/feedback")};
}

Ptr<GstEvent> out_of_band(Ptr<GstEvent> event) {
  return take(
      gst_event_new_custom(GST_EVENT_CUSTOM_DOWNSTREAM_OOB, gst_structure_copy(gst_event_get_structure(event.get()))));
}

}  // namespace

GST_START_TEST(retransmissions_change_nothing_about_the_media) {
  for (const std::string model : {"loss-percent=40", "loss-model=gilbert-elliott ge-p=20 ge-r=30"}) {
    const Fates without = fates_of(model, false), with = fates_of(model + " rtx-payload-type=97", true);
    expect_text(with.video, without.video);
    expect_text(without.rtx, "");
    ck_assert_uint_eq(with.rtx.size(), kMany / 2);
    ck_assert(with.rtx.find('x') != std::string::npos && with.rtx != with.video.substr(0, kMany / 2));
    ck_assert_uint_eq(fates_of(model, true).video.size(), kMany * 3 / 2);  // nobody said which they are
  }
}
GST_END_TEST;

GST_START_TEST(retransmissions_are_video_but_no_frames) {
  Bench b("loss-percent=100 apply-to=video rtx-payload-type=97");
  b.push(rtx(0, 0));
  ck_assert_int_eq(b.stat("rtx-lost"), 1);
  gst_util_set_object_arg(G_OBJECT(b.element()), "apply-to", "all");
  g_object_set(b.element(), "loss-percent", 0.0, "frame-drop-percent", 100.0, nullptr);
  b.push(video(0, 0));
  b.push(rtx(1, 0));
  ck_assert_int_eq(b.stat("video-frame-dropped"), 1);
  ck_assert_int_eq(b.out_now().size(), 1);
}
GST_END_TEST;

GST_START_TEST(reports_of_the_way_back_have_fates_of_their_own) {
  const Fates out = fates_of("loss-percent=40", false), back = fates_of("loss-percent=40 way-back=true", false);
  ck_assert_uint_eq(out.rtcp.size(), kMany);
  ck_assert_uint_eq(back.feedback.size(), kMany);
  expect_text(out.feedback + back.rtcp, "");
  ck_assert(out.rtcp != back.feedback);
  expect_text(fates_of("loss-percent=40 way-back=true", false).feedback, back.feedback);
}
GST_END_TEST;

// nicesrc says no caps: packets are told apart all the same, and DTLS passes.
GST_START_TEST(the_way_back_needs_no_caps) {
  const auto h = harness_of("chaosdegrader way-back=true loss-percent=100");
  gst_harness_set_src_caps_str(h.get(), "application/octet-stream");
  gst_harness_push(h.get(), give(report(0)));
  gst_harness_push(h.get(), give(buffer_of(unhex("16feff00"))));
  ck_assert_int_eq(stat(h->element, "feedback-lost"), 1);
  expect_text(hex(pull_bytes(h)), "16feff00");
}
GST_END_TEST;

// From the first packet at or past the planned time on, as with events in their turn; nothing of it goes on.
GST_START_TEST(what_is_told_out_of_band_is_heeded_and_goes_no_further) {
  const TempFile log;
  PadBench b("chaosdegrader way-back=true decision-log=" + log.path, kParticipant, PadBench::Introduced::by_the_test);
  const auto before = gst_harness_events_received(b.h.get());
  const SpikeStart dark{"b", "blackout", ms(10), ms(20), {}};
  const auto tell = [&](Ptr<GstEvent> event) {
    gst_harness_push_event(b.h.get(), give(out_of_band(std::move(event))));
  };
  tell(make_event(kParticipant));
  tell(make_event(dark, Direction::downstream));
  tell(make_event(dark, Direction::downstream));
  for (guint i = 0; i < 30; i++) {
    if (i == 15) tell(make_event(SpikeEnd{"b", ms(20)}, Direction::downstream));
    gst_harness_push(b.h.get(), give(report(ms(i))));
  }
  ck_assert_uint_eq(gst_harness_events_received(b.h.get()), before);
  gst_harness_push_event(b.h.get(),
                         gst_event_new_custom(GST_EVENT_CUSTOM_DOWNSTREAM_OOB, gst_structure_new_empty("other")));
  ck_assert_uint_eq(gst_harness_events_received(b.h.get()), before + 1);
  gst_element_set_state(b.element(), GST_STATE_READY);
  expect_text(fates(log, "1001/feedback"), "..........xxxxxxxxxx..........");
}
GST_END_TEST;

AVC_GST_TESTS("chaosdegrader_ways", retransmissions_change_nothing_about_the_media,
              retransmissions_are_video_but_no_frames, reports_of_the_way_back_have_fates_of_their_own,
              the_way_back_needs_no_caps, what_is_told_out_of_band_is_heeded_and_goes_no_further)
