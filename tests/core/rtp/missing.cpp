#include "core/rtp/missing.hpp"

#include "tests/check.hpp"

using namespace avc;
using namespace avc::rtp;

namespace {

Instant at(double ms) { return Instant{from_ms(ms)}; }

std::vector<std::uint16_t> due(Missing &missing, double ms) {
  std::vector<std::uint16_t> wanted;
  missing.due(at(ms), wanted);
  return wanted;
}

using List = std::vector<std::uint16_t>;

}  // namespace

START_TEST(a_hole_is_asked_for_a_moment_after_it_was_seen) {
  Missing missing;
  missing.came(10, at(0));
  missing.came(13, at(5));
  ck_assert(due(missing, 14).empty());
  ck_assert(due(missing, 15) == (List{11, 12}));
}
END_TEST

START_TEST(what_came_late_is_not_asked_for) {
  Missing missing;
  missing.came(10, at(0));
  missing.came(13, at(5));
  missing.came(12, at(8));
  ck_assert(due(missing, 20) == List{11});
}
END_TEST

START_TEST(what_does_not_come_is_asked_for_again_until_it_is_too_late) {
  Missing missing;
  missing.came(65535, at(0));
  missing.came(1, at(0));
  int asked = 0;
  for (int ms = 0; ms < 2000; ++ms) asked += static_cast<int>(due(missing, ms).size());
  ck_assert_int_eq(asked, 10);  // at 10, 110, … 910 ms
}
END_TEST

START_TEST(a_jump_is_a_new_row_and_no_loss) {
  Missing missing;
  missing.came(10, at(0));
  missing.came(12, at(0));
  missing.came(5000, at(0));
  missing.came(5001, at(0));
  ck_assert(due(missing, 100).empty());
  missing.came(5003, at(100));
  ck_assert(due(missing, 200) == List{5002});
}
END_TEST

AVC_TESTS("missing", a_hole_is_asked_for_a_moment_after_it_was_seen, what_came_late_is_not_asked_for,
          what_does_not_come_is_asked_for_again_until_it_is_too_late, a_jump_is_a_new_row_and_no_loss)
