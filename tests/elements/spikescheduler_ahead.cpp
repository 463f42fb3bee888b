// spikescheduler: what upstream hears ahead, what is repeated for whom, where strategies put spikes, and files that are
// none.
#include "tests/elements/scheduler_bench.hpp"

#include <glib/gstdio.h>
#include <sys/stat.h>

#include <atomic>
#include <set>

#include "core/spike/plan.hpp"

using namespace avc;
using namespace avc::test;

namespace {

// An error message at the start, for a schedule-location that is no file.
std::string start_fault(const std::string &path) {
  const auto element = take(GST_ELEMENT(gst_object_ref_sink(gst_element_factory_make("spikescheduler", nullptr))));
  const auto bus = take(gst_bus_new());
  gst_element_set_bus(element.get(), bus.get());
  g_object_set(element.get(), "schedule-location", path.c_str(), nullptr);
  ck_assert_int_eq(gst_element_set_state(element.get(), GST_STATE_PAUSED), GST_STATE_CHANGE_FAILURE);
  const auto message = take(gst_bus_pop_filtered(bus.get(), GST_MESSAGE_ERROR));
  ck_assert(message != nullptr);
  GError *error = nullptr;
  gst_message_parse_error(message.get(), &error, nullptr);
  const std::string text = error->message;
  g_error_free(error);
  gst_element_set_state(element.get(), GST_STATE_NULL);
  gst_element_set_bus(element.get(), nullptr);
  return text;
}

}  // namespace

GST_START_TEST(a_chain_that_starts_into_a_spike_has_it_from_its_first_packet_on) {
  SchedulerBench b(
      "schedule=" + quoted("[" + loss("on", 4, 3) + "," + loss("soon", 5.5, 1) + "," + loss("later", 9, 1) + "]"),
      kParticipant, false);
  gst_test_clock_set_time(b.test_clock(), ms(5000));
  b.introduce(kParticipant);
  b.expect(b.up, "+on +soon");  // before any packet
  b.packets(5000, 5020, 20);
  b.expect(b.down, "+on b5000 b5020");
  b.expect(b.up, "+on +soon");
}
GST_END_TEST;

GST_START_TEST(a_source_that_comes_later_hears_what_is_in_force) {
  SchedulerBench b("schedule=" + quoted("[" + loss("on", 0.01, 10) + "]"));
  b.packets(0, 40, 20);
  b.expect(b.up, "+on");
  b.introduce(kParticipant);
  b.expect(b.up, "+on +on");
}
GST_END_TEST;

GST_START_TEST(a_new_segment_repeats_what_is_in_force_and_posts_nothing) {
  SchedulerBench b("schedule=" + quoted("[" + loss("on", 0.01, 10) + "]"));
  b.packets(0, 20, 20);
  GstSegment segment;
  gst_segment_init(&segment, GST_FORMAT_TIME);
  gst_harness_push_event(b.h.get(), gst_event_new_segment(&segment));
  b.packets(40, 60, 20);
  b.expect(b.down, "b0 +on b20 +on b40 b60");
  const auto said = b.messages();
  ck_assert_str_eq(said.c_str(), "started on@10");
}
GST_END_TEST;

GST_START_TEST(upstream_hears_of_a_start_a_second_ahead_and_once) {
  SchedulerBench b("schedule=" + quoted("[" + loss("a", 3, 1) + "]"));
  b.packets(0, 1960, 20);
  b.expect(b.up, "");
  b.packets(1980, 2000, 20);
  b.expect(b.up, "+a");
  ck_assert(b.starts[0].start == ms(3000) && b.starts[0].end == ms(4000));
  ck_assert(b.messages().empty());
  b.packets(2020, 4000, 20);
  b.expect(b.up, "+a -a");
  const auto said = b.messages();
  ck_assert_str_eq(said.c_str(), "started a@3000, ended a@4000");
}
GST_END_TEST;

GST_START_TEST(a_spike_cancelled_before_its_start_ends_upstream_where_it_would_have_begun) {
  SchedulerBench b("schedule=" + quoted("[" + loss("a", 0.5, 1) + "]"));
  b.packets(0, 20, 20);
  ck_assert(b.cancel("a"));
  b.packets(40, 600, 20);
  b.expect(b.up, "+a -a");
  ck_assert(b.ends[0].at == ms(500));
  ck_assert(b.text_of(b.down).find('a') == std::string::npos);
  ck_assert(
      b.inject("spike, spike-id=(string)a, type=(string)blackout, start=(guint64)700000000"));  // the name is free
  b.packets(620, 720, 20);
  b.expect(b.up, "+a -a +a");
}
GST_END_TEST;

GST_START_TEST(gaps_move_time_where_packets_do_not) {
  SchedulerBench b("schedule=" + quoted("[" + loss("a", 0.05, 0.05) + "]"));
  b.packets(0, 20, 20);
  for (guint t = 40; t <= 120; t += 20) gst_harness_push_event(b.h.get(), gst_event_new_gap(ms(t), ms(20)));
  b.packets(140, 140, 20);
  b.expect(b.down, "b0 b20 +a -a b140");
  const auto said = b.messages();
  ck_assert_str_eq(said.c_str(), "started a@50, ended a@100");
}
GST_END_TEST;

GST_START_TEST(each_strategy_places_spikes_as_the_plan_does) {
  std::vector<spike::Spike> spikes;
  std::string json;
  for (const auto &[id, offset] : {std::pair{"a", 1}, {"b", 2}, {"c", 3}}) {
    spikes.push_back({.id = id, .type = "blackout", .offset = std::chrono::seconds(offset)});
    spikes.back().duration = std::chrono::milliseconds(500);
    json += (json.empty() ? "" : ",") + spike_text(id, "blackout", offset, 0.5);
  }
  std::set<std::string> different;
  for (const char *strategy : {"even", "random", "front_loaded", "back_loaded", "legacy"}) {
    const auto plan = spike::make_plan(spikes, {*spike::strategy_from(strategy), std::chrono::milliseconds(100)},
                                       std::chrono::seconds(20), Rng(9).split("plan"));
    std::string expected;
    for (const auto &planned : plan.spikes)
      expected += planned.spike.id + "@" + std::to_string(to_seconds(planned.start.since_origin)) + " ";
    SchedulerBench b("strategy=" + std::string(strategy) +
                     " duration-ms=20000 min-spacing-ms=100 seed=9 spikes=" + quoted("[" + json + "]"));
    b.packets(0, 20000, 20);
    std::string got;
    for (std::size_t i = 0; i < b.starts.size(); ++i) {
      const auto &start = b.starts[i];
      const std::string one = start.id + "@" + std::to_string(static_cast<double>(start.start) / GST_SECOND) + " ";
      if (got.find(one) == std::string::npos) got += one;  // each is heard on both sides
    }
    ck_assert_msg(got == expected, "%s: %s, not %s", strategy, got.c_str(), expected.c_str());
    ck_assert(b.stat("ended") == 3);
    different.insert(got);
  }
  ck_assert_uint_eq(different.size(), 5);
}
GST_END_TEST;

GST_START_TEST(a_schedule_location_that_is_no_file_is_an_error_and_holds_nothing_up) {
  gchar *folder = g_dir_make_tmp("avchaos-XXXXXX", nullptr);
  const std::string fifo = std::string(folder) + "/fifo";
  ck_assert_int_eq(mkfifo(fifo.c_str(), 0600), 0);
  for (const auto &[path, expected] : {std::pair<std::string, const char *>{fifo, "is not a regular file"},
                                       {folder, "is not a regular file"},
                                       {"/dev/zero", "is not a regular file"},
                                       {std::string(folder) + "/none", "cannot be opened"}}) {
    const std::string text = start_fault(path);
    ck_assert_msg(text.starts_with("schedule-location: ") && text.find(expected) != std::string::npos &&
                      text.find(path) != std::string::npos,
                  "%s: %s", path.c_str(), text.c_str());
  }
  g_unlink(fifo.c_str());
  g_rmdir(folder);
  g_free(folder);
}
GST_END_TEST;

// Somebody who hears of a spike on the timer's own thread may stop the element there.
GST_START_TEST(an_element_may_be_stopped_by_who_hears_of_a_spike) {
  SchedulerBench b("schedule=" + quoted("[" + loss("a", 0.01, 0.09) + "]"));
  b.packets(0, 20, 20);
  static std::atomic<bool> stopped;
  stopped = false;
  gst_bus_set_sync_handler(
      b.bus.get(),
      [](GstBus *, GstMessage *message, gpointer element) {
        const auto report = parse_spike_report(message);
        if (report && report->state == SpikeState::ended) {
          gst_element_set_state(GST_ELEMENT(element), GST_STATE_PAUSED);
          stopped = true;
        }
        return GST_BUS_PASS;
      },
      b.element(), nullptr);
  b.pass_time_until([&] { return stopped.load(); });
  gst_bus_set_sync_handler(b.bus.get(), nullptr, nullptr, nullptr);
}
GST_END_TEST;

AVC_GST_TESTS("spikescheduler_ahead", a_chain_that_starts_into_a_spike_has_it_from_its_first_packet_on,
              a_source_that_comes_later_hears_what_is_in_force,
              a_new_segment_repeats_what_is_in_force_and_posts_nothing,
              upstream_hears_of_a_start_a_second_ahead_and_once,
              a_spike_cancelled_before_its_start_ends_upstream_where_it_would_have_begun,
              gaps_move_time_where_packets_do_not, each_strategy_places_spikes_as_the_plan_does,
              a_schedule_location_that_is_no_file_is_an_error_and_holds_nothing_up,
              an_element_may_be_stopped_by_who_hears_of_a_spike)
