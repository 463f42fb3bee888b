#include "launcher/results/thresholds.hpp"

#include "tests/check.hpp"
#include "tests/launcher/results/build.hpp"

namespace {

using namespace avc;
using namespace avc::results;
using scenario::Threshold;

Threshold parsed(const char *metric, const char *expr) {
  const auto got = scenario::parse_threshold(metric, expr);
  ck_assert_msg(bool(got), "%s %s", metric, expr);
  return *got;
}

// Participant `id`'s audio in the second that ends at t.
StreamSecond audio(std::uint32_t id, double t, std::int64_t expected, std::int64_t lost, double jitter_ms = 1) {
  StreamSecond out{.participant = id, .media = Media::audio, .t = t, .seconds = 1, .observed = true, .seen = true};
  out.sent.packets = static_cast<std::uint64_t>(expected);
  out.sent.lost = static_cast<std::uint64_t>(lost);
  auto &received = out.received;
  received.packets_expected = expected;
  received.packets_lost = lost;
  received.packets_received = expected - lost;
  received.bytes_received = received.packets_received * 125;
  received.jitter_samples = received.packets_received;
  received.jitter_ms_sum = jitter_ms * static_cast<double>(received.packets_received);
  return out;
}

StreamSecond video(std::uint32_t id, double t, std::int64_t complete, std::int64_t broken, std::int64_t freezes = 0) {
  auto out = audio(id, t, 100, 0);
  out.media = Media::video;
  out.received.frames_complete = complete;
  out.received.frames_broken = broken;
  out.received.freeze_count = freezes;
  out.received.freeze_time = from_ms(250.0 * static_cast<double>(freezes));
  return out;
}

// Two participants, four seconds. Loss of 1001: 0, 10, 20, 30 of 100; of 1002: 0 of 300 each second.
std::optional<double> value_of(const Threshold &threshold) {
  Thresholds thresholds({threshold});
  for (int t = 1; t <= 4; ++t) {
    auto first = audio(1001, t, 100, 10 * (t - 1), t), second = audio(1002, t, 300, 0, 10 * t);
    first.mos_score = 5 - t;
    first.delay_ms = 5 * t;
    first.queue_ms = 7 * t;
    const SpikeTouch touch{"rtp_packet_loss", t == 2 || t == 3};
    if (t >= 2) first.touches = std::span(&touch, 1);
    auto picture = video(1001, t, 30 - t, t, t == 4 ? 2 : 0);
    thresholds.stream(first);
    thresholds.stream(second);
    thresholds.stream(picture);
    const auto n = static_cast<std::uint64_t>(t);
    thresholds.second(t, 1, 10 + static_cast<std::uint32_t>(t),
                      {.late_count = 100 * n,
                       .late_avg_ms = 0.1,
                       .late_p50_ms = 0.2,
                       .late_p95_ms = 0.3,
                       .late_p99_ms = 0.4,
                       .late_max_ms = 0.5,
                       .send_errors = 3 * (n - 1)});
  }
  return thresholds.results().at(0).value;
}

START_TEST(every_aggregate_of_every_kind_gives_what_is_worked_out_by_hand) {
  const struct {
    const char *metric, *expr;
    double value;
  } rows[] = {
      // Audio alone: 1001 lost 0, 10, 20, 30 %; 1002 nothing. 60 of 1600 packets.
      {"loss_percent{media:audio}", "avg<1", 3.75},
      {"loss_percent{media:audio}", "min<1", 0},
      {"loss_percent{media:audio}", "max<1", 30},
      {"loss_percent{media:audio}", "med<1", 0},
      {"loss_percent{media:audio}", "p(75)<1", 10},
      {"loss_percent{media:audio}", "p(99)<1", 30},
      {"injected_loss_percent{media:audio}", "avg<1", 3.75},
      {"delivery_percent{media:audio}", "avg<1", 96.25},
      {"delivery_percent{media:audio}", "min<1", 70},
      // 29 + 28 + 27 + 26 of 120 frames.
      {"frames_complete_percent", "avg<1", 110.0 / 120 * 100},
      {"frames_complete_percent", "min<1", 26.0 / 30 * 100},
      // 1, 2, 3, 4 and 10, 20, 30, 40.
      {"jitter_ms{media:audio}", "avg<1", 13.75},
      {"jitter_ms{media:audio}", "count<1", 8},
      {"jitter_ms{media:audio}", "p(50)<1", 4},
      {"jitter_ms{media:audio}", "med<1", 4},
      {"jitter_ms{media:audio}", "min<1", 1},
      {"jitter_ms{media:audio}", "max<1", 40},
      {"delay_ms", "max<1", 20},
      {"queue_ms", "max<1", 28},
      {"mos_score", "avg<1", 2.5},
      {"mos_score", "min<1", 1},
      {"mos_score", "last<1", 1},
      // 100 packets of 125 bytes are 100 kbit; 1002 has 300 kbit.
      {"bitrate_kbps{media:video}", "avg<1", 100},
      {"bitrate_kbps{media:audio}", "max<1", 300},
      {"participants_active", "min<1", 11},
      {"participants_active", "last<1", 14},
      {"freeze_count", "count<1", 2},
      {"freeze_count", "rate<1", 0.5},
      {"freeze_count", "max<1", 2},
      {"freeze_seconds", "count<1", 0.5},
      {"packets_lost", "count<1", 60},
      {"packets_lost", "max<1", 30},
      {"generator_send_errors", "count<1", 9},
      {"generator_send_errors", "max<1", 3},
      {"generator_send_errors", "rate<1", 2.25},
      {"generator_late_ms", "count<1", 400},
      {"generator_late_ms", "avg<1", 0.1},
      {"generator_late_ms", "min<1", 0},
      {"generator_late_ms", "med<1", 0.2},
      {"generator_late_ms", "p(90)<1", 0.3},
      {"generator_late_ms", "p(99)<1", 0.4},
      {"generator_late_ms", "p(99.9)<1", 0.5},
      {"generator_late_ms", "max<1", 0.5},
      // A spike acted on 1001 in its seconds 2 and 3: 30 of 200, and 15 % is also the mean of 10 and 20.
      {"loss_percent{media:audio,spike_type:rtp_packet_loss}", "avg<1", 15},
  };
  for (const auto &row : rows) {
    const auto value = value_of(parsed(row.metric, row.expr));
    ck_assert_msg(value.has_value(), "%s %s: no value", row.metric, row.expr);
    ck_assert_msg(std::abs(*value - row.value) < 1e-9, "%s %s: %g, not %g", row.metric, row.expr, *value, row.value);
  }
}
END_TEST

START_TEST(samples_can_be_put_together_by_participant_and_by_second) {
  const struct {
    Threshold::Per per;
    const char *metric, *expr;
    double value;
  } rows[] = {
      {Threshold::Per::participant, "loss_percent{media:audio}", "max<1", 15},  // 60 of 400
      {Threshold::Per::participant, "loss_percent{media:audio}", "min<1", 0},
      {Threshold::Per::participant, "loss_percent{media:audio}", "avg<1", 3.75},  // still weighted
      {Threshold::Per::second, "loss_percent{media:audio}", "max<1", 7.5},        // 30 of 400
      {Threshold::Per::participant, "jitter_ms{media:audio}", "max<1", 25},
      {Threshold::Per::second, "bitrate_kbps", "max<1", 500},       // all streams of the second together
      {Threshold::Per::participant, "bitrate_kbps", "max<1", 300},  // 1002; 1001 has 100 + at most 100
      {Threshold::Per::participant, "freeze_count", "max<1", 2},
      {Threshold::Per::participant, "freeze_count", "count<1", 2},
  };
  for (const auto &row : rows) {
    auto threshold = parsed(row.metric, row.expr);
    threshold.per = row.per;
    const auto value = value_of(threshold);
    ck_assert_msg(value && std::abs(*value - row.value) < 1e-9, "%s %s: %g", row.metric, row.expr, value.value_or(-1));
  }
}
END_TEST

START_TEST(a_scope_keeps_one_phase_of_each_participant) {
  const struct {
    Threshold::Scope scope;
    double max;
    double jitter_count;
  } rows[] = {{Threshold::Scope::before, 0, 5}, {Threshold::Scope::during, 20, 2}, {Threshold::Scope::after, 30, 1}};
  for (const auto &row : rows) {
    auto loss = parsed("loss_percent{media:audio}", "max<1"), count = parsed("jitter_ms{media:audio}", "count<1");
    loss.scope = count.scope = row.scope;
    ck_assert_double_eq_tol(*value_of(loss), row.max, 1e-9);
    ck_assert_double_eq_tol(*value_of(count), row.jitter_count, 1e-9);
  }
}
END_TEST

START_TEST(a_delay_leaves_out_the_first_seconds) {
  auto threshold = parsed("jitter_ms{media:audio}", "count<1");
  threshold.delay_seconds = 2;
  ck_assert_double_eq(*value_of(threshold), 4);
}
END_TEST

START_TEST(no_sample_at_all_is_a_failure_unless_it_is_allowed) {
  auto strict = parsed("mos_score", "min>=1"), lenient = strict;
  lenient.allow_no_data = true;
  auto of_nothing = parsed("loss_percent{spike_type:blackout}", "avg<100");
  Thresholds thresholds({strict, lenient, of_nothing, parsed("generator_late_ms", "p(99)<5")});
  thresholds.stream(audio(1001, 1, 50, 0));  // no score, no spike
  thresholds.second(1, 1, 1, {});
  const auto results = thresholds.results();
  ck_assert(!results[0].value && !results[0].ok);
  ck_assert(results[0].text.find("no samples") != std::string::npos);
  ck_assert(!results[1].value && results[1].ok);
  ck_assert(!results[2].value && !results[2].ok);
  ck_assert(!results[3].value && !results[3].ok);  // no deadline was ever served
}
END_TEST

START_TEST(a_stream_that_was_never_seen_has_no_loss_but_no_delivery_either) {
  auto unseen = audio(1001, 1, 0, 0);
  unseen.sent.packets = 50;
  unseen.seen = false;
  Thresholds thresholds({parsed("loss_percent", "avg<=100"), parsed("delivery_percent", "avg>=0")});
  thresholds.stream(unseen);
  const auto results = thresholds.results();
  ck_assert(!results[0].value);
  ck_assert_double_eq(*results[1].value, 0);
}
END_TEST

START_TEST(a_late_packet_gives_back_what_was_counted_lost) {
  Thresholds thresholds({parsed("loss_percent", "avg<100"), parsed("packets_lost", "count<100")});
  thresholds.stream(audio(1001, 1, 100, 10));
  thresholds.stream(audio(1001, 2, 100, -4));
  const auto results = thresholds.results();
  ck_assert_double_eq_tol(*results[0].value, 3, 1e-9);
  ck_assert_double_eq_tol(*results[1].value, 6, 1e-9);
}
END_TEST

START_TEST(a_result_says_in_words_what_was_wanted_and_what_was) {
  Thresholds thresholds({parsed("loss_percent", "avg<1"), parsed("loss_percent", "avg<10")});
  thresholds.stream(audio(1001, 1, 100, 5));
  const auto results = thresholds.results();
  ck_assert_str_eq(results[0].text.c_str(), "loss_percent: avg was 5 %, wanted avg<1");
  ck_assert_str_eq(results[1].text.c_str(), "loss_percent: avg was 5 %, as wanted (avg<10)");
}
END_TEST

// Values from a fixed multiplicative sequence, few and many: the order of percentiles never breaks.
START_TEST(percentiles_are_in_order_whatever_the_samples) {
  for (const std::size_t count : {1u, 2u, 3u, 10u, 99u, 1000u, 300000u}) {
    Distribution samples;
    std::uint32_t state = 12345;
    for (std::size_t i = 0; i < count; ++i) {
      state = state * 1664525u + 1013904223u;
      samples.add(static_cast<double>(state >> 8) / 1000);
    }
    ck_assert_uint_eq(samples.count(), count);
    double last = samples.min();
    for (const double percent : {0.0, 1.0, 50.0, 90.0, 95.0, 99.0, 99.9, 100.0}) {
      const double value = samples.percentile(percent);
      ck_assert_msg(value >= last, "%zu samples: p(%g) is %g after %g", count, percent, value, last);
      last = value;
    }
    ck_assert_double_eq(last, samples.max());
    ck_assert(samples.avg() >= samples.min() && samples.avg() <= samples.max());
  }
}
END_TEST

START_TEST(many_samples_keep_percentiles_within_the_stated_error) {
  Distribution samples;
  for (std::size_t i = 1; i <= 2 * Distribution::kExact; ++i) samples.add(static_cast<double>(i));
  const double median = static_cast<double>(Distribution::kExact);
  ck_assert_double_eq_tol(samples.percentile(50), median, median * 0.016);
  ck_assert_double_eq(samples.min(), 1);
  ck_assert_double_eq(samples.max(), 2 * median);
}
END_TEST

// One participant's audio; `lost` of 100 packets in each second, -1: nothing was there. Much of it is a bad score.
Thresholds fed(const Threshold &threshold, std::initializer_list<int> lost) {
  Thresholds thresholds({threshold});
  int t = 0;
  for (const int each : lost) {
    ++t;
    auto stream = audio(1001, t, 100, std::max(each, 0));
    stream.mos_score = each > 10 ? 2 : 4;
    if (each >= 0) thresholds.stream(stream);
    thresholds.second(t, 1, 1, {});
  }
  return thresholds;
}

START_TEST(one_that_aborts_ends_the_run_in_the_second_in_which_it_breaks) {
  auto threshold = parsed("loss_percent", "avg < 10");
  ck_assert(!fed(threshold, {90, 90}).must_end());  // judged at the end alone
  threshold.abort_on_fail = true;
  ck_assert(!fed(threshold, {0, 0, 15}).must_end());  // 5 % so far
  const auto broken = fed(threshold, {0, 0, 60});
  ck_assert(broken.must_end().has_value());
  avc_assert_text(*broken.must_end(),
                  "loss_percent: avg was 20 %, wanted avg < 10; it did not hold from 2 s to 3 s of the test");
  ck_assert(!fed(threshold, {-1, -1}).must_end());                           // without samples
  ck_assert(!fed(threshold, {0, 0, 60, 0, 0, 0, 0, 0}).results().at(0).ok);  // it stays so
  threshold.warn = true;
  ck_assert(!fed(threshold, {0, 0, 60}).must_end());
}
END_TEST

START_TEST(what_does_not_hold_for_a_shorter_time_is_forgiven) {
  auto threshold = parsed("mos_score", "last > 3");
  threshold.abort_on_fail = true;
  threshold.for_seconds = 3;
  ck_assert(!fed(threshold, {50, 50, 0, 50, 50, 0, 50}).must_end());
  ck_assert(fed(threshold, {50, 50, 0, 50, 50, 0, 50}).results().at(0).ok);
  ck_assert(fed(threshold, {0, 50, 50, 50}).must_end());
  threshold.abort_on_fail = false;
  const auto later = fed(threshold, {0, 50, 50, 50, 0});
  ck_assert(!later.must_end() && !later.results().at(0).ok);
  ck_assert(!fed(threshold, {-1, -1}).results().at(0).ok);  // no sample is still a failure
}
END_TEST

START_TEST(nothing_breaks_before_the_delay_is_over) {
  auto threshold = parsed("loss_percent", "max < 10");
  threshold.abort_on_fail = true;
  threshold.delay_seconds = 3;
  ck_assert(!fed(threshold, {50, 50, 50, 0}).must_end());
  ck_assert(fed(threshold, {0, 0, 0, 50}).must_end());
}
END_TEST

// A subscriber's stream in a second: 90 of 100 came, then nothing at all.
START_TEST(subscribers_deliver_what_came_and_their_times_are_events) {
  Thresholds thresholds({parsed("delivery_percent", "avg>=45"), parsed("delivery_percent", "min>=0"),
                         parsed("injected_loss_percent", "avg<1"), parsed("join_time_ms", "max<300"),
                         parsed("join_time_ms", "count==2"), parsed("time_to_first_keyframe_ms", "max<1")});
  auto stream = audio(1001, 1, 100, 10);
  stream.sent = {};
  stream.observed = false;
  stream.subscribed = true;
  thresholds.stream(stream);
  stream.t = 2;
  stream.received = {};
  thresholds.stream(stream);
  thresholds.event("join_time_ms", 1, 100);
  thresholds.event("join_time_ms", 1, 250);
  const auto results = thresholds.results();
  ck_assert_double_eq_tol(*results[0].value, 45, 1e-9);
  ck_assert_double_eq(*results[1].value, 0);
  ck_assert(!results[2].value && !results[5].value);
  ck_assert_double_eq(*results[3].value, 250);
  ck_assert(results[3].ok && results[4].ok);
}
END_TEST

}  // namespace

AVC_TESTS("thresholds", every_aggregate_of_every_kind_gives_what_is_worked_out_by_hand,
          samples_can_be_put_together_by_participant_and_by_second, a_scope_keeps_one_phase_of_each_participant,
          a_delay_leaves_out_the_first_seconds, no_sample_at_all_is_a_failure_unless_it_is_allowed,
          a_stream_that_was_never_seen_has_no_loss_but_no_delivery_either,
          a_late_packet_gives_back_what_was_counted_lost, a_result_says_in_words_what_was_wanted_and_what_was,
          one_that_aborts_ends_the_run_in_the_second_in_which_it_breaks,
          what_does_not_hold_for_a_shorter_time_is_forgiven, nothing_breaks_before_the_delay_is_over,
          subscribers_deliver_what_came_and_their_times_are_events, percentiles_are_in_order_whatever_the_samples,
          many_samples_keep_percentiles_within_the_stated_error)
