#include "core/rate/rendition_chooser.hpp"

#include "tests/check.hpp"

using namespace avc;
using namespace std::chrono_literals;
using rate::RenditionChooser;

namespace {

// Asked ten times a second with one estimate, from `from` seconds to `to`; the seconds at which it changed.
struct Asked {
  RenditionChooser chooser{{2500, 1200, 600, 300}, {.headroom = 1.1, .hold = 3s, .trial = 10s}};
  int tenths = 0;

  std::vector<std::pair<double, std::size_t>> with(double kbps, double seconds) {
    std::vector<std::pair<double, std::size_t>> changes;
    for (const int end = tenths + static_cast<int>(std::lround(10 * seconds)); tenths < end; ++tenths) {
      const std::size_t before = chooser.current();
      const std::size_t now = chooser.choose(kbps, {tenths * 100ms});
      if (now != before) changes.emplace_back(tenths / 10.0, now);
    }
    return changes;
  }
};
using Changes = std::vector<std::pair<double, std::size_t>>;

}  // namespace

START_TEST(down_at_once_to_the_highest_that_fits) {
  Asked asked;
  ck_assert((asked.with(2500, 1) == Changes{}));
  ck_assert((asked.with(2499, 1) == Changes{{1, 1}}));
  ck_assert((asked.with(299, 1) == Changes{{2, 3}}));  // nothing fits: the smallest
  ck_assert((asked.with(10, 1) == Changes{}));
}
END_TEST

START_TEST(up_after_the_hold_with_headroom) {
  Asked asked;
  asked.with(1200, 1);
  ck_assert((asked.with(1.1 * 2500 - 1, 20) == Changes{}));
  ck_assert((asked.with(1.1 * 2500, 20) == Changes{{24, 0}}));
}
END_TEST

START_TEST(the_hold_begins_anew_when_the_estimate_dips) {
  Asked asked;
  asked.with(600, 1);
  ck_assert((asked.with(1400, 2.9) == Changes{}));
  ck_assert((asked.with(1300, 0.1) == Changes{}));
  ck_assert((asked.with(1400, 5) == Changes{{7, 1}}));
}
END_TEST

// Each rendition's time counts from when the estimate was enough for it.
START_TEST(up_by_several_if_all_of_the_hold_says_so) {
  Asked asked;
  asked.with(100, 1);
  asked.with(1400, 1.5);
  ck_assert((asked.with(5000, 15) == Changes{{4, 1}, {5.5, 0}}));
  asked.with(100, 1);
  ck_assert((asked.with(5000, 10) == Changes{{21.5, 0}}));
}
END_TEST

START_TEST(each_trial_that_fails_doubles_the_hold_one_that_lasts_resets_it) {
  Asked asked;
  asked.with(1200, 1);
  for (const int hold : {3, 6, 12, 24, 48, 48}) {
    ck_assert(asked.chooser.hold(0) == hold * 1s);
    ck_assert_uint_eq(asked.with(5000, hold + 1).size(), 1);
    ck_assert_uint_eq(asked.with(1200, 1).size(), 1);
  }
  ck_assert(asked.chooser.hold(1) == 3s);  // nothing was said against the one below
  asked.with(5000, 48 + 11);
  ck_assert(asked.chooser.hold(0) == 3s);
  asked.with(1200, 1);  // later than the trial: no failure
  ck_assert(asked.chooser.hold(0) == 3s);
}
END_TEST

// 1200 to 2500 is the widest step.
START_TEST(the_ceiling_lets_the_widest_step_be_climbed) {
  const Asked asked;
  ck_assert_double_gt(asked.chooser.ceiling() * 1200, 1.1 * 2500);
  ck_assert_double_lt(asked.chooser.ceiling() * 1200, 1.2 * 2500);
  ck_assert_double_eq(RenditionChooser({1000}, {}).ceiling(), 1.5);
}
END_TEST

AVC_TESTS("rendition chooser", down_at_once_to_the_highest_that_fits, up_after_the_hold_with_headroom,
          the_hold_begins_anew_when_the_estimate_dips, up_by_several_if_all_of_the_hold_says_so,
          each_trial_that_fails_doubles_the_hold_one_that_lasts_resets_it, the_ceiling_lets_the_widest_step_be_climbed)
