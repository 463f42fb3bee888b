// chaosdegrader between its neighbours: what downstream says reaches upstream, peers and caps may change while packets
// are held, seeks pass, and the latency query tells what it should.
#include "core/net/profiles.hpp"
#include "tests/elements/recorder.hpp"

using namespace avc;
using namespace avc::test;

namespace {

std::atomic<GstFlowReturn> g_answer{GST_FLOW_OK};  // what the harness says to buffers in refuse()

// A chain function has no place for data of its own here: the pad's belongs to the harness.
void refuse(PadBench &b) {
  gst_pad_set_chain_function(b.h->sinkpad, [](GstPad *, GstObject *, GstBuffer *buffer) {
    gst_buffer_unref(buffer);
    return g_answer.load();
  });
  gst_pad_set_chain_list_function(b.h->sinkpad, [](GstPad *, GstObject *, GstBufferList *list) {
    gst_buffer_list_unref(list);
    return g_answer.load();
  });
}

// Plays out what is held; refused packets count as out or as flushed.
void play_all(PadBench &b) {
  b.pass_time_until([&] { return b.stat("packets-out") + b.stat("dropped-flush") == b.stat("packets-in"); });
}

Ptr<GstMessage> error_of(const PadBench &b) { return take(gst_bus_pop_filtered(b.bus.get(), GST_MESSAGE_ERROR)); }

GstClockTime latency_of(const std::string &properties) {
  PadBench b("chaosdegrader report-latency=true " + properties);
  gst_harness_set_upstream_latency(b.h.get(), 0);
  return gst_harness_query_latency(b.h.get());
}

// Another end for the element to be linked to, with a record of its own.
struct Peer {
  Ptr<GstHarness> h = take(gst_harness_new("identity"));
  Ptr<GstPad> pad = take(gst_element_get_static_pad(h->element, "sink"));
  Recorder record{h->element};
  Peer() {
    auto ours = take(gst_pad_get_peer(pad.get()));
    gst_pad_unlink(ours.get(), pad.get());
    gst_harness_play(h.get());
  }
};

}  // namespace

GST_START_TEST(what_downstream_says_of_held_packets_reaches_upstream) {
  for (const GstFlowReturn answer : {GST_FLOW_EOS, GST_FLOW_FLUSHING, GST_FLOW_ERROR, GST_FLOW_NOT_LINKED,
                                     GST_FLOW_NOT_NEGOTIATED, GST_FLOW_CUSTOM_ERROR}) {
    for (const char *link : {"delay-ms=20", "bandwidth-kbps=200 queue-discipline=codel", "delay-ms=5 jitter-ms=5"}) {
      PadBench b(std::string("chaosdegrader ") + link);
      refuse(b);
      g_answer = GST_FLOW_OK;
      for (std::uint16_t i = 0; i < 4; i++) ck_assert_int_eq(b.push(video(i, 0)), GST_FLOW_OK);
      g_answer = answer;
      play_all(b);
      ck_assert_int_eq(b.push(video(4, ms(100))), answer);
      g_answer = GST_FLOW_OK;
      send(b, gst_event_new_flush_start());
      send(b, gst_event_new_flush_stop(TRUE));
      send(b, time_segment());
      ck_assert_int_eq(b.push(video(5, ms(1))), GST_FLOW_OK);  // a flush forgets
    }
  }
}
GST_END_TEST;

GST_START_TEST(without_delay_downstreams_answer_is_the_return_value) {
  PadBench b("chaosdegrader");
  refuse(b);
  for (const GstFlowReturn answer : {GST_FLOW_EOS, GST_FLOW_ERROR, GST_FLOW_NOT_LINKED, GST_FLOW_OK}) {
    g_answer = answer;
    ck_assert_int_eq(b.push(video(0, 0)), answer);
  }
}
GST_END_TEST;

GST_START_TEST(who_had_enough_is_asked_again_with_a_new_segment_or_stream) {
  for (const bool stream : {false, true}) {
    PadBench b("chaosdegrader delay-ms=20");
    refuse(b);
    g_answer = GST_FLOW_EOS;
    b.push(video(0, 0));
    play_all(b);
    ck_assert_int_eq(b.push(video(1, ms(1))), GST_FLOW_EOS);
    play_all(b);
    g_answer = GST_FLOW_OK;
    send(b, stream ? gst_event_new_stream_start("again") : time_segment());
    ck_assert_int_eq(b.push(video(2, ms(50))), GST_FLOW_OK);
  }
}
GST_END_TEST;

// After EOS upstream pushes nothing that could carry the answer back.
GST_START_TEST(a_fault_that_nobody_upstream_will_hear_of_is_posted_at_eos) {
  for (const auto &[answer, posted] :
       {std::pair{GST_FLOW_ERROR, true}, {GST_FLOW_NOT_LINKED, true}, {GST_FLOW_EOS, false}, {GST_FLOW_OK, false}}) {
    PadBench b("chaosdegrader delay-ms=20");
    refuse(b);
    Recorder out(b.element());
    g_answer = answer;
    b.push(video(0, 0));
    send(b, gst_event_new_eos());
    b.pass_time_until([&] { return out.has(GST_EVENT_EOS); });
    ck_assert((error_of(b) != nullptr) == posted);
  }
}
GST_END_TEST;

GST_START_TEST(what_is_held_goes_to_the_new_peer_with_all_it_has_to_know) {
  PadBench b("chaosdegrader delay-ms=50");
  Peer peer;
  b.push(video(0, 0));
  send(b, caps_numbered(2));
  b.push(video(1, ms(1)));
  const auto src = take(gst_element_get_static_pad(b.element(), "src"));
  gst_pad_unlink(src.get(), b.h->sinkpad);
  ck_assert_int_eq(gst_pad_link(src.get(), peer.pad.get()), GST_PAD_LINK_OK);
  b.push(video(2, ms(2)));
  b.pass_time_until([&] { return peer.record.packets().size() == 3; });
  ck_assert(peer.record.letters() == "-csybcbb");
  gst_pad_unlink(src.get(), peer.pad.get());
}
GST_END_TEST;

GST_START_TEST(caps_change_exactly_where_they_changed_upstream) {
  PadBench b("chaosdegrader delay-ms=40 jitter-ms=30 allow-reordering=true");
  Recorder out(b.element());
  for (std::uint16_t i = 0; i < 60; i++) {
    if (i % 10 == 0) send(b, caps_numbered(i));
    b.push(video(i, ms(i)));
  }
  b.pass_time_until([&] { return out.packets().size() == 60; });
  std::string caps;
  for (const auto &entry : out.entries()) {
    if (!entry.packet) {
      caps = entry.text;
      continue;
    }
    const auto wanted = "n=(int)" + std::to_string(entry.id / 10 * 10);
    ck_assert_msg(caps.ends_with(wanted), "packet %u under %s", entry.id, caps.c_str());
  }
}
GST_END_TEST;

GST_START_TEST(caps_are_negotiated_with_whoever_is_downstream) {
  PadBench b("chaosdegrader delay-ms=40");
  gst_harness_set_sink_caps_str(b.h.get(), "application/x-rtp, media=video");
  const auto sink = take(gst_element_get_static_pad(b.element(), "sink"));
  const auto taken = take(gst_caps_from_string("application/x-rtp, media=video"));
  const auto other = take(gst_caps_from_string("video/x-raw"));
  ck_assert(gst_pad_query_accept_caps(sink.get(), taken.get()));
  ck_assert(!gst_pad_query_accept_caps(sink.get(), other.get()));
  const auto asked = take(gst_pad_query_caps(sink.get(), nullptr));
  ck_assert(gst_caps_is_equal(asked.get(), taken.get()));
}
GST_END_TEST;

GST_START_TEST(seeks_and_qos_pass_upstream_at_once) {
  PadBench b("chaosdegrader delay-ms=40");
  b.push(video(0, 0));
  while (auto *event = gst_harness_try_pull_upstream_event(b.h.get())) gst_event_unref(event);
  gst_harness_push_upstream_event(b.h.get(), gst_event_new_seek(1, GST_FORMAT_TIME, GST_SEEK_FLAG_FLUSH,
                                                                GST_SEEK_TYPE_SET, 0, GST_SEEK_TYPE_NONE, 0));
  gst_harness_push_upstream_event(b.h.get(), gst_event_new_qos(GST_QOS_TYPE_UNDERFLOW, 1, 0, 0));
  for (const auto type : {GST_EVENT_SEEK, GST_EVENT_QOS}) {
    const auto event = take(gst_harness_try_pull_upstream_event(b.h.get()));
    ck_assert(event && GST_EVENT_TYPE(event.get()) == type);
  }
}
GST_END_TEST;

// A seek's segment: running time begins anew, and so does what packets are due at.
GST_START_TEST(after_a_flushing_seek_delays_count_from_the_new_running_time) {
  PadBench b("chaosdegrader delay-ms=40");
  b.push(video(0, ms(1000)));
  send(b, gst_event_new_flush_start());
  send(b, gst_event_new_flush_stop(FALSE));
  GstSegment segment;
  gst_segment_init(&segment, GST_FORMAT_TIME);
  segment.start = segment.time = segment.position = 60 * GST_SECOND;
  send(b, gst_event_new_segment(&segment));
  b.push(video(1, 60 * GST_SECOND + ms(5)));
  ck_assert(numbers_of(b.play_out(1)) == std::vector<std::uint16_t>{1});
  ck_assert(gst_clock_get_time(b.clock.get()) == ms(45));
}
GST_END_TEST;

GST_START_TEST(what_waits_for_its_fate_keeps_to_flush_and_eos) {
  for (const char *discipline : {"codel", "drophead"}) {
    PadBench b(std::string("chaosdegrader bandwidth-kbps=100 queue-packets=1000 queue-discipline=") + discipline);
    Recorder out(b.element());
    for (std::uint16_t i = 0; i < 20; i++) b.push(video(i, 0));
    send(b, custom("kept", GST_EVENT_CUSTOM_DOWNSTREAM_STICKY));
    send(b, custom("lost"));
    ck_assert(!out.has(GST_EVENT_CUSTOM_DOWNSTREAM_STICKY));
    const auto caps = take(gst_caps_new_empty_simple("application/x-rtp"));
    const auto query = take(gst_query_new_allocation(caps.get(), FALSE));
    ck_assert(!gst_pad_peer_query(b.h->srcpad, query.get()));
    send(b, gst_event_new_flush_start());
    send(b, gst_event_new_flush_stop(TRUE));
    out.forget();
    send(b, time_segment());
    for (std::uint16_t i = 20; i < 25; i++) b.push(video(i, 0));
    send(b, gst_event_new_eos());
    b.pass_time_until([&] { return out.has(GST_EVENT_EOS); });
    ck_assert(out.letters() == "sybbbbbE");
    ck_assert(out.packets() == (std::vector<guint32>{20, 21, 22, 23, 24}));
  }
}
GST_END_TEST;

GST_START_TEST(the_latency_reported_is_the_delay_with_what_jitter_may_add) {
  ck_assert(latency_of("delay-ms=50") == ms(50));
  ck_assert(latency_of("delay-ms=50 jitter-ms=10 delay-distribution=uniform") == ms(60));
  for (const char *other : {"normal", "pareto", "paretonormal", "gamma"}) {
    ck_assert(latency_of(std::string("delay-ms=50 jitter-ms=10 delay-distribution=") + other) == ms(80));
  }
  ck_assert(latency_of("loss-percent=50") == 0);
  for (const auto &profile : net::profiles()) {
    const auto link = *net::profile(profile.name);
    const double width = link.delay_distribution == net::DelayDistribution::uniform ? 1 : 3;
    const auto name = std::string(profile.name);
    ck_assert_msg(latency_of("profile=" + name) == GstClockTime((link.delay_ms + width * link.jitter_ms) * 1e6), "%s",
                  name.c_str());
  }
}
GST_END_TEST;

AVC_GST_TESTS("degrader_life_flow", what_downstream_says_of_held_packets_reaches_upstream,
              without_delay_downstreams_answer_is_the_return_value,
              who_had_enough_is_asked_again_with_a_new_segment_or_stream,
              a_fault_that_nobody_upstream_will_hear_of_is_posted_at_eos,
              what_is_held_goes_to_the_new_peer_with_all_it_has_to_know,
              caps_change_exactly_where_they_changed_upstream, caps_are_negotiated_with_whoever_is_downstream,
              seeks_and_qos_pass_upstream_at_once, after_a_flushing_seek_delays_count_from_the_new_running_time,
              what_waits_for_its_fate_keeps_to_flush_and_eos,
              the_latency_reported_is_the_delay_with_what_jitter_may_add)
