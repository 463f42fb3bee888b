#include "core/spike/schedule.hpp"

#include "core/random.hpp"
#include "tests/check.hpp"

using namespace avc;
using namespace avc::spike;

namespace {

Instant at(double seconds) { return Instant{from_seconds(seconds)}; }

Planned planned(std::string id, double start, double end, std::vector<std::uint32_t> whom = {}) {
  Spike spike;
  spike.id = std::move(id);
  spike.type = "audio_silence";
  spike.participants = std::move(whom);
  return {spike, at(start), end < 0 ? Instant::never() : at(end)};
}

// "a+ b- c!" for started a, ended b, cancelled c
std::string told(const std::vector<Change> &changes) {
  std::string text;
  for (const Change &change : changes) {
    text += (text.empty() ? "" : " ") + change.spike.spike.id;
    text += change.kind == Change::Kind::started ? '+' : change.kind == Change::Kind::ended ? '-' : '!';
  }
  return text;
}

std::string in_force(const Schedule &schedule, double seconds, std::uint32_t participant = 1001) {
  std::string text;
  for (const Planned &planned : schedule.in_force(at(seconds), participant)) text += planned.spike.id;
  return text;
}

}  // namespace

START_TEST(overlapping_spikes_end_alone) {
  Schedule schedule({planned("a", 1, 10), planned("b", 5, 20), planned("c", 6, 7)});
  ck_assert(schedule.next_change() == at(1));
  ck_assert(told(schedule.advance(at(6))) == "a+ b+ c+");
  ck_assert(in_force(schedule, 6) == "abc");
  ck_assert(schedule.next_change() == at(7));
  ck_assert(told(schedule.advance(at(9.999))) == "c-");
  ck_assert(in_force(schedule, 9.999) == "ab");
  ck_assert(told(schedule.advance(at(10))) == "a-");
  ck_assert(in_force(schedule, 10) == "b");
  ck_assert(told(schedule.advance(at(100))) == "b-");
  ck_assert(in_force(schedule, 100).empty());
  ck_assert(schedule.next_change() == Instant::never());
}
END_TEST

START_TEST(a_spike_is_in_force_from_its_start_up_to_its_end) {
  const Schedule schedule({planned("a", 1, 2)});
  ck_assert(schedule.in_force(at(1) - Nanos(1), 1001).empty());
  ck_assert(in_force(schedule, 1) == "a");
  ck_assert(schedule.in_force(at(2) - Nanos(1), 1001).size() == 1);
  ck_assert(in_force(schedule, 2).empty());
}
END_TEST

START_TEST(only_those_addressed_are_hit) {
  const Schedule schedule({planned("a", 1, 2, {1001, 1003}), planned("b", 1, 2)});
  ck_assert(in_force(schedule, 1, 1001) == "ab");
  ck_assert(in_force(schedule, 1, 1002) == "b");
}
END_TEST

START_TEST(at_one_instant_ends_come_before_starts) {
  Schedule schedule({planned("b", 2, 3), planned("a", 1, 2)});
  ck_assert(told(schedule.advance(at(10))) == "a+ a- b+ b-");
}
END_TEST

START_TEST(changes_carry_their_planned_moment) {
  Schedule schedule({planned("a", 1, 2)});
  const auto changes = schedule.advance(at(10));
  ck_assert(changes[0].at == at(1) && changes[1].at == at(2));
}
END_TEST

START_TEST(the_same_id_is_taken_once_until_it_is_over) {
  Schedule schedule;
  ck_assert(schedule.inject(planned("a", 1, 5)));
  ck_assert(!schedule.inject(planned("a", 2, 9)));
  ck_assert(told(schedule.advance(at(3))) == "a+");
  ck_assert(!schedule.inject(planned("a", 3, 4)));  // would have ended the first one early in the old tool
  ck_assert(schedule.next_change() == at(5));
  schedule.advance(at(5));
  ck_assert(schedule.inject(planned("a", 6, 7)));
  ck_assert(told(schedule.advance(at(7))) == "a+ a-");
}
END_TEST

START_TEST(a_spike_injected_in_the_past_starts_at_once) {
  Schedule schedule;
  schedule.advance(at(10));
  ck_assert(schedule.inject(planned("a", 9, 12)));
  ck_assert(schedule.next_change() == at(9));
  ck_assert(told(schedule.advance(at(10))) == "a+");
}
END_TEST

START_TEST(a_spike_without_length_is_refused) {
  Schedule schedule;
  ck_assert(!schedule.inject(planned("a", 5, 5)));
  ck_assert(!schedule.inject(planned("a", 5, 4)));
  ck_assert(schedule.entries().empty());
}
END_TEST

START_TEST(what_is_over_can_be_forgotten) {
  Schedule schedule({planned("a", 0, 1), planned("b", 0, 3), planned("c", 5, 6)});
  schedule.advance(at(2));
  schedule.forget_over();
  ck_assert_uint_eq(schedule.entries().size(), 2);
  avc_assert_text(told(schedule.advance(at(9))), "b- c+ c-");
  schedule.forget_over();
  ck_assert(schedule.entries().empty());
}
END_TEST

START_TEST(an_open_spike_lasts_until_it_is_cancelled) {
  Schedule schedule({planned("a", 1, -1)});
  ck_assert(told(schedule.advance(at(1e6))) == "a+");
  ck_assert(schedule.next_change() == Instant::never());
  ck_assert(schedule.advance(Instant::never()).empty());
  ck_assert(told(schedule.cancel("a", at(1e6))) == "a!");
  ck_assert(in_force(schedule, 1e6).empty() && in_force(schedule, 1e6 - 1) == "a");
  ck_assert(schedule.entries()[0].state == State::cancelled);
}
END_TEST

START_TEST(cancelling_leaves_the_others_as_they_were) {
  Schedule schedule({planned("a", 1, 10), planned("b", 1, 10), planned("c", 5, 10)});
  schedule.advance(at(2));
  ck_assert(told(schedule.cancel("a", at(3))) == "a!");
  ck_assert(told(schedule.cancel("c", at(3))) == "c!");
  ck_assert(schedule.cancel("a", at(4)).empty() && schedule.cancel("nobody", at(4)).empty());
  ck_assert(in_force(schedule, 6) == "b");
  ck_assert(told(schedule.advance(at(20))) == "b-");
}
END_TEST

START_TEST(a_late_joiner_gets_what_is_active_and_not_what_is_over) {
  Schedule schedule({planned("a", 1, 2), planned("b", 1, 20), planned("c", 30, 40)});
  schedule.skip_to(at(10));
  ck_assert(schedule.entries()[0].state == State::ended);
  ck_assert(told(schedule.advance(at(10))) == "b+");
  ck_assert(schedule.next_change() == at(20));
}
END_TEST

// Whatever the steps, the changes told add up to what in_force() says.
START_TEST(changes_and_questions_agree_for_many_seeds) {
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    auto chance = Rng(seed).at(0);
    Schedule schedule;
    std::map<std::string, int> active;
    Instant now{};
    for (int step = 0; step < 60; ++step) {
      now = now + from_seconds(chance.uniform(0, 3));
      for (const Change &change : schedule.advance(now)) {
        active[change.spike.spike.id] += change.kind == Change::Kind::started ? 1 : -1;
      }
      const std::string id(1, static_cast<char>('a' + chance.below(8)));
      if (chance.chance(50)) {
        const Instant start = now + from_seconds(chance.uniform(0.001, 4));
        auto spike = planned(id, 0, 0);
        spike.start = start;
        spike.end = start + from_seconds(chance.uniform(0.001, 9));
        schedule.inject(std::move(spike));
      } else if (chance.chance(30)) {
        schedule.cancel(id, now);
        active[id] = 0;
      }
      std::map<std::string, int> asked;
      for (const Planned &planned : schedule.in_force(now, 1)) ++asked[planned.spike.id];
      for (const auto &[name, count] : active) ck_assert_int_eq(count, asked[name]);
    }
  }
}
END_TEST

AVC_TESTS("schedule", overlapping_spikes_end_alone, a_spike_is_in_force_from_its_start_up_to_its_end,
          only_those_addressed_are_hit, at_one_instant_ends_come_before_starts, changes_carry_their_planned_moment,
          the_same_id_is_taken_once_until_it_is_over, a_spike_injected_in_the_past_starts_at_once,
          a_spike_without_length_is_refused, what_is_over_can_be_forgotten, an_open_spike_lasts_until_it_is_cancelled,
          cancelling_leaves_the_others_as_they_were, a_late_joiner_gets_what_is_active_and_not_what_is_over,
          changes_and_questions_agree_for_many_seeds)
