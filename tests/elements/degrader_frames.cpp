// chaosdegrader handed frames: the same fates as packets, written down instead of waited for.
#include "tests/elements/frame_bench.hpp"

#include <set>

#include "tests/core/net/models.hpp"
#include "tests/elements/recorder.hpp"
#include "tests/elements/sink_bench.hpp"
#include "tests/elements/source_clip.hpp"

using namespace avc;
using namespace avc::test;
using namespace std::chrono_literals;

namespace {

constexpr guint kFrames = 60;  // of 20 ms

void push_all(FrameBench &bench, guint frames = kFrames) {
  for (guint i = 0; i < frames; i++) {
    bench.push(bench.video_frame(ms(20 * i)));
    bench.push(bench.audio_frame(ms(20 * i)));
  }
}

std::vector<Octets> bytes_of_all(FrameBench &bench) {
  std::vector<Octets> all;
  for (auto &packet : bench.packets()) all.push_back(std::move(packet.bytes));
  std::sort(all.begin(), all.end());
  return all;
}

constexpr const char *kCounted[] = {"packets-in",    "packets-out",   "bytes-in",        "bytes-out",  "dropped-loss",
                                    "dropped-frame", "dropped-queue", "dropped-managed", "duplicated", "corrupted",
                                    "reordered",     "delay-count",   "video-in",        "audio-in",   "dropped-flush",
                                    "audio-lost",    "held"};

// When the sink is told to send a packet: "at once" is when it came.
std::int64_t due_of(const Arrival &packet, GstClockTime pts) {
  return packet.due == Instant{Nanos::min()} ? static_cast<std::int64_t>(pts) : packet.due->since_origin.count();
}

// Frames that all came with one pts, so that each due time is that and what the log says.
void expect_logged_times(const net::Impairment &link, const std::string &name, const std::string &log) {
  constexpr GstClockTime pts = ms(7);
  FrameBench bench(true, link, log);
  for (int i = 0; i < 3; i++) bench.push(bench.video_frame(pts));
  bench.finish();
  std::multiset<std::pair<guint64, std::int64_t>> wanted, got;
  gst_element_set_state(bench.element(), GST_STATE_READY);
  for (const Logged &line : read_log(log)) {
    if (line.dropped()) continue;
    wanted.emplace(line.sequence, pts + line.delay_ns);
    if (line.copy_delay_ns >= 0) wanted.emplace(line.sequence, pts + line.copy_delay_ns);
  }
  for (const auto &packet : bench.packets()) got.emplace(rtp::read16(packet.bytes, 2), due_of(packet, pts));
  ck_assert_msg(got == wanted, "%s", name.c_str());

  got.clear();  // nobody asks for a log: the same
  FrameBench unlogged(true, link);
  for (int i = 0; i < 3; i++) unlogged.push(unlogged.video_frame(pts));
  unlogged.finish();
  for (const auto &packet : unlogged.packets()) got.emplace(rtp::read16(packet.bytes, 2), due_of(packet, pts));
  ck_assert_msg(got == wanted, "%s without a log", name.c_str());
}

// A link of that needs each packet to be looked at alone.
const net::Impairment kWaiting{.delay_ms = 5, .bandwidth_kbps = 6000, .queue_discipline = net::QueueDiscipline::codel};

}  // namespace

GST_START_TEST(frames_and_packets_meet_the_same_fate_under_every_model) {
  LogFolder logs;
  for (const Model &model : every_model()) {
    const std::string as_frames = logs.fresh(), as_packets = logs.fresh();
    FrameBench frames(true, model.settings, as_frames), packets(false, model.settings, as_packets);
    for (auto *bench : {&frames, &packets}) {
      push_all(*bench);
      bench->finish();
    }
    for (const char *field : kCounted)
      ck_assert_msg(stat(frames.element(), field) == stat(packets.element(), field), "%s: %s", model.name.c_str(),
                    field);
    ck_assert(text_stat(frames.element(), "carrier") == "frames");
    ck_assert(text_stat(packets.element(), "carrier") == "packets");
    ck_assert_msg(bytes_of_all(frames) == bytes_of_all(packets), "%s", model.name.c_str());
    for (const auto &packet : frames.packets()) ck_assert_msg(packet.due.has_value(), "%s", model.name.c_str());
    for (const auto &packet : packets.packets()) ck_assert_msg(!packet.due.has_value(), "%s", model.name.c_str());
    for (auto *bench : {&frames, &packets}) gst_element_set_state(bench->element(), GST_STATE_READY);
    const auto lines = lines_of(as_frames);
    ck_assert_msg(lines.size() == kFrames * (kVideoPackets + 1) && lines == lines_of(as_packets), "%s",
                  model.name.c_str());
  }
}
GST_END_TEST;

GST_START_TEST(a_packet_is_due_when_the_log_says_under_every_model) {
  LogFolder logs;
  for (const Model &model : every_model()) expect_logged_times(model.settings, model.name, logs.fresh());
}
GST_END_TEST;

// Two seconds of a whole sender; `between` stands between the link and the sink.
GST_START_TEST(a_stranger_before_the_sink_changes_no_decision) {
  LogFolder logs;
  Port port;
  std::vector<std::vector<std::string>> told;
  std::vector<guint64> lost;
  for (const std::string between : {"", "identity ! "}) {
    const std::string log = logs.fresh();
    SourceBench bench(source_text("context=frames") +
                      "s.rtp ! participanttagger rtcp-interval-ms=500 ! chaosdegrader name=d seed=5 context=frames "
                      "loss-model=burst loss-percent=5 delay-ms=40 jitter-ms=20 allow-reordering=true decision-log=" +
                      log + " ! " + between +
                      "avchaosudpsink name=out context=frames port=" + std::to_string(port.number()));
    bench.play();
    bench.advance_to(ms(2000));
    const auto link = take(gst_bin_get_by_name(GST_BIN(bench.pipeline()), "d"));
    const auto out = take(gst_bin_get_by_name(GST_BIN(bench.pipeline()), "out"));
    ck_assert_int_eq(stat(link.get(), "held") == 0, between.empty());
    ck_assert_uint_gt(stat(out.get(), "packets-sent"), 100);
    for (auto *element : {link.get(), out.get()})
      ck_assert(text_stat(element, "carrier") == (between.empty() ? "frames" : "packets"));
    lost.push_back(stat(link.get(), "dropped-loss"));
    gst_element_set_state(bench.pipeline(), GST_STATE_READY);
    told.push_back(lines_of(log));
  }
  ck_assert_uint_gt(lost[0], 0);
  ck_assert_uint_eq(lost[0], lost[1]);
  ck_assert_uint_gt(told[0].size(), 150);
  ck_assert(told[0] == told[1]);
}
GST_END_TEST;

GST_START_TEST(a_frame_leaves_at_once_and_whole) {
  FrameBench bench(true, {.loss_percent = 20, .delay_ms = 100, .jitter_ms = 30, .allow_reordering = true});
  for (int i = 0; i < 10; i++) bench.push(bench.video_frame(ms(20)));
  const auto packets = bench.packets();
  fail_unless(packets.size() > 100 && packets.size() < 10 * kVideoPackets);
  fail_unless_equals_uint64(packets.back().push, 10);  // no more than came in, though nothing is due
  for (const auto &packet : packets) fail_unless(*packet.due > Instant{20ms});
  fail_unless_equals_uint64(stat(bench.element(), "held"), 0);
  fail_unless_equals_uint64(stat(bench.element(), "packets-out"), packets.size());
  fail_unless_equals_uint64(stat(bench.element(), "dropped-loss"), 10 * kVideoPackets - packets.size());
}
GST_END_TEST;

GST_START_TEST(a_link_that_does_nothing_says_at_once) {
  FrameBench bench(true);
  push_all(bench, 2);
  const auto packets = bench.packets();
  fail_unless_equals_uint64(packets.size(), 2 * (kVideoPackets + 1));
  for (const auto &packet : packets) fail_unless(packet.due == Instant{Nanos::min()});
}
GST_END_TEST;

GST_START_TEST(a_frame_of_which_all_is_lost_does_not_leave) {
  FrameBench bench(true, {.loss_percent = 100});
  push_all(bench, 3);
  fail_unless_equals_uint64(bench.packets().size(), 0);
  fail_unless_equals_uint64(stat(bench.element(), "dropped-loss"), 3 * (kVideoPackets + 1));
}
GST_END_TEST;

GST_START_TEST(what_links_before_this_one_decided_stands) {
  FrameBench bench(true, {.delay_ms = 10});
  auto buffer = bench.video_frame(0);
  auto slots = frame_of(buffer.get())->slots();
  slots[0].due = {50ms};
  slots[1].send = false;
  bench.push(std::move(buffer));
  const auto packets = bench.packets();
  fail_unless_equals_uint64(packets.size(), kVideoPackets - 1);
  fail_unless(packets[0].due == Instant{50ms});
  fail_unless(packets[1].due == Instant{10ms});
  fail_unless_equals_uint64(stat(bench.element(), "packets-in"), kVideoPackets - 1);
}
GST_END_TEST;

GST_START_TEST(a_frame_that_others_hold_too_is_not_written_to) {
  FrameBench bench(true, {.loss_percent = 50, .delay_ms = 10, .corrupt_percent = 10, .corrupt_headers = true});
  const auto buffer = bench.video_frame(0);
  const auto before = take(gst_buffer_copy(buffer.get()));
  bench.push(share(buffer.get()));
  const RtpFrame *now = frame_of(buffer.get()), *was = frame_of(before.get());
  for (guint i = 0; i < now->count; i++) {
    fail_unless(now->packets[i].header == was->packets[i].header);
    fail_unless(now->packets[i].send && now->packets[i].due == Instant{Nanos::min()});
  }
}
GST_END_TEST;

GST_START_TEST(a_corrupted_packet_has_a_payload_of_its_own) {
  FrameBench bench(true, {.corrupt_percent = 20});
  push_all(bench, 10);
  std::set<const std::uint8_t *> shared;
  for (const FramePayload &payload : bench.clip()->payloads) shared.insert(payload.bytes.data());
  const auto packets = bench.packets();
  const auto own = std::ranges::count_if(packets, [&](const Arrival &p) { return !shared.contains(p.payload); });
  fail_unless_equals_uint64(static_cast<guint64>(own), stat(bench.element(), "corrupted"));
  fail_unless(own > 10);
  const auto whole = new_clip();
  for (std::size_t i = 0; i < whole->bytes.size(); i++) fail_unless(bench.clip()->bytes[i] == whole->bytes[i]);
}
GST_END_TEST;

GST_START_TEST(an_ordinary_packet_goes_as_a_frame_and_keeps_its_time) {
  FrameBench bench(true, {.delay_ms = 30});
  bench.push(bench.video_frame(0));
  Octets report(28);
  report[0] = 0x80;
  report[1] = 200;
  report[3] = 6;
  bench.push(buffer_of(report, ms(5)));
  const auto packets = bench.packets();
  fail_unless_equals_uint64(packets.size(), kVideoPackets + 1);
  fail_unless(packets.back().bytes == report && packets.back().header_bytes == 0);
  fail_unless(packets.back().due == Instant{35ms});
  fail_unless_equals_uint64(stat(bench.element(), "held"), 0);
}
GST_END_TEST;

GST_START_TEST(events_keep_their_places_among_frames) {
  for (const net::Impairment &link : {net::Impairment{.delay_ms = 500}, kWaiting}) {
    FrameBench bench(true, link);
    std::vector<GstEventType> wanted;
    bench.push(bench.video_frame(0));
    bench.send(gst_event_new_caps(take(gst_caps_from_string("application/x-rtp, a=(int)1")).get()));
    bench.push(bench.video_frame(ms(20)));
    bench.send(time_segment(ms(3)));
    bench.push(bench.video_frame(ms(40)));
    bench.send(gst_event_new_gap(ms(60), ms(1)));
    bench.push(bench.video_frame(ms(80)));
    bench.end();
    std::string order;
    std::map<char, std::set<std::uint16_t>> seen;  // sequence numbers between events
    char part = '0';
    for (const auto &arrival : bench.arrived()) {
      if (arrival.event == GST_EVENT_UNKNOWN) {
        if (order.empty() || order.back() != 'p') order += 'p';
        seen[part].insert(rtp::read16(arrival.bytes, 2));
      } else if (!order.empty()) {
        order += arrival.event == GST_EVENT_CAPS      ? 'c'
                 : arrival.event == GST_EVENT_SEGMENT ? 's'
                 : arrival.event == GST_EVENT_GAP     ? 'g'
                                                      : 'E';
        part++;
      }
    }
    fail_unless_equals_string(order.c_str(), "pcpspgpE");
    for (int i = 0; i < 4; i++) {
      const auto &part_of = seen[static_cast<char>('0' + i)];
      fail_unless(*part_of.begin() >= i * kVideoPackets && *part_of.rbegin() < (i + 1) * kVideoPackets);
    }
  }
}
GST_END_TEST;

GST_START_TEST(what_waits_for_its_fate_leaves_by_the_clock) {
  FrameBench bench(true, kWaiting);
  bench.push(bench.video_frame(0));
  fail_unless(stat(bench.element(), "held") > 0);
  while (stat(bench.element(), "held") > 0) {
    if (gst_test_clock_timed_wait_for_multiple_pending_ids(bench.clock(), 1, 1, nullptr))
      gst_test_clock_crank(bench.clock());
  }
  fail_unless_equals_uint64(bench.packets().size(), kVideoPackets);
  for (const auto &packet : bench.packets()) fail_unless(packet.due.has_value());
}
GST_END_TEST;

GST_START_TEST(frames_are_offered_to_those_who_take_them_and_asked_about_anew) {
  FrameBench bench(true, {.delay_ms = 10});
  const auto accepted = [&] { return frames_accepted(bench.src()) != FramesAnswer::no; };
  fail_unless(accepted());
  bench.set_takes(false);
  fail_if(accepted());
  bench.push(bench.video_frame(0));  // sent before upstream asked
  fail_unless_equals_uint64(stat(bench.element(), "held"), kVideoPackets);
  bench.set_takes(true);
  fail_if(accepted());  // they would overtake what is held
  while (stat(bench.element(), "held") > 0) {
    if (gst_test_clock_timed_wait_for_multiple_pending_ids(bench.clock(), 1, 1, nullptr))
      gst_test_clock_crank(bench.clock());
  }
  fail_unless(accepted());
  bench.push(bench.video_frame(ms(20)));
  fail_unless_equals_uint64(stat(bench.element(), "held"), 0);

  const auto stranger = take(GST_ELEMENT(gst_object_ref_sink(gst_element_factory_make("fakesink", nullptr))));
  g_object_set(stranger.get(), "async", FALSE, "sync", FALSE, nullptr);
  gst_element_set_state(stranger.get(), GST_STATE_PLAYING);
  gst_element_unlink(bench.element(), bench.sink());
  fail_unless(gst_element_link(bench.element(), stranger.get()));
  bench.push(bench.video_frame(ms(40)));  // upstream has not asked
  fail_unless_equals_uint64(stat(bench.element(), "held"), kVideoPackets);
  fail_if(accepted());
  gst_element_set_state(stranger.get(), GST_STATE_NULL);
}
GST_END_TEST;

GST_START_TEST(after_a_restart_frames_are_taken_without_being_asked_about) {
  FrameBench bench(true, {.delay_ms = 10});
  gst_element_set_state(bench.element(), GST_STATE_READY);
  gst_element_set_state(bench.element(), GST_STATE_PLAYING);
  bench.send(gst_event_new_stream_start("again"));
  bench.send(time_segment());
  bench.push(bench.video_frame(0));
  fail_unless_equals_uint64(bench.packets().size(), kVideoPackets);
  fail_unless_equals_uint64(stat(bench.element(), "held"), 0);
}
GST_END_TEST;

AVC_GST_TESTS("degrader_frames", frames_and_packets_meet_the_same_fate_under_every_model,
              a_packet_is_due_when_the_log_says_under_every_model, a_stranger_before_the_sink_changes_no_decision,
              a_frame_leaves_at_once_and_whole, a_link_that_does_nothing_says_at_once,
              a_frame_of_which_all_is_lost_does_not_leave, what_links_before_this_one_decided_stands,
              a_frame_that_others_hold_too_is_not_written_to, a_corrupted_packet_has_a_payload_of_its_own,
              an_ordinary_packet_goes_as_a_frame_and_keeps_its_time, events_keep_their_places_among_frames,
              what_waits_for_its_fate_leaves_by_the_clock,
              frames_are_offered_to_those_who_take_them_and_asked_about_anew,
              after_a_restart_frames_are_taken_without_being_asked_about)
