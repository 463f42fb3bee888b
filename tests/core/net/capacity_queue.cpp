#include "core/net/capacity_queue.hpp"

#include "core/random.hpp"
#include "tests/check.hpp"

using namespace avc;
using namespace std::chrono_literals;
using net::Impairment;

namespace {

// The queue as drop tail uses it: settings in, passage or nothing out.
class CapacityQueue : public net::CapacityQueue {
 public:
  std::optional<net::Line::Passage> enqueue(const Impairment &settings, std::size_t bytes, Instant arrival) {
    const auto line = settings.bandwidth_kbps > 0 ? net::line_settings(settings, Rng()) : net::LineSettings();
    const auto admission = admit(line, nullptr, bytes, arrival);
    return admission.answer == Answer::passes ? std::optional(admission.passage) : std::nullopt;
  }
};

// 1000 bytes at 8000 kbps are exactly 1 ms on the line.
Impairment line(double kbps) { return {.bandwidth_kbps = kbps, .packet_overhead = 0, .queue_ms = 1000}; }

}  // namespace

START_TEST(an_idle_line_takes_the_packets_own_time) {
  CapacityQueue queue;
  const auto passage = queue.enqueue(line(8000), 1000, {5ms});
  ck_assert(passage && passage->start == Instant{5ms} && passage->end == Instant{6ms});
}
END_TEST

START_TEST(overhead_counts_on_the_line) {
  CapacityQueue queue;
  auto settings = line(8000);
  settings.packet_overhead = 28;
  ck_assert(queue.enqueue(settings, 972, {0ms})->end == Instant{1ms});
}
END_TEST

// Twice the line's speed: packet k comes at k/2 ms and waits k/2 ms. The limit of 10 ms lets packets 0..20 in.
START_TEST(waiting_grows_before_anything_is_dropped) {
  CapacityQueue queue;
  auto settings = line(8000);
  settings.queue_ms = 10;
  for (int k = 0; k <= 20; ++k) {
    const Instant arrival{k * 500us};
    const auto passage = queue.enqueue(settings, 1000, arrival);
    ck_assert(passage && passage->start - arrival == k * 500us);
  }
  ck_assert(!queue.enqueue(settings, 1000, {21 * 500us}));
  ck_assert(queue.enqueue(settings, 1000, {22 * 500us}));  // one has left since
}
END_TEST

START_TEST(packet_limit_counts_those_that_wait_and_not_the_one_on_the_line) {
  CapacityQueue queue;
  auto settings = line(8000);
  settings.queue_packets = 2;
  for (int i = 0; i < 3; ++i) ck_assert(queue.enqueue(settings, 1000, {0ms}));
  ck_assert_uint_eq(queue.depth({0ms}).packets, 2);
  ck_assert(!queue.enqueue(settings, 1000, {0ms}));
  ck_assert(queue.enqueue(settings, 1000, {1ms}));
}
END_TEST

START_TEST(byte_limit_lets_small_packets_into_what_is_left) {
  CapacityQueue queue;
  auto settings = line(8000);
  settings.queue_bytes = 1500;
  for (int i = 0; i < 2; ++i) ck_assert(queue.enqueue(settings, 1000, {0ms}));
  ck_assert(!queue.enqueue(settings, 501, {0ms}));
  ck_assert(queue.enqueue(settings, 500, {0ms}));
  ck_assert_uint_eq(queue.depth({0ms}).bytes, 1500);
}
END_TEST

START_TEST(a_new_speed_leaves_queued_packets_as_they_were_told) {
  CapacityQueue queue;
  for (int i = 0; i < 4; ++i) queue.enqueue(line(8000), 1000, {0ms});
  const auto slow = queue.enqueue(line(800), 1000, {0ms});
  ck_assert(slow->start == Instant{4ms} && slow->end == Instant{14ms});
  const auto none = queue.enqueue({}, 1000, {1ms});  // no limit any more: behind those queued, then no time at all
  ck_assert(none->start == Instant{14ms} && none->end == Instant{14ms});
  ck_assert(queue.enqueue({}, 1000, {15ms})->end == Instant{15ms});
}
END_TEST

START_TEST(depth_and_flush_tell_the_truth) {
  CapacityQueue queue;
  for (int i = 0; i < 40; ++i) queue.enqueue(line(8000), 1000, {0ms});
  ck_assert_uint_eq(queue.depth({0ms}).packets, 39);
  ck_assert(queue.depth({0ms}).wait == 40ms);
  ck_assert_uint_eq(queue.depth({10ms}).packets, 29);
  ck_assert_uint_eq(queue.depth({10ms}).bytes, 29'000);
  queue.flush();
  ck_assert_uint_eq(queue.depth({0ms}).packets, 0);
  ck_assert(queue.enqueue(line(8000), 1000, {0ms})->start == Instant{0ms});
}
END_TEST

START_TEST(absurd_settings_stay_on_the_time_line) {
  CapacityQueue queue;
  auto settings = line(1e-300);
  settings.queue_ms = 1e300;
  for (int i = 0; i < 100; ++i)
    if (const auto passage = queue.enqueue(settings, 1000, {Nanos(i)})) ck_assert(passage->end <= Instant{3h});
}
END_TEST

// M/D/1: Poisson arrivals, fixed service S = 1 ms, load 0.8. Pollaczek-Khinchine: mean wait = 0.8*S/(2*0.2) = 2 ms.
// n = 1e6. Waits are correlated over some tens of packets, so the bound comes from the means of 100 blocks of 1e4:
// four times their standard error, which is computed here and must itself be small (below 0.05 ms).
START_TEST(mean_wait_is_that_of_the_analytic_queue) {
  CapacityQueue queue;
  auto settings = line(8000);
  settings.queue_ms = 1e6;
  double arrival_ms = 0;
  std::vector<double> blocks;
  for (int block = 0; block < 100; ++block) {
    double sum = 0;
    for (int i = 0; i < 10'000; ++i) {
      arrival_ms += -std::log(1 - Rng(11).split(block).at(i).uniform()) / 0.8;
      const Instant arrival{from_ms(arrival_ms)};
      sum += to_ms(queue.enqueue(settings, 1000, arrival)->start - arrival);
    }
    blocks.push_back(sum / 10'000);
  }
  double mean = 0, variance = 0;
  for (const double b : blocks) mean += b / 100;
  for (const double b : blocks) variance += (b - mean) * (b - mean) / 99;
  const double error = std::sqrt(variance / 100);
  ck_assert_double_lt(error, 0.05);
  ck_assert_double_eq_tol(mean, 2.0, 4 * error);
}
END_TEST

// What passes an overloaded line in a second is its speed: 8000 kbps take 1000 packets of 1000 bytes, one more for
// the one on the line; the rest of the 3000 is dropped save for the 100 ms still waiting.
START_TEST(an_overloaded_line_carries_exactly_its_speed) {
  CapacityQueue queue;
  auto settings = line(8000);
  settings.queue_ms = 100;
  int through = 0, admitted = 0;
  for (int k = 0; k < 3000; ++k) {
    const auto passage = queue.enqueue(settings, 1000, {k * 333'333ns});
    admitted += passage.has_value();
    through += passage && passage->end <= Instant{1s};
  }
  ck_assert_int_eq(through, 1000);
  ck_assert_int_ge(admitted, 1100);
  ck_assert_int_le(admitted, 1101);
}
END_TEST

AVC_TESTS("capacity_queue", an_idle_line_takes_the_packets_own_time, overhead_counts_on_the_line,
          waiting_grows_before_anything_is_dropped, packet_limit_counts_those_that_wait_and_not_the_one_on_the_line,
          byte_limit_lets_small_packets_into_what_is_left, a_new_speed_leaves_queued_packets_as_they_were_told,
          depth_and_flush_tell_the_truth, absurd_settings_stay_on_the_time_line,
          mean_wait_is_that_of_the_analytic_queue, an_overloaded_line_carries_exactly_its_speed)
