#include "core/stats/sequence.hpp"

#include "core/random.hpp"
#include "tests/check.hpp"

using namespace avc;
using namespace avc::stats;
using Kind = SequenceTracker::Kind;

namespace {

// A tracker that has seen these numbers in this order.
SequenceTracker after(std::initializer_list<int> sequence) {
  SequenceTracker tracker;
  for (int number : sequence) tracker.see(static_cast<std::uint16_t>(number));
  return tracker;
}

std::int64_t lost(const SequenceTracker &tracker) { return tracker.expected() - tracker.received(); }

StreamStats runs(const SequenceTracker &tracker) {
  StreamStats stats;
  tracker.describe_runs(stats);
  return stats;
}

}  // namespace

START_TEST(a_source_is_trusted_after_two_packets_in_sequence) {
  ck_assert(!after({7}).trusted());
  ck_assert(after({7, 8}).trusted());
  ck_assert(!after({7, 9, 11}).trusted());
  ck_assert(after({7, 9, 10}).trusted());
}
END_TEST

START_TEST(packets_of_the_probation_count_once_the_source_is_trusted) {
  const auto tracker = after({10, 12, 13});  // 11 was lost
  ck_assert_int_eq(tracker.expected(), 4);
  ck_assert_int_eq(tracker.received(), 3);
  const auto reordered = after({11, 10, 12});
  ck_assert_int_eq(reordered.expected(), 3);
  ck_assert_int_eq(lost(reordered), 0);
}
END_TEST

START_TEST(numbers_all_over_the_place_are_no_source) {
  SequenceTracker tracker;
  for (int number : {100, 30000, 9000, 60000, 20000}) tracker.see(static_cast<std::uint16_t>(number));
  ck_assert(!tracker.trusted());
  ck_assert_int_eq(tracker.received(), 1);
  ck_assert(tracker.see(40000).kind == Kind::replaced);
}
END_TEST

START_TEST(loss_is_counted_over_the_wrap) {
  const auto tracker = after({65533, 65534, /* 65535 and 0 lost */ 1, 2});
  ck_assert_int_eq(tracker.expected(), 6);
  ck_assert_int_eq(lost(tracker), 2);
  ck_assert_int_eq(tracker.highest(), 65538);
}
END_TEST

START_TEST(late_packets_fill_their_hole_and_duplicates_do_not) {
  SequenceTracker tracker = after({1, 2, 5});
  ck_assert_int_eq(lost(tracker), 2);
  ck_assert(tracker.see(3).kind == Kind::late);
  ck_assert_int_eq(lost(tracker), 1);
  ck_assert(tracker.see(3).kind == Kind::duplicate);
  ck_assert(tracker.see(5).kind == Kind::duplicate);
  ck_assert_int_eq(lost(tracker), 1);
  ck_assert(tracker.see(4).kind == Kind::late);
  ck_assert_int_eq(lost(tracker), 0);
}
END_TEST

START_TEST(one_stray_number_does_not_disturb_a_trusted_source) {
  SequenceTracker tracker = after({1, 2});
  ck_assert(tracker.see(40000).kind == Kind::held);
  ck_assert(tracker.see(3).kind == Kind::fresh);
  ck_assert_int_eq(tracker.expected(), 3);
  ck_assert_int_eq(lost(tracker), 0);
}
END_TEST

START_TEST(a_restart_is_taken_at_the_second_packet_and_loses_neither_row) {
  SequenceTracker tracker = after({1, 2, 4});  // 3 lost
  ck_assert(tracker.see(30000).kind == Kind::held);
  const auto seen = tracker.see(30001);
  ck_assert(seen.kind == Kind::restarted);
  ck_assert_int_gt(seen.number, 65536);
  ck_assert_int_eq(seen.number % 65536, 30001);
  tracker.see(30003);
  ck_assert_int_eq(tracker.expected(), 4 + 4);
  ck_assert_int_eq(tracker.received(), 3 + 3);
  ck_assert_int_eq(runs(tracker).loss_runs, 2);
}
END_TEST

START_TEST(a_gap_the_caller_believes_in_is_loss) {
  SequenceTracker tracker = after({0, 1});
  ck_assert(tracker.see(10001, 20000).kind == Kind::fresh);
  ck_assert_int_eq(lost(tracker), 9999);
  ck_assert_int_eq(runs(tracker).loss_runs, 1);
  ck_assert_int_eq(runs(tracker).loss_run_lengths[15], 1);
}
END_TEST

START_TEST(runs_are_counted_by_length_and_shrink_when_a_packet_comes_late) {
  SequenceTracker tracker = after({0, 1, 3, 6, 7, 27});
  auto stats = runs(tracker);
  ck_assert_int_eq(stats.loss_runs, 3);
  ck_assert_int_eq(stats.loss_run_lengths[0], 1);   // 2
  ck_assert_int_eq(stats.loss_run_lengths[1], 1);   // 4, 5
  ck_assert_int_eq(stats.loss_run_lengths[15], 1);  // 8 .. 26: "16 and more"
  tracker.see(4);
  stats = runs(tracker);
  ck_assert_int_eq(stats.loss_run_lengths[0], 2);
  ck_assert_int_eq(stats.loss_run_lengths[1], 0);
}
END_TEST

START_TEST(counts_are_exact_over_many_wraps_of_random_loss) {
  // 300 000 packets, each lost with 10 %: every counter against the decisions themselves.
  SequenceTracker tracker;
  std::int64_t dropped = 0, open = 0, expected_runs = 0;
  constexpr std::uint32_t kPackets = 300000;
  for (std::uint32_t n = 0; n < kPackets; ++n) {
    const bool lose = n > 1 && n + 1 < kPackets && Rng(5).at(n).chance(10);
    if (lose) {
      ++dropped;
      ++open;
      continue;
    }
    expected_runs += open > 0;
    open = 0;
    ck_assert(tracker.see(static_cast<std::uint16_t>(60000 + n)).kind == Kind::fresh);
  }
  ck_assert_int_eq(tracker.expected(), kPackets);
  ck_assert_int_eq(lost(tracker), dropped);
  StreamStats stats = runs(tracker);
  ck_assert_int_eq(stats.loss_runs, expected_runs);
  stats.packets_lost = dropped;
  stats.packets_expected = kPackets;
  // Random loss: the mean run is 1/(1-p) and the burst ratio 1. Its standard error is about sqrt(p/runs) = 0.002.
  ck_assert(std::abs(stats.burst_ratio() - 1) < 0.01);
}
END_TEST

AVC_TESTS("sequence", a_source_is_trusted_after_two_packets_in_sequence,
          packets_of_the_probation_count_once_the_source_is_trusted, numbers_all_over_the_place_are_no_source,
          loss_is_counted_over_the_wrap, late_packets_fill_their_hole_and_duplicates_do_not,
          one_stray_number_does_not_disturb_a_trusted_source,
          a_restart_is_taken_at_the_second_packet_and_loses_neither_row, a_gap_the_caller_believes_in_is_loss,
          runs_are_counted_by_length_and_shrink_when_a_packet_comes_late,
          counts_are_exact_over_many_wraps_of_random_loss)
