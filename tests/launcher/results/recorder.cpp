#include "launcher/results/recorder.hpp"

#include "tests/check.hpp"
#include "tests/launcher/results/build.hpp"

namespace {

using namespace avc;
using namespace avc::results;
using avc::test::participant;
using avc::test::planned;
using avc::test::seconds;

// Two participants at 50 packets a second. While losing(t), 1001 loses every second packet.
std::vector<ParticipantSnapshot> at(double t, double lossy_from, double lossy_to) {
  const auto packets = [](double s) { return static_cast<std::uint64_t>(s * 50 + 0.5); };
  const double lossy = std::clamp(t, lossy_from, lossy_to) - lossy_from;
  return {participant(1001, packets(t), packets(lossy) / 2), participant(1002, packets(t))};
}

RunFacts facts(bool receiver = true) {
  return {.test_id = "t", .planned_seconds = 20, .participants = 2, .has_receiver = receiver};
}

scenario::Threshold threshold(const char *metric, const char *expr) { return *scenario::parse_threshold(metric, expr); }

// A run of 20 s whose spike acts on 1001 from 8 to 12 s.
const RunResult &run_with_spike(Recorder &recorder, bool receiver = true,
                                std::vector<scenario::Threshold> thresholds = {}) {
  const auto spike = planned("a", "rtp_packet_loss", 8, 12);
  recorder.begin(facts(receiver), std::vector{spike}, std::move(thresholds));
  for (int t = 1; t <= 20; ++t) {
    const auto all = at(t, 8, 12);
    recorder.second(seconds(t), all, {});
    if (t == 8) recorder.spike_changed(spike, SpikeState::active, seconds(8), std::span(all).first(1));
    if (t == 12) recorder.spike_changed(spike, SpikeState::ended, seconds(12), std::span(all).first(1));
  }
  return recorder.finish(EndReason::completed, "", seconds(20));
}

START_TEST(a_second_is_what_was_added_in_it) {
  Recorder recorder;
  recorder.begin(facts(), {}, {});
  const auto first = recorder.second(seconds(1), at(1, 0, 0), {});
  ck_assert_double_eq_tol(first.sent.packets_per_second, 100, 1e-9);
  ck_assert_double_eq_tol(first.sent.kbps, 80, 1e-9);
  ck_assert_double_eq(first.sent.lost_percent, 0);
  ck_assert_uint_eq(first.participants, 2);
  ck_assert_uint_eq(first.received->participants_seen, 2);
  const auto later = recorder.second(seconds(3), at(3, 1, 3), {});  // 2 s: 100 packets each, 50 of 1001's lost
  ck_assert_uint_eq(later.sent.packets, 300);
  ck_assert_double_eq_tol(later.sent.packets_per_second, 100, 1e-9);
  ck_assert_double_eq_tol(later.sent.lost_percent, 25, 1e-9);
  ck_assert_double_eq_tol(later.received->loss_percent, 25, 1e-9);
  ck_assert_int_eq(later.received->lost, 50);
  ck_assert_uint_eq(later.received->packets, 250);
  ck_assert_double_eq_tol(later.received->jitter_ms, 2, 1e-9);
  ck_assert_double_eq_tol(later.received->kbps, 60, 1e-9);
  ck_assert(later.received->mos_score && first.received->mos_score);
  ck_assert(*later.received->mos_score < *first.received->mos_score);
  ck_assert(!later.received->frames_complete_percent);  // there is no video
}
END_TEST

START_TEST(without_a_receiver_nothing_is_claimed_of_it) {
  Recorder recorder;
  const auto &run = run_with_spike(recorder, false);
  for (const auto &sample : run.samples) ck_assert(!sample.received);
  ck_assert(!run.spikes[0].before && !run.spikes[0].during && !run.spikes[0].after);
  ck_assert(run.spikes[0].injected.has_value());
}
END_TEST

START_TEST(a_spike_is_measured_before_during_and_after) {
  Recorder recorder;
  const auto &run = run_with_spike(recorder);
  const auto &spike = run.spikes.at(0);
  ck_assert(spike.state == SpikeState::ended);
  ck_assert_uint_eq(spike.participants, 1);
  // 3 s up to the start.
  ck_assert(spike.before.has_value());
  ck_assert_double_eq(spike.before->from, 5);
  ck_assert_double_eq(spike.before->to, 8);
  ck_assert_double_eq(*spike.before->loss_percent, 0);
  // 4 s at 50 packets a second: 100 of 200 lost, of participant 1001 alone.
  ck_assert_double_eq(spike.during->from, 8);
  ck_assert_double_eq(spike.during->to, 12);
  ck_assert_double_eq_tol(*spike.during->loss_percent, 50, 1e-9);
  ck_assert_double_eq_tol(*spike.during->delivery_percent, 50, 1e-9);
  ck_assert_double_eq_tol(*spike.during->kbps, 20, 1e-9);
  ck_assert_double_eq_tol(*spike.during->audio_payload_bytes, 80, 1e-9);
  ck_assert_double_eq_tol(*spike.injected->loss_percent, 50, 1e-9);
  ck_assert_double_eq_tol(*spike.injected->kbps, 40, 1e-9);
  // Half a second to settle, so from the next whole second, for 3 s.
  ck_assert_double_eq(spike.after->from, 13);
  ck_assert_double_eq(spike.after->to, 16);
  ck_assert_double_eq(*spike.after->loss_percent, 0);
  ck_assert(*spike.during->mos_score < *spike.after->mos_score);
  ck_assert_str_eq(spike.injected_text.c_str(), "loss 50 %");
  ck_assert_str_eq(spike.measured_text.c_str(),
                   "packet loss 50 % (before 0, after 0); audio MOS 1.1 (before 4.41, after 4.41)");
  ck_assert(!spike.before->overlapped && !spike.during->overlapped && !spike.after->overlapped);
}
END_TEST

START_TEST(a_spike_in_the_first_second_is_measured_against_the_start) {
  Recorder recorder;
  const auto spike = planned("a", "rtp_packet_loss", 0.8, 1.5);
  recorder.begin(facts(), std::vector{spike}, {});
  const auto start = at(0.8, 0.8, 1.5);
  recorder.spike_changed(spike, SpikeState::active, seconds(0.8), start);
  const auto &before = recorder.result().spikes[0].before;
  ck_assert(before.has_value());
  ck_assert_double_eq(before->from, 0);
  ck_assert_double_eq(before->to, 0.8);
  ck_assert_double_eq_tol(*before->kbps, 40, 1e-9);
}
END_TEST

START_TEST(a_spike_at_the_start_has_no_before) {
  Recorder recorder;
  const auto spike = planned("a", "rtp_packet_loss", 0, 1);
  recorder.begin(facts(), std::vector{spike}, {});
  recorder.spike_changed(spike, SpikeState::active, seconds(0), at(0, 0, 1));
  ck_assert(!recorder.result().spikes[0].before);
}
END_TEST

START_TEST(a_spike_that_the_test_cuts_off_ends_with_it_and_has_no_after) {
  Recorder recorder;
  const auto spike = planned("a", "rtp_packet_loss", 3, 30);
  recorder.begin(facts(), std::vector{spike}, {});
  for (int t = 1; t <= 5; ++t) {
    const auto all = at(t, 3, 30);
    recorder.second(seconds(t), all, {});
    if (t == 3) recorder.spike_changed(spike, SpikeState::active, seconds(3), std::span(all).first(1));
  }
  const auto &run = recorder.finish(EndReason::completed, "", seconds(5));
  ck_assert(run.spikes[0].state == SpikeState::ended);
  ck_assert_double_eq(run.spikes[0].during->to, 5);
  ck_assert_double_eq_tol(*run.spikes[0].during->loss_percent, 50, 1e-9);
  ck_assert(!run.spikes[0].after);
}
END_TEST

START_TEST(an_after_window_that_the_end_cuts_short_is_kept) {
  Recorder recorder;
  const auto spike = planned("a", "rtp_packet_loss", 1, 2);
  recorder.begin(facts(), std::vector{spike}, {});
  for (int t = 1; t <= 4; ++t) {
    const auto all = at(t, 1, 2);
    recorder.second(seconds(t), all, {});
    if (t == 1) recorder.spike_changed(spike, SpikeState::active, seconds(1), std::span(all).first(1));
    if (t == 2) recorder.spike_changed(spike, SpikeState::ended, seconds(2), std::span(all).first(1));
  }
  const auto &run = recorder.finish(EndReason::completed, "", seconds(4));
  ck_assert(run.spikes[0].after.has_value());
  ck_assert_double_eq(run.spikes[0].after->from, 3);
  ck_assert_double_eq(run.spikes[0].after->to, 4);
}
END_TEST

START_TEST(two_spikes_on_one_participant_at_once_are_marked) {
  Recorder recorder;
  const auto a = planned("a", "rtp_packet_loss", 4, 8), b = planned("b", "network_jitter", 6, 10);
  const auto c = planned("c", "network_jitter", 6, 10);
  recorder.begin(facts(), std::vector{a, b, c}, {});
  for (int t = 1; t <= 15; ++t) {
    const auto all = at(t, 4, 8);
    const auto first = std::span(all).first(1), second = std::span(all).last(1);
    recorder.second(seconds(t), all, {});
    if (t == 4) recorder.spike_changed(a, SpikeState::active, seconds(t), first);
    if (t == 6) recorder.spike_changed(b, SpikeState::active, seconds(t), first);
    if (t == 6) recorder.spike_changed(c, SpikeState::active, seconds(t), second);
    if (t == 8) recorder.spike_changed(a, SpikeState::ended, seconds(t), first);
    if (t == 10) recorder.spike_changed(b, SpikeState::ended, seconds(t), first);
    if (t == 10) recorder.spike_changed(c, SpikeState::ended, seconds(t), second);
  }
  const auto &spikes = recorder.finish(EndReason::completed, "", seconds(15)).spikes;
  ck_assert(!spikes[0].before->overlapped);
  ck_assert(spikes[0].during->overlapped);
  ck_assert(spikes[0].after->overlapped);   // b went on
  ck_assert(spikes[1].before->overlapped);  // a was acting
  ck_assert(spikes[1].during->overlapped);
  ck_assert(!spikes[1].after->overlapped);
  ck_assert(!spikes[2].during->overlapped);  // another participant
}
END_TEST

START_TEST(an_injected_spike_joins_the_plan_and_a_refused_one_says_why) {
  Recorder recorder;
  recorder.begin(facts(), {}, {});
  recorder.second(seconds(1), at(1, 0, 0), {});
  recorder.spike_changed(planned("x", "frame_drop", 1, 2), SpikeState::refused, seconds(1), {}, "no video");
  recorder.second(seconds(2), at(2, 0, 0), {});
  const auto &run = recorder.finish(EndReason::stopped, "", seconds(2));
  ck_assert_uint_eq(run.spikes.size(), 1);
  ck_assert(run.spikes[0].state == SpikeState::refused);
  ck_assert_str_eq(run.spikes[0].injected_text.c_str(), "refused: no video");
}
END_TEST

START_TEST(a_planned_spike_that_never_came_is_cancelled_by_the_end) {
  Recorder recorder;
  recorder.begin(facts(), std::vector{planned("x", "frame_drop", 10, 12)}, {});
  recorder.second(seconds(1), at(1, 0, 0), {});
  const auto &run = recorder.finish(EndReason::stopped, "", seconds(1));
  ck_assert(run.spikes[0].state == SpikeState::cancelled);
  ck_assert(!run.spikes[0].reason.empty());
}
END_TEST

START_TEST(a_second_message_of_the_same_change_is_ignored) {
  Recorder recorder;
  const auto spike = planned("a", "rtp_packet_loss", 1, 2);
  recorder.begin(facts(), std::vector{spike}, {});
  for (int t = 1; t <= 3; ++t) {
    const auto all = at(t, 1, 2);
    recorder.second(seconds(t), all, {});
    if (t < 3) recorder.spike_changed(spike, SpikeState::active, seconds(t), std::span(all).first(1));
    if (t > 1) recorder.spike_changed(spike, SpikeState::ended, seconds(t), std::span(all).first(1));
  }
  const auto &run = recorder.finish(EndReason::completed, "", seconds(3));
  ck_assert_double_eq(run.spikes[0].during->from, 1);
  ck_assert_double_eq(run.spikes[0].during->to, 2);
}
END_TEST

START_TEST(phases_of_thresholds_are_told_apart_for_each_participant) {
  auto before = threshold("loss_percent", "max<0.1"), during = before, after = before;
  before.scope = scenario::Threshold::Scope::before;
  during.scope = scenario::Threshold::Scope::during;
  after.scope = scenario::Threshold::Scope::after;
  Recorder recorder;
  const auto &run = run_with_spike(recorder, true, {before, during, after});
  ck_assert(run.thresholds[0].ok);
  ck_assert(!run.thresholds[1].ok);
  ck_assert_double_eq_tol(*run.thresholds[1].value, 50, 1e-9);
  ck_assert(run.thresholds[2].ok);
  ck_assert(run.verdict.outcome == Outcome::failed);
  ck_assert_int_eq(run.verdict.exit_code, 99);
}
END_TEST

// More of them than are remembered one by one.
START_TEST(hundreds_of_spikes_leave_the_phases_of_each_type) {
  auto jitter = threshold("loss_percent{spike_type:network_jitter}", "max<0.1"),
       loss = threshold("jitter_ms", "count == 1");
  jitter.scope = loss.scope = scenario::Threshold::Scope::after;
  auto before = loss;
  before.scope = scenario::Threshold::Scope::before;
  Recorder recorder;
  recorder.begin(facts(), {}, {jitter, loss, before});
  for (int t = 1; t <= 200; ++t) {
    const auto all = at(t, 0, 0);
    recorder.second(seconds(t), std::span(all).first(1), {});
    const auto spike = planned(std::to_string(t), t == 2 ? "network_jitter" : "rtp_packet_loss", t, t + 0.5);
    if (t == 200) break;
    recorder.spike_changed(spike, SpikeState::active, seconds(t), std::span(all).first(1));
    recorder.spike_changed(spike, SpikeState::ended, seconds(t + 0.5), std::span(all).first(1));
  }
  const auto &results = recorder.finish(EndReason::completed, "", seconds(200)).thresholds;
  ck_assert(results[0].ok && results[0].value.has_value());  // after the one of its type, to the end
  ck_assert(!results[1].value.has_value());                  // in every second a spike began
  ck_assert(results[2].ok);                                  // the first alone was before all of them
}
END_TEST

START_TEST(the_end_state_of_a_participant_that_left_is_kept) {
  Recorder recorder;
  recorder.begin(facts(), {}, {});
  recorder.second(seconds(1), at(1, 0, 0), {});
  const auto both = at(2, 0, 0);
  recorder.second(seconds(2), std::span(both).first(1), {});
  const auto &run = recorder.finish(EndReason::completed, "", seconds(2));
  ck_assert_uint_eq(run.participants.size(), 2);
  ck_assert_uint_eq(run.participants[1].sent_of(Media::audio).packets, 50);
  ck_assert_uint_eq(run.samples.back().sent.packets, 150);
}
END_TEST

}  // namespace

AVC_TESTS("recorder", a_second_is_what_was_added_in_it, without_a_receiver_nothing_is_claimed_of_it,
          a_spike_is_measured_before_during_and_after, a_spike_in_the_first_second_is_measured_against_the_start,
          a_spike_at_the_start_has_no_before, a_spike_that_the_test_cuts_off_ends_with_it_and_has_no_after,
          an_after_window_that_the_end_cuts_short_is_kept, two_spikes_on_one_participant_at_once_are_marked,
          an_injected_spike_joins_the_plan_and_a_refused_one_says_why,
          a_planned_spike_that_never_came_is_cancelled_by_the_end, a_second_message_of_the_same_change_is_ignored,
          phases_of_thresholds_are_told_apart_for_each_participant, hundreds_of_spikes_leave_the_phases_of_each_type,
          the_end_state_of_a_participant_that_left_is_kept)
