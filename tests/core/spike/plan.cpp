#include "core/spike/plan.hpp"

#include "tests/check.hpp"

using namespace avc;
using namespace avc::spike;

namespace {

Nanos s(double seconds) { return from_seconds(seconds); }

std::vector<Spike> some(int count, double duration = 5) {
  std::vector<Spike> spikes(static_cast<std::size_t>(count));
  for (int i = 0; i < count; ++i) {
    auto &spike = spikes[static_cast<std::size_t>(i)];
    spike.id = "s" + std::to_string(i);
    spike.type = "audio_silence";
    if (duration > 0) spike.duration = s(duration);
  }
  return spikes;
}

Distribution steady(Strategy strategy, double spacing = 5) { return {strategy, s(spacing), 0, true}; }

void starts_are(const Plan &plan, std::initializer_list<double> seconds) {
  ck_assert_int_eq(static_cast<int>(plan.spikes.size()), static_cast<int>(seconds.size()));
  auto planned = plan.spikes.begin();
  for (const double second : seconds) {
    ck_assert_double_eq_tol(to_seconds((planned++)->start.since_origin), second, 1e-6);
  }
}

constexpr Strategy kAll[] = {Strategy::even, Strategy::random, Strategy::front_loaded, Strategy::back_loaded,
                             Strategy::legacy};

}  // namespace

START_TEST(even_divides_the_test_into_equal_parts) {
  const auto plan = make_plan(some(5), steady(Strategy::even), s(60), Rng(1));
  starts_are(plan, {10, 20, 30, 40, 50});
  ck_assert(plan.warnings.empty());
}
END_TEST

START_TEST(front_and_back_fill_two_fifths_of_the_test) {
  starts_are(make_plan(some(3), steady(Strategy::front_loaded), s(100), Rng(1)), {10, 20, 30});
  starts_are(make_plan(some(3), steady(Strategy::back_loaded), s(100), Rng(1)), {70, 80, 90});
}
END_TEST

START_TEST(spacing_goes_before_the_front_window) {
  const auto plan = make_plan(some(3), steady(Strategy::front_loaded, 15), s(100), Rng(1));
  starts_are(plan, {15, 30, 45});
  ck_assert(plan.warnings.empty());
}
END_TEST

START_TEST(spacing_that_does_not_fit_shrinks_with_a_warning) {
  const auto back = make_plan(some(3), steady(Strategy::back_loaded, 15), s(100), Rng(1));
  starts_are(back, {70, 80, 90});
  ck_assert_int_eq(static_cast<int>(back.warnings.size()), 1);
  ck_assert(back.warnings[0] ==
            "3 spikes at least 15 s apart do not fit into the test's 100 s; the spacing was reduced to 10 s");
  const auto many = make_plan(some(70), steady(Strategy::even), s(300), Rng(1));  // overran the test in the old tool
  ck_assert_int_eq(static_cast<int>(many.warnings.size()), 1);
  ck_assert(many.spikes.back().start < Instant{s(300)});
}
END_TEST

START_TEST(legacy_starts_each_spike_at_its_own_offset) {
  auto spikes = some(3);
  spikes[0].offset = s(30);
  spikes[1].offset = s(10);
  spikes[2].offset = s(10);
  const auto plan = make_plan(spikes, steady(Strategy::legacy, 50), s(60), Rng(1));
  starts_are(plan, {10, 10, 30});
  ck_assert(plan.spikes[0].spike.id == "s1" && plan.spikes[1].spike.id == "s2");
  ck_assert(plan.warnings.empty());
}
END_TEST

START_TEST(an_offset_holds_a_spike_back_and_the_list_stays_sorted) {
  auto spikes = some(4);
  spikes[0].offset = s(45);  // held up all the others in the old tool
  const auto plan = make_plan(spikes, steady(Strategy::even), s(50), Rng(1));
  starts_are(plan, {20, 30, 40, 45});
  ck_assert(plan.spikes[3].spike.id == "s0");
  auto ignoring = steady(Strategy::even);
  ignoring.respect_min_offset = false;
  starts_are(make_plan(spikes, ignoring, s(50), Rng(1)), {10, 20, 30, 40});
}
END_TEST

START_TEST(a_spike_wanted_after_the_test_is_left_out_with_a_warning) {
  auto spikes = some(2);
  spikes[1].offset = s(60);
  for (const Strategy strategy : kAll) {
    const auto plan = make_plan(spikes, steady(strategy), s(60), Rng(1));
    ck_assert_int_eq(static_cast<int>(plan.spikes.size()), 1);
    ck_assert(plan.spikes[0].spike.id == "s0");
    ck_assert_int_eq(static_cast<int>(plan.warnings.size()), 1);
    ck_assert(plan.warnings[0].find("\"s1\" is left out") != std::string::npos);
  }
}
END_TEST

START_TEST(ends_are_cut_at_the_end_of_the_test) {
  const auto plan = make_plan(some(1, 1000), steady(Strategy::even), s(60), Rng(1));
  ck_assert(plan.spikes[0].end == Instant{s(60)});
  ck_assert(make_plan(some(1, 7), steady(Strategy::even), s(60), Rng(1)).spikes[0].end == Instant{s(37)});
  ck_assert(make_plan(some(1, 0), steady(Strategy::even), s(60), Rng(1)).spikes[0].end == Instant::never());
}
END_TEST

START_TEST(a_test_without_end_is_planned_over_five_minutes_and_cuts_nothing) {
  starts_are(make_plan(some(2), steady(Strategy::even), Nanos(0), Rng(1)), {100, 200});
  auto late = some(2, 50);
  late[1].offset = s(550);
  const auto plan = make_plan(late, steady(Strategy::even), Nanos(0), Rng(1));
  ck_assert(plan.length == s(600));
  starts_are(plan, {200, 550});
}
END_TEST

// The bounds: sorted, inside the test, no start before its offset, ends after starts, and spaced either as asked or,
// with a warning, less.
START_TEST(every_strategy_keeps_its_promises_for_many_seeds) {
  for (std::uint64_t seed = 0; seed < 400; ++seed) {
    auto chance = Rng(seed).split("case").at(0);
    const int count = static_cast<int>(chance.below(40)) + 1;
    const Nanos length = s(chance.uniform(1, 600));
    auto spikes = some(count, chance.uniform(0.5, 20));
    for (auto &spike : spikes) {
      if (chance.chance(30)) spike.offset = s(chance.uniform(0, to_seconds(length) * 0.999));
    }
    Distribution distribution{Strategy::even, s(chance.uniform(0, 10)), chance.uniform(0, 100), true};
    for (const Strategy strategy : kAll) {
      distribution.strategy = strategy;
      const auto plan = make_plan(spikes, distribution, length, Rng(seed));
      ck_assert_int_eq(static_cast<int>(plan.spikes.size()), count);
      for (std::size_t i = 0; i < plan.spikes.size(); ++i) {
        const auto &planned = plan.spikes[i];
        ck_assert(planned.start >= Instant{planned.spike.offset} && planned.start < planned.end);
        ck_assert(planned.end <= Instant{length});
        if (i == 0) continue;
        const Nanos gap = planned.start - plan.spikes[i - 1].start;
        ck_assert(gap >= Nanos(0));
        if (strategy != Strategy::legacy && plan.warnings.empty()) ck_assert(gap >= distribution.min_spacing);
      }
    }
  }
}
END_TEST

START_TEST(jitter_is_centred_on_the_even_place) {
  Distribution distribution{Strategy::even, Nanos(0), 100, true};
  double sum = 0, lowest = 100, highest = 0;
  for (std::uint64_t seed = 0; seed < 2000; ++seed) {
    const double start = to_seconds(make_plan(some(1), distribution, s(80), Rng(seed)).spikes[0].start.since_origin);
    sum += start;
    lowest = std::min(lowest, start);
    highest = std::max(highest, start);
  }
  // Uniform in 40 +- 10: standard deviation 5.77, of the mean of 2000 0.13; the bound is four of those.
  ck_assert_double_eq_tol(sum / 2000, 40, 0.52);
  ck_assert(lowest >= 30 && lowest < 31 && highest <= 50 && highest > 49);
}
END_TEST

START_TEST(random_covers_the_whole_test) {
  double sum = 0;
  for (std::uint64_t seed = 0; seed < 2000; ++seed) {
    sum += to_seconds(make_plan(some(1), steady(Strategy::random), s(100), Rng(seed)).spikes[0].start.since_origin);
  }
  ck_assert_double_eq_tol(sum / 2000, 50, 2.6);  // four standard errors of a uniform on 100 s
}
END_TEST

START_TEST(one_seed_gives_one_plan_and_another_another) {
  const Distribution distribution{Strategy::random, s(1), 15, true};
  const auto first = make_plan(some(10), distribution, s(100), Rng(7));
  const auto again = make_plan(some(10), distribution, s(100), Rng(7));
  const auto other = make_plan(some(10), distribution, s(100), Rng(8));
  bool differs = false;
  for (std::size_t i = 0; i < 10; ++i) {
    ck_assert(first.spikes[i].start == again.spikes[i].start && first.spikes[i].spike.id == again.spikes[i].spike.id);
    differs = differs || first.spikes[i].start != other.spikes[i].start;
  }
  ck_assert(differs);
}
END_TEST

START_TEST(no_spikes_make_an_empty_plan) {
  for (const Strategy strategy : kAll) ck_assert(make_plan({}, steady(strategy), s(10), Rng(1)).spikes.empty());
}
END_TEST

START_TEST(strategies_are_known_by_name) {
  for (const Strategy strategy : kAll) ck_assert(*strategy_from(name(strategy)) == strategy);
  ck_assert(!strategy_from("evenly"));
  ck_assert(strategy_from("evenly").error().message.find("did you mean \"even\"?") != std::string::npos);
}
END_TEST

AVC_TESTS("plan", even_divides_the_test_into_equal_parts, front_and_back_fill_two_fifths_of_the_test,
          spacing_goes_before_the_front_window, spacing_that_does_not_fit_shrinks_with_a_warning,
          legacy_starts_each_spike_at_its_own_offset, an_offset_holds_a_spike_back_and_the_list_stays_sorted,
          a_spike_wanted_after_the_test_is_left_out_with_a_warning, ends_are_cut_at_the_end_of_the_test,
          a_test_without_end_is_planned_over_five_minutes_and_cuts_nothing,
          every_strategy_keeps_its_promises_for_many_seeds, jitter_is_centred_on_the_even_place,
          random_covers_the_whole_test, one_seed_gives_one_plan_and_another_another, no_spikes_make_an_empty_plan,
          strategies_are_known_by_name)
