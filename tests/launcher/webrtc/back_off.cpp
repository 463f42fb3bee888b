// Pauses between attempts.
#include "launcher/webrtc/back_off.hpp"

#include <set>

#include "tests/check.hpp"

using avc::Rng;
using avc::webrtc::BackOff;

START_TEST(pauses_double_up_to_the_longest) {
  const BackOff pauses{.first_ms = 500, .longest_ms = 15'000, .chance = Rng(7)};
  const unsigned whole[] = {500, 1000, 2000, 4000, 8000, 15'000, 15'000};
  unsigned attempt = 0;
  for (const unsigned most : whole) {
    const unsigned pause = pauses.pause_ms(++attempt);
    ck_assert_msg(pause >= most / 2 && pause <= most, "attempt %u: %u of %u ms", attempt, pause, most);
  }
  ck_assert_uint_le(pauses.pause_ms(4'000'000'000u), 15'000);
}
END_TEST

// 100 draws of 7500 values: that fewer than 90 differ has a chance below 1e-9.
START_TEST(those_refused_together_do_not_come_back_together) {
  std::set<unsigned> different;
  for (std::uint64_t id = 0; id < 100; ++id) {
    const BackOff pauses{.chance = Rng(7).split(id)};
    different.insert(pauses.pause_ms(6));
    ck_assert_uint_eq(pauses.pause_ms(6), (BackOff{.chance = Rng(7).split(id)}.pause_ms(6)));
  }
  ck_assert_uint_ge(different.size(), 90);
}
END_TEST

AVC_TESTS("back off", pauses_double_up_to_the_longest, those_refused_together_do_not_come_back_together)
