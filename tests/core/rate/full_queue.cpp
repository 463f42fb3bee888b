#include "core/rate/full_queue.hpp"

#include "tests/check.hpp"

using namespace avc;
using namespace std::chrono_literals;
using rate::FullQueue;

namespace {

// Ten round trips a second for so many seconds; how often it was said.
int times(FullQueue &queue, int &tenths, int seconds, double loss_percent,
          const std::function<Nanos(int)> &round_trip) {
  int said = 0;
  for (const int end = tenths + 10 * seconds; tenths < end; ++tenths)
    said += queue.update(round_trip(tenths), loss_percent, {tenths * 100ms});
  return said;
}
std::function<Nanos(int)> always(Nanos round_trip) {
  return [=](int) { return round_trip; };
}

}  // namespace

START_TEST(long_round_trips_with_losses_are_a_full_queue_once) {
  FullQueue queue(0s);
  int tenths = 0;
  ck_assert_int_eq(times(queue, tenths, 5, 3, always(50ms)), 0);
  ck_assert_int_eq(times(queue, tenths, 1, 3, always(250ms)), 0);  // not a whole period yet
  ck_assert_int_eq(times(queue, tenths, 20, 3, always(250ms)), 1);
}
END_TEST

START_TEST(losses_alone_and_a_queue_alone_are_not) {
  FullQueue queue(0s);
  int tenths = 0;
  ck_assert_int_eq(times(queue, tenths, 10, 9, always(50ms)), 0);
  ck_assert_int_eq(times(queue, tenths, 10, 2, always(250ms)), 0);
  ck_assert_int_eq(times(queue, tenths, 1, 2.1, always(250ms)), 1);
}
END_TEST

// Empty for a tenth of each second, or of each three.
START_TEST(a_queue_that_empties_once_in_a_period_is_not_full) {
  for (const int period : {1, 3}) {
    FullQueue queue(period * 1s);
    int tenths = 0;
    const auto bursts = [=](int at) { return at % (10 * period) == 0 ? Nanos(60ms) : Nanos(300ms); };
    ck_assert_int_eq(times(queue, tenths, 1, 0, always(50ms)), 0);
    ck_assert_int_eq(times(queue, tenths, 30, 5, bursts), 0);
  }
}
END_TEST

AVC_TESTS("full queue", long_round_trips_with_losses_are_a_full_queue_once, losses_alone_and_a_queue_alone_are_not,
          a_queue_that_empties_once_in_a_period_is_not_full)
