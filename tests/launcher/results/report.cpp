// The report's three forms: report.json, report.html and samples.csv.
#include "launcher/results/csv.hpp"
#include "launcher/results/html.hpp"
#include "launcher/results/json.hpp"
#include "launcher/results/json_view.hpp"
#include "launcher/results/recorder.hpp"
#include "tests/check.hpp"
#include "tests/launcher/results/build.hpp"

namespace {

using namespace avc;
using namespace avc::results;
using avc::test::participant;
using avc::test::planned;
using avc::test::seconds;

constexpr const char *kNasty = "</script><b a=\"x\" b='y'>&amp;";

bool contains(const std::string &text, std::string_view part) { return text.find(part) != std::string::npos; }

// Ten seconds, two participants, one spike from 4 to 6 s; every text that a stranger can choose is `text`.
RunResult run_with(const std::string &text, bool receiver = true) {
  Recorder recorder;
  auto spike = planned(text, "rtp_packet_loss", 4, 6);
  spike.spike.params = {{"loss_percentage", 10.0}, {"pattern", text}};
  recorder.begin({.test_id = text,
                  .seed = 18446744073709551615u,
                  .scenario_json = R"({"seed":1,"x":"</pre><script>"})",
                  .started_at = "2026-01-02T03:04:05Z",
                  .planned_seconds = 10,
                  .participants = 2,
                  .target = text,
                  .has_receiver = receiver,
                  .warnings = {text},
                  .environment = {{text, text}}},
                 std::vector{spike}, {*scenario::parse_threshold("loss_percent", "avg<5")});
  for (int t = 1; t <= 10; ++t) {
    const auto n = static_cast<std::uint64_t>(t) * 50;
    const std::vector all{participant(1001, n, t > 4 ? 7 : 0), participant(1002, n)};
    recorder.second(seconds(t), all, {.late_count = n, .late_p99_ms = 0.5, .packets_sent = n});
    if (t == 4) recorder.spike_changed(spike, SpikeState::active, seconds(t), std::span(all).first(1));
    if (t == 6) recorder.spike_changed(spike, SpikeState::ended, seconds(t), std::span(all).first(1), text);
  }
  return recorder.finish(EndReason::completed, text, seconds(10));
}

START_TEST(the_report_read_back_has_every_part_with_its_numbers) {
  const Report held(report_json(run_with("plain")));
  const View report = held.root();
  ck_assert(bool(report));
  ck_assert_double_eq(*report["format"].number(), 1);
  ck_assert(report["test_id"].text() == "plain");
  ck_assert(report["state"].text() == "stopped");
  ck_assert(report["reason"].text() == "completed");
  ck_assert(report["seed_text"].text() == "18446744073709551615");
  ck_assert_double_eq(*report["scenario"]["seed"].number(), 1);
  ck_assert(report["verdict"]["result"].text() == "passed");
  ck_assert_double_eq(*report["verdict"]["exit_code"].number(), 0);
  ck_assert_double_eq(*report["sent"]["packets"].number(), 1000);
  ck_assert_double_eq(*report["sent"]["audio"]["lost"].number(), 7);
  ck_assert_double_eq(*report["received"]["packets"].number(), 993);
  ck_assert_double_eq(*report["received"]["loss_percent"].number(), 0.7);
  ck_assert_double_eq(*report["received"]["unexplained_losses"].number(), 0);
  ck_assert(!report["received"]["frames_complete_percent"]);  // null: there is no video
  ck_assert_double_eq(*report["generator"]["late_p99_ms"].number(), 0.5);
  const auto spike = report["spikes"].items().at(0);
  ck_assert_double_eq(*spike["start_seconds"].number(), 4);
  ck_assert_double_eq(*spike["end_seconds"].number(), 6);
  ck_assert_double_eq(*spike["params"]["loss_percentage"].number(), 10);
  ck_assert(spike["state"].text() == "ended");
  ck_assert_double_eq(*spike["injected"]["loss_percent"].number(), 7);  // 7 of 100
  ck_assert_double_eq(*spike["measured"]["during"]["loss_percent"].number(), 7);
  ck_assert_double_eq(*spike["measured"]["before"]["loss_percent"].number(), 0);
  ck_assert_double_eq(*spike["measured"]["after"]["loss_percent"].number(), 0);
  ck_assert(!spike["measured_text"].text().empty());
  const auto figure = spike["figures"].items().at(0);
  ck_assert(figure["name"].text() == "packet loss" && figure["unit"].text() == "%");
  ck_assert_double_eq(*figure["injected"].number(), 7);
  ck_assert_double_eq(*figure["before"].number(), 0);
  ck_assert_double_eq(*figure["during"].number(), 7);
  ck_assert_double_eq(*figure["after"].number(), 0);
  const auto threshold = report["thresholds"].items().at(0);
  ck_assert(threshold["ok"].yes());
  ck_assert_double_eq(*threshold["value"].number(), 0.7);
  ck_assert_uint_eq(report["participants"].items().size(), 2);
  ck_assert_double_eq(*report["participants"].items()[0]["received"]["audio"]["lost"].number(), 7);
  ck_assert_uint_eq(report["samples"].items().size(), 10);
  ck_assert_double_eq(*report["samples"].items()[4]["sent"]["lost_percent"].number(), 7);  // 7 of 100
  ck_assert(report["samples"].items()[4]["spikes_active"].items().at(0).text() == "plain");
}
END_TEST

START_TEST(connections_that_a_spike_replaced_are_told) {
  Recorder recorder;
  const auto restart = planned("r", "ice_restart", 1, 2);
  recorder.begin({.participants = 2}, std::vector{restart}, {});
  const std::vector all{participant(1001, 50), participant(1002, 50)};
  recorder.spike_changed(restart, SpikeState::active, seconds(1), all);
  recorder.connection_replaced("r", 100);
  recorder.spike_changed(restart, SpikeState::ended, seconds(2), all);
  recorder.connection_replaced("r", 300);  // it took longer than the spike
  recorder.connection_replaced("no such spike", 5000);
  const Report held(report_json(recorder.finish(EndReason::completed, "", seconds(3))));
  const View spike = held.root()["spikes"].items().at(0);
  ck_assert_double_eq(*spike["connections_replaced"]["count"].number(), 2);
  ck_assert_double_eq(*spike["connections_replaced"]["mean_ms"].number(), 200);
  ck_assert_double_eq(*spike["connections_replaced"]["max_ms"].number(), 300);
  ck_assert(contains(spike["injected_text"].text(), "connections replaced: 2; away up to 300 ms"));
  ck_assert(!Report(report_json(run_with("plain"))).root()["spikes"].items().at(0)["connections_replaced"]);
}
END_TEST

START_TEST(without_a_receiver_received_is_null_everywhere) {
  const Report held(report_json(run_with("plain", false)));
  ck_assert(!held.root()["received"]);
  ck_assert(!held.root()["samples"].items()[0]["received"]);
  ck_assert(!held.root()["participants"].items()[0]["received"]);
  ck_assert(!held.root()["spikes"].items()[0]["measured"]["during"]);
}
END_TEST

// Of four that there were to be one never began, one failed with `text`, one got no audio.
RunResult run_with_subscribers(const std::string &text) {
  RunResult run = run_with("plain", false);
  run.facts.subscribers = 4;
  const auto receiver = [](std::int64_t expected, std::int64_t lost) {
    ReceiverCounters out;
    out.packets_expected = expected;
    out.packets_lost = lost;
    out.packets_received = expected - lost;
    return out;
  };
  SubscriberSnapshot good{.id = 1, .participant = 1001, .state = "connected", .connected = true, .join_ms = 100};
  good.first_keyframe_ms = 300;
  good.received = {receiver(1000, 10), receiver(100, 0)};
  SubscriberSnapshot half = good;
  half.id = 2;
  half.join_ms = 250;
  half.first_keyframe_ms.reset();
  half.received[1] = {};
  run.subscribers = {good, half, {.id = 3, .participant = 1002, .state = "failed", .reason = text, .failed = true}};
  return run;
}

START_TEST(subscribers_are_summed_up_and_those_that_never_began_count) {
  const Report held(report_json(run_with_subscribers("plain")));
  const View all = held.root()["subscribed"];
  ck_assert_double_eq(*all["subscribers"].number(), 4);
  ck_assert_double_eq(*all["joined"].number(), 2);
  ck_assert_double_eq(*all["streams"].number(), 8);
  ck_assert_double_eq(*all["streams_received"].number(), 3);
  ck_assert_double_eq_tol(*all["delivery_percent"].number(), (99 + 100 + 99) / 8.0, 1e-9);
  ck_assert_double_eq(*all["join_time_ms"]["count"].number(), 2);
  ck_assert_double_eq(*all["join_time_ms"]["p50"].number(), 100);
  ck_assert_double_eq(*all["join_time_ms"]["max"].number(), 250);
  ck_assert_double_eq(*all["time_to_first_keyframe_ms"]["count"].number(), 1);
  const auto each = held.root()["subscribers"].items();
  ck_assert_uint_eq(each.size(), 3);
  ck_assert_double_eq(*each[1]["delivery_percent"].number(), 99 / 2.0);
  ck_assert_double_eq(*each[2]["delivery_percent"].number(), 0);
  ck_assert(!Report(report_json(run_with("plain"))).root()["subscribed"]);
}
END_TEST

START_TEST(the_page_has_subscribers_the_worst_first) {
  const auto page = report_html(report_json(run_with_subscribers(kNasty)));
  ck_assert(contains(page, "<h2 id=\"subscribers\">") && contains(page, "2 of 4 subscribers"));
  ck_assert(contains(page, "3 of 8 arrived") && contains(page, "37.25 %, mean of all streams"));
  ck_assert(contains(page, "half within 100 ms, 95 % within 250 ms, all 2 within 250 ms"));
  ck_assert(contains(page, "by the subscribers: see there"));
  ck_assert(contains(page, "chart-loss") && !contains(page, "chart-jitter"));  // nobody measures it by the second
  ck_assert(!contains(page, "<script"));
  const auto at = [&](const char *id) { return page.find("<th scope=\"row\" class=\"n\">" + std::string(id) + "<"); };
  ck_assert(at("3") < at("2") && at("2") < at("1") && at("1") != std::string::npos);
  ck_assert(!contains(report_html(report_json(run_with("plain"))), "id=\"subscribers\""));
}
END_TEST

START_TEST(no_text_of_a_stranger_becomes_markup) {
  const auto page = report_html(report_json(run_with(kNasty)));
  ck_assert(!contains(page, "<script"));
  ck_assert(!contains(page, "<b a="));
  ck_assert(!contains(page, "b='y'"));
  ck_assert(contains(page, "&lt;/script&gt;&lt;b a=&quot;x&quot; b=&#39;y&#39;&gt;&amp;amp;"));
  ck_assert(contains(page, "&lt;/pre&gt;&lt;script&gt;"));
}
END_TEST

START_TEST(the_page_says_the_verdict_first_and_loads_nothing) {
  const auto page = report_html(report_json(run_with("plain")));
  ck_assert_uint_lt(page.find("✓ Passed"), page.find("<table"));
  for (const char *foreign : {"http://", "https://", "<script", "<link", "<img", "@import", "url("})
    ck_assert_msg(!contains(page, foreign), "%s", foreign);
  ck_assert(contains(page, "18446744073709551615"));
  ck_assert(
      contains(page,
               "packet loss <span class=\"unit\">%</span></th><td class=\"n\">7.0</td><td class=\"n\">0.0</td><td "
               "class=\"n now\">7.0</td><td class=\"n\">0.0</td></tr>"));
  ck_assert(contains(page, "avchaos run scenario.json --seed 18446744073709551615</pre>"));
}
END_TEST

START_TEST(every_table_has_scoped_headings_and_every_drawing_a_description) {
  const auto page = report_html(report_json(run_with("plain")));
  const auto count = [&](std::string_view part) {
    std::size_t n = 0;
    for (std::size_t at = page.find(part); at != std::string::npos; at = page.find(part, at + 1)) ++n;
    return n;
  };
  ck_assert_uint_eq(count("<th "), count("<th scope="));
  ck_assert_uint_eq(count("<th>"), 0);
  ck_assert_uint_eq(count("<svg "), 7);  // spikes, loss, delay, jitter, frames, MOS, bitrate
  ck_assert_uint_eq(count("<svg "), count("<svg role=\"img\""));
  ck_assert_uint_eq(count("<svg "), count("aria-label=\""));
  for (const char *tag : {"section", "table", "tr", "td", "th", "tbody", "figure", "svg", "dl", "ul", "main"}) {
    const std::string open = std::string("<") + tag, close = std::string("</") + tag + ">";
    ck_assert_msg(count(open + ">") + count(open + " ") == count(close), "%s", tag);
  }
}
END_TEST

START_TEST(a_page_is_made_of_the_emptiest_report_and_of_what_is_none) {
  RunResult run;
  run.facts.test_id = "empty";
  run.ended = EndReason::failed_to_start;
  ck_assert(contains(report_html(report_json(run)), "? Invalid"));
  for (const char *text :
       {"", "{}", "[]", "no json at all", R"({"samples":[1,null,{}],"spikes":[{}],"participants":3})"})
    ck_assert_msg(contains(report_html(text), "</html>"), "%s", text);
}
END_TEST

START_TEST(a_long_run_keeps_its_worst_second_in_the_chart) {
  Recorder recorder;
  recorder.begin({.test_id = "long", .planned_seconds = 3600, .has_receiver = true}, {}, {});
  for (int t = 1; t <= 3600; ++t)
    recorder.second(seconds(t), std::vector{participant(1001, 50 * static_cast<std::uint64_t>(t), t >= 1800 ? 45 : 0)},
                    {});
  const auto page = report_html(report_json(recorder.finish(EndReason::completed, "", seconds(3600))));
  ck_assert(contains(page, "the worst of 11 seconds"));
  ck_assert(contains(page, "0 to 90, mean"));  // 45 of 50 packets in one second
  ck_assert_uint_lt(page.size(), 200000);
}
END_TEST

START_TEST(the_table_of_seconds_has_one_row_each_and_as_many_fields_as_its_head) {
  const auto csv = samples_csv(report_json(run_with("plain")));
  std::vector<std::size_t> fields{1};
  for (const char c : csv) {
    if (c == ',') ++fields.back();
    if (c == '\n') fields.push_back(1);
  }
  ck_assert_uint_eq(fields.size(), 12);  // head, ten seconds, nothing after the last line's end
  for (std::size_t row = 0; row + 1 < fields.size(); ++row) ck_assert_uint_eq(fields[row], fields[0]);
  ck_assert(csv.starts_with("t_seconds,participants,"));
  ck_assert(contains(csv, "\r\n5,2,500,50000,500,100,80,7,"));
}
END_TEST

START_TEST(a_spike_id_cannot_break_out_of_its_field_or_become_a_formula) {
  const auto csv = samples_csv(report_json(run_with("=cmd(\"x\"),y")));
  ck_assert(contains(csv, ",\"'=cmd(\"\"x\"\"),y\"\r\n"));
}
END_TEST

}  // namespace

AVC_TESTS("report", the_report_read_back_has_every_part_with_its_numbers,
          without_a_receiver_received_is_null_everywhere, connections_that_a_spike_replaced_are_told,
          subscribers_are_summed_up_and_those_that_never_began_count, the_page_has_subscribers_the_worst_first,
          no_text_of_a_stranger_becomes_markup, the_page_says_the_verdict_first_and_loads_nothing,
          every_table_has_scoped_headings_and_every_drawing_a_description,
          a_page_is_made_of_the_emptiest_report_and_of_what_is_none, a_long_run_keeps_its_worst_second_in_the_chart,
          the_table_of_seconds_has_one_row_each_and_as_many_fields_as_its_head,
          a_spike_id_cannot_break_out_of_its_field_or_become_a_formula)
