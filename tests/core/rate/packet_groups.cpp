#include "core/rate/packet_groups.hpp"

#include "tests/check.hpp"

using namespace avc;
using namespace std::chrono_literals;
using rate::PacketGroups;

namespace {

struct Row {
  Nanos sent, arrived;
};
// Variations in ms, of all packets in turn.
std::vector<double> variations(const std::vector<Row> &rows) {
  PacketGroups groups;
  std::vector<double> out;
  for (const Row &row : rows) {
    if (const auto variation = groups.add(Instant{row.sent}, Instant{row.arrived}))
      out.push_back(to_ms(variation->delay));
  }
  return out;
}

}  // namespace

// Three frames of two packets: the second takes 3 ms longer than the first, the third is not complete.
START_TEST(a_group_is_what_was_sent_within_5_ms) {
  ck_assert((variations({{0ms, 100ms}, {5ms, 108ms}, {33ms, 140ms}, {38ms, 144ms}, {66ms, 170ms}, {99ms, 205ms}}) ==
             std::vector<double>{3, -2}));
}
END_TEST

// Sent 10 ms apart, delivered 1 ms apart: one group, as after a gap in the radio.
START_TEST(what_arrives_in_a_burst_is_one_group) {
  ck_assert(variations({{0ms, 100ms}, {10ms, 101ms}, {20ms, 102ms}, {30ms, 103ms}}).empty());
  ck_assert_uint_eq(variations({{0ms, 100ms}, {10ms, 110ms}, {20ms, 120ms}, {30ms, 130ms}}).size(), 2);
}
END_TEST

// 50 packets that were held up, one each ms: a burst may not take in more than 100 ms of arrivals.
START_TEST(a_burst_has_an_end) {
  std::vector<Row> rows;
  for (int i = 0; i < 400; ++i) rows.push_back({i * 10ms, 10s + i * 1ms});
  ck_assert_uint_eq(variations(rows).size(), 2);
}
END_TEST

START_TEST(packets_overtaken_on_the_way_make_no_negative_groups) {
  ck_assert((variations({{0ms, 100ms}, {2ms, 99ms}, {20ms, 120ms}, {10ms, 140ms}, {40ms, 140ms}, {60ms, 160ms}}) ==
             std::vector<double>{2, 0}));
}
END_TEST

START_TEST(a_clock_that_jumps_is_said_to) {
  PacketGroups groups;
  groups.add(Instant{0ms}, Instant{0ms});
  groups.add(Instant{20ms}, Instant{20ms});
  ck_assert(!groups.add(Instant{40ms}, Instant{10s})->jumped);
  ck_assert(groups.add(Instant{60ms}, Instant{10s + 20ms})->jumped);
}
END_TEST

AVC_TESTS("packet groups", a_group_is_what_was_sent_within_5_ms, what_arrives_in_a_burst_is_one_group,
          a_burst_has_an_end, packets_overtaken_on_the_way_make_no_negative_groups, a_clock_that_jumps_is_said_to)
