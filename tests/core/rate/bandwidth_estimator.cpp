// The estimate against a simulated link. Every bound here is stated in docs/adaptation.md, and is some way off what was
// measured; calls are the same every time.
#include "core/rate/bandwidth_estimator.hpp"

#include "tests/core/rate/simulation.hpp"

using namespace avc;
using namespace avc::test;
using namespace std::chrono_literals;
using rate::BandwidthEstimator;

namespace {

net::Impairment link(double kbps, double loss = 0, double jitter_ms = 0) {
  return {.loss_percent = loss, .delay_ms = 20, .jitter_ms = jitter_ms, .bandwidth_kbps = kbps, .queue_ms = 500};
}

// A sender that follows the estimate: video is what audio leaves.
double follow(Instant, double estimate_kbps) { return std::max(estimate_kbps - 60, 30.0); }

constexpr Call::Video kPaced{};
constexpr Call::Video kKeyframes{.keyframe = 8, .paced = false};
constexpr BandwidthEstimator::Settings kDraft{.start_kbps = 300};
constexpr BandwidthEstimator::Settings kFloor{.start_kbps = 300, .burst_period = 1s};

struct Kind {
  BandwidthEstimator::Settings settings;
  Call::Video video;
  double queue_ms;  // nineteen of twenty tenths of a second stay below
};
const Kind kKinds[] = {{kDraft, kPaced, 60}, {kFloor, kKeyframes, 400}};

}  // namespace

START_TEST(it_finds_what_a_link_carries_with_a_short_queue) {
  for (const Kind &kind : kKinds) {
    for (const double kbps : {500.0, 1000.0, 2500.0}) {
      Call call(kind.settings, link(kbps), kind.video, follow);
      call.run_until(120s);
      ck_assert_double_lt(call.until_at_least(0s, 0.9 * kbps), 8);
      const double mean = call.mean_kbps(20s, 120s);
      ck_assert_double_ge(mean, 0.87 * kbps);
      ck_assert_double_le(mean, 0.97 * kbps);
      ck_assert_double_ge(call.share_kbps(20s, 120s, 0.75 * kbps, 1.05 * kbps), 0.97);
      ck_assert_double_le(call.queue_ms(20s, 120s, 0.95), kind.queue_ms);
    }
  }
}
END_TEST

START_TEST(it_falls_with_the_link_and_comes_back_with_it) {
  for (const Kind &kind : kKinds) {
    Call call(kind.settings, link(2500), kind.video, follow);
    call.run_until(40s);
    call.set_link(link(1250));
    call.run_until(80s);
    call.set_link(link(2500));
    call.run_until(120s);
    ck_assert_double_le(call.until_at_most(40s, 1250), 2);
    ck_assert_double_ge(call.mean_kbps(50s, 80s), 0.85 * 1250);
    ck_assert_double_le(call.mean_kbps(50s, 80s), 0.97 * 1250);
    ck_assert_double_le(call.queue_ms(50s, 80s, 0.95), kind.queue_ms + 200);
    ck_assert_double_le(call.until_at_least(80s, 0.9 * 2500), 15);
  }
}
END_TEST

START_TEST(losses_of_1_percent_and_jitter_of_5_ms_do_not_lower_it) {
  for (const Kind &kind : kKinds) {
    Call clean(kind.settings, link(2500), kind.video, follow);
    clean.run_until(120s);
    for (std::uint64_t seed = 1; seed <= 5; ++seed) {
      Call lossy(kind.settings, link(2500, 1), kind.video, follow, seed);
      Call jittery(kind.settings, link(2500, 0, 5), kind.video, follow, seed);
      lossy.run_until(120s);
      jittery.run_until(120s);
      ck_assert_double_ge(lossy.mean_kbps(20s, 120s), 0.95 * clean.mean_kbps(20s, 120s));
      ck_assert_double_ge(jittery.mean_kbps(20s, 120s), 0.95 * clean.mean_kbps(20s, 120s));
    }
  }
}
END_TEST

START_TEST(losses_of_15_percent_lower_it_until_they_end) {
  for (const Kind &kind : kKinds) {
    Call call(kind.settings, link(2500), kind.video, follow);
    call.run_until(30s);
    call.set_link(link(2500, 15));
    call.run_until(60s);
    call.set_link(link(2500));
    call.run_until(120s);
    ck_assert_double_le(call.until_at_most(30s, 1250), 8);
    ck_assert_double_le(call.mean_kbps(55s, 60s), 500);
    ck_assert_double_le(call.until_at_least(60s, 2000), 50);
  }
}
END_TEST

// What the floor is for: frames that leave at once, keyframes eight times as large.
START_TEST(without_a_floor_keyframes_are_taken_for_overload) {
  Call call(kDraft, link(2500), kKeyframes, follow);
  call.run_until(120s);
  ck_assert_double_le(call.mean_kbps(20s, 120s), 0.7 * 2500);
}
END_TEST

// A longer way is a queue for a moment only.
START_TEST(a_longer_delay_costs_one_decrease) {
  Call call(kDraft, link(2500), kPaced, follow);
  call.run_until(30s);
  net::Impairment longer = link(2500);
  longer.delay_ms = 120;
  call.set_link(longer);
  call.run_until(90s);
  ck_assert_double_ge(call.mean_kbps(40s, 90s), 0.8 * 2500);
}
END_TEST

// 100 ms longer and 5 % lost at random looks like a full queue: once.
START_TEST(a_longer_delay_with_losses_costs_little_more) {
  Call call(kDraft, link(2500), kPaced, follow);
  call.run_until(30s);
  net::Impairment longer = link(2500, 5);
  longer.delay_ms = 120;
  call.set_link(longer);
  call.run_until(90s);
  ck_assert_double_ge(call.mean_kbps(40s, 90s), 0.75 * 2500);
}
END_TEST

// The ceiling: 1.5 times what is sent.
START_TEST(what_is_not_sent_is_not_found) {
  Call call(kDraft, link(0), kPaced, [](Instant, double) { return 500.0; });
  call.run_until(60s);
  ck_assert_double_ge(call.estimator.kbps(), 1.4 * 500);
  ck_assert_double_le(call.estimator.kbps(), 1.8 * 600);
}
END_TEST

START_TEST(before_feedback_it_is_what_it_starts_with) {
  BandwidthEstimator estimator({.start_kbps = 700});
  ck_assert_double_eq(estimator.kbps(), 700);
  estimator.feedback({}, {1s});  // of packets nobody knows
  ck_assert_double_eq(estimator.kbps(), 700);
}
END_TEST

START_TEST(the_receivers_own_estimate_is_a_limit) {
  Call call(kDraft, link(2500), kPaced, follow);
  call.run_until(30s);
  call.estimator.remb(800);
  ck_assert_double_eq(call.estimator.kbps(), 800);
  call.run_until(60s);
  ck_assert_double_eq(call.estimator.kbps(), 800);
  call.estimator.remb(10'000);
  ck_assert_double_gt(call.estimator.kbps(), 800);
  ck_assert_uint_eq(call.estimator.counters().rembs, 2);
}
END_TEST

START_TEST(with_receiver_reports_only_losses_set_the_limit) {
  BandwidthEstimator estimator({.start_kbps = 700, .max_kbps = 3000});
  estimator.losses(0, 100, {0s});
  ck_assert_double_eq(estimator.kbps(), 3000);
  estimator.losses(20, 100, {1s});  // of 200: 10 %, not more
  estimator.losses(30, 100, {2s});
  ck_assert_double_eq_tol(estimator.kbps(), 0.85 * 3000, 1e-9);
  for (int i = 3; i < 10; ++i) estimator.losses(0, 100, {i * 1s});
  ck_assert_double_eq(estimator.kbps(), 3000);
}
END_TEST

START_TEST(counters_tell_what_was_heard_and_done) {
  Call call(kDraft, link(1000, 15), kPaced, follow);
  call.run_until(20s);
  const auto &counters = call.estimator.counters();
  ck_assert_uint_ge(counters.feedbacks, 195);
  ck_assert_uint_gt(counters.packets, 1000);
  ck_assert_double_eq_tol(static_cast<double>(counters.lost) / static_cast<double>(counters.packets), 0.15, 0.05);
  ck_assert_uint_gt(counters.loss_decreases, 3);
  ck_assert_double_ge(to_ms(*call.estimator.round_trip()), 30);
  ck_assert_double_le(to_ms(*call.estimator.round_trip()), 250);
}
END_TEST

AVC_TESTS("bandwidth estimator", it_finds_what_a_link_carries_with_a_short_queue,
          it_falls_with_the_link_and_comes_back_with_it, losses_of_1_percent_and_jitter_of_5_ms_do_not_lower_it,
          losses_of_15_percent_lower_it_until_they_end, without_a_floor_keyframes_are_taken_for_overload,
          a_longer_delay_costs_one_decrease, a_longer_delay_with_losses_costs_little_more,
          what_is_not_sent_is_not_found, before_feedback_it_is_what_it_starts_with,
          the_receivers_own_estimate_is_a_limit, with_receiver_reports_only_losses_set_the_limit,
          counters_tell_what_was_heard_and_done)
