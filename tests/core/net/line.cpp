// Lines with traces, cells and slots (lines of a fixed speed: capacity_queue.cpp).
#include "core/net/line.hpp"

#include "tests/check.hpp"
#include "tests/core/net/statistics.hpp"

using namespace avc;
using namespace avc::test;
using namespace std::chrono_literals;
using net::Impairment, net::Line, net::LineSettings, net::LinkTrace, net::Slots;

namespace {

LineSettings by(std::shared_ptr<const LinkTrace> trace, double offset_ms = 0) {
  return net::line_settings({.link_trace = std::move(trace), .trace_offset_ms = offset_ms, .packet_overhead = 0},
                            Rng());
}

Instant pass(Line &line, const LineSettings &settings, std::uint64_t size, Instant arrival, Slots *slots = nullptr) {
  const auto plan = line.plan(settings, slots, size, arrival);
  line.take(plan);
  return plan.passage.end;
}

}  // namespace

// Opportunities at 10, 20, 20 and 40 ms. 1000 bytes leave 500 for the next packet that waits.
START_TEST(packets_share_and_span_opportunities) {
  Line line;
  const auto settings = by(LinkTrace::of({10, 20, 20, 40}));
  ck_assert(pass(line, settings, 1000, {0ms}) == Instant{10ms});
  ck_assert(pass(line, settings, 500, {0ms}) == Instant{10ms});
  ck_assert(pass(line, settings, 3000, {0ms}) == Instant{20ms});
  ck_assert(pass(line, settings, 1501, {0ms}) == Instant{50ms});
}
END_TEST

START_TEST(what_nobody_waits_for_is_gone) {
  Line line;
  const auto settings = by(LinkTrace::of({10, 20, 40}));
  ck_assert(pass(line, settings, 100, {10ms}) == Instant{10ms});
  ck_assert(pass(line, settings, 100, {10ms}) == Instant{10ms});
  ck_assert(pass(line, settings, 100, {10ms + 1ns}) == Instant{20ms});
  ck_assert(pass(line, settings, 100, {95ms}) == Instant{100ms});  // 20 ms into the third round
}
END_TEST

START_TEST(the_offset_is_the_place_at_time_zero) {
  Line line;
  ck_assert(pass(line, by(LinkTrace::of({10, 20, 40}), 15), 100, {0ms}) == Instant{5ms});
}
END_TEST

START_TEST(participants_have_places_of_their_own) {
  const auto trace = LinkTrace::of({10, 20, 40});
  const Impairment settings{.link_trace = trace};
  const auto one = net::line_settings(settings, Rng(1)), two = net::line_settings(settings, Rng(2));
  ck_assert(one.trace_offset != two.trace_offset && one.trace_offset >= 0ms && one.trace_offset < 40ms);
  ck_assert(one.trace_offset == net::line_settings(settings, Rng(1)).trace_offset);
}
END_TEST

// A saturated trace carries its capacity: 1000 rounds of 3 opportunities, 4500 bytes each 40 ms.
START_TEST(a_saturated_trace_carries_its_mean) {
  Line line;
  const auto settings = by(LinkTrace::of({10, 20, 40}));
  Instant end;
  for (int i = 0; i < 4500; ++i) end = pass(line, settings, 1000, {0ms});
  ck_assert(end == Instant{40s});
}
END_TEST

// ATM: 100 + 28 bytes are 3 cells of 48 + 5.
START_TEST(cells_are_filled_up) {
  const auto settings = net::line_settings({.bandwidth_kbps = 1272, .cell_bytes = 48, .cell_overhead = 5}, Rng());
  ck_assert_uint_eq(settings.size(100), 159);
  Line line;
  ck_assert(pass(line, settings, settings.size(100), {0ms}) == Instant{1ms});
}
END_TEST

START_TEST(equal_slots_are_multiples_of_their_distance) {
  Slots slots(Rng(1), 10, 10);
  ck_assert(slots.first_from({0ms}) == Instant{0ms});
  ck_assert(slots.first_from({1ns}) == Instant{10ms});
  ck_assert(slots.first_from({12'345ms}) == Instant{12'350ms});
  ck_assert(slots.first_from({10ms}) == Instant{10ms});
  ck_assert(slots.next({10ms}) == Instant{20ms});
}
END_TEST

START_TEST(slots_release_packets_together) {
  Line line;
  Slots slots(Rng(1), 10, 10);
  ck_assert(pass(line, {}, 100, {1ms}, &slots) == Instant{10ms});
  ck_assert(pass(line, {}, 100, {9ms}, &slots) == Instant{10ms});
  ck_assert(pass(line, {}, 100, {11ms}, &slots) == Instant{20ms});
}
END_TEST

START_TEST(slots_have_room_for_so_much) {
  Line by_count, by_bytes;
  Slots two(Rng(1), 10, 10, 2), kilobyte(Rng(1), 10, 10, 0, 1000);
  std::vector<Nanos> counted, weighed;
  for (int i = 0; i < 5; ++i) {
    counted.push_back(pass(by_count, {}, 400, {1ms}, &two).since_origin);
    weighed.push_back(pass(by_bytes, {}, 600, {1ms}, &kilobyte).since_origin);
  }
  ck_assert((counted == std::vector<Nanos>{10ms, 10ms, 20ms, 20ms, 30ms}));
  ck_assert((weighed == std::vector<Nanos>{10ms, 20ms, 30ms, 40ms, 50ms}));
}
END_TEST

// Distances are uniform on 5..15 ms; 1e6 of them, but for the last one of each block of 1024, which is cut short:
// D below 2.2/sqrt(n) plus 1/1024.
START_TEST(distances_of_slots_are_uniform) {
  Slots slots(Rng(9), 5, 15);
  std::vector<double> distances;
  Instant last = slots.first_from({0ms});
  for (int i = 0; i < 1'000'000; ++i) {
    const Instant next = slots.next(last);
    distances.push_back(to_ms(next - last));
    last = next;
  }
  ck_assert_double_lt(ks_distance(distances, [](double ms) { return std::clamp((ms - 5) / 10, 0.0, 1.0); }),
                      ks_bound(1e6) + 1.0 / 1024);
}
END_TEST

START_TEST(slots_do_not_depend_on_when_one_asks) {
  Slots whole(Rng(9), 1, 8);
  for (int i = 0; i < 30'000; ++i) whole.first_from({i * 1ms});
  Slots late(Rng(9), 1, 8);
  for (int ms = 29'000; ms > 0; ms -= 777) ck_assert(whole.first_from({ms * 1ms}) == late.first_from({ms * 1ms}));
}
END_TEST

AVC_TESTS("line", packets_share_and_span_opportunities, what_nobody_waits_for_is_gone,
          the_offset_is_the_place_at_time_zero, participants_have_places_of_their_own,
          a_saturated_trace_carries_its_mean, cells_are_filled_up, equal_slots_are_multiples_of_their_distance,
          slots_release_packets_together, slots_have_room_for_so_much, distances_of_slots_are_uniform,
          slots_do_not_depend_on_when_one_asks)
