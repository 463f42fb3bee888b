// Line and queue over a million packets through the whole link: waits and drops against queueing theory, slots
// against the distribution of residual times, traces against a loop over their opportunities.
#include <deque>
#include <map>

#include "core/net/link.hpp"
#include "core/net/trace_models.hpp"
#include "tests/check.hpp"
#include "tests/core/net/theory.hpp"

using namespace avc;
using namespace avc::test;
using namespace std::chrono_literals;
using net::Drop, net::Impairment, net::LinkTrace, net::QueueDiscipline, net::Send;

namespace {

constexpr std::size_t kMany = 1'000'000;

struct Arrival {
  Instant at;
  std::size_t bytes;
};

// Poisson arrivals, so many a millisecond.
std::vector<Arrival> poisson(std::uint64_t seed, double per_ms, const std::function<std::size_t(Draws &)> &size) {
  std::vector<Arrival> arrivals;
  double ms = 0;
  for (std::size_t n = 0; n < kMany; ++n) {
    Draws draws = Rng(seed).at(n);
    ms += -std::log(1 - draws.uniform()) / per_ms;
    arrivals.push_back({{from_ms(ms)}, size(draws)});
  }
  return arrivals;
}
std::vector<Arrival> of_1000_bytes(std::uint64_t seed, double per_ms) {
  return poisson(seed, per_ms, [](Draws &) { return 1000; });
}

struct Outcome {
  std::vector<double> waits_ms;     // of those sent
  std::vector<double> dropped;      // 0 or 1, all packets
  std::vector<Instant> departures;  // of those sent
};

Outcome through(const Impairment &settings, const std::vector<Arrival> &arrivals) {
  net::Link link{Rng(301)};
  link.set_base(settings, {});
  Outcome out;
  std::deque<std::size_t> waiting;
  out.dropped.resize(arrivals.size());
  const auto told = [&](std::size_t i, const std::variant<Drop, Send> &verdict) {
    if (const auto *send = std::get_if<Send>(&verdict)) {
      out.waits_ms.push_back(to_ms(send->queued));
      out.departures.push_back(send->at);
    } else {
      out.dropped[i] = 1;
    }
  };
  const auto fetch = [&](const std::optional<net::Fate> &fate) {
    if (!fate) return false;
    told(waiting.front(), fate->verdict);
    waiting.pop_front();
    return true;
  };
  for (std::size_t i = 0; i < arrivals.size(); ++i) {
    const auto verdict = link.admit({.n = i, .bytes = arrivals[i].bytes}, arrivals[i].at);
    while (fetch(link.fate())) {
    }
    if (std::holds_alternative<net::Wait>(verdict))
      waiting.push_back(i);
    else if (const auto *send = std::get_if<Send>(&verdict))
      told(i, *send);
    else
      told(i, std::get<Drop>(verdict));
  }
  while (fetch(link.last_fate())) {
  }
  return out;
}

// 1000 bytes are 1 ms on the line.
Impairment line(double queue_ms = 1e6) { return {.bandwidth_kbps = 8000, .packet_overhead = 0, .queue_ms = queue_ms}; }

}  // namespace

// M/D/1 at load 0.5 and 0.8: the share of packets that wait no longer than t (formula at md1_share()), n = 1e6, within
// four standard errors of 100 blocks, these below 0.004. 1 - load of them do not wait at all.
START_TEST(waits_follow_the_distribution_of_the_analytic_queue) {
  for (const double load : {0.5, 0.8}) {
    const auto waits = through(line(), of_1000_bytes(302, load)).waits_ms;
    ck_assert_uint_eq(waits.size(), kMany);
    for (const double t : {0.0, 0.25, 0.5, 0.99, 1.5, 2.0, 3.0, 5.0, 8.0}) {
      std::vector<double> within;
      for (const double wait : waits) within.push_back(wait <= t);
      ck_assert_msg(mean_fits(within, md1_share(t, load), 0.004), "load %g, %g ms", load, t);
    }
  }
}
END_TEST

// Pollaczek-Khinchine: mean wait = lambda*E[S^2]/(2*(1 - rho)), for packets of 100 and of 1372 bytes with 28 of
// overhead (0.128 and 1.4 ms), and the same in ATM cells: 128 bytes are 3 cells of 53, 1400 are 30: 0.159, 1.59 ms.
// 0.75 a millisecond, half of either: loads 0.573 and 0.656, means 0.868 ms and 1.391 ms.
START_TEST(mean_wait_of_mixed_sizes_is_that_of_the_analytic_queue) {
  const auto arrivals = poisson(303, 0.75, [](Draws &draws) { return draws.uniform() < 0.5 ? 100u : 1372u; });
  const auto mean_wait = [](double small, double large) {
    return 0.75 * (small * small + large * large) / 2 / (2 * (1 - 0.75 * (small + large) / 2));
  };
  Impairment settings = line();
  settings.packet_overhead = 28;
  ck_assert(mean_fits(through(settings, arrivals).waits_ms, mean_wait(0.128, 1.4), 0.02));
  settings.cell_bytes = 48;
  settings.cell_overhead = 5;
  ck_assert(mean_fits(through(settings, arrivals).waits_ms, mean_wait(0.159, 1.59), 0.04));
}
END_TEST

// M/D/1/K with room for 4 waiting and the one on the line (formula at md1k_refused()): n = 1e6, four standard errors
// of 100 blocks, these below 0.001. A limit in bytes or in time says the same of equal packets: 4000 bytes; a packet
// that finds 4 waiting would wait more than 4 ms, one that finds 3 does not.
START_TEST(a_full_queue_refuses_the_share_of_the_analytic_queue) {
  for (const double load : {0.7, 1.0, 1.5}) {
    Impairment packets = line(), bytes = line();
    packets.queue_packets = 4;
    bytes.queue_bytes = 4000;
    const auto arrivals = of_1000_bytes(304, load);
    const auto by_packets = through(packets, arrivals);
    ck_assert_msg(mean_fits(by_packets.dropped, md1k_refused(5, load), 0.001), "load %g", load);
    ck_assert(through(bytes, arrivals).dropped == by_packets.dropped);
    ck_assert(through(line(4), arrivals).dropped == by_packets.dropped);
  }
}
END_TEST

// Which of equal packets goes does not change when the line is busy: drop head sends at the moments drop tail does.
START_TEST(drop_head_sends_as_much_as_drop_tail_at_the_same_times) {
  Impairment tail = line(), head = line();
  tail.queue_packets = head.queue_packets = 4;
  head.queue_discipline = QueueDiscipline::drophead;
  const auto arrivals = of_1000_bytes(305, 1.2);
  const auto one = through(tail, arrivals), other = through(head, arrivals);
  ck_assert(one.departures == other.departures);
  ck_assert(one.dropped != other.dropped);
  ck_assert_double_lt(mean(other.waits_ms), mean(one.waits_ms) * 0.9);
}
END_TEST

// Two packets for each that leaves, 20 may wait. Drop tail: whoever gets in finds 19 before him: more than 19 and up to
// 20 ms. Drop head: those that wait are the 20 that came last, half a millisecond apart: the first of them waited 9.5
// to 10 ms. CoDel: within 500 packets it is below target more often than not.
START_TEST(an_overloaded_queue_waits_as_its_discipline_says) {
  std::vector<Arrival> arrivals;
  for (std::size_t n = 0; n < kMany; ++n)
    arrivals.push_back({{Nanos(static_cast<std::int64_t>(n) * 500'000 + 1)}, 1000});
  Impairment settings = line();
  settings.queue_packets = 20;
  const auto check = [&](QueueDiscipline discipline, double low, double high) {
    settings.queue_discipline = discipline;
    const auto out = through(settings, arrivals);
    ck_assert_double_eq_tol(mean(out.dropped), 0.5, 1e-4);
    for (std::size_t i = 1000; i + 1000 < out.waits_ms.size(); ++i)
      ck_assert_msg(out.waits_ms[i] >= low && out.waits_ms[i] <= high, "%g ms", out.waits_ms[i]);
  };
  check(QueueDiscipline::droptail, 19, 20);
  check(QueueDiscipline::drophead, 9.5, 10);
}
END_TEST

// Slots 2 to 8 ms apart, mean 5; packets at least 10 ms apart at random places. The time to the next slot has density
// (1 - F(x))/5: up to 2 ms x/5, then (2 + (36 - (8-x)^2)/12)/5. n = 1e6: D below 0.0022, and 1/1024 for the distances
// cut short at the end of a block.
START_TEST(waits_for_slots_are_residual_times) {
  std::vector<Arrival> arrivals;
  for (std::size_t n = 0; n < kMany; ++n)
    arrivals.push_back({{from_ms(static_cast<double>(n) * 20 + Rng(306).at(n).uniform(0, 10))}, 1000});
  const auto out = through({.slot_min_ms = 2, .slot_max_ms = 8}, arrivals);
  ck_assert_uint_eq(out.waits_ms.size(), kMany);
  const double d =
      ks_distance(out.waits_ms, [](double x) { return x <= 2 ? x / 5 : (2 + (36 - (8 - x) * (8 - x)) / 12) / 5; });
  ck_assert_double_lt(d, ks_bound(kMany) + 1.0 / 1024);
}
END_TEST

// Slots of 5 ms with room for 3, packets each 2 ms: 2.5 a slot, each goes in the first slot after it that has room;
// with 1 a slot an overload of 2.5, of which 2 in 5 get through.
START_TEST(slots_with_room_for_so_many_carry_so_many) {
  std::vector<Arrival> arrivals;
  for (std::size_t n = 0; n < kMany; ++n)
    arrivals.push_back({{Nanos(static_cast<std::int64_t>(n) * 2'000'000 + 1)}, 1000});
  Impairment settings{.slot_min_ms = 5, .slot_max_ms = 5, .slot_packets = 3};
  const auto room = through(settings, arrivals);
  ck_assert_uint_eq(room.waits_ms.size(), kMany);
  for (const double wait : room.waits_ms) ck_assert(wait < 5);
  settings.slot_packets = 1;
  const auto full = through(settings, arrivals);
  ck_assert_double_eq_tol(mean(full.dropped), 0.6, 1e-4);
  std::map<Instant, int> in_slot;
  for (const Instant at : full.departures) ck_assert_int_eq(++in_slot[at], 1);
}
END_TEST

// Each opportunity takes up to 1500 bytes from those that have come by then.
START_TEST(a_trace_carries_what_a_loop_over_its_opportunities_does) {
  for (const auto name : net::built_in_traces()) {
    const auto trace = net::built_in_trace(name);
    const auto arrivals =
        poisson(307, trace->mean_kbps() / 8 * 0.9 / 828, [](Draws &draws) { return 100 + draws.below(1401); });
    Impairment settings{.link_trace = trace, .trace_offset_ms = 12'345, .queue_ms = 1e6};
    const auto ours = through(settings, arrivals).departures;

    const auto &times = trace->times_ms();
    std::vector<Instant> wanted;
    std::size_t next = 0;
    std::uint64_t left = arrivals[0].bytes + 28;
    for (std::int64_t i = 0; next < arrivals.size(); ++i) {
      const auto count = static_cast<std::int64_t>(times.size());
      const Instant at{std::chrono::milliseconds(i / count * times.back() + times[i % count]) - 12'345ms};
      std::uint64_t room = 1500;
      while (room > 0 && next < arrivals.size() && arrivals[next].at <= at) {
        const auto part = std::min(room, left);
        room -= part;
        left -= part;
        if (left > 0) break;
        wanted.push_back(at);
        if (++next < arrivals.size()) left = arrivals[next].bytes + 28;
      }
    }
    ck_assert_uint_eq(ours.size(), kMany);
    ck_assert(ours == wanted);
  }
}
END_TEST

START_TEST(cells_are_counted_as_one_would_fill_them) {
  for (const auto &[payload, header, overhead] :
       {std::array<std::int32_t, 3>{48, 5, 28}, {16, 0, 0}, {1000, 200, 40}}) {
    const auto settings = net::line_settings(
        {.packet_overhead = overhead, .cell_bytes = static_cast<std::uint32_t>(payload), .cell_overhead = header},
        Rng());
    for (std::uint64_t bytes = 1; bytes < 9000; ++bytes) {
      std::uint64_t cells = 0, left = bytes + overhead;
      for (; left > 0; left -= std::min<std::uint64_t>(left, payload)) ++cells;
      ck_assert_uint_eq(settings.size(bytes), cells * (payload + header));
    }
  }
}
END_TEST

AVC_TESTS("queue_theory", waits_follow_the_distribution_of_the_analytic_queue,
          mean_wait_of_mixed_sizes_is_that_of_the_analytic_queue, a_full_queue_refuses_the_share_of_the_analytic_queue,
          drop_head_sends_as_much_as_drop_tail_at_the_same_times, an_overloaded_queue_waits_as_its_discipline_says,
          waits_for_slots_are_residual_times, slots_with_room_for_so_many_carry_so_many,
          a_trace_carries_what_a_loop_over_its_opportunities_does, cells_are_counted_as_one_would_fill_them)
