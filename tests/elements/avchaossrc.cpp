// avchaossrc on a test clock: packets, negotiation, loops, events and chaos at the source.
#include <gst/video/video.h>

#include <set>

#include "tests/elements/source_clip.hpp"

using namespace avc;
using namespace avc::test;

GST_START_TEST(packets_are_a_participants_and_whole_frames_with_one_marker) {
  Sent sent;
  SourceBench bench(source_text("participant-id=1001") + "s.rtp ! " + kSink);
  bench.keep_from("rtp", sent);
  bench.play();
  bench.advance_to(4 * GST_SECOND);
  const std::vector<std::string> begin(sent.events.begin(), sent.events.begin() + 4);
  ck_assert((begin == std::vector<std::string>{"stream-start", "caps", "segment", kParticipantEvent}));
  ck_assert_str_eq(sent.caps.c_str(), "application/x-rtp");
  ck_assert_uint_eq(frames_between(sent, 0, 4 * GST_SECOND), 100);
  ck_assert_uint_eq(frames_between(sent, 0, 4 * GST_SECOND, 1001001), 200);
  for (const auto &list : sent.lists) {
    const bool video = list[0].header.ssrc == 1001000;
    for (std::size_t i = 0; i < list.size(); ++i) {
      const SentPacket &packet = list[i];
      ck_assert_uint_eq(packet.header.payload_type, video ? 96 : 111);
      ck_assert_uint_le(packet.size, 1164);
      ck_assert_uint_eq(packet.header.ssrc, list[0].header.ssrc);  // never audio and video in one list
      ck_assert_uint_eq(packet.header.timestamp, list[0].header.timestamp);
      ck_assert_uint_eq(packet.pts, list[0].pts);
      ck_assert(packet.delta == list[0].delta);
      ck_assert(packet.marker_flag == packet.header.marker);
      if (video) ck_assert(packet.header.marker == (i + 1 == list.size()));
    }
    if (video) ck_assert(list[0].headers == !list[0].delta);
  }
  const auto audio = packets_of(sent, 1001001);
  ck_assert(audio[0].header.marker);  // the talk spurt begins here and nowhere else
  ck_assert(std::none_of(audio.begin() + 1, audio.end(), [](const auto &packet) { return packet.header.marker; }));
  assert_no_hole(audio);
  assert_no_hole(packets_of(sent, 1001000));
}
GST_END_TEST;

GST_START_TEST(timestamps_go_on_over_the_seam_and_follow_the_media) {
  Sent sent;
  SourceBench bench(source_text() + "s.rtp ! " + kSink);
  bench.keep_from("rtp", sent);
  bench.play();
  bench.advance_to(16 * GST_SECOND);
  ck_assert_uint_ge(bench.stat("loops"), 3);
  std::map<unsigned, SentPacket> before;
  for (const auto &list : sent.lists) {
    const SentPacket &now = list[0];
    const unsigned step = now.header.ssrc == 1001000 ? 3600 : 960;
    if (const auto last = before.find(now.header.ssrc); last != before.end())
      ck_assert_uint_eq(static_cast<std::uint32_t>(now.header.timestamp - last->second.header.timestamp), step);
    before[now.header.ssrc] = now;
  }
}
GST_END_TEST;

GST_START_TEST(the_same_seed_gives_the_same_packets_and_another_seed_other_numbers) {
  const auto numbers = [](const char *more) {
    Sent sent;
    SourceBench bench(source_text(more) + "s.rtp ! " + kSink);
    bench.keep_from("rtp", sent);
    bench.play();
    bench.advance_to(GST_SECOND);
    std::vector<std::uint32_t> all;
    for (const auto &list : sent.lists)
      for (const auto &packet : list) {
        all.push_back(packet.header.sequence);
        all.push_back(packet.header.timestamp);
      }
    return all;
  };
  const auto first = numbers("seed=7");
  ck_assert(first == numbers("seed=7"));
  ck_assert(first != numbers("seed=8"));
}
GST_END_TEST;

GST_START_TEST(a_payloader_gets_coded_frames_and_anything_else_ready_rtp) {
  const auto caps = [](const std::string &rest, const char *pad) {
    Sent sent;
    SourceBench bench(source_text() + rest);
    bench.keep_from(pad, sent);
    bench.play();
    bench.advance_to(200 * GST_MSECOND);
    return sent.caps.substr(0, sent.caps.find(','));
  };
  const std::string sink = kSink;
  ck_assert(caps("! rtph264pay ! " + sink, "video_0") == "video/x-h264");
  ck_assert(caps("! " + sink, "video_0") == "application/x-rtp");
  ck_assert(caps("s. ! rtpopuspay ! " + sink, "audio_0") == "audio/x-opus");
  ck_assert(caps("s. ! application/x-rtp,media=audio ! " + sink, "audio_0") == "application/x-rtp");
  ck_assert(caps("s.video ! h264parse ! " + sink, "video_0") == "video/x-h264");
  ck_assert(caps("s. ! application/x-rtp,media=video ! " + sink + "s. ! rtpopuspay ! " + sink, "video_0") ==
            "application/x-rtp");
}
GST_END_TEST;

GST_START_TEST(several_consumers_get_the_same_packets_and_one_may_leave) {
  Sent one, two;
  SourceBench bench(source_text() + "s.video_0 ! " + kSink + "name=a s.video_1 ! " + kSink + "name=b");
  bench.keep_from("video_0", one);
  bench.keep_from("video_1", two);
  bench.play();
  bench.advance_to(GST_SECOND);
  const auto first = packets_of(one, 1001000), second = packets_of(two, 1001000);
  ck_assert_uint_eq(first.size(), second.size());
  for (std::size_t i = 0; i < first.size(); ++i) {
    ck_assert_uint_eq(first[i].header.sequence, second[i].header.sequence);
    ck_assert(first[i].payload == second[i].payload);
  }
  const auto pad = bench.pad("video_1");
  const auto peer = take(gst_pad_get_peer(pad.get()));
  gst_pad_unlink(pad.get(), peer.get());
  gst_element_release_request_pad(bench.source(), pad.get());
  bench.advance_to(2 * GST_SECOND);
  ck_assert_uint_eq(one.lists.size(), 50);
  ck_assert_uint_le(two.lists.size(), 26);
}
GST_END_TEST;

GST_START_TEST(a_pad_may_be_released_while_another_is_pushed_to) {
  SourceBench bench(source_text() + "s.video_0 ! " + kSink + "name=a s.video_1 ! " + kSink + "name=b");
  bench.play();
  bench.advance_to(GST_SECOND / 2);
  // On the thread that pushes, between the two consumers of one frame.
  gst_pad_add_probe(
      bench.pad("video_0").get(), GST_PAD_PROBE_TYPE_BUFFER_LIST,
      [](GstPad *pad, GstPadProbeInfo *, gpointer) {
        const auto source = take(gst_pad_get_parent_element(pad));
        const auto second = take(gst_element_get_static_pad(source.get(), "video_1"));
        gst_element_release_request_pad(source.get(), second.get());
        return GST_PAD_PROBE_REMOVE;
      },
      nullptr, nullptr);
  bench.advance_to(GST_SECOND);
  ck_assert(bench.pad("video_1") == nullptr);
  ck_assert_uint_eq(bench.stat("frames-sent"), 25);
}
GST_END_TEST;

GST_START_TEST(frame_drops_have_the_share_asked_for_leave_no_hole_and_end) {
  Sent sent;
  SourceBench bench(source_text() + "s.rtp ! " + kSink);
  bench.keep_from("rtp", sent);
  bench.play();
  start_spike(bench, "rtp", "d", "frame_drop", 2 * GST_SECOND, {{"drop_percentage", 40.0}});
  start_spike(bench, "rtp", "d", "frame_drop", 2 * GST_SECOND, {{"drop_percentage", 40.0}});  // from a second pad
  bench.advance_to(6 * GST_SECOND);
  end_spike(bench, "rtp", "d", 6 * GST_SECOND);
  bench.advance_to(8 * GST_SECOND);
  ck_assert_uint_eq(frames_between(sent, 0, 2 * GST_SECOND), 50);
  ck_assert_uint_eq(frames_between(sent, 2 * GST_SECOND, 6 * GST_SECOND), 60);
  ck_assert_uint_eq(frames_between(sent, 6 * GST_SECOND, 8 * GST_SECOND), 50);
  ck_assert_uint_eq(bench.stat("frames-dropped"), 40);
  assert_no_hole(packets_of(sent, 1001000));
  std::size_t keyframes = 0;
  for (const auto &list : sent.lists) keyframes += list[0].header.ssrc == 1001000 && !list[0].delta;
  ck_assert_uint_eq(keyframes, 8);
  for (const auto &packet : packets_of(sent, 1001000))  // the rest keep their times
    ck_assert_uint_eq(packet.pts % (40 * GST_MSECOND), 0);
}
GST_END_TEST;

GST_START_TEST(a_bit_rate_limit_switches_rendition_at_a_keyframe_and_back) {
  Sent sent;
  SourceBench bench(source_text("renditions=300,150,80") + "s.rtp ! " + kSink);
  bench.keep_from("rtp", sent);
  bench.play();
  bench.advance_to(2 * GST_SECOND + 500 * GST_MSECOND);
  start_spike(bench, "rtp", "b", "bitrate_reduce", 2500 * GST_MSECOND,
              {{"new_bitrate_kbps", 200.0}, {"transition_seconds", 0.0}});
  bench.advance_to(5 * GST_SECOND);
  double now = 0;
  ck_assert(gst_structure_get_double(bench.stats().get(), "bitrate-kbps", &now));
  ck_assert(now == 150);
  end_spike(bench, "rtp", "b", 5 * GST_SECOND);
  bench.advance_to(10 * GST_SECOND);
  const double before = kbps_between(sent, 1 * GST_SECOND, 3 * GST_SECOND);
  const double during = kbps_between(sent, 3 * GST_SECOND, 5 * GST_SECOND);
  const double after = kbps_between(sent, 6 * GST_SECOND, 10 * GST_SECOND);
  ck_assert_msg(
      std::abs(before / 300 - 1) < 0.25 && std::abs(during / 150 - 1) < 0.25 && std::abs(after / 300 - 1) < 0.25,
      "%g, %g, %g kbps", before, during, after);
  assert_no_hole(packets_of(sent, 1001000));
}
GST_END_TEST;

GST_START_TEST(silence_is_opus_silence_at_the_same_times) {
  Sent sent;
  SourceBench bench(source_text() + "s.audio_0 ! " + kSink);
  bench.keep_from("audio_0", sent);
  bench.play();
  bench.advance_to(GST_SECOND);
  g_object_set(bench.source(), "audio-silence", TRUE, nullptr);
  bench.advance_to(2 * GST_SECOND);
  g_object_set(bench.source(), "audio-silence", FALSE, nullptr);
  bench.advance_to(3 * GST_SECOND);
  const auto audio = packets_of(sent, 1001001);
  ck_assert_uint_eq(audio.size(), 150);
  for (const auto &packet : audio) {
    const bool quiet = packet.pts >= GST_SECOND && packet.pts < 2 * GST_SECOND;
    ck_assert((packet.payload == "\xf8\xff\xfe") == quiet);
    ck_assert(packet.header.marker == (packet.pts == 0 || packet.pts == 2 * GST_SECOND));  // talk spurts
  }
  assert_no_hole(audio);
}
GST_END_TEST;

GST_START_TEST(a_key_unit_request_gives_a_keyframe_at_once_but_not_twice_in_half_a_second) {
  Sent sent;
  SourceBench bench(source_text() + "s.rtp ! " + kSink);
  bench.keep_from("rtp", sent);
  bench.play();
  const auto ask = [&] {
    gst_pad_send_event(bench.pad("rtp").get(),
                       gst_video_event_new_upstream_force_key_unit(GST_CLOCK_TIME_NONE, TRUE, 1));
  };
  const auto keyframes = [&](GstClockTime from, GstClockTime to) {
    std::size_t count = 0;
    for (const auto &list : sent.lists)
      count += list[0].header.ssrc == 1001000 && !list[0].delta && list[0].pts >= from && list[0].pts < to;
    return count;
  };
  bench.advance_to(300 * GST_MSECOND);
  ask();
  bench.advance_to(400 * GST_MSECOND);
  ask();
  bench.advance_to(900 * GST_MSECOND);
  ask();
  bench.advance_to(1300 * GST_MSECOND);
  ck_assert_uint_eq(keyframes(0, GST_MSECOND), 1);
  ck_assert_uint_eq(keyframes(300 * GST_MSECOND, 400 * GST_MSECOND), 1);
  ck_assert_uint_eq(keyframes(400 * GST_MSECOND, 900 * GST_MSECOND), 0);
  ck_assert_uint_eq(keyframes(900 * GST_MSECOND, 1000 * GST_MSECOND), 1);
  ck_assert_uint_eq(bench.stat("key-unit-jumps"), 2);
  assert_no_hole(packets_of(sent, 1001000));
  assert_no_hole(packets_of(sent, 1001001));
}
GST_END_TEST;

GST_START_TEST(a_receiver_that_asks_for_a_key_unit_when_it_gets_caps_misses_no_frame) {
  Sent sent;
  SourceBench bench(source_text("loop=false") + "s. ! application/x-rtp,media=video ! rtph264depay ! " + kSink);
  bench.keep_from("video_0", sent);
  bench.play();
  bench.run_out();
  ck_assert_uint_eq(sent.lists.size(), 125);
}
GST_END_TEST;

GST_START_TEST(a_clip_that_does_not_loop_ends_with_end_of_stream) {
  Sent sent;
  SourceBench bench(source_text("loop=false") + "s.rtp ! " + kSink);
  bench.keep_from("rtp", sent);
  bench.play();
  bench.run_out();
  ck_assert_uint_eq(frames_between(sent, 0, 10 * GST_SECOND), 125);
  ck_assert_uint_eq(frames_between(sent, 0, 10 * GST_SECOND, 1001001), 250);
  ck_assert_str_eq(sent.events.back().c_str(), "eos");
}
GST_END_TEST;

GST_START_TEST(a_stream_ends_when_it_was_told_to_however_often_the_clip_goes_round) {
  SourceBench bench(source_text("duration-ms=1500") + "s.rtp ! " + kSink);
  Sent sent;
  bench.keep_from("rtp", sent);
  bench.play();
  bench.run_out();
  ck_assert_str_eq(sent.events.back().c_str(), "eos");
  ck_assert_uint_eq(packets_of(sent, 1001001).size(), 75);
  ck_assert_uint_eq(frames_between(sent, 0, 1500 * GST_MSECOND), 38);
  ck_assert_uint_eq(sent.lists.size(), 75 + 38);
}
GST_END_TEST;

GST_START_TEST(a_sink_that_has_had_enough_gets_end_of_stream) {
  Sent sent;
  SourceBench bench(source_text() + "s.video_0 ! " + kSink + "num-buffers=60");
  bench.keep_from("video_0", sent);
  bench.play();
  bench.run_out();
  ck_assert_str_eq(sent.events.back().c_str(), "eos");
}
GST_END_TEST;

GST_START_TEST(end_of_stream_from_the_application_ends_the_stream) {
  SourceBench bench(source_text() + "s.rtp ! " + kSink);
  bench.play();
  bench.advance_to(GST_SECOND);
  ck_assert(gst_element_send_event(bench.pipeline(), gst_event_new_eos()));
  bench.wait_for(GST_MESSAGE_EOS);
}
GST_END_TEST;

GST_START_TEST(a_closed_gate_sends_events_only_and_opens_with_a_keyframe) {
  Sent sent;
  SourceBench bench(source_text("gate-open=false") + "s.video_0 ! " + kSink);
  bench.keep_from("video_0", sent);
  bench.play();
  bench.advance_to(500 * GST_MSECOND);
  ck_assert(sent.lists.empty());
  ck_assert(!sent.caps.empty());
  g_object_set(bench.source(), "gate-open", TRUE, nullptr);
  bench.advance_to(700 * GST_MSECOND);
  ck_assert(!sent.lists.empty());
  ck_assert(!sent.lists[0][0].delta);
}
GST_END_TEST;

GST_START_TEST(pausing_stops_the_packets_and_playing_goes_on_where_it_was) {
  Sent sent;
  SourceBench bench(source_text() + "s.rtp ! " + kSink);
  bench.keep_from("rtp", sent);
  bench.play();
  bench.advance_to(GST_SECOND);
  gst_element_set_state(bench.pipeline(), GST_STATE_PAUSED);
  const auto before = packets_of(sent, 1001000).size();
  gst_element_set_state(bench.pipeline(), GST_STATE_PLAYING);
  bench.advance_to(2 * GST_SECOND);
  ck_assert_uint_gt(packets_of(sent, 1001000).size(), before);
  ck_assert_uint_eq(frames_between(sent, 0, 2 * GST_SECOND), 50);
  assert_no_hole(packets_of(sent, 1001000));
}
GST_END_TEST;

GST_START_TEST(a_source_told_when_to_start_is_silent_until_then_and_begins_with_a_keyframe) {
  Sent sent;
  SourceBench bench(source_text("start-at-ms=1430") + "s.rtp ! " + kSink);
  bench.keep_from("rtp", sent);
  bench.play();
  bench.advance_to(3430 * GST_MSECOND);
  const auto video = packets_of(sent, 1001000), audio = packets_of(sent, 1001001);
  ck_assert_uint_eq(video.front().pts, 1430 * GST_MSECOND);
  ck_assert_uint_eq(audio.front().pts, 1430 * GST_MSECOND);
  ck_assert(!video.front().delta);
  ck_assert_uint_eq(frames_between(sent, 0, 3430 * GST_MSECOND), 50);
  assert_no_hole(video);
}
GST_END_TEST;

// Whose frame it was, in the order they left.
using Order = std::vector<char>;

void note_order(GstPad *pad, Order &order, char name) {
  struct Place {
    Order *order;
    char name;
  };
  gst_pad_add_probe(
      pad, GST_PAD_PROBE_TYPE_BUFFER_LIST,
      [](GstPad *, GstPadProbeInfo *, gpointer data) -> GstPadProbeReturn {
        const auto *place = static_cast<Place *>(data);
        place->order->push_back(place->name);
        return GST_PAD_PROBE_OK;
      },
      new Place{&order, name}, [](gpointer data) { delete static_cast<Place *>(data); });
}

guint64 sent_by(GstElement *source) {
  GstStructure *raw = nullptr;
  guint64 packets = 0;
  g_object_get(source, "stats", &raw, nullptr);
  const auto stats = take(raw);
  ck_assert(gst_structure_get_uint64(stats.get(), "packets-sent", &packets));
  return packets;
}

GST_START_TEST(sources_that_are_far_behind_take_turns_and_lose_nothing) {
  const std::string one = source_text("context=behind start-at-ms=0"), before_name = "avchaossrc name=";
  SourceBench bench(one + "s.rtp ! " + kSink + " " + before_name + "t" + one.substr(before_name.size() + 1) +
                    "t.rtp ! " + kSink);
  Sent sent;
  Order order;
  bench.keep_from("rtp", sent);
  const auto other = take(gst_bin_get_by_name(GST_BIN(bench.pipeline()), "t"));
  note_order(bench.pad("rtp").get(), order, 's');
  note_order(take(gst_element_get_static_pad(other.get(), "rtp")).get(), order, 't');
  bench.play();
  while (sent_by(bench.source()) == 0 || sent_by(other.get()) == 0) g_thread_yield();  // what is due at 0
  bench.jump_to(4 * GST_SECOND);
  bench.advance_to(4 * GST_SECOND + 1);
  ck_assert_uint_eq(frames_between(sent, 0, 4 * GST_SECOND), 100);
  assert_no_hole(packets_of(sent, 1001000));
  std::size_t longest = 0, run = 0;
  for (std::size_t i = 0; i < order.size(); ++i) {
    run = i > 0 && order[i] == order[i - 1] ? run + 1 : 1;
    longest = std::max(longest, run);
  }
  ck_assert_msg(longest <= 16, "%zu frames of one source in a row", longest);
  ck_assert_uint_eq(bench.stat("late-count"), order.size());
}
GST_END_TEST;

GST_START_TEST(a_file_that_cannot_be_played_is_one_error_that_names_it) {
  SourceBench bench("avchaossrc name=s location=/nowhere/none.mp4 ! " + std::string(kSink));
  ck_assert_int_eq(gst_element_set_state(bench.source(), GST_STATE_PAUSED), GST_STATE_CHANGE_FAILURE);
  const auto message = bench.wait_for(GST_MESSAGE_ERROR);
  GError *error = nullptr;
  gst_message_parse_error(message.get(), &error, nullptr);
  ck_assert_msg(std::string(error->message).find("/nowhere/none.mp4") != std::string::npos, "%s", error->message);
  g_error_free(error);
  const auto stats = bench.stats();
  ck_assert_str_eq(gst_structure_get_string(stats.get(), "state"), "failed");
}
GST_END_TEST;

GST_START_TEST(sound_may_come_from_a_file_of_its_own_which_its_error_names) {
  const Folder files;
  const std::string sound = make_file(files.path("tone.wav"), std::string(kSound48) + "wavenc ! filesink location=%s");
  SourceBench bench(source_text("audio-location=" + sound + " cache-dir=" + files.path()) + "s.rtp ! " + kSink);
  Sent sent;
  bench.keep_from("rtp", sent);
  bench.play();
  bench.advance_to(GST_SECOND);
  ck_assert_uint_eq(frames_between(sent, 0, GST_SECOND), 25);
  ck_assert_uint_eq(packets_of(sent, 1001001).size(), 50);

  SourceBench lacking("avchaossrc name=s audio-location=/nowhere/none.opus ! " + std::string(kSink));
  ck_assert_int_eq(gst_element_set_state(lacking.source(), GST_STATE_PAUSED), GST_STATE_CHANGE_FAILURE);
  const auto message = lacking.wait_for(GST_MESSAGE_ERROR);
  GError *error = nullptr;
  gst_message_parse_error(message.get(), &error, nullptr);
  ck_assert_msg(g_str_has_prefix(error->message, "audio-location: /nowhere/none.opus: "), "%s", error->message);
  g_error_free(error);
  const GstStructure *details = nullptr;
  gst_message_parse_error_details(message.get(), &details);
  ck_assert_str_eq(gst_structure_get_string(details, "field"), "audio-location");
}
GST_END_TEST;

GST_START_TEST(a_bad_list_of_renditions_is_refused_when_the_state_changes) {
  SourceBench bench(source_text("renditions=fast") + "! " + kSink);
  ck_assert_int_eq(gst_element_set_state(bench.source(), GST_STATE_PAUSED), GST_STATE_CHANGE_FAILURE);
  bench.wait_for(GST_MESSAGE_ERROR);
}
GST_END_TEST;

GST_START_TEST(it_is_live_and_adds_no_latency) {
  SourceBench bench(source_text() + "s.rtp ! " + kSink);
  bench.play();
  const auto query = take(gst_query_new_latency());
  ck_assert(gst_pad_query(bench.pad("rtp").get(), query.get()));
  gboolean live = FALSE;
  GstClockTime shortest = 1;
  gst_query_parse_latency(query.get(), &live, &shortest, nullptr);
  ck_assert(live);
  ck_assert_uint_eq(shortest, 0);
}
GST_END_TEST;

AVC_GST_TESTS(
    "avchaossrc", packets_are_a_participants_and_whole_frames_with_one_marker,
    timestamps_go_on_over_the_seam_and_follow_the_media,
    the_same_seed_gives_the_same_packets_and_another_seed_other_numbers,
    a_payloader_gets_coded_frames_and_anything_else_ready_rtp, several_consumers_get_the_same_packets_and_one_may_leave,
    a_pad_may_be_released_while_another_is_pushed_to, frame_drops_have_the_share_asked_for_leave_no_hole_and_end,
    a_bit_rate_limit_switches_rendition_at_a_keyframe_and_back, silence_is_opus_silence_at_the_same_times,
    a_key_unit_request_gives_a_keyframe_at_once_but_not_twice_in_half_a_second,
    a_receiver_that_asks_for_a_key_unit_when_it_gets_caps_misses_no_frame,
    a_clip_that_does_not_loop_ends_with_end_of_stream,
    a_stream_ends_when_it_was_told_to_however_often_the_clip_goes_round, a_sink_that_has_had_enough_gets_end_of_stream,
    end_of_stream_from_the_application_ends_the_stream, a_closed_gate_sends_events_only_and_opens_with_a_keyframe,
    pausing_stops_the_packets_and_playing_goes_on_where_it_was,
    a_source_told_when_to_start_is_silent_until_then_and_begins_with_a_keyframe,
    sources_that_are_far_behind_take_turns_and_lose_nothing, a_file_that_cannot_be_played_is_one_error_that_names_it,
    sound_may_come_from_a_file_of_its_own_which_its_error_names,
    a_bad_list_of_renditions_is_refused_when_the_state_changes, it_is_live_and_adds_no_latency)
