// chaosdegrader's order: whatever waits, and wherever an event comes among what waits, nothing overtakes and nothing is
// lost or doubled.
#include "core/random.hpp"
#include "tests/elements/recorder.hpp"

using namespace avc;
using namespace avc::test;

namespace {

// What a link may do to packets while events pass. Each line is a `chaosdegrader` of its own.
constexpr const char *kLinks[] = {
    "",
    "loss-percent=30",
    "delay-ms=30",
    "delay-ms=30 jitter-ms=20",
    "delay-ms=30 jitter-ms=20 allow-reordering=true",
    "bandwidth-kbps=400 queue-ms=40",
    "loss-percent=10 delay-ms=5 jitter-ms=5 bandwidth-kbps=600 queue-packets=5 allow-reordering=true",
    "bandwidth-kbps=300 queue-packets=10 queue-discipline=drophead",
    "bandwidth-kbps=300 queue-discipline=codel",
    "bandwidth-kbps=300 queue-discipline=codel delay-ms=10 jitter-ms=8 allow-reordering=true loss-percent=5",
    "slot-min-ms=7 slot-max-ms=9",
    "link-trace=lte queue-discipline=drophead queue-ms=30",
    "delay-ms=20 reorder-percent=30",
    "delay-ms=20 duplicate-percent=50 corrupt-percent=20",
    "delay-ms=30 jitter-ms=10 allow-reordering=true apply-to=audio",
    "bandwidth-kbps=200 queue-discipline=codel apply-to=video frame-drop-percent=20",
};

RtpPacket audio(std::uint16_t n, GstClockTime pts) {
  return {{111, true, false, static_cast<std::uint16_t>(kFirstSequence + n), 0, kAudioSsrc}, 40, pts};
}

// What went in, as a Recorder would tell it.
struct Story {
  std::vector<Recorder::Entry> told;
  std::uint16_t packets = 0;
  GstClockTime time = 0;

  void push(PadBench &b, Draws &draws) {
    const auto n = packets++;
    told.push_back({true, n, GST_EVENT_UNKNOWN, ""});
    ck_assert_int_eq(b.push(draws.chance(30) ? audio(n, time) : video(n, time)), GST_FLOW_OK);
    if (draws.chance(60)) time += ms(1) + draws.below(ms(2));
  }
  void push_list(PadBench &b, Draws &draws) {
    auto list = take(gst_buffer_list_new());
    for (std::uint64_t left = 1 + draws.below(4); left > 0; left--) {
      const auto n = packets++;
      told.push_back({true, n, GST_EVENT_UNKNOWN, ""});
      gst_buffer_list_add(list.get(), give(packet_of(video(n, time))));
    }
    ck_assert_int_eq(gst_pad_push_list(b.h->srcpad, give(std::move(list))), GST_FLOW_OK);
    time += ms(1);
  }
  void send(PadBench &b, GstEvent *event) {
    told.push_back({false, gst_event_get_seqnum(event), GST_EVENT_TYPE(event), ""});
    avc::test::send(b, event);
  }
  void send_any(PadBench &b, Draws &draws) {
    const auto name = "n" + std::to_string(told.size());
    switch (draws.below(6)) {
      case 0:
        return send(b, caps_numbered(static_cast<int>(told.size())));
      case 1:
        return send(b, time_segment());
      case 2:
        return send(b, gst_event_new_gap(time, ms(1)));
      case 3:
        return send(b, gst_event_new_tag(gst_tag_list_new(GST_TAG_TITLE, name.c_str(), nullptr)));
      case 4:
        return send(b, custom(name.c_str(), GST_EVENT_CUSTOM_DOWNSTREAM_STICKY));
      default:
        return send(b, custom(name.c_str()));
    }
  }
};

// Every event once, in its order; every packet at most once, and on the side of every event that it came on.
void check_order(const std::vector<Recorder::Entry> &in, const std::vector<Recorder::Entry> &out, const char *link) {
  std::map<guint32, std::size_t> block_in;  // packet to the number of events before it
  std::vector<guint32> events_in, events_out;
  for (const auto &entry : in) {
    if (entry.packet) {
      block_in[entry.id] = events_in.size();
    } else {
      events_in.push_back(entry.id);
    }
  }
  const bool twice = std::string(link).find("duplicate") != std::string::npos;
  std::map<guint32, int> seen;
  for (const auto &entry : out) {
    if (!entry.packet) {
      events_out.push_back(entry.id);
      continue;
    }
    ck_assert_msg(++seen[entry.id] <= (twice ? 2 : 1), "%s: packet %u came twice", link, entry.id);
    ck_assert_msg(block_in.at(entry.id) == events_out.size(), "%s: packet %u is between events %zu and not %zu", link,
                  entry.id, events_out.size(), block_in.at(entry.id));
  }
  ck_assert_msg(events_in == events_out, "%s: %zu events in, %zu out", link, events_in.size(), events_out.size());
}

void tell_a_story(const char *link, std::uint64_t seed, bool shared) {
  PadBench b(std::string("chaosdegrader seed=5 ") + (shared ? "context=life " : "") + link);
  Recorder out(b.element());
  Draws draws(seed, 0);
  Story story;
  for (int step = 0; step < 250; step++) {
    const auto dice = draws.below(20);
    if (dice < 9) {
      story.push(b, draws);
    } else if (dice < 11) {
      story.push_list(b, draws);
    } else if (dice < 17) {
      story.send_any(b, draws);
    } else {
      b.let_time_pass();
    }
  }
  story.send(b, gst_event_new_eos());
  b.pass_time_until([&] { return out.has(GST_EVENT_EOS); });
  check_order(story.told, out.entries(), link);
  ck_assert_uint_eq(b.stat("packets-in"), story.packets);
  const auto gone = b.stat("dropped-loss") + b.stat("dropped-queue") + b.stat("dropped-frame");
  ck_assert_uint_eq(out.packets().size() + gone, story.packets + b.stat("duplicated"));
  ck_assert_uint_eq(b.stat("held"), 0);
  ck_assert_uint_eq(b.stat("dropped-flush"), 0);
}

// One thing that a pad probe does once, in the middle of a push.
struct Once {
  std::function<void()> act;
  GstPadProbeReturn then = GST_PAD_PROBE_OK;
  static GstPadProbeReturn probe(GstPad *, GstPadProbeInfo *, gpointer self) {
    auto &once = *static_cast<Once *>(self);
    auto act = std::exchange(once.act, nullptr);
    if (!act) return GST_PAD_PROBE_OK;
    act();
    return once.then;
  }
};

constexpr auto kData = static_cast<GstPadProbeType>(GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_BUFFER_LIST);

// Five packets that are due together and leave one by one, because neighbours are of different streams.
void hold_five(PadBench &b) {
  for (std::uint16_t i = 0; i < 5; i++) b.push(i % 2 ? audio(i, 0) : video(i, 0));
  ck_assert_uint_eq(b.stat("held"), 5);
}

}  // namespace

GST_START_TEST(every_event_keeps_its_place_whatever_the_link_does) {
  for (const char *link : kLinks) {
    for (std::uint64_t seed = 1; seed <= 6; seed++) tell_a_story(link, seed, seed % 2);
  }
}
GST_END_TEST;

GST_START_TEST(three_in_a_row_keep_order_as_one_does) {
  for (const char *context : {"", "context=row"}) {
    std::string row;
    for (const char *link : {"delay-ms=20 jitter-ms=10", "bandwidth-kbps=500", "delay-ms=3"}) {
      row += std::string(row.empty() ? "" : " ! ") + "chaosdegrader seed=9 " + link + " " + context;
    }
    PadBench b(row);
    Recorder out(b.element());
    Draws draws(3, 0);
    Story story;
    for (int step = 0; step < 200; step++) draws.chance(70) ? story.push(b, draws) : story.send_any(b, draws);
    story.send(b, gst_event_new_eos());
    b.pass_time_until([&] { return out.has(GST_EVENT_EOS); });
    check_order(story.told, out.entries(), row.c_str());
    ck_assert(std::ranges::is_sorted(out.packets()));
  }
}
GST_END_TEST;

GST_START_TEST(reordering_within_a_stream_needs_leave) {
  for (const bool allow : {false, true}) {
    PadBench b(std::string("chaosdegrader delay-ms=30 jitter-ms=20 allow-reordering=") + (allow ? "true" : "false"));
    Recorder out(b.element());
    for (std::uint16_t i = 0; i < 200; i++) b.push(i % 3 ? video(i, ms(i)) : audio(i, ms(i)));
    send(b, gst_event_new_eos());
    b.pass_time_until([&] { return out.has(GST_EVENT_EOS); });
    ck_assert_uint_eq(out.packets().size(), 200);
    ck_assert(std::ranges::is_sorted(out.packets()) == !allow);
  }
}
GST_END_TEST;

GST_START_TEST(events_out_of_band_wait_for_nothing) {
  PadBench b("chaosdegrader delay-ms=50");
  Recorder out(b.element());
  b.push(video(0, 0));
  send(b, custom("now", GST_EVENT_CUSTOM_DOWNSTREAM_OOB));
  ck_assert_uint_eq(out.entries().size(), 1);
  ck_assert(out.entries()[0].text == "now");
}
GST_END_TEST;

GST_START_TEST(sticky_events_outlive_a_flush_and_others_do_not) {
  PadBench b("chaosdegrader delay-ms=50");
  Recorder out(b.element());
  b.push(video(0, 0));
  send(b, caps_numbered(1));
  send(b, caps_numbered(2));
  send(b, custom("kept", GST_EVENT_CUSTOM_DOWNSTREAM_STICKY));
  send(b, custom("lost"));
  send(b, time_segment());
  send(b, gst_event_new_flush_start());
  send(b, gst_event_new_flush_stop(TRUE));
  send(b, time_segment());
  b.push(video(1, ms(1)));
  b.pass_time_until([&] { return !out.packets().empty(); });
  ck_assert(out.letters() == "Ffcsyb");
  const auto caps = take(gst_pad_get_current_caps(b.h->sinkpad));
  int n = 0;
  ck_assert(gst_structure_get_int(gst_caps_get_structure(caps.get(), 0), "n", &n));
  ck_assert_int_eq(n, 2);
}
GST_END_TEST;

GST_START_TEST(a_flush_lets_nothing_from_before_it_out) {
  Draws draws(11, 0);
  for (int round = 0; round < 20; round++) {
    PadBench b("chaosdegrader delay-ms=20 jitter-ms=15 allow-reordering=true");
    Recorder out(b.element());
    const auto before = static_cast<std::uint16_t>(1 + draws.below(30));
    for (std::uint16_t i = 0; i < before; i++) {
      b.push(video(i, ms(i)));
      if (draws.chance(20)) b.let_time_pass();
    }
    send(b, gst_event_new_flush_start());
    send(b, gst_event_new_flush_stop(TRUE));
    out.forget();
    send(b, time_segment());
    for (std::uint16_t i = 0; i < 10; i++) b.push(video(static_cast<std::uint16_t>(100 + i), ms(i)));
    send(b, gst_event_new_eos());
    b.pass_time_until([&] { return out.has(GST_EVENT_EOS); });
    auto packets = out.packets();
    ck_assert_uint_eq(packets.size(), 10);
    ck_assert(std::ranges::all_of(packets, [](guint32 id) { return id >= 100; }));
    ck_assert_uint_eq(b.stat("packets-in"), b.stat("packets-out") + b.stat("dropped-flush"));
  }
}
GST_END_TEST;

GST_START_TEST(after_a_flush_in_paused_a_sink_gets_its_preroll) {
  PadBench b("chaosdegrader delay-ms=50");
  Recorder out(b.element());
  b.push(video(0, 0));
  ck_assert_int_eq(gst_element_set_state(b.element(), GST_STATE_PAUSED), GST_STATE_CHANGE_SUCCESS);
  send(b, gst_event_new_flush_start());
  send(b, gst_event_new_flush_stop(TRUE));
  send(b, time_segment());
  b.push(video(1, 0));
  ck_assert(out.packets() == std::vector<guint32>{1});
  gst_element_set_state(b.element(), GST_STATE_PLAYING);
  b.push(video(2, ms(1)));
  ck_assert_uint_eq(b.stat("held"), 1);
}
GST_END_TEST;

GST_START_TEST(what_is_held_stays_through_paused) {
  PadBench b("chaosdegrader delay-ms=50");
  Recorder out(b.element());
  for (std::uint16_t i = 0; i < 3; i++) b.push(video(i, 0));
  send(b, caps_numbered(7));
  gst_element_set_state(b.element(), GST_STATE_PAUSED);
  gst_test_clock_advance_time(b.test_clock(), ms(500));
  b.push(video(3, 0));
  ck_assert(out.letters() == "");
  gst_element_set_base_time(b.element(), ms(500));  // as a pipeline does: running time stood still
  gst_element_set_state(b.element(), GST_STATE_PLAYING);
  b.pass_time_until([&] { return out.packets().size() == 4; });
  ck_assert(out.letters() == "bbbcb");
  ck_assert(gst_clock_get_time(b.clock.get()) == ms(550));
}
GST_END_TEST;

GST_START_TEST(serialized_queries_do_not_overtake) {
  PadBench b("chaosdegrader delay-ms=50");
  const auto caps = take(gst_caps_new_empty_simple("application/x-rtp"));
  const auto ask = [&] {
    const auto query = take(gst_query_new_allocation(caps.get(), FALSE));
    return gst_pad_peer_query(b.h->srcpad, query.get());
  };
  ck_assert(ask());
  b.push(video(0, 0));
  ck_assert(!ask());
  (void)b.play_out(1);
  b.pass_time_until([&] { return b.stat("held") == 0; });
  ck_assert(ask());
}
GST_END_TEST;

GST_START_TEST(an_event_from_within_a_push_waits_behind_it) {
  PadBench b("chaosdegrader delay-ms=50");
  Recorder out(b.element());
  hold_five(b);
  const auto src = take(gst_element_get_static_pad(b.element(), "src"));
  const auto sink = take(gst_element_get_static_pad(b.element(), "sink"));
  Once once{[&] {
    gst_pad_send_event(sink.get(), custom("nested"));
    gst_pad_send_event(sink.get(), gst_event_new_eos());
  }};
  const auto probe = gst_pad_add_probe(src.get(), kData, Once::probe, &once, nullptr);
  b.pass_time_until([&] { return out.has(GST_EVENT_EOS); });
  ck_assert(out.letters() == "bbbbbxE");
  gst_pad_remove_probe(src.get(), probe);
}
GST_END_TEST;

// As a seek does that somebody sends from the thread that hands on.
GST_START_TEST(a_flush_from_within_a_push_ends_it) {
  PadBench b("chaosdegrader delay-ms=50");
  Recorder out(b.element());
  hold_five(b);
  send(b, custom("kept", GST_EVENT_CUSTOM_DOWNSTREAM_STICKY));
  const auto src = take(gst_element_get_static_pad(b.element(), "src"));
  const auto sink = take(gst_element_get_static_pad(b.element(), "sink"));
  Once once{[&] {
              gst_pad_send_event(sink.get(), gst_event_new_flush_start());
              gst_pad_send_event(sink.get(), gst_event_new_flush_stop(TRUE));
              gst_pad_send_event(sink.get(), time_segment());
            },
            GST_PAD_PROBE_DROP};
  const auto probe = gst_pad_add_probe(src.get(), kData, Once::probe, &once, nullptr);
  b.pass_time_until([&] { return out.letters().ends_with('s') || out.letters().ends_with('y'); });
  b.push(video(9, ms(60)));
  b.pass_time_until([&] { return out.packets().size() == 2; });
  ck_assert(out.letters() == "bFfsyb");
  ck_assert_uint_eq(b.stat("dropped-flush"), 4);
  gst_pad_remove_probe(src.get(), probe);
}
GST_END_TEST;

AVC_GST_TESTS("degrader_life", every_event_keeps_its_place_whatever_the_link_does,
              three_in_a_row_keep_order_as_one_does, reordering_within_a_stream_needs_leave,
              events_out_of_band_wait_for_nothing, sticky_events_outlive_a_flush_and_others_do_not,
              a_flush_lets_nothing_from_before_it_out, after_a_flush_in_paused_a_sink_gets_its_preroll,
              what_is_held_stays_through_paused, serialized_queries_do_not_overtake,
              an_event_from_within_a_push_waits_behind_it, a_flush_from_within_a_push_ends_it)
