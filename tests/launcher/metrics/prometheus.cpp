#include "launcher/metrics/prometheus.hpp"

#include <limits>
#include <set>
#include <sstream>

#include "launcher/metrics/test_metrics.hpp"
#include "tests/check.hpp"

using namespace avc::metrics;

namespace {

// Fails unless every family stands together under one HELP and one TYPE, as the format demands.
std::set<std::string> families_of(const std::string &text) {
  std::set<std::string> done;
  std::string current;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("# HELP ")) {
      current = line.substr(7, line.find(' ', 7) - 7);
      ck_assert_msg(done.insert(current).second, "%s appears twice", current.c_str());
    } else if (line.starts_with("# TYPE ")) {
      ck_assert_msg(line.starts_with("# TYPE " + current + " "), "%s", line.c_str());
      ck_assert_msg(line.ends_with(" counter") == current.ends_with("_total"), "%s", line.c_str());
    } else {
      std::string name = line.substr(0, line.find_first_of("{ "));
      for (const std::string_view part : {"_bucket", "_sum", "_count"})
        if (name.ends_with(part) && name.size() == current.size() + part.size()) name.resize(current.size());
      avc_assert_text(name, current);
    }
  }
  return done;
}

TestNumbers numbers(std::string id) {
  TestNumbers test;
  test.test_id = std::move(id);
  test.state = TestState::running;
  test.elapsed_seconds = 2.5;
  test.participants = 2;
  test.packets = 1000;
  test.reported_nacks = 11;
  test.reported_keyframe_requests = 12;
  test.retransmitted = 13;
  test.rendition_switches = 14;
  test.bytes = 1200000;
  test.jitter_ms = 12.5;
  test.per_participant = {{.id = 1001, .frames = 50}, {.id = 1002, .frames = 51}};
  return test;
}

}  // namespace

START_TEST(a_histogram_adds_up_to_its_count) {
  PrometheusText out;
  out.family("late_seconds", PrometheusText::Type::histogram, "L.");
  const double ends[] = {0.001, 0.5};
  const std::uint64_t counts[] = {3, 2, 1};
  out.histogram("late_seconds", {{"test_id", "a"}}, ends, counts, 1.25);
  avc_assert_text(out.text(),
                  "# HELP late_seconds L.\n# TYPE late_seconds histogram\n"
                  "late_seconds_bucket{test_id=\"a\",le=\"0.001\"} 3\nlate_seconds_bucket{test_id=\"a\",le=\"0.5\"} 5\n"
                  "late_seconds_bucket{test_id=\"a\",le=\"+Inf\"} 6\nlate_seconds_sum{test_id=\"a\"} 1.25\n"
                  "late_seconds_count{test_id=\"a\"} 6\n");
}
END_TEST

START_TEST(samples_stand_with_their_family_whatever_order_they_came_in) {
  PrometheusText out;
  out.family("a_total", PrometheusText::Type::counter, "A.");
  out.family("b", PrometheusText::Type::gauge, "B.");
  out.family("c", PrometheusText::Type::gauge, "never said");
  out.sample("b", {}, 0.5);
  out.sample("a_total", {{"x", "1"}, {"y", "2"}}, 3);
  out.sample("b", {{"x", "2"}}, 1e6);
  avc_assert_text(out.text(),
                  "# HELP a_total A.\n# TYPE a_total counter\na_total{x=\"1\",y=\"2\"} 3\n"
                  "# HELP b B.\n# TYPE b gauge\nb 0.5\nb{x=\"2\"} 1e+06\n");
}
END_TEST

START_TEST(labels_cannot_break_out_of_their_quotes) {
  const TestNumbers evil[] = {numbers("x\"} 1\nrtp_mos_score{test_id=\"y\\")};
  const std::string text = process_text({}, evil);
  families_of(text);
  ck_assert(text.find("test_id=\"x\\\"} 1\\nrtp_mos_score{test_id=\\\"y\\\\\"") != std::string::npos);
}
END_TEST

START_TEST(the_old_names_are_there_with_the_old_labels) {
  const TestNumbers tests[] = {numbers("a"), numbers("b")};
  const std::string text = process_text({.partition = 3}, tests);
  const auto families = families_of(text);
  for (const char *name :
       {"rtp_frames_sent_total", "rtp_packets_sent_total", "rtp_jitter_ms", "rtp_packet_loss_percent", "rtp_mos_score",
        "rtp_bitrate_kbps", "rtp_test_state", "rtp_active_participants", "av_chaos_monkey_jitter_seconds",
        "av_chaos_monkey_packets_sent_total"}) {
    ck_assert_msg(families.contains(name), "%s", name);
  }
  ck_assert(text.find("rtp_packets_sent_total{test_id=\"b\",partition=\"3\"} 1000\n") != std::string::npos);
  ck_assert(text.find("rtp_test_state{test_id=\"a\",partition=\"3\"} 1\n") != std::string::npos);
  ck_assert(text.find("av_chaos_monkey_jitter_seconds{test_id=\"a\",partition=\"3\"} 0.0125\n") != std::string::npos);
}
END_TEST

START_TEST(what_the_far_side_reported_has_names_that_say_so) {
  const std::string text = process_text({.partition = 3}, std::vector{numbers("b")});
  for (const char *sample : {"reported_nacks_total{test_id=\"b\",partition=\"3\"} 11\n",
                             "packets_retransmitted_total{test_id=\"b\",partition=\"3\"} 13\n",
                             "reported_keyframe_requests_total{test_id=\"b\",partition=\"3\"} 12\n",
                             "rendition_switches_total{test_id=\"b\",partition=\"3\"} 14\n"})
    ck_assert_msg(text.find("av_chaos_monkey_" + std::string(sample)) != std::string::npos, "%s", sample);
}
END_TEST

START_TEST(one_test_has_an_aggregate_and_its_participants) {
  const std::string text = test_text(numbers("a"));
  families_of(text);
  ck_assert(text.find("rtp_bytes_sent_total{test_id=\"a\",type=\"aggregate\"} 1200000\n") != std::string::npos);
  ck_assert(text.find("rtp_test_elapsed_seconds{test_id=\"a\"} 2.5\n") != std::string::npos);
  ck_assert(text.find("rtp_frames_sent_total{test_id=\"a\",participant_id=\"1002\"} 51\n") != std::string::npos);
}
END_TEST

START_TEST(numbers_read_back_the_same) {
  avc_assert_text(number_text(0.1), "0.1");
  avc_assert_text(number_text(123456789), "123456789");
  avc_assert_text(number_text(std::numeric_limits<double>::quiet_NaN()), "NaN");
  avc_assert_text(number_text(-std::numeric_limits<double>::infinity()), "-Inf");
}
END_TEST

AVC_TESTS("prometheus", a_histogram_adds_up_to_its_count, samples_stand_with_their_family_whatever_order_they_came_in,
          labels_cannot_break_out_of_their_quotes, the_old_names_are_there_with_the_old_labels,
          what_the_far_side_reported_has_names_that_say_so, one_test_has_an_aggregate_and_its_participants,
          numbers_read_back_the_same)
