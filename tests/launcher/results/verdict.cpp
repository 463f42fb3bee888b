#include "launcher/results/verdict.hpp"

#include "tests/check.hpp"
#include "tests/launcher/results/build.hpp"

namespace {

using namespace avc::results;
using avc::test::participant;

RunResult good() {
  RunResult run;
  run.facts = {.test_id = "t", .planned_seconds = 60, .participants = 2, .has_receiver = true};
  run.ended = EndReason::completed;
  run.duration_seconds = 60;
  run.participants = {participant(1001, 3000, 10), participant(1002, 3000)};
  run.generator = {.late_count = 6000, .late_p99_ms = 1, .packets_sent = 5990};
  return run;
}

// Faults, the weaker ones first.
void warning(RunResult &run) { run.thresholds.push_back({"m", "avg<1", Severity::warn, 2, false, "a warning"}); }
void failure(RunResult &run) { run.thresholds.push_back({"m", "avg<1", Severity::fail, 2, false, "a failure"}); }
void stopped(RunResult &run) { run.ended = EndReason::stopped; }
void signalled(RunResult &run) { run.ended = EndReason::signal; }
void late(RunResult &run) { run.generator.late_p99_ms = 21; }
void refused(RunResult &run) { run.generator.send_errors = 7; }  // more than 0.1 % of 6000
void overflow(RunResult &run) { run.generator.receiver_kernel_drops = 7; }
void nothing_arrived(RunResult &run) {
  for (auto &each : run.participants) each.received = {};
}
void nothing_sent(RunResult &run) { run.participants.clear(); }
void broke(RunResult &run) { run.ended = EndReason::failed; }
void interrupted(RunResult &run) { run.ended = EndReason::interrupted; }
void not_started(RunResult &run) { run.ended = EndReason::failed_to_start; }

START_TEST(each_fault_alone_has_its_exit_code_and_outcome) {
  const struct {
    void (*fault)(RunResult &);
    int code;
    Outcome outcome;
    const char *says;
  } rows[] = {{warning, 0, Outcome::warned, "a warning"},
              {failure, 99, Outcome::failed, "a failure"},
              {stopped, 103, Outcome::invalid, "stopped over REST"},
              {signalled, 105, Outcome::invalid, "stopped by a signal"},
              {late, 110, Outcome::invalid, "deadlines"},
              {refused, 110, Outcome::invalid, "could not be sent"},
              {overflow, 110, Outcome::invalid, "socket buffer"},
              {nothing_arrived, 107, Outcome::invalid, "nothing arrived"},
              {nothing_sent, 107, Outcome::invalid, "nothing was sent"},
              {broke, 1, Outcome::invalid, "failed after"},
              {interrupted, 1, Outcome::invalid, "the daemon ended"},
              {not_started, 106, Outcome::invalid, "could not start"}};
  for (const auto &row : rows) {
    auto run = good();
    row.fault(run);
    const auto verdict = judge(run);
    ck_assert_msg(verdict.exit_code == row.code, "%s: %d", row.says, verdict.exit_code);
    ck_assert_msg(verdict.outcome == row.outcome, "%s", row.says);
    ck_assert_msg(!verdict.reasons.empty() && verdict.reasons[0].find(row.says) != std::string::npos, "%s: %s",
                  row.says, verdict.reasons.empty() ? "" : verdict.reasons[0].c_str());
  }
}
END_TEST

START_TEST(of_two_faults_the_graver_one_decides_and_the_other_is_still_told) {
  void (*const order[])(RunResult &) = {not_started, nothing_arrived, late, signalled, failure, warning};
  const int codes[] = {106, 107, 110, 105, 99, 0};
  for (std::size_t grave = 0; grave < std::size(order); ++grave)
    for (std::size_t light = grave + 1; light < std::size(order); ++light) {
      auto run = good();
      order[light](run);
      // The two that are reasons of the end exclude each other.
      if (grave == 0 && order[light] == signalled) continue;
      order[grave](run);
      const auto verdict = judge(run);
      ck_assert_msg(verdict.exit_code == codes[grave], "%d over %d: %d", codes[grave], codes[light], verdict.exit_code);
      if (grave > 0) ck_assert_uint_ge(verdict.reasons.size(), 2);
    }
}
END_TEST

START_TEST(an_aborted_run_is_judged_by_its_threshold) {
  auto run = good();
  run.ended = EndReason::aborted;
  run.duration_seconds = 12;
  failure(run);
  const auto verdict = judge(run);
  ck_assert_int_eq(verdict.exit_code, 99);
  avc_assert_text(verdict.reasons.at(0), "a failure");
  avc_assert_text(verdict.reasons.at(1), "ended after 12 of 60 s by abort_on_fail");
}
END_TEST

START_TEST(a_warning_changes_the_exit_code_only_when_strict) {
  auto run = good();
  warning(run);
  ck_assert_int_eq(judge(run).exit_code, 0);
  run.facts.strict = true;
  ck_assert_int_eq(judge(run).exit_code, 98);
  failure(run);
  ck_assert_int_eq(judge(run).exit_code, 99);
}
END_TEST

START_TEST(without_thresholds_all_media_and_no_loss_beyond_chaos_is_a_pass) {
  const auto verdict = judge(good());
  ck_assert(verdict.outcome == Outcome::passed);
  ck_assert_int_eq(verdict.exit_code, 0);
  ck_assert(!verdict.reasons.empty());
}
END_TEST

START_TEST(without_thresholds_a_silent_participant_fails_the_run) {
  auto run = good();
  run.participants[1].received = {};
  const auto verdict = judge(run);
  ck_assert_int_eq(verdict.exit_code, 99);
  ck_assert(verdict.reasons[0].find("no media arrived from 1 participant") != std::string::npos);
  run.participants[1].joined = false;
  ck_assert_int_eq(judge(run).exit_code, 0);
}
END_TEST

START_TEST(loss_that_no_chaos_took_fails_the_run_and_is_counted_exactly) {
  auto run = good();
  auto &received = run.participants[1].received_of(Media::audio);
  received.packets_lost = 3;
  received.packets_received -= 3;
  ck_assert_uint_eq(unexplained_losses(run), 3);
  const auto verdict = judge(run);
  ck_assert_int_eq(verdict.exit_code, 99);
  ck_assert(verdict.reasons[0].find("3 packets went missing") != std::string::npos);
}
END_TEST

START_TEST(what_our_own_socket_dropped_is_not_called_loss_of_the_network) {
  auto run = good();
  run.participants[1].received_of(Media::audio).packets_lost = 3;
  run.generator.receiver_kernel_drops = 3;
  const auto verdict = judge(run);
  ck_assert(verdict.outcome == Outcome::passed);
  for (const auto &reason : verdict.reasons) ck_assert(reason.find("went missing") == std::string::npos);
}
END_TEST

START_TEST(holes_that_a_spike_makes_in_the_numbers_are_no_loss) {
  auto run = good();
  auto &received = run.participants[1].received_of(Media::audio);
  received.packets_lost = received.packets_expected = 5000;  // sequence_jump; all that was sent arrived
  ck_assert_uint_eq(unexplained_losses(run), 0);
  received.packets_received -= 20;  // a jump back: numbers that were there before
  received.packets_duplicated = 20;
  ck_assert_uint_eq(unexplained_losses(run), 0);
  received.packets_received -= 2;
  ck_assert_uint_eq(unexplained_losses(run), 2);
  run.participants[1].sent_of(Media::audio).duplicated = 5;  // of which one copy of each should have come too
  ck_assert_uint_eq(unexplained_losses(run), 7);
}
END_TEST

START_TEST(packets_whose_headers_were_changed_may_be_missing) {
  auto run = good();
  auto &received = run.participants[1].received_of(Media::audio);
  received.packets_lost = 4;
  received.packets_received -= 4;
  run.participants[1].sent_of(Media::audio).corrupted = 3;
  ck_assert_uint_eq(unexplained_losses(run), 4);
  SpikeRecord spike;
  spike.plan.spike.type = "packet_corrupt";
  spike.plan.spike.params = {{"headers", "true"}};
  spike.started_at = 1;
  run.spikes = {spike};
  ck_assert_uint_eq(unexplained_losses(run), 1);
}
END_TEST

START_TEST(more_chaos_in_one_stream_does_not_excuse_loss_in_another) {
  auto run = good();
  run.participants[0].sent_of(Media::audio).lost = 1000;
  auto &received = run.participants[1].received_of(Media::audio);
  received.packets_lost = 5;
  received.packets_received -= 5;
  ck_assert_uint_eq(unexplained_losses(run), 5);
}
END_TEST

START_TEST(with_thresholds_that_hold_a_silent_participant_is_a_warning) {
  auto run = good();
  run.thresholds.push_back({"m", "avg<1", Severity::fail, 0, true, "held"});
  run.participants[1].received = {};
  const auto verdict = judge(run);
  ck_assert(verdict.outcome == Outcome::warned);
  ck_assert_int_eq(verdict.exit_code, 0);
}
END_TEST

START_TEST(without_a_receiver_the_verdict_says_that_nothing_was_measured) {
  auto run = good();
  run.facts.has_receiver = false;
  nothing_arrived(run);
  const auto verdict = judge(run);
  ck_assert_int_eq(verdict.exit_code, 0);
  ck_assert(verdict.reasons[0].find("nothing was measured") != std::string::npos);
}
END_TEST

}  // namespace

AVC_TESTS("verdict", each_fault_alone_has_its_exit_code_and_outcome,
          of_two_faults_the_graver_one_decides_and_the_other_is_still_told,
          a_warning_changes_the_exit_code_only_when_strict, an_aborted_run_is_judged_by_its_threshold,
          without_thresholds_all_media_and_no_loss_beyond_chaos_is_a_pass,
          without_thresholds_a_silent_participant_fails_the_run,
          loss_that_no_chaos_took_fails_the_run_and_is_counted_exactly,
          what_our_own_socket_dropped_is_not_called_loss_of_the_network,
          more_chaos_in_one_stream_does_not_excuse_loss_in_another, holes_that_a_spike_makes_in_the_numbers_are_no_loss,
          packets_whose_headers_were_changed_may_be_missing,
          with_thresholds_that_hold_a_silent_participant_is_a_warning,
          without_a_receiver_the_verdict_says_that_nothing_was_measured)
