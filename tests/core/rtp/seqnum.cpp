#include "core/rtp/seqnum.hpp"

#include "tests/check.hpp"

using namespace avc::rtp;
using U16 = std::uint16_t;

START_TEST(comparison_goes_the_shorter_way_round) {
  ck_assert(newer<U16>(1, 0));
  ck_assert(newer<U16>(0, 65535));
  ck_assert(!newer<U16>(65535, 0));
  ck_assert(!newer<U16>(5, 5));
  ck_assert_int_eq(steps<U16>(65530, 4), 10);
  ck_assert_int_eq(steps<U16>(4, 65530), -10);
  ck_assert(newer<U16>(32767, 0));
  ck_assert(!newer<U16>(32768, 0));  // half way round counts as backwards
  ck_assert(newer<std::uint32_t>(10, 0xfffffff0u));
}
END_TEST

START_TEST(extension_counts_wraps_once_and_places_late_packets_before_them) {
  SequenceExtender seq;
  ck_assert_int_eq(seq.extend(65534), 65534);
  ck_assert_int_eq(seq.extend(0), 65536);
  ck_assert_int_eq(seq.extend(65535), 65535);  // late, from before the wrap
  ck_assert_int_eq(seq.extend(1), 65537);
  ck_assert_int_eq(seq.highest(), 65537);
}
END_TEST

START_TEST(a_packet_from_before_the_first_goes_below_it) {
  SequenceExtender seq;
  seq.extend(0);
  ck_assert_int_eq(seq.extend(65535), -1);
  ck_assert_int_eq(seq.extend(1), 1);
  ck_assert_int_eq(seq.highest(), 1);
}
END_TEST

START_TEST(timestamps_extend_over_many_wraps) {
  TimestampExtender ts;
  std::int64_t last = ts.extend(0);
  for (int i = 1; i < 12; ++i) {
    const std::int64_t next = ts.extend(static_cast<std::uint32_t>(i) * 0x40000000u);
    ck_assert_int_eq(next - last, 0x40000000);
    last = next;
  }
}
END_TEST

AVC_TESTS("rtp seqnum", comparison_goes_the_shorter_way_round,
          extension_counts_wraps_once_and_places_late_packets_before_them, a_packet_from_before_the_first_goes_below_it,
          timestamps_extend_over_many_wraps)
