// chaosdegrader: what is lost, when the rest comes, in which order, and that nothing else ever happens to it.
#include "tests/elements/degrader_bench.hpp"

#include <atomic>
#include <set>

#include "core/random.hpp"

using namespace avc;
using namespace avc::test;

GST_START_TEST(by_default_nothing_happens_to_anything) {
  Bench b("");
  auto list = list_of(0, 5, 0);
  GstBuffer *const first = gst_buffer_list_get(list.get(), 0);
  ck_assert_int_eq(gst_pad_push_list(b.h->srcpad, give(std::move(list))), GST_FLOW_OK);
  const auto out = b.out_now();
  ck_assert_int_eq(out.size(), 5);
  ck_assert(out[0].get() == first);
  ck_assert_int_eq(GST_MINI_OBJECT_REFCOUNT_VALUE(first), 1);
  ck_assert_int_eq(b.stat("packets-in"), 5);
  ck_assert_int_eq(b.stat("packets-out"), 5);
  ck_assert_int_eq(b.stat("bytes-in"), 560);
  ck_assert_int_eq(b.stat("bytes-out"), 560);
}
GST_END_TEST;

GST_START_TEST(total_loss_forwards_nothing) {
  Bench b("loss-percent=100");
  for (std::uint16_t i = 0; i < 10; i++) ck_assert_int_eq(b.push(video(i, 0)), GST_FLOW_OK);
  ck_assert_int_eq(gst_pad_push_list(b.h->srcpad, give(list_of(10, 5, 0))), GST_FLOW_OK);
  ck_assert_int_eq(gst_harness_buffers_received(b.h.get()), 0);
  ck_assert_int_eq(b.stat("dropped-loss"), 15);
  ck_assert_int_eq(b.stat("video-lost"), 15);
}
GST_END_TEST;

// What is missing is exactly what the log and the model name; 20 % of 2000 packets is 400 +- 72 (four sigma).
GST_START_TEST(loss_is_exactly_what_the_log_says) {
  const TempFile log;
  Bench b("loss-percent=20 decision-log=" + log.path);
  for (std::uint16_t i = 0; i < 2000; i += 5) gst_pad_push_list(b.h->srcpad, give(list_of(i, 5, ms(i))));
  const auto out = numbers_of(b.out_now());
  gst_element_set_state(b.element(), GST_STATE_READY);
  const auto lines = log.lines();
  ck_assert_int_eq(lines.size(), 2000);
  ck_assert(with_fate(lines, "sent") == out);
  ck_assert_int_eq(out.size() + with_fate(lines, "lost").size(), 2000);
  ck_assert(out.size() > 1528 && out.size() < 1672);
  ck_assert(lines[1].find(R"({"stream":"1001/video","n":1,"fate":)") == 0);
  ck_assert(lines[1].find(R"("seq":65001,"ssrc":1001000})") != std::string::npos);
}
GST_END_TEST;

GST_START_TEST(the_same_seed_loses_the_same_packets_and_another_does_not) {
  std::vector<std::string> texts;
  for (const char *seed : {"", "seed=42", "seed=43"}) {  // 42 is also the participant's
    const TempFile log;
    Bench b(std::string("loss-percent=30 decision-log=") + log.path + " " + seed);
    for (std::uint16_t i = 0; i < 500; i++) b.push(video(i, ms(i)));
    gst_element_set_state(b.element(), GST_STATE_READY);
    texts.push_back(log.text());
  }
  ck_assert(texts[0] == texts[1]);
  ck_assert(texts[0] != texts[2]);
}
GST_END_TEST;

GST_START_TEST(what_is_missing_upstream_changes_no_other_packets_fate) {
  std::vector<std::uint16_t> whole, holed;
  for (const bool holes : {false, true}) {
    Bench b("loss-percent=30");
    for (std::uint16_t i = 0; i < 300; i++) {
      if (!holes || i % 7 != 3) b.push(video(i, ms(i)));
    }
    (holes ? holed : whole) = numbers_of(b.out_now());
  }
  std::erase_if(whole, [](auto n) { return n % 7 == 3; });
  ck_assert(whole == holed);
}
GST_END_TEST;

GST_START_TEST(lists_and_single_buffers_are_decided_alike) {
  std::vector<std::string> texts;
  for (const bool lists : {false, true}) {
    const TempFile log;
    Bench b("loss-percent=10 delay-ms=30 jitter-ms=20 bandwidth-kbps=800 queue-ms=50 decision-log=" + log.path);
    for (std::uint16_t i = 0; i < 400; i += 8) {
      if (lists) {
        gst_pad_push_list(b.h->srcpad, give(list_of(i, 8, ms(i))));
      } else {
        for (std::uint16_t k = 0; k < 8; k++) b.push(video(static_cast<std::uint16_t>(i + k), ms(i)));
      }
    }
    gst_element_set_state(b.element(), GST_STATE_READY);
    texts.push_back(log.text());
  }
  ck_assert(!texts[0].empty());
  ck_assert(texts[0] == texts[1]);
  ck_assert(texts[0].find("queue-dropped") != std::string::npos);
}
GST_END_TEST;

GST_START_TEST(a_delayed_packet_comes_on_the_dot_and_keeps_its_timestamp) {
  Bench b("delay-ms=50");
  b.push(video(0, ms(10)));
  ck_assert(b.out_now().empty());
  ck_assert_int_eq(b.stat("held"), 1);
  const auto out = b.play_out(1);
  ck_assert(gst_clock_get_time(b.clock.get()) == ms(60));
  ck_assert(GST_BUFFER_PTS(out[0].get()) == ms(10));
  ck_assert_int_eq(b.stat("held"), 0);
  ck_assert_int_eq(GST_MINI_OBJECT_REFCOUNT_VALUE(out[0].get()), 1);
}
GST_END_TEST;

GST_START_TEST(what_comes_late_goes_at_once_and_is_counted) {
  Bench b("delay-ms=50");
  gst_test_clock_set_time(b.test_clock(), ms(100));
  b.push(video(0, ms(10)));
  ck_assert_int_eq(b.out_now().size(), 1);
  ck_assert_int_eq(b.stat("late-max-us"), 40000);
}
GST_END_TEST;

// 5000 draws of N(50, 10) ms: the mean is within 50 +- 0.57, the share below 40 ms 15.87 % +- 2.1 (four sigma).
GST_START_TEST(decided_delays_follow_the_distribution) {
  const TempFile log;
  Bench b("delay-ms=50 jitter-ms=10 allow-reordering=true decision-log=" + log.path);
  for (std::uint16_t i = 0; i < 5000; i++) b.push(video(i, ms(1) * i / 10));
  gst_element_set_state(b.element(), GST_STATE_READY);
  double sum = 0, below = 0;
  for (const auto &line : log.lines()) {
    const double delay = std::stod(line.substr(line.find("\"delay_us\":") + 11)) / 1e3;
    sum += delay;
    below += delay < 40;
  }
  ck_assert_msg(std::abs(sum / 5000 - 50) < 0.57, "mean %f", sum / 5000);
  ck_assert_msg(std::abs(below / 50 - 15.87) < 2.1, "%f %% below", below / 50);
}
GST_END_TEST;

GST_START_TEST(order_is_kept_unless_reordering_is_allowed) {
  for (const bool allow : {false, true}) {
    Bench b(std::string("delay-ms=50 jitter-ms=30 allow-reordering=") + (allow ? "true" : "false"));
    for (std::uint16_t i = 0; i < 200; i++) b.push(video(i, ms(i)));
    const auto numbers = numbers_of(b.play_out(200));
    ck_assert_int_eq(std::set(numbers.begin(), numbers.end()).size(), 200);
    ck_assert(std::ranges::is_sorted(numbers) == !allow);
    ck_assert((b.stat("reordered") > 0) == allow);
  }
}
GST_END_TEST;

// 100 packets of 112 + 28 bytes at 112 kbit/s take 10 ms each on the line. With room for 50 ms of waiting and all
// coming at once, the 6 first find a wait of at most 50 ms.
GST_START_TEST(the_rate_is_kept_and_what_would_wait_too_long_is_dropped) {
  Bench b("bandwidth-kbps=112 queue-ms=50");
  gst_pad_push_list(b.h->srcpad, give(list_of(0, 100, 0)));
  ck_assert_int_eq(b.stat("dropped-queue"), 94);
  ck_assert_int_eq(b.stat("queue-packets"), 5);
  const auto numbers = numbers_of(b.play_out(6));
  ck_assert(gst_clock_get_time(b.clock.get()) == ms(60));
  ck_assert(numbers == (std::vector<std::uint16_t>{0, 1, 2, 3, 4, 5}));
}
GST_END_TEST;

GST_START_TEST(packets_of_one_list_leave_together_as_a_list) {
  Bench b("delay-ms=20");
  std::atomic<int> lists{0};
  const auto src = take(gst_element_get_static_pad(b.element(), "src"));
  gst_pad_add_probe(
      src.get(), GST_PAD_PROBE_TYPE_BUFFER_LIST,
      [](GstPad *, GstPadProbeInfo *, gpointer user) {
        ++*static_cast<std::atomic<int> *>(user);
        return GST_PAD_PROBE_OK;
      },
      &lists, nullptr);
  gst_pad_push_list(b.h->srcpad, give(list_of(0, 5, 0)));
  ck_assert_int_eq(b.play_out(5).size(), 5);
  ck_assert_int_eq(lists, 1);
}
GST_END_TEST;

GST_START_TEST(serialized_events_wait_behind_held_packets) {
  Bench b("delay-ms=50 jitter-ms=20 allow-reordering=true");
  while (auto *event = gst_harness_try_pull_event(b.h.get())) gst_event_unref(event);
  struct Order {
    std::mutex mutex;
    std::string text;
  } order;
  const auto src = take(gst_element_get_static_pad(b.element(), "src"));
  gst_pad_add_probe(
      src.get(), static_cast<GstPadProbeType>(GST_PAD_PROBE_TYPE_DATA_DOWNSTREAM),
      [](GstPad *, GstPadProbeInfo *info, gpointer user) {
        auto &o = *static_cast<Order *>(user);
        const std::lock_guard hold(o.mutex);
        if (GST_PAD_PROBE_INFO_TYPE(info) & GST_PAD_PROBE_TYPE_EVENT_BOTH) {
          o.text += GST_EVENT_TYPE(GST_PAD_PROBE_INFO_EVENT(info)) == GST_EVENT_EOS ? 'E' : 'e';
        } else {
          const guint n = GST_PAD_PROBE_INFO_TYPE(info) & GST_PAD_PROBE_TYPE_BUFFER_LIST
                              ? gst_buffer_list_length(GST_PAD_PROBE_INFO_BUFFER_LIST(info))
                              : 1;
          o.text.append(n, 'b');
        }
        return GST_PAD_PROBE_OK;
      },
      &order, nullptr);
  const auto custom = [&] {
    gst_harness_push_event(b.h.get(), gst_event_new_custom(GST_EVENT_CUSTOM_DOWNSTREAM, gst_structure_new_empty("x")));
  };
  for (std::uint16_t i = 0; i < 5; i++) b.push(video(i, ms(i)));
  custom();
  for (std::uint16_t i = 5; i < 10; i++) b.push(video(i, ms(i)));
  gst_harness_push_event(b.h.get(), gst_event_new_eos());
  (void)b.play_out(10);
  while (true) {  // EOS follows the last packet on the context's thread
    const std::lock_guard hold(order.mutex);
    if (order.text.ends_with('E')) break;
  }
  ck_assert_str_eq(order.text.c_str(), "bbbbbebbbbbE");
}
GST_END_TEST;

GST_START_TEST(without_delay_eos_goes_straight_on) {
  Bench b("");
  b.push(video(0, 0));
  gst_harness_push_event(b.h.get(), gst_event_new_eos());
  bool eos = false;
  while (auto *event = gst_harness_try_pull_event(b.h.get())) {
    eos |= GST_EVENT_TYPE(event) == GST_EVENT_EOS;
    gst_event_unref(event);
  }
  ck_assert(eos);
}
GST_END_TEST;

GST_START_TEST(a_flush_drops_what_is_held_and_counts_it) {
  Bench b("delay-ms=50");
  for (std::uint16_t i = 0; i < 7; i++) b.push(video(i, ms(i)));
  gst_harness_push_event(b.h.get(), gst_event_new_flush_start());
  ck_assert_int_eq(b.stat("held"), 0);
  gst_harness_push_event(b.h.get(), gst_event_new_flush_stop(TRUE));
  ck_assert_int_eq(b.stat("dropped-flush"), 7);
  GstSegment segment;
  gst_segment_init(&segment, GST_FORMAT_TIME);
  gst_harness_push_event(b.h.get(), gst_event_new_segment(&segment));
  ck_assert_int_eq(b.push(video(7, ms(100))), GST_FLOW_OK);
  ck_assert(numbers_of(b.play_out(1)) == std::vector<std::uint16_t>{7});
  ck_assert(gst_clock_get_time(b.clock.get()) == ms(150));
}
GST_END_TEST;

GST_START_TEST(what_downstream_says_about_a_delayed_packet_reaches_upstream) {
  Bench b("delay-ms=10");
  gst_pad_set_chain_function(b.h->sinkpad, [](GstPad *, GstObject *, GstBuffer *buffer) {
    gst_buffer_unref(buffer);
    return GST_FLOW_ERROR;
  });
  ck_assert_int_eq(b.push(video(0, 0)), GST_FLOW_OK);
  gst_test_clock_wait_for_next_pending_id(b.test_clock(), nullptr);
  gst_test_clock_crank(b.test_clock());
  while (b.stat("packets-out") < 1) continue;
  ck_assert_int_eq(b.push(video(1, ms(1))), GST_FLOW_ERROR);
}
GST_END_TEST;

GST_START_TEST(what_an_earlier_peer_said_is_forgotten_with_it) {
  Bench b("delay-ms=10");
  const auto src = take(gst_element_get_static_pad(b.element(), "src"));
  gst_pad_unlink(src.get(), b.h->sinkpad);
  ck_assert_int_eq(b.push(video(0, 0)), GST_FLOW_OK);
  gst_test_clock_wait_for_next_pending_id(b.test_clock(), nullptr);
  gst_test_clock_crank(b.test_clock());
  while (b.stat("packets-out") < 1) continue;
  ck_assert_int_eq(b.push(video(1, ms(1))), GST_FLOW_NOT_LINKED);
  ck_assert_int_eq(gst_pad_link(src.get(), b.h->sinkpad), GST_PAD_LINK_OK);
  ck_assert_int_eq(b.push(video(2, ms(2))), GST_FLOW_OK);
}
GST_END_TEST;

GST_START_TEST(latency_is_not_reported_unless_asked_for) {
  for (const auto &[report, expected] : {std::pair{"false", ms(0)}, {"true", ms(80)}}) {
    Bench b(std::string("delay-ms=50 jitter-ms=10 report-latency=") + report);
    gst_harness_set_upstream_latency(b.h.get(), ms(7));
    ck_assert(gst_harness_query_latency(b.h.get()) == ms(7) + expected);
  }
}
GST_END_TEST;

GST_START_TEST(a_spike_acts_between_its_events_and_leaves_nothing_behind) {
  Bench b("loss-percent=20");
  Bench plain("loss-percent=20");
  const auto block = [&](Bench &bench, std::uint16_t from) {
    for (std::uint16_t i = 0; i < 100; i++) bench.push(video(static_cast<std::uint16_t>(from + i), ms(from + i)));
    return numbers_of(bench.out_now());
  };
  const auto event = [&](Ptr<GstEvent> e) { gst_harness_push_event(b.h.get(), give(std::move(e))); };
  const SpikeStart total{"total", "rtp_packet_loss", ms(100), ms(200), {{"loss_percent", 100.0}}};
  const SpikeStart late{
      "late", "network_jitter", ms(100), ms(200), {{"base_latency_ms", 50.0}, {"jitter_std_dev_ms", 0.0}}};

  ck_assert(block(b, 0) == block(plain, 0));
  event(make_event(total, Direction::downstream));
  event(make_event(total, Direction::downstream));  // twice is once
  ck_assert_int_eq(b.stat("active-layers"), 1);
  event(make_event(late, Direction::downstream));
  ck_assert_int_eq(b.stat("active-layers"), 2);
  (void)block(plain, 100);
  ck_assert(block(b, 100).empty());
  event(make_event(SpikeEnd{"total", ms(200)}, Direction::downstream));
  event(make_event(SpikeEnd{"late", ms(200)}, Direction::downstream));
  event(make_event(SpikeEnd{"late", ms(200)}, Direction::downstream));
  ck_assert_int_eq(b.stat("active-layers"), 0);
  ck_assert(block(b, 200) == block(plain, 200));
  double base = 0;
  g_object_get(b.element(), "loss-percent", &base, nullptr);
  ck_assert(base == 20);
}
GST_END_TEST;

GST_START_TEST(a_spike_told_of_early_or_late_acts_on_the_same_packets) {
  const SpikeStart total{"total", "rtp_packet_loss", ms(10), ms(20), {{"loss_percent", 100.0}}};
  const SpikeEnd end{"total", ms(20)};
  std::vector<std::vector<std::uint16_t>> kept;
  for (const int early : {0, 4, 7}) {
    Bench b("");
    for (std::uint16_t i = 0; i < 30; i++) {
      if (i + early == 10) gst_harness_push_event(b.h.get(), give(make_event(total, Direction::downstream)));
      if (i + early == 20) gst_harness_push_event(b.h.get(), give(make_event(end, Direction::downstream)));
      b.push(video(i, ms(i)));
    }
    kept.push_back(numbers_of(b.out_now()));
    ck_assert_int_eq(b.stat("active-layers"), 0);
  }
  ck_assert_uint_eq(kept[0].size(), 20);
  ck_assert(kept[1] == kept[0]);
  ck_assert(kept[2] == kept[0]);
}
GST_END_TEST;

GST_START_TEST(a_spike_on_the_source_alone_is_no_layer) {
  Bench b("");
  const SpikeStart silence{"s", "audio_silence", 0, GST_CLOCK_TIME_NONE, {}};
  gst_harness_push_event(b.h.get(), give(make_event(silence, Direction::downstream)));
  ck_assert_int_eq(b.stat("active-layers"), 0);
}
GST_END_TEST;

GST_START_TEST(each_stream_has_numbers_and_chance_of_its_own) {
  const TempFile log;
  Bench b("loss-percent=50 decision-log=" + log.path);
  for (std::uint16_t i = 0; i < 64; i++) {
    b.push({{96, false, false, i, 0, kSsrc}});
    b.push({{111, true, false, static_cast<std::uint16_t>(9 + i), 0, kAudioSsrc}});
  }
  gst_harness_push(b.h.get(), give(buffer_of(unhex("80c9000100000005"))));
  gst_element_set_state(b.element(), GST_STATE_READY);
  std::map<std::string, std::string> fates;
  for (const auto &line : log.lines()) {
    const auto stream = line.substr(11, line.find('"', 11) - 11);
    fates[stream] += line.find("\"lost\"") == std::string::npos ? '1' : '0';
  }
  ck_assert_int_eq(fates.size(), 3);
  ck_assert_int_eq(fates["1001/video"].size(), 64);
  ck_assert_int_eq(fates["1001/audio"].size(), 64);
  ck_assert_int_eq(fates["1001/rtcp"].size(), 1);
  ck_assert(fates["1001/video"] != fates["1001/audio"]);
}
GST_END_TEST;

GST_START_TEST(properties_act_from_the_next_packet_on) {
  Bench b("");
  ck_assert(g_object_class_find_property(G_OBJECT_GET_CLASS(b.element()), "loss-percent")->flags &
            GST_PARAM_CONTROLLABLE);
  g_object_set(b.element(), "loss-percent", 100.0, nullptr);
  b.push(video(0, 0));
  ck_assert(b.out_now().empty());
  g_object_set(b.element(), "loss-percent", 0.0, nullptr);
  b.push(video(1, 0));
  ck_assert_int_eq(b.out_now().size(), 1);
}
GST_END_TEST;

// DTLS and STUN on a media pad pass at once and are not hurt.
GST_START_TEST(what_makes_the_connection_passes_untouched) {
  Bench b("loss-percent=100 delay-ms=100");
  for (const char *datagram : {"00010000", "16feff00"}) gst_harness_push(b.h.get(), give(buffer_of(unhex(datagram))));
  ck_assert_int_eq(b.out_now().size(), 2);
}
GST_END_TEST;

GST_START_TEST(a_log_that_cannot_be_written_stops_the_start) {
  const auto element = take(GST_ELEMENT(gst_object_ref_sink(gst_element_factory_make("chaosdegrader", nullptr))));
  const auto bus = take(gst_bus_new());
  gst_element_set_bus(element.get(), bus.get());
  g_object_set(element.get(), "decision-log", "/nonexistent/log", nullptr);
  ck_assert_int_eq(gst_element_set_state(element.get(), GST_STATE_PAUSED), GST_STATE_CHANGE_FAILURE);
  ck_assert(take(gst_bus_pop_filtered(bus.get(), GST_MESSAGE_ERROR)) != nullptr);
  gst_element_set_state(element.get(), GST_STATE_NULL);
  gst_element_set_bus(element.get(), nullptr);
}
GST_END_TEST;

// 200 changes while a live source sends through it, on real time: no deadlock, no crash, no packet left behind.
GST_START_TEST(state_changes_under_load_never_hang) {
  const auto pipeline = take(GST_ELEMENT(gst_object_ref_sink(gst_parse_launch(
      "fakesrc is-live=true sizetype=fixed sizemax=100 datarate=1000000 format=time do-timestamp=true ! "
      "chaosdegrader name=d delay-ms=5 jitter-ms=5 loss-percent=5 bandwidth-kbps=5000 ! fakesink sync=false "
      "async=false",
      nullptr))));
  Draws draws(7, 0);
  constexpr GstState states[] = {GST_STATE_NULL, GST_STATE_READY, GST_STATE_PAUSED, GST_STATE_PLAYING};
  for (int i = 0; i < 200; i++) {
    ck_assert(gst_element_set_state(pipeline.get(), states[draws.below(4)]) != GST_STATE_CHANGE_FAILURE);
  }
  gst_element_set_state(pipeline.get(), GST_STATE_NULL);
}
GST_END_TEST;

// A source that is not live runs ahead of the clock; what it parks here is bounded: 1000 packets a second for 5 s. The
// clock goes on by a second each time, so that the source is let go on.
GST_START_TEST(a_source_that_is_not_live_waits_for_room) {
  const auto pipeline = take(GST_ELEMENT(gst_object_ref_sink(
      gst_parse_launch("fakesrc name=s num-buffers=100000 sizetype=fixed sizemax=100 datarate=100000 format=time ! "
                       "chaosdegrader name=d delay-ms=5 ! fakesink sync=false async=false",
                       nullptr))));
  const auto clock = take(gst_test_clock_new());
  gst_pipeline_use_clock(GST_PIPELINE(pipeline.get()), clock.get());
  const auto degrader = take(gst_bin_get_by_name(GST_BIN(pipeline.get()), "d"));
  const auto source = take(gst_bin_get_by_name(GST_BIN(pipeline.get()), "s"));
  const auto pad = take(gst_element_get_static_pad(source.get(), "src"));
  const auto until_playing = gst_pad_add_probe(
      pad.get(), GST_PAD_PROBE_TYPE_BLOCK_DOWNSTREAM, [](auto...) { return GST_PAD_PROBE_OK; }, nullptr, nullptr);
  gst_element_set_state(pipeline.get(), GST_STATE_PLAYING);
  gst_pad_remove_probe(pad.get(), until_playing);
  for (guint64 second = 0; second < 3; second++) {
    gst_test_clock_set_time(GST_TEST_CLOCK(clock.get()), second * GST_SECOND);
    const guint64 room = second * 1000 + 5000;
    guint64 in = 0;
    for (int unchanged = 0; unchanged < 20000 || in < room - 100; unchanged++) {
      const auto woken = gst_test_clock_process_next_clock_id(GST_TEST_CLOCK(clock.get()));
      if (woken) gst_clock_id_unref(woken);
      const guint64 now = stat(degrader.get(), "packets-in");
      ck_assert_uint_le(now, room + 100);
      if (now != in) unchanged = 0;
      in = now;
    }
  }
  gst_element_set_state(pipeline.get(), GST_STATE_NULL);
}
GST_END_TEST;

AVC_GST_TESTS("chaosdegrader", by_default_nothing_happens_to_anything, total_loss_forwards_nothing,
              loss_is_exactly_what_the_log_says, the_same_seed_loses_the_same_packets_and_another_does_not,
              what_is_missing_upstream_changes_no_other_packets_fate, lists_and_single_buffers_are_decided_alike,
              a_delayed_packet_comes_on_the_dot_and_keeps_its_timestamp, what_comes_late_goes_at_once_and_is_counted,
              decided_delays_follow_the_distribution, order_is_kept_unless_reordering_is_allowed,
              the_rate_is_kept_and_what_would_wait_too_long_is_dropped, packets_of_one_list_leave_together_as_a_list,
              serialized_events_wait_behind_held_packets, without_delay_eos_goes_straight_on,
              a_flush_drops_what_is_held_and_counts_it, what_downstream_says_about_a_delayed_packet_reaches_upstream,
              what_an_earlier_peer_said_is_forgotten_with_it, a_spike_told_of_early_or_late_acts_on_the_same_packets,
              latency_is_not_reported_unless_asked_for, a_spike_acts_between_its_events_and_leaves_nothing_behind,
              a_spike_on_the_source_alone_is_no_layer, each_stream_has_numbers_and_chance_of_its_own,
              properties_act_from_the_next_packet_on, what_makes_the_connection_passes_untouched,
              a_log_that_cannot_be_written_stops_the_start, state_changes_under_load_never_hang,
              a_source_that_is_not_live_waits_for_room)
