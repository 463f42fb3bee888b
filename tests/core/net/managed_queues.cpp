// PIE and PI2, by hand and at work, and ECN: what is marked in place of being dropped.
#include <numeric>

#include "core/net/link.hpp"
#include "tests/check.hpp"
#include "tests/core/net/statistics.hpp"

using namespace avc;
using namespace avc::test;
using namespace std::chrono_literals;
using net::Ecn, net::EcnMode, net::Impairment, net::Link, net::Mark, net::Pi2, net::Pie, net::QueueDiscipline,
    net::Send;

namespace {

constexpr net::Drop::Why kManaged = net::Drop::Why::queue_managed;

struct Outcome {
  std::size_t sent = 0, marked = 0, managed = 0, lost = 0, full = 0;
  double wait_ms = 0;  // of those sent, on average
  std::vector<double> waits;
};

// Poisson arrivals of 1000 bytes over a line of 8000 kbit/s, which takes 1 ms for each; load 1 is one a millisecond.
Outcome run(const Impairment &settings, double load, std::uint64_t count, Ecn ecn = Ecn::not_capable) {
  Link link{Rng(21)};
  link.set_base(settings, {});
  Outcome outcome;
  double ms = 0;
  const auto tell = [&](const auto &verdict) {
    if (const auto *drop = std::get_if<net::Drop>(&verdict)) {
      outcome.managed += drop->why == kManaged;
      outcome.lost += drop->why == net::Drop::Why::loss;
      outcome.full += drop->why == net::Drop::Why::queue_full;
    }
    if (const auto *send = std::get_if<Send>(&verdict)) {
      ++outcome.sent;
      outcome.marked += send->ce;
      outcome.waits.push_back(to_ms(send->queued));
    }
  };
  for (std::uint64_t n = 0; n < count; ++n) {
    ms += -std::log(1 - Rng(22).at(n).uniform()) / load;
    const auto verdict = link.admit({.stream = net::Stream::video, .n = n, .bytes = 1000, .ecn = ecn}, {from_ms(ms)});
    if (const auto *send = std::get_if<Send>(&verdict)) tell(std::variant<net::Drop, Send>(*send));
    if (const auto *drop = std::get_if<net::Drop>(&verdict)) tell(std::variant<net::Drop, Send>(*drop));
    while (const auto fate = link.fate()) tell(fate->verdict);
  }
  while (const auto fate = link.last_fate()) tell(fate->verdict);
  outcome.wait_ms = mean(outcome.waits);
  return outcome;
}

Impairment line(QueueDiscipline discipline, EcnMode ecn = EcnMode::off) {
  return {.bandwidth_kbps = 8000, .packet_overhead = 0, .queue_discipline = discipline, .queue_ms = 10'000, .ecn = ecn};
}

}  // namespace

// A wait of 115 ms at each update, first at 15 ms: 0.125*0.1 + 1.25*0.115 = 0.15625, over 2048; then 0.125*0.1 = 0.0125
// a step, over 32 (below 1e-3), over 8 (below 1e-2) and so on. Nothing is dropped while 150 ms of burst are allowed.
START_TEST(pie_moves_its_probability_as_the_rfc_says) {
  Pie pie;
  const auto ask = [&](Nanos now, Nanos wait, double u) {
    return pie.decide(15ms, 150ms, {now}, {now + wait}, 10'000, false, u);
  };
  ck_assert(ask(0ms, 0ms, 0) == Mark::none);
  Pie by_hand;
  by_hand.decide(15ms, 0ms, {0ms}, {0ms}, 10'000, false, 1);
  by_hand.decide(15ms, 0ms, {15ms}, {15ms + 115ms}, 10'000, false, 1);
  double wanted = 0.15625 / 2048;
  ck_assert_double_eq_tol(by_hand.probability(), wanted, 1e-15);
  by_hand.decide(15ms, 0ms, {30ms}, {30ms + 115ms}, 10'000, false, 1);
  wanted += 0.0125 / 128;
  ck_assert_double_eq_tol(by_hand.probability(), wanted, 1e-15);
  for (int i = 3; i <= 6; ++i) by_hand.decide(15ms, 0ms, {i * 15ms}, {i * 15ms + 115ms}, 10'000, false, 1);
  wanted += 3 * 0.0125 / 32 + 0.0125 / 8;
  ck_assert_double_eq_tol(by_hand.probability(), wanted, 1e-15);
}
END_TEST

START_TEST(pie_spares_bursts_short_queues_and_marks_what_it_can) {
  Pie pie;
  int first_drop = 0;
  for (int i = 0; i < 100 && first_drop == 0; ++i) {
    const Instant now{i * 15ms};
    ck_assert(pie.decide(15ms, 150ms, now, now + 200ms, 2048, false, 0) == Mark::none);
    if (pie.decide(15ms, 150ms, now, now + 200ms, 2049, false, 0) == Mark::drop) first_drop = i;
  }
  ck_assert_int_eq(first_drop, 10);
  const Instant now{10 * 15ms};
  ck_assert(pie.probability() > 0 && pie.probability() <= 0.1);
  ck_assert(pie.decide(15ms, 150ms, now, now + 200ms, 5000, true, 0) == Mark::ce);
  ck_assert(pie.decide(15ms, 150ms, now, now + 200ms, 5000, true, pie.probability()) == Mark::none);
  for (int i = 11; i < 500; ++i) pie.decide(15ms, 150ms, {i * 15ms}, {i * 15ms + 200ms}, 5000, true, 1);
  ck_assert_double_eq(pie.probability(), 1);
  ck_assert(pie.decide(15ms, 150ms, {499 * 15ms}, {}, 5000, true, 0.5) == Mark::drop);
}
END_TEST

// The controller brings the wait to its target (a bound of a fifth) and drops the rest: 10^6 packets at load 1.3, of
// which 1/1.3 can pass; never empty, so the line carries its rate to 1 %.
START_TEST(pie_holds_its_target) {
  const Outcome outcome = run(line(QueueDiscipline::pie), 1.3, 1'000'000);
  ck_assert_double_eq_tol(outcome.wait_ms, 15, 3);
  ck_assert_double_eq_tol(static_cast<double>(outcome.sent) / 1e6, 1 / 1.3, 0.01);
  ck_assert_uint_eq(outcome.sent + outcome.managed, 1'000'000);
  const Outcome longer = run(
      [] {
        Impairment s = line(QueueDiscipline::pie);
        s.pie_target_ms = 60;
        return s;
      }(),
      1.3, 1'000'000);
  ck_assert_double_eq_tol(longer.wait_ms, 60, 12);
}
END_TEST

START_TEST(pie_leaves_light_load_alone) {
  const Outcome outcome = run(line(QueueDiscipline::pie), 0.5, 1'000'000);
  ck_assert_uint_eq(outcome.sent, 1'000'000);
}
END_TEST

// 0.16*(0.065-0.015) + 3.2*0.065 = 0.216 after one step of 65 ms, 0.224 after the next.
START_TEST(pi2_couples_marks_and_drops) {
  Pi2 pi2;
  const auto ask = [&](Nanos now, Ecn ecn, double u, Nanos wait = 0ms) {
    return pi2.decide(15ms, 1ms, {now}, {now + 65ms}, wait, ecn, u);
  };
  pi2.decide(15ms, 1ms, {0ms}, {0ms}, 0ms, Ecn::ect1, 0);
  ck_assert(ask(15ms, Ecn::ect1, 0) == Mark::none && ask(15ms, Ecn::ect1, 1, 1ms) == Mark::none);
  ck_assert(ask(15ms, Ecn::ect1, 1, 1ms + 1ns) == Mark::ce);
  ask(16ms, Ecn::ect1, 1);
  ck_assert_double_eq_tol(pi2.probability(), 0.216, 1e-12);
  ask(32ms, Ecn::ect1, 1);
  ck_assert_double_eq_tol(pi2.probability(), 0.224, 1e-12);
  ck_assert(ask(33ms, Ecn::ect1, 0.447) == Mark::ce && ask(33ms, Ecn::ect1, 0.449) == Mark::none);
  ck_assert(ask(33ms, Ecn::ect0, 0.0501) == Mark::ce && ask(33ms, Ecn::ect0, 0.0503) == Mark::none);
  ck_assert(ask(33ms, Ecn::not_capable, 0.0501) == Mark::drop);
}
END_TEST

// Unresponsive traffic that is not marked: p'^2 becomes what has to go, 1 - 1/1.15 = 0.13 (p' = 0.36), at the target.
// The wait swings about it, so that the line is idle 1 to 2 % of the time.
START_TEST(pi2_holds_its_target) {
  const Outcome outcome = run(line(QueueDiscipline::pi2), 1.15, 1'000'000);
  ck_assert_double_eq_tol(outcome.wait_ms, 15, 3);
  ck_assert_double_eq_tol(static_cast<double>(outcome.managed) / 1e6, 1 - 1 / 1.15, 0.02);
}
END_TEST

// A load of 0.8 in Poisson arrivals, M/D/1: the wait exceeds the step of 1 ms for exactly those that are marked.
START_TEST(pi2_marks_scalable_packets_by_their_wait) {
  Impairment settings = line(QueueDiscipline::pi2, EcnMode::marked);
  settings.pi2_target_ms = 1000;
  const Outcome outcome = run(settings, 0.8, 1'000'000, Ecn::ect1);
  ck_assert_uint_eq(outcome.sent, 1'000'000);
  std::size_t above = 0;
  for (const double wait : outcome.waits) above += wait > 1;
  ck_assert_uint_eq(outcome.marked, above);
  ck_assert_uint_gt(above, 300'000);
}
END_TEST

// 10 % of 10^6, standard deviation 0.03 points.
START_TEST(losses_become_marks_where_packets_can_be_marked) {
  Impairment settings{.loss_percent = 10};
  settings.ecn = EcnMode::marked;
  const Outcome capable = run(settings, 1, 1'000'000, Ecn::ect0), other = run(settings, 1, 1'000'000);
  ck_assert_uint_eq(capable.sent, 1'000'000);
  ck_assert_double_eq_tol(static_cast<double>(capable.marked) / 1e6, 0.1, 0.0012);
  ck_assert_uint_eq(other.lost, capable.marked);
  ck_assert_uint_eq(other.marked, 0);
  settings.ecn = EcnMode::off;
  ck_assert_uint_eq(run(settings, 1, 10'000, Ecn::ect0).marked, 0);
  settings.ecn = EcnMode::ect0;
  ck_assert_uint_eq(run(settings, 1, 1'000'000).marked, capable.marked);
}
END_TEST

// A link that is off marks nothing, and packets that are counted out are gone.
START_TEST(what_is_off_stays_lost) {
  Impairment settings{.drop_packets = 3, .on_ms = 0, .off_ms = 1};
  settings.ecn = EcnMode::ect1;
  ck_assert_uint_eq(run(settings, 1, 100).lost, 100);
}
END_TEST

// CoDel marks where it would drop, and the packets stay: at load 1.05 the wait goes on growing. With marking the next
// packet is not let off, and none is missing.
START_TEST(codel_marks_in_place_of_dropping) {
  const Outcome dropped = run(line(QueueDiscipline::codel), 1.05, 100'000),
                marked = run(line(QueueDiscipline::codel, EcnMode::ect0), 1.05, 100'000);
  ck_assert(dropped.managed > 1000 && dropped.marked == 0);
  ck_assert(marked.managed == 0 && marked.full == 0 && marked.sent == 100'000);
  ck_assert_uint_gt(marked.marked, 1000);
}
END_TEST

START_TEST(pie_marks_until_a_tenth) {
  const Outcome outcome = run(line(QueueDiscipline::pie, EcnMode::ect0), 1.3, 200'000);
  ck_assert(outcome.marked > 0 && outcome.managed > 0);
}
END_TEST

// Long pauses cost no walk over each of their updates: this would take minutes.
START_TEST(pauses_are_skipped) {
  Pie pie;
  Pi2 pi2;
  for (int i = 0; i < 1000; ++i) {
    const Instant now{i * 3600s}, free_at{(i - 1) * 3600s + 300ms};
    pie.decide(15ms, 150ms, now, free_at, 5000, false, 1);
    pi2.decide(15ms, 1ms, now, free_at, 0ms, Ecn::ect1, 1);
  }
  ck_assert(pie.probability() == 0 && pi2.probability() == 0);
}
END_TEST

START_TEST(runs_repeat) {
  for (const auto discipline : {QueueDiscipline::pie, QueueDiscipline::pi2, QueueDiscipline::codel}) {
    const Outcome one = run(line(discipline, EcnMode::ect0), 1.2, 50'000),
                  two = run(line(discipline, EcnMode::ect0), 1.2, 50'000);
    ck_assert(one.sent == two.sent && one.marked == two.marked && one.waits == two.waits);
  }
}
END_TEST

AVC_TESTS("managed_queues", pie_moves_its_probability_as_the_rfc_says,
          pie_spares_bursts_short_queues_and_marks_what_it_can, pie_holds_its_target, pie_leaves_light_load_alone,
          pi2_couples_marks_and_drops, pi2_holds_its_target, pi2_marks_scalable_packets_by_their_wait,
          losses_become_marks_where_packets_can_be_marked, what_is_off_stays_lost, codel_marks_in_place_of_dropping,
          pie_marks_until_a_tenth, pauses_are_skipped, runs_repeat)
