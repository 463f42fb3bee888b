// spikescheduler: when spikes are announced, to whom, in which order, and what is refused.
#include "tests/elements/scheduler_bench.hpp"

#include <glib/gstdio.h>

using namespace avc;
using namespace avc::test;

GST_START_TEST(without_a_schedule_nothing_is_added) {
  SchedulerBench b("");
  b.packets(0, 100, 20);
  b.expect(b.down, "b0 b20 b40 b60 b80 b100");
  b.expect(b.up, "");
}
GST_END_TEST;

GST_START_TEST(spikes_begin_and_end_exactly_before_their_packets) {
  SchedulerBench b("schedule=" + quoted("[" + loss("a", 0.05, 0.05) + "," + loss("b", 0.08, 0.05) + "]"));
  b.packets(0, 160, 20);
  b.expect(b.down, "b0 b20 b40 +a b60 +b b80 -a b100 b120 -b b140 b160");
  b.expect(b.up, "+a +b -a -b");
  const auto said = b.messages();
  ck_assert_str_eq(said.c_str(), "started a@50, started b@80, ended a@100, ended b@130");
  ck_assert(b.starts[0].start == ms(50) && b.starts[0].end == ms(100) && b.starts[0].type == "rtp_packet_loss");
  ck_assert(b.starts[0].params == (spike::Params{{"loss_percent", 100.0}}));
  ck_assert_int_eq(b.stat("started"), 2);
  ck_assert_int_eq(b.stat("ended"), 2);
  ck_assert_int_eq(b.stat("planned") + b.stat("active"), 0);
}
GST_END_TEST;

GST_START_TEST(a_spike_for_others_is_not_ours) {
  SchedulerBench b("schedule=" + quoted("[" + loss("a", 0.02, 1, R"(,"participant_ids":[7,1001])") + "," +
                                        loss("b", 0.02, 1, R"(,"participant_ids":[7])") + "]"));
  b.packets(0, 40, 20);
  b.expect(b.down, "b0 +a b20 b40");
  const auto active = b.active();
  ck_assert_str_eq(active.c_str(), "a");
}
GST_END_TEST;

GST_START_TEST(where_no_packets_flow_the_timer_ends_a_spike_with_the_planned_time) {
  SchedulerBench b("schedule=" + quoted("[" + loss("a", 0.01, 0.09) + "]"));
  b.packets(0, 20, 20);
  b.pass_time_until([&] { return b.stat("ended") == 1 && b.text_of(b.up) == "+a -a"; });
  b.expect(b.down, "b0 +a b20 -a");
  ck_assert(b.ends[0].at == ms(100));
  ck_assert(gst_clock_get_time(b.clock.get()) == ms(300));  // 200 ms of grace for packets that are only late
}
GST_END_TEST;

GST_START_TEST(who_starts_late_gets_what_is_active_and_nothing_of_what_is_over) {
  SchedulerBench b("schedule=" + quoted("[" + loss("over", 0.01, 0.02) + "," + loss("on", 0.02, 10) + "]"));
  b.packets(1000, 1000, 20);
  b.expect(b.down, "+on b1000");
  ck_assert(b.starts.back().start == ms(20));
  const auto said = b.messages();
  ck_assert_str_eq(said.c_str(), "refused over@10 (was over before the first packet), started on@20");
}
GST_END_TEST;

GST_START_TEST(a_spike_can_be_injected_and_cancelled) {
  SchedulerBench b("");
  b.packets(0, 20, 20);
  ck_assert(b.inject(kInject + ", start=(guint64)40000000, duration=(guint64)50000000"));
  ck_assert(!b.inject(kInject));  // the same id again
  b.packets(40, 60, 20);
  b.expect(b.down, "b0 b20 +x b40 b60");
  ck_assert(b.cancel("x"));
  ck_assert(!b.cancel("x"));
  ck_assert(!b.cancel("unknown"));
  b.packets(80, 120, 20);
  ck_assert_int_eq(b.stat("active"), 0);
  b.expect(b.up, "+x -x");
  const auto said = b.messages();
  ck_assert_msg(said.starts_with("refused x@0 (spike-id: is that of a spike planned or active already), started x@40, "
                                 "cancelled x@"),
                "%s", said.c_str());
}
GST_END_TEST;

GST_START_TEST(a_cancelled_spike_ends_although_no_packets_flow) {
  SchedulerBench b("");
  b.packets(0, 20, 20);
  ck_assert(b.inject(kInject));
  b.packets(40, 40, 20);
  b.expect(b.down, "b0 b20 +x b40");
  ck_assert(b.cancel("x"));
  b.pass_time_until([&] { return b.text_of(b.up) == "+x -x"; });
  b.expect(b.down, "b0 b20 +x b40 -x");
}
GST_END_TEST;

GST_START_TEST(a_planned_spike_that_is_cancelled_never_shows) {
  SchedulerBench b("schedule=" + quoted("[" + loss("a", 0.05, 1) + "]"));
  b.packets(0, 20, 20);
  ck_assert(b.cancel("a"));
  b.packets(40, 100, 20);
  b.expect(b.down, "b0 b20 b40 b60 b80 b100");
  ck_assert(b.messages().starts_with("cancelled a@"));
}
GST_END_TEST;

GST_START_TEST(what_cannot_be_done_is_refused_with_the_reason) {
  SchedulerBench b("");
  b.packets(0, 0, 20);
  const std::pair<const char *, const char *> rows[] = {
      {"spike, type=(string)rtp_packet_loss", "spike-id"},
      {"spike, spike-id=(string)y, type=(string)nonsense", "type"},
      {"spike, spike-id=(string)y, type=(string)rtp_packet_loss, params=(structure)[p, loss_percent=(double)101]",
       "params.loss_percent"},
      {"spike, spike-id=(string)y, type=(string)rtp_packet_loss, start=(guint64)5, end=(guint64)5", "end"},
  };
  for (const auto &[structure, reason] : rows) {
    ck_assert_msg(!b.inject(structure), "%s", structure);
    const auto said = b.messages();
    ck_assert_msg(said.find(std::string("(") + reason) != std::string::npos, "%s: %s", structure, said.c_str());
  }
  b.packets(20, 40, 20);
  b.expect(b.down, "b0 b20 b40");
}
GST_END_TEST;

GST_START_TEST(an_impossible_spike_of_the_schedule_is_refused_and_the_others_stay) {
  SchedulerBench b("schedule=" + quoted(R"([{"spike_id":"bad","type":"nonsense"},)" + loss("a", 0.01, 1) + "]"));
  b.packets(0, 20, 20);
  b.expect(b.down, "b0 +a b20");
  ck_assert_int_eq(b.stat("refused"), 1);
  const auto said = b.messages();
  ck_assert_msg(said.starts_with("refused bad@0 (type"), "%s", said.c_str());
}
GST_END_TEST;

GST_START_TEST(connections_are_replaced_by_those_who_say_that_they_can) {
  const std::string restart =
      quoted(R"([{"spike_id":"r","type":"ice_restart","start_seconds":0.02,"duration_seconds":0.04}])");
  SchedulerBench nobody("schedule=" + restart);
  nobody.packets(0, 100, 20);
  const auto refused = nobody.messages();
  ck_assert_msg(refused.starts_with("refused r@20 (type: ice_restart needs a participant that publishes"), "%s",
                refused.c_str());
  SchedulerBench b("connections=true schedule=" + restart);
  b.packets(0, 100, 20);
  const auto said = b.messages();
  ck_assert_str_eq(said.c_str(), "started r@20, ended r@60");
}
GST_END_TEST;

GST_START_TEST(a_schedule_that_is_none_stops_the_start_and_names_the_place) {
  const std::string deep(500000, '[');
  const std::pair<const char *, const char *> rows[] = {
      {"{", "schedule: is not JSON"},
      {deep.c_str(), "schedule: is nested deeper"},
      {"{}", "schedule: spikes: is not an array"},
      {"[1]", "schedule: spikes[0]: is not an object"},
      {"[{}]", "schedule: spikes[0].spike_id"},
      {R"([{"spike_id":"a"}])", "schedule: spikes[0].type"},
      {R"([{"spike_id":"a","type":"t","start_seconds":-1}])", "schedule: spikes[0].start_seconds"},
      {R"([{"spike_id":"a","type":"t","start_seconds":1e300}])", "schedule: spikes[0].start_seconds"},
      {R"([{"spike_id":"a","type":"t","start_seconds":3,"end_seconds":2}])", "schedule: spikes[0].end_seconds"},
      {R"([{"spike_id":"a","type":"t","duration_seconds":"x"}])", "schedule: spikes[0].duration_seconds"},
      {R"([{"spike_id":"a","type":"t","participant_ids":[-1]}])", "schedule: spikes[0].participant_ids"},
      {R"([{"spike_id":"a","type":"t","params":{"p":[]}}])", "schedule: spikes[0].params.p"},
  };
  for (const auto &[json, expected] : rows) {
    const auto element = take(GST_ELEMENT(gst_object_ref_sink(gst_element_factory_make("spikescheduler", nullptr))));
    const auto bus = take(gst_bus_new());
    gst_element_set_bus(element.get(), bus.get());
    g_object_set(element.get(), "schedule", json, nullptr);
    ck_assert_int_eq(gst_element_set_state(element.get(), GST_STATE_PAUSED), GST_STATE_CHANGE_FAILURE);
    const auto message = take(gst_bus_pop_filtered(bus.get(), GST_MESSAGE_ERROR));
    ck_assert(message != nullptr);
    GError *error = nullptr;
    gst_message_parse_error(message.get(), &error, nullptr);
    ck_assert_msg(g_str_has_prefix(error->message, expected), "%s: %s", json, error->message);
    g_error_free(error);
    gst_element_set_state(element.get(), GST_STATE_NULL);
    gst_element_set_bus(element.get(), nullptr);
  }
}
GST_END_TEST;

GST_START_TEST(a_schedule_may_come_from_a_file) {
  char *path = nullptr;
  const int fd = g_file_open_tmp("avchaos-XXXXXX", &path, nullptr);
  const std::string json = R"({"spikes":[)" + loss("f", 0.02, 1) + "]}";
  ck_assert(fd >= 0 && g_file_set_contents(path, json.c_str(), -1, nullptr));
  g_close(fd, nullptr);
  SchedulerBench b(std::string("schedule-location=") + path);
  b.packets(0, 20, 20);
  g_unlink(path);
  g_free(path);
  b.expect(b.down, "b0 +f b20");
}
GST_END_TEST;

GST_START_TEST(spikes_are_spread_alike_for_the_same_seed_and_nobody_elses) {
  std::vector<std::string> heard;
  for (const auto &[seed, participant] : {std::pair{"5", 1001u}, {"5", 1002u}, {"6", 1001u}}) {
    SchedulerBench b("strategy=random duration-ms=10000 min-spacing-ms=0 seed=" + std::string(seed) +
                         " spikes=" + quoted("[" + loss("a", 0, 1) + "," + loss("b", 0, 1) + "]"),
                     {participant, 0, 0, 96, 111, 42});
    b.packets(0, 12000, 20);
    heard.push_back(b.text_of(b.down));
    ck_assert_int_eq(b.starts.size(), 4);  // two, seen on their way down and up
  }
  ck_assert(heard[0] == heard[1]);
  ck_assert(heard[0] != heard[2]);
}
GST_END_TEST;

GST_START_TEST(somebody_who_links_later_hears_what_is_active) {
  SchedulerBench b("schedule=" + quoted("[" + loss("a", 0.01, 10) + "]"));
  b.packets(0, 20, 20);
  const auto src = take(gst_element_get_static_pad(b.element(), "src"));
  gst_pad_unlink(src.get(), b.h->sinkpad);
  gst_pad_link(src.get(), b.h->sinkpad);
  b.packets(40, 40, 20);
  b.expect(b.up, "+a +a");
  const auto said = b.messages();
  ck_assert_str_eq(said.c_str(), "started a@10");  // said once
}
GST_END_TEST;

// The whole way: what the scheduler says is what the degrader does.
GST_START_TEST(a_degrader_behind_it_loses_exactly_the_packets_between) {
  const std::string json = "[" + loss("a", 0.1, 0.1) + "]";
  const std::string launch = "spikescheduler schedule=" + quoted(json) + " ! chaosdegrader";
  const auto chain =
      take(GST_ELEMENT(gst_object_ref_sink(gst_parse_bin_from_description(launch.c_str(), TRUE, nullptr))));
  const auto h = take(gst_harness_new_with_element(chain.get(), "sink", "src"));
  gst_harness_set_src_caps_str(h.get(), "application/x-rtp");
  for (std::uint16_t i = 0; i < 30; i++) gst_harness_push(h.get(), give(packet_of(video(i, ms(i * 10)))));
  std::vector<std::uint16_t> expected, numbers;
  for (std::uint16_t i = 0; i < 30; i++) {
    if (i < 10 || i >= 20) expected.push_back(i);
  }
  std::vector<Ptr<GstBuffer>> out;
  while (auto *buffer = gst_harness_try_pull(h.get())) out.push_back(take(buffer));
  ck_assert(numbers_of(out) == expected);
}
GST_END_TEST;

AVC_GST_TESTS("spikescheduler", without_a_schedule_nothing_is_added, spikes_begin_and_end_exactly_before_their_packets,
              a_spike_for_others_is_not_ours, where_no_packets_flow_the_timer_ends_a_spike_with_the_planned_time,
              who_starts_late_gets_what_is_active_and_nothing_of_what_is_over, a_spike_can_be_injected_and_cancelled,
              a_cancelled_spike_ends_although_no_packets_flow, a_planned_spike_that_is_cancelled_never_shows,
              what_cannot_be_done_is_refused_with_the_reason,
              an_impossible_spike_of_the_schedule_is_refused_and_the_others_stay,
              connections_are_replaced_by_those_who_say_that_they_can,
              a_schedule_that_is_none_stops_the_start_and_names_the_place, a_schedule_may_come_from_a_file,
              spikes_are_spread_alike_for_the_same_seed_and_nobody_elses, somebody_who_links_later_hears_what_is_active,
              a_degrader_behind_it_loses_exactly_the_packets_between)
