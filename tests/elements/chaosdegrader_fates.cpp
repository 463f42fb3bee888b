// Everything that can become of a packet in chaosdegrader, and what events do meanwhile.
#include "tests/elements/degrader_bench.hpp"

#include <bit>
#include <mutex>

using namespace avc;
using namespace avc::test;

namespace {

// Everything that leaves the source pad, as text: a number per packet, or a letter per event (E: EOS, x: custom).
struct Exits {
  std::mutex mutex;
  std::string text;

  explicit Exits(const PadBench &bench) {
    const auto src = take(gst_element_get_static_pad(bench.element(), "src"));
    gst_pad_add_probe(src.get(), static_cast<GstPadProbeType>(GST_PAD_PROBE_TYPE_DATA_DOWNSTREAM), note, this, nullptr);
  }
  static GstPadProbeReturn note(GstPad *, GstPadProbeInfo *info, gpointer user) {
    auto &exits = *static_cast<Exits *>(user);
    const std::lock_guard hold(exits.mutex);
    const auto packet = [&](GstBuffer *buffer) {
      const auto n = header_of(bytes_of(buffer)).sequence - kFirstSequence;
      exits.text += std::to_string(n) + " ";
    };
    if (GST_PAD_PROBE_INFO_TYPE(info) & GST_PAD_PROBE_TYPE_EVENT_BOTH) {
      const auto type = GST_EVENT_TYPE(GST_PAD_PROBE_INFO_EVENT(info));
      if (type == GST_EVENT_EOS || type == GST_EVENT_CUSTOM_DOWNSTREAM)
        exits.text += type == GST_EVENT_EOS ? "E " : "x ";
    } else if (GST_PAD_PROBE_INFO_TYPE(info) & GST_PAD_PROBE_TYPE_BUFFER_LIST) {
      auto *list = GST_PAD_PROBE_INFO_BUFFER_LIST(info);
      for (guint i = 0; i < gst_buffer_list_length(list); i++) packet(gst_buffer_list_get(list, i));
    } else {
      packet(GST_PAD_PROBE_INFO_BUFFER(info));
    }
    return GST_PAD_PROBE_OK;
  }
  std::string now() {
    const std::lock_guard hold(mutex);
    return text;
  }
};

Ptr<GstEvent> custom() { return take(gst_event_new_custom(GST_EVENT_CUSTOM_DOWNSTREAM, gst_structure_new_empty("x"))); }

// 112 kbit/s: a packet of 112 + 28 bytes takes 10 ms on the line.
constexpr const char *kSlowLine = "bandwidth-kbps=112 ";

std::size_t bits_apart(const Octets &a, const Octets &b) {
  ck_assert_int_eq(a.size(), b.size());
  std::size_t bits = 0;
  for (std::size_t i = 0; i < a.size(); i++) bits += static_cast<std::size_t>(std::popcount(unsigned(a[i] ^ b[i])));
  return bits;
}

}  // namespace

GST_START_TEST(a_duplicate_is_the_same_memory_in_a_buffer_of_its_own) {
  const TempFile log;
  Bench b("duplicate-percent=100 decision-log=" + log.path);
  for (std::uint16_t i = 0; i < 3; i++) b.push(video(i, ms(i)));
  const auto out = b.out_now();
  ck_assert(numbers_of(out) == (std::vector<std::uint16_t>{0, 0, 1, 1, 2, 2}));
  ck_assert(out[0].get() != out[1].get());
  ck_assert(gst_buffer_peek_memory(out[0].get(), 0) == gst_buffer_peek_memory(out[1].get(), 0));
  ck_assert(GST_BUFFER_PTS(out[3].get()) == ms(1));
  ck_assert_int_eq(b.stat("duplicated"), 3);
  ck_assert_int_eq(b.stat("video-duplicated"), 3);
  ck_assert_int_eq(b.stat("packets-out"), 6);
  gst_element_set_state(b.element(), GST_STATE_READY);
  ck_assert(with_fate(log.lines(), "duplicated") == (std::vector<std::uint16_t>{0, 1, 2}));
  ck_assert(number_in(log.lines()[0], "copy_delay_us") == 0);
}
GST_END_TEST;

// The copy's jitter is its own: both come when the log says.
GST_START_TEST(a_duplicate_comes_when_it_was_decided) {
  const TempFile log;
  Bench b("duplicate-percent=100 delay-ms=50 jitter-ms=20 allow-reordering=true decision-log=" + log.path);
  b.push(video(0, 0));
  (void)b.play_out(1);
  const auto first = gst_clock_get_time(b.clock.get());
  (void)b.play_out(1);
  const auto second = gst_clock_get_time(b.clock.get());
  gst_element_set_state(b.element(), GST_STATE_READY);
  const auto line = log.lines().at(0);
  const double one = number_in(line, "delay_us"), other = number_in(line, "copy_delay_us");
  ck_assert(one != other);
  // The context sleeps to whole milliseconds at most beside the deadline.
  ck_assert(std::abs(static_cast<double>(first) / 1e3 - std::min(one, other)) <= 1000);
  ck_assert(std::abs(static_cast<double>(second) / 1e3 - std::max(one, other)) <= 1000);
}
GST_END_TEST;

GST_START_TEST(corruption_changes_the_bit_that_the_log_names_and_no_other) {
  const TempFile log;
  Bench b("corrupt-percent=100 decision-log=" + log.path);
  std::vector<Octets> sent;
  for (std::uint16_t i = 0; i < 200; i++) {
    sent.push_back(octets_of(video(i, ms(i))));
    b.push(video(i, ms(i)));
  }
  const auto out = b.out_now();
  gst_element_set_state(b.element(), GST_STATE_READY);
  const auto lines = log.lines();
  ck_assert_int_eq(with_fate(lines, "corrupted").size(), 200);
  for (std::size_t i = 0; i < 200; i++) {
    const auto got = bytes_of(out[i].get());
    ck_assert_int_eq(bits_apart(sent[i], got), 1);
    const auto bit = static_cast<std::size_t>(number_in(lines[i], "bit"));
    ck_assert(bit >= 96);  // behind the header
    ck_assert_int_eq(sent[i][bit / 8] ^ got[bit / 8], 1 << bit % 8);
  }
}
GST_END_TEST;

// Header of 12 + 4 (one CSRC) + 8 (extension) bytes before one byte of payload.
GST_START_TEST(csrcs_and_extension_are_header_and_spared_unless_asked_for) {
  const Octets packet = unhex("9160fde8000000000000000100000007bede000110ff0000aa");
  for (const bool headers : {false, true}) {
    Bench b(std::string("corrupt-percent=100 corrupt-headers=") + (headers ? "true" : "false"));
    std::size_t in_header = 0;
    for (std::uint16_t i = 0; i < 100; i++) {
      auto bytes = packet;
      bytes[3] = static_cast<std::uint8_t>(i);
      gst_harness_push(b.h.get(), give(buffer_of(bytes, ms(i))));
      const auto out = b.out_now();
      ck_assert_int_eq(bits_apart(bytes, bytes_of(out.at(0).get())), 1);
      in_header += bytes_of(out[0].get()).back() == 0xaa;
    }
    ck_assert(headers ? in_header > 80 : in_header == 0);
  }
}
GST_END_TEST;

// The payload is one memory for several buffers, as avchaossrc's is for all participants.
GST_START_TEST(memory_that_others_share_is_never_written) {
  Bench b("corrupt-percent=100 duplicate-percent=100");
  const auto payload = take(gst_memory_copy(gst_buffer_peek_memory(packet_of(video(0, 0)).get(), 0), 12, 100));
  GstMapInfo map;
  gst_memory_map(payload.get(), &map, GST_MAP_READ);
  const Octets before(map.data, map.data + map.size);
  gst_memory_unmap(payload.get(), &map);
  for (std::uint16_t i = 0; i < 50; i++) {
    auto bytes = octets_of(video(i, ms(i)));
    bytes.resize(12);
    auto buffer = buffer_of(bytes, ms(i));
    gst_buffer_append_memory(buffer.get(), gst_memory_ref(payload.get()));
    gst_harness_push(b.h.get(), give(std::move(buffer)));
    for (const auto &out : b.out_now()) {
      ck_assert(gst_buffer_peek_memory(out.get(), 1) != payload.get());
      const auto got = bytes_of(out.get());
      ck_assert_int_eq(bits_apart(Octets(got.begin() + 12, got.end()), before), 1);
    }
  }
  gst_memory_map(payload.get(), &map, GST_MAP_READ);
  ck_assert(std::equal(before.begin(), before.end(), map.data));
  gst_memory_unmap(payload.get(), &map);
  ck_assert_int_eq(b.stat("corrupted"), 100);
}
GST_END_TEST;

GST_START_TEST(whole_frames_are_dropped_by_their_timestamp) {
  const TempFile log;
  Bench b("frame-drop-percent=40 decision-log=" + log.path);
  for (std::uint16_t i = 0; i < 400; i++) {
    auto packet = video(i, ms(i / 4 * 40));
    packet.fields.timestamp = i / 4 * 3600u;
    b.push(packet);
    b.push({{111, true, false, i, i * 960u, kAudioSsrc}, 80, ms(i * 10)});
  }
  std::map<std::uint32_t, int> packets_of_frame;
  for (const auto &buffer : b.out_now()) {
    const auto header = header_of(bytes_of(buffer.get()));
    if (header.ssrc == kSsrc) packets_of_frame[header.timestamp]++;
  }
  ck_assert(std::ranges::all_of(packets_of_frame, [](const auto &frame) { return frame.second == 4; }));
  ck_assert(packets_of_frame.size() > 40 && packets_of_frame.size() < 80);  // of 100: 60 +- 4*4.9
  ck_assert_int_eq(b.stat("dropped-frame"), 400 - 4 * packets_of_frame.size());
  ck_assert_int_eq(b.stat("audio-frame-dropped"), 0);
  gst_element_set_state(b.element(), GST_STATE_READY);
  ck_assert_int_eq(with_fate(log.lines(), "frame-dropped").size(), 400 - 4 * packets_of_frame.size());
}
GST_END_TEST;

GST_START_TEST(chosen_packets_go_ahead_of_those_delayed) {
  Bench b("delay-ms=50 reorder-percent=100 reorder-gap=5");
  for (std::uint16_t i = 0; i < 10; i++) b.push(video(i, ms(i)));
  ck_assert(numbers_of(b.play_out(10)) == (std::vector<std::uint16_t>{4, 9, 0, 1, 2, 3, 5, 6, 7, 8}));
  ck_assert_int_eq(b.stat("reordered"), 2);
}
GST_END_TEST;

GST_START_TEST(apply_to_spares_all_others) {
  const struct {
    const char *to;
    const char *kept;
  } rows[] = {{"video", "ar"},     {"audio", "khdr"}, {"keyframes", "dar"},
              {"headers", "kdar"}, {"rtcp", "khda"},  {"all", ""}};
  for (const auto &row : rows) {
    Bench b(std::string("loss-percent=100 apply-to=") + row.to);
    std::string kept;
    std::uint16_t n = 0;
    for (const char kind : std::string("khdar")) {
      auto buffer = kind == 'r'   ? buffer_of(unhex("80c9000100000005"))
                    : kind == 'a' ? packet_of({{111, true, false, n, 0, kAudioSsrc}, 80, 0})
                                  : packet_of(video(n, 0));
      if (kind == 'd') GST_BUFFER_FLAG_SET(buffer.get(), GST_BUFFER_FLAG_DELTA_UNIT);
      if (kind == 'h') GST_BUFFER_FLAG_SET(buffer.get(), GST_BUFFER_FLAG_HEADER);
      n++;
      gst_harness_push(b.h.get(), give(std::move(buffer)));
      if (!b.out_now().empty()) kept += kind;
    }
    std::string expected = row.kept;
    // A packet with parameter sets belongs to the keyframe, too.
    ck_assert_msg(std::string(row.to) == "keyframes" ? kept == "dar" : kept.size() == expected.size(), "%s keeps %s",
                  row.to, kept.c_str());
  }
}
GST_END_TEST;

GST_START_TEST(what_is_no_rtp_passes_rtp_models_and_is_counted_there) {
  Bench b("");
  gst_harness_set_src_caps_str(b.h.get(), "application/octet-stream");
  const auto push = [&] { gst_harness_push(b.h.get(), give(buffer_of(Octets(50, 0x80)))); };
  push();
  ck_assert_int_eq(b.stat("not-rtp"), 0);
  g_object_set(b.element(), "frame-drop-percent", 100.0, nullptr);
  push();
  g_object_set(b.element(), "frame-drop-percent", 0.0, "loss-percent", 100.0, nullptr);
  gst_util_set_object_arg(G_OBJECT(b.element()), "apply-to", "video");
  push();
  ck_assert_int_eq(b.out_now().size(), 3);
  ck_assert_int_eq(b.stat("not-rtp"), 2);
  ck_assert_int_eq(b.stat("other-not-rtp"), 2);
  gst_util_set_object_arg(G_OBJECT(b.element()), "apply-to", "all");
  push();
  ck_assert_int_eq(b.out_now().size(), 0);
  ck_assert_int_eq(b.stat("not-rtp"), 2);
}
GST_END_TEST;

GST_START_TEST(all_datagrams_hurts_dtls_and_stun_as_well) {
  Bench b("loss-percent=100 all-datagrams=true");
  for (const char *datagram : {"00010000", "16feff00"}) gst_harness_push(b.h.get(), give(buffer_of(unhex(datagram))));
  ck_assert(b.out_now().empty());
  ck_assert_int_eq(b.stat("other-lost"), 2);
}
GST_END_TEST;

// Ten at once into room for three: the line takes the first, the three youngest wait, those between are pushed out.
GST_START_TEST(drop_head_drops_the_oldest_that_waits) {
  const TempFile log;
  Bench b(kSlowLine + std::string("queue-discipline=drophead queue-packets=3 queue-ms=1000 decision-log=") + log.path);
  gst_pad_push_list(b.h->srcpad, give(list_of(0, 10, 0)));
  ck_assert_int_eq(b.stat("held"), 4);
  ck_assert(numbers_of(b.play_out(4)) == (std::vector<std::uint16_t>{0, 7, 8, 9}));
  ck_assert_uint_eq(gst_clock_get_time(b.clock.get()), ms(40));
  ck_assert_int_eq(b.stat("dropped-queue"), 6);
  ck_assert_int_eq(b.stat("dropped-managed"), 6);
  ck_assert_int_eq(b.stat("held"), 0);
  gst_element_set_state(b.element(), GST_STATE_READY);
  ck_assert(with_fate(log.lines(), "queue-dropped") == (std::vector<std::uint16_t>{1, 2, 3, 4, 5, 6}));
}
GST_END_TEST;

// 150 % of the line's rate for two seconds: CoDel keeps the wait near its target where drop tail fills its 1000 ms.
GST_START_TEST(codel_drops_to_keep_the_wait_short) {
  const auto delay_of_last = [](const char *discipline) {
    const TempFile log;
    Bench b(kSlowLine + std::string("packet-overhead=1388 bandwidth-kbps=1200 queue-ms=1000 queue-discipline=") +
            discipline + " decision-log=" + log.path);
    for (std::uint16_t i = 0; i < 600; i++) b.push(video(i, ms(20) * i / 3));
    gst_harness_push_event(b.h.get(), gst_event_new_eos());
    const guint64 dropped = b.stat("dropped-managed");
    gst_element_set_state(b.element(), GST_STATE_READY);
    const auto lines = log.lines();
    ck_assert_int_eq(lines.size(), 600);
    double least = 1e12;  // of the second half
    for (const auto &line : lines) {
      if (number_in(line, "n") > 300 && line.find("\"sent\"") != std::string::npos) {
        least = std::min(least, number_in(line, "delay_us"));
      }
    }
    return std::pair(least, dropped);
  };
  const auto [tail, none] = delay_of_last("droptail");
  const auto [codel, some] = delay_of_last("codel");
  ck_assert_int_eq(none, 0);
  ck_assert(some > 0);
  ck_assert_msg(codel < tail / 4, "CoDel %f us, drop tail %f us", codel, tail);
}
GST_END_TEST;

GST_START_TEST(copies_wait_like_their_originals) {
  Bench b(kSlowLine + std::string("queue-discipline=drophead queue-ms=1000 duplicate-percent=100"));
  gst_pad_push_list(b.h->srcpad, give(list_of(0, 3, 0)));
  const auto out = numbers_of(b.play_out(6));
  ck_assert(out == (std::vector<std::uint16_t>{0, 0, 1, 1, 2, 2}));
  ck_assert_uint_eq(gst_clock_get_time(b.clock.get()), ms(60));
  ck_assert_int_eq(b.stat("duplicated"), 3);
}
GST_END_TEST;

// Counts add up where the queue drops one of packet and copy, too.
GST_START_TEST(what_goes_in_comes_out_or_is_counted) {
  Bench b(kSlowLine + std::string("queue-discipline=drophead queue-packets=2 queue-ms=1000 duplicate-percent=50"));
  for (std::uint16_t i = 0; i < 200; i++) b.push(video(i, ms(i * 7)));
  gst_harness_push_event(b.h.get(), gst_event_new_eos());
  b.pass_time_until([&] { return b.stat("held") == 0; });
  ck_assert(b.stat("duplicated") > 0);
  ck_assert(b.stat("dropped-managed") > 0);
  ck_assert_int_eq(b.stat("packets-out"), b.stat("packets-in") + b.stat("duplicated") - b.stat("dropped-queue"));
}
GST_END_TEST;

GST_START_TEST(an_event_keeps_its_place_among_waiting_packets) {
  Bench b(kSlowLine + std::string("queue-discipline=drophead queue-ms=1000"));
  Exits exits(b);
  gst_pad_push_list(b.h->srcpad, give(list_of(0, 3, 0)));
  gst_harness_push_event(b.h.get(), give(custom()));
  b.push(video(3, ms(1)));
  gst_harness_push_event(b.h.get(), give(custom()));
  b.pass_time_until([&] { return exits.now().find("3 x ") != std::string::npos; });
  expect_text(exits.now(), "0 1 2 x 3 x ");
}
GST_END_TEST;

// Audio goes past the line of video, but not past an event that stands behind waiting video.
GST_START_TEST(what_goes_past_the_line_stays_behind_the_event) {
  Bench b(kSlowLine + std::string("queue-discipline=codel apply-to=video"));
  Exits exits(b);
  const auto audio = [&](std::uint16_t n) {
    b.push({{111, true, false, static_cast<std::uint16_t>(kFirstSequence + n), 0, kAudioSsrc}, 80, 0});
  };
  gst_pad_push_list(b.h->srcpad, give(list_of(0, 3, 0)));
  audio(100);
  gst_harness_push_event(b.h.get(), give(custom()));
  audio(101);
  expect_text(exits.now(), "100 ");
  b.pass_time_until([&] { return exits.now().find("101") != std::string::npos; });
  expect_text(exits.now(), "100 0 1 2 x 101 ");
}
GST_END_TEST;

GST_START_TEST(eos_decides_all_that_wait_and_comes_last) {
  const TempFile log;
  Bench b(kSlowLine + std::string("queue-discipline=codel queue-ms=1000 decision-log=") + log.path);
  Exits exits(b);
  gst_pad_push_list(b.h->srcpad, give(list_of(0, 3, 0)));
  gst_harness_push_event(b.h.get(), gst_event_new_eos());
  b.pass_time_until([&] { return exits.now().find('E') != std::string::npos; });
  expect_text(exits.now(), "0 1 2 E ");
  gst_element_set_state(b.element(), GST_STATE_READY);
  ck_assert(with_fate(log.lines(), "sent") == (std::vector<std::uint16_t>{0, 1, 2}));
}
GST_END_TEST;

GST_START_TEST(a_flush_drops_what_waits_counted_and_the_log_tells_its_fate) {
  const TempFile log;
  Bench b(kSlowLine + std::string("queue-discipline=drophead queue-ms=1000 decision-log=") + log.path);
  gst_pad_push_list(b.h->srcpad, give(list_of(0, 5, 0)));
  gst_harness_push_event(b.h.get(), gst_event_new_flush_start());
  gst_harness_push_event(b.h.get(), gst_event_new_flush_stop(TRUE));
  ck_assert_int_eq(b.stat("held"), 0);
  ck_assert_int_eq(b.stat("dropped-flush"), 5);
  GstSegment segment;
  gst_segment_init(&segment, GST_FORMAT_TIME);
  gst_harness_push_event(b.h.get(), gst_event_new_segment(&segment));
  b.push(video(5, 0));
  (void)b.play_out(1);
  ck_assert_uint_eq(gst_clock_get_time(b.clock.get()), ms(10));
  gst_element_set_state(b.element(), GST_STATE_READY);
  ck_assert_int_eq(log.lines().size(), 6);
}
GST_END_TEST;

GST_START_TEST(a_stop_lets_go_of_what_waits) {
  Bench b(kSlowLine + std::string("queue-discipline=drophead queue-ms=1000"));
  auto list = list_of(0, 5, 0);
  const auto last = share(gst_buffer_list_get(list.get(), 4));
  gst_pad_push_list(b.h->srcpad, give(std::move(list)));
  gst_element_set_state(b.element(), GST_STATE_READY);
  ck_assert_int_eq(GST_MINI_OBJECT_REFCOUNT_VALUE(last.get()), 1);
  ck_assert_int_eq(b.stat("dropped-flush"), 5);
}
GST_END_TEST;

// When the discipline changes to drop tail, those that wait are decided at once; nobody overtakes them.
GST_START_TEST(another_discipline_while_packets_wait_keeps_their_order) {
  Bench b(kSlowLine + std::string("queue-discipline=drophead queue-ms=1000"));
  gst_pad_push_list(b.h->srcpad, give(list_of(0, 4, 0)));
  gst_util_set_object_arg(G_OBJECT(b.element()), "queue-discipline", "droptail");
  gst_pad_push_list(b.h->srcpad, give(list_of(4, 2, ms(1))));
  ck_assert(numbers_of(b.play_out(6)) == (std::vector<std::uint16_t>{0, 1, 2, 3, 4, 5}));
  ck_assert_uint_eq(gst_clock_get_time(b.clock.get()), ms(60));
}
GST_END_TEST;

GST_START_TEST(a_spike_with_a_trace_file_reads_it_or_says_that_it_cannot) {
  const TempFile trace;
  std::ofstream(trace.path) << "10\n20\n";
  Bench b("");
  const auto start = [&](const char *id, const std::string &path) {
    const SpikeStart spike{id, "link_trace", 0, GST_CLOCK_TIME_NONE, {{"trace", path}}};
    gst_harness_push_event(b.h.get(), give(make_event(spike, Direction::downstream)));
  };
  start("bad", "/nonexistent/trace");
  ck_assert_int_eq(b.stat("active-layers"), 0);
  const auto warnings = warnings_on(b.bus.get());
  ck_assert_int_eq(warnings.size(), 1);
  ck_assert_msg(warnings[0].find("spike bad does nothing here") != std::string::npos, "%s", warnings[0].c_str());
  start("good", trace.path);
  ck_assert_int_eq(b.stat("active-layers"), 1);
  b.push(video(0, 0));
  ck_assert(b.out_now().empty());
  (void)b.play_out(1);
}
GST_END_TEST;

// More SSRCs than are followed: the packets still pass, and those seen last keep their numbers.
GST_START_TEST(many_ssrcs_cost_bounded_memory) {
  const TempFile log;
  Bench b("decision-log=" + log.path);
  const auto push = [&](std::uint32_t ssrc, std::uint16_t sequence) {
    b.push({{96, false, false, sequence, 0, ssrc}, 10, 0});
  };
  for (std::uint32_t ssrc = 1; ssrc <= 1000; ssrc++) {
    push(kSsrc, static_cast<std::uint16_t>(ssrc));
    push(ssrc, 7);
  }
  ck_assert_int_eq(b.out_now().size(), 2000);
  gst_element_set_state(b.element(), GST_STATE_READY);
  ck_assert(number_in(log.lines()[1998], "n") == 999);
}
GST_END_TEST;

AVC_GST_TESTS("chaosdegrader_fates", a_duplicate_is_the_same_memory_in_a_buffer_of_its_own,
              a_duplicate_comes_when_it_was_decided, corruption_changes_the_bit_that_the_log_names_and_no_other,
              csrcs_and_extension_are_header_and_spared_unless_asked_for, memory_that_others_share_is_never_written,
              whole_frames_are_dropped_by_their_timestamp, chosen_packets_go_ahead_of_those_delayed,
              apply_to_spares_all_others, what_is_no_rtp_passes_rtp_models_and_is_counted_there,
              all_datagrams_hurts_dtls_and_stun_as_well, drop_head_drops_the_oldest_that_waits,
              codel_drops_to_keep_the_wait_short, copies_wait_like_their_originals,
              what_goes_in_comes_out_or_is_counted, an_event_keeps_its_place_among_waiting_packets,
              what_goes_past_the_line_stays_behind_the_event, eos_decides_all_that_wait_and_comes_last,
              a_flush_drops_what_waits_counted_and_the_log_tells_its_fate, a_stop_lets_go_of_what_waits,
              another_discipline_while_packets_wait_keeps_their_order,
              a_spike_with_a_trace_file_reads_it_or_says_that_it_cannot, many_ssrcs_cost_bounded_memory)
