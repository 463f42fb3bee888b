// What a link counts: packets on their way, packets to drop, bytes that may leave at once, a trace's single round.
#include <numeric>

#include "core/net/link.hpp"
#include "core/net/link_trace.hpp"
#include "tests/check.hpp"
#include "tests/core/net/statistics.hpp"

using namespace avc;
using namespace avc::test;
using namespace std::chrono_literals;
using net::Impairment, net::Link, net::LinkTrace, net::QueueDiscipline, net::Send;

namespace {

std::optional<Instant> out(Link &link, std::uint64_t n, Instant arrival, std::size_t bytes = 1000) {
  const auto verdict = link.admit({.stream = net::Stream::video, .n = n, .bytes = bytes}, arrival);
  if (const auto *send = std::get_if<Send>(&verdict)) return send->at;
  return std::nullopt;
}

}  // namespace

// 10 ms of delay and a packet each millisecond: ten are on their way when the next one comes; a limit of 4 lets the
// first four in, and the next when the first one is out.
START_TEST(the_limit_counts_delayed_packets) {
  Link link{Rng(1)};
  link.set_base({.delay_ms = 10, .limit_packets = 4}, {});
  std::vector<int> passed;
  for (int ms = 0; ms < 24; ++ms)
    if (out(link, static_cast<std::uint64_t>(ms), {ms * 1ms})) passed.push_back(ms);
  ck_assert(passed == (std::vector<int>{0, 1, 2, 3, 10, 11, 12, 13, 20, 21, 22, 23}));
}
END_TEST

START_TEST(the_limit_counts_packets_whose_fate_is_open) {
  Link link{Rng(1)};
  link.set_base(
      {.bandwidth_kbps = 8000, .packet_overhead = 0, .queue_discipline = QueueDiscipline::drophead, .limit_packets = 3},
      {});
  int dropped = 0;
  for (std::uint64_t n = 0; n < 10; ++n) {
    const auto verdict = link.admit({.n = n, .bytes = 1000}, {});
    dropped += std::holds_alternative<net::Drop>(verdict);
  }
  ck_assert_int_eq(dropped, 7);
}
END_TEST

START_TEST(a_duplicate_needs_room_of_its_own) {
  Link link{Rng(1)};
  link.set_base({.delay_ms = 10, .duplicate_percent = 100, .limit_packets = 3}, {});
  const auto first = std::get<Send>(link.admit({.n = 0, .bytes = 10}, {})),
             second = std::get<Send>(link.admit({.n = 1, .bytes = 10}, {}));
  ck_assert(first.duplicate && !second.duplicate);
}
END_TEST

START_TEST(the_next_packets_are_dropped_each_time_the_number_changes) {
  Link link{Rng(1)};
  std::uint64_t n = 0;
  const auto passes = [&] { return out(link, n, {Nanos(static_cast<std::int64_t>(++n))}).has_value(); };
  link.set_base({.drop_packets = 2}, {});
  ck_assert(!passes() && !passes() && passes() && passes());
  link.set_base({.drop_packets = 2, .delay_ms = 1}, {});
  ck_assert(passes());
  link.set_base({}, {});
  link.set_base({.drop_packets = 1}, {});
  ck_assert(!passes() && passes());
  link.put_layer("spike", {.drop_packets = 1}, {});
  ck_assert(!passes() && passes());
}
END_TEST

// 8000 kbit/s is 1 ms for 1000 bytes; 3000 bytes may leave at once. Seven at time 0: three at once, the others 1 ms
// apart. At 10 ms the bucket is full again (it was 4 ms after the first 4 ms), at 11 ms one place is.
START_TEST(a_bucket_lets_bursts_through) {
  Link link{Rng(1)};
  link.set_base({.bandwidth_kbps = 8000, .burst_bytes = 3000, .packet_overhead = 0}, {});
  std::vector<int> ends;
  std::uint64_t n = 0;
  const auto at = [&](int ms) { ends.push_back(static_cast<int>(to_ms(out(link, n++, {ms * 1ms})->since_origin))); };
  for (int i = 0; i < 7; ++i) at(0);
  for (int i = 0; i < 4; ++i) at(10);
  at(12);
  ck_assert(ends == (std::vector<int>{0, 0, 0, 1, 2, 3, 4, 10, 10, 10, 11, 12}));
}
END_TEST

// A policer, as netsim's: with no wait allowed, what comes when the bucket is empty is dropped; the packet that empties
// it still passes, 2 ms later at most. Poisson arrivals of 1000 bytes each 1 ms on average at 4 Mbit/s: half of 10^6
// pass in the long run, and never more than bucket and speed allow.
START_TEST(a_bucket_without_queue_is_a_policer) {
  Link link{Rng(1)};
  link.set_base({.bandwidth_kbps = 4000, .burst_bytes = 20'000, .packet_overhead = 0, .queue_ms = 0}, {});
  double ms = 0, tokens = 20'000;
  std::size_t passed = 0;
  for (std::uint64_t n = 0; n < 1'000'000; ++n) {
    const double step = -std::log(1 - Rng(2).at(n).uniform());
    ms += step;
    tokens = std::min(tokens + step * 500, 20'000.0);
    const Instant at{from_ms(ms)};
    const auto sent = out(link, n, at);
    ck_assert(sent ? tokens > -0.1 : tokens < 0.1);
    if (!sent) continue;
    ck_assert(*sent >= at && *sent <= at + 2ms);
    tokens -= 1000;
    ++passed;
  }
  ck_assert_double_eq_tol(static_cast<double>(passed) / 1e6, 0.5, 0.005);
}
END_TEST

START_TEST(overhead_below_zero_strips_headers) {
  Link link{Rng(1)};
  link.set_base({.bandwidth_kbps = 8, .packet_overhead = -14}, {});
  ck_assert(out(link, 0, {}, 114) == Instant{100ms});
  ck_assert(out(link, 1, {1s}, 14) == Instant{1s});
  ck_assert(out(link, 2, {2s}, 3) == Instant{2s});
  link.set_base({.bandwidth_kbps = 8, .packet_overhead = 0, .cell_bytes = 48, .cell_overhead = -8}, {});
  ck_assert(out(link, 3, {3s}, 50) == Instant{3s + 80ms});
}
END_TEST

// Set at 1 s: opportunities at 1010, 1020 and 1040 ms, and no others.
START_TEST(a_trace_may_run_once_from_when_it_is_set) {
  for (const auto discipline : {QueueDiscipline::droptail, QueueDiscipline::codel}) {
    Link link{Rng(1)};
    link.set_base({.link_trace = LinkTrace::of({10, 20, 40}),
                   .trace_once = true,
                   .packet_overhead = 0,
                   .queue_discipline = discipline,
                   .queue_ms = -1},
                  {1s});
    std::vector<std::optional<Instant>> at;
    for (std::uint64_t n = 0; n < 5; ++n) {
      const auto verdict = link.admit({.n = n, .bytes = 1500}, {1s});
      if (const auto *send = std::get_if<Send>(&verdict)) at.push_back(send->at);
      if (std::holds_alternative<net::Drop>(verdict)) at.push_back(std::nullopt);
    }
    while (const auto fate = link.fate({1s + 50ms})) {
      const auto *send = std::get_if<Send>(&fate->verdict);
      at.push_back(send ? std::optional(send->at) : std::nullopt);
    }
    ck_assert_uint_eq(at.size(), 5);
    ck_assert(at[0] == Instant{1010ms} && at[1] == Instant{1020ms} && at[2] == Instant{1040ms} && !at[3] && !at[4]);
  }
}
END_TEST

START_TEST(a_queue_without_limit_drops_nothing) {
  Link link{Rng(1)};
  link.set_base({.bandwidth_kbps = 0.008, .packet_overhead = 0, .queue_ms = -1}, {});
  for (std::uint64_t n = 0; n < 24; ++n)  // 1000 s each
    ck_assert(out(link, n, {}) == Instant{std::chrono::seconds(1000 * (n + 1))});
}
END_TEST

AVC_TESTS("link_limits", the_limit_counts_delayed_packets, the_limit_counts_packets_whose_fate_is_open,
          a_duplicate_needs_room_of_its_own, the_next_packets_are_dropped_each_time_the_number_changes,
          a_bucket_lets_bursts_through, a_bucket_without_queue_is_a_policer, overhead_below_zero_strips_headers,
          a_trace_may_run_once_from_when_it_is_set, a_queue_without_limit_drops_nothing)
