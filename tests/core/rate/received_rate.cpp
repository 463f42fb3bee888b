#include "core/rate/received_rate.hpp"

#include "tests/check.hpp"

using namespace avc;
using namespace std::chrono_literals;
using rate::ReceivedRate;

START_TEST(it_is_of_the_last_half_second) {
  ReceivedRate rate;
  for (int i = 0; i < 50; ++i) {
    ck_assert(!rate.kbps());
    rate.add({i * 10ms}, 1250);
  }
  rate.add({500ms}, 1250);
  ck_assert_double_eq_tol(*rate.kbps(), 1000, 1e-9);
  for (int i = 51; i < 101; ++i) rate.add({i * 10ms}, 125);
  ck_assert_double_eq_tol(*rate.kbps(), 100, 1e-9);
}
END_TEST

// 30 frames a second of ten packets at once: not more at a frame's end than at its beginning.
START_TEST(bursts_do_not_make_it_larger) {
  ReceivedRate rate;
  for (int frame = 0; frame < 60; ++frame) {
    for (int packet = 0; packet < 10; ++packet) rate.add({frame * 33333333ns + packet * 100us}, 1000);
    if (frame > 20) ck_assert_double_eq_tol(*rate.kbps(), 2400, 0.07 * 2400);
  }
}
END_TEST

START_TEST(packets_out_of_order_count_as_they_come) {
  ReceivedRate rate;
  for (int i = 0; i <= 100; ++i) rate.add({(i % 2 == 0 ? i : i - 3) * 10ms}, 1250);
  ck_assert_double_eq_tol(*rate.kbps(), 1000, 25);
}
END_TEST

AVC_TESTS("received rate", it_is_of_the_last_half_second, bursts_do_not_make_it_larger,
          packets_out_of_order_count_as_they_come)
