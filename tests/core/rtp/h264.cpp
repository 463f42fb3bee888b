#include "core/rtp/h264.hpp"

#include "tests/check.hpp"

using namespace avc::rtp;

namespace {

H264Content inspect(std::vector<std::uint8_t> payload) { return inspect_h264(payload); }

constexpr H264Content kNothing{};

}  // namespace

START_TEST(single_nal_units_are_named_by_their_type) {
  ck_assert((inspect({0x65, 1}) == H264Content{.slice = true, .idr = true, .nal_start = true, .nal_end = true}));
  ck_assert((inspect({0x41, 1}) == H264Content{.slice = true, .nal_start = true, .nal_end = true}));
  ck_assert((inspect({0x67, 1}) ==
             H264Content{.parameter_sets = true, .nal_start = true, .nal_end = true, .begins_access_unit = true}));
  ck_assert((inspect({0x68, 1}) == H264Content{.parameter_sets = true, .nal_start = true, .nal_end = true}));
  ck_assert((inspect({0x06, 1}) == H264Content{.nal_start = true, .nal_end = true}));  // SEI
}
END_TEST

START_TEST(fragments_say_where_the_unit_begins_and_ends) {
  ck_assert((inspect({0x7c, 0x85, 0}) == H264Content{.slice = true, .idr = true, .nal_start = true}));
  ck_assert((inspect({0x7c, 0x05, 0}) == H264Content{.slice = true, .idr = true}));
  ck_assert((inspect({0x7c, 0x45, 0}) == H264Content{.slice = true, .idr = true, .nal_end = true}));
  ck_assert((inspect({0x5c, 0x41, 0}) == H264Content{.slice = true, .nal_end = true}));
}
END_TEST

START_TEST(aggregates_are_all_their_units) {
  ck_assert((inspect({0x78, 0, 2, 0x67, 1, 0, 1, 0x68, 0, 2, 0x65, 9}) == H264Content{.slice = true,
                                                                                      .idr = true,
                                                                                      .parameter_sets = true,
                                                                                      .nal_start = true,
                                                                                      .nal_end = true,
                                                                                      .begins_access_unit = true}));
}
END_TEST

START_TEST(empty_cut_and_foreign_payloads_say_nothing_more_than_they_hold) {
  ck_assert(inspect({}) == kNothing);
  ck_assert(inspect({0x00}) == kNothing);
  ck_assert(inspect({0x7c}) == kNothing);                 // FU-A without its second byte
  ck_assert(inspect({0x78}) == kNothing);                 // STAP-A without units
  ck_assert(inspect({0x78, 0, 9, 0x65}) == kNothing);     // a unit longer than the packet
  ck_assert(inspect({0x78, 0, 0, 0x65, 1}) == kNothing);  // a unit of no bytes
  ck_assert(inspect({0x7d, 0x85, 0, 0, 0}) == kNothing);  // FU-B
  ck_assert((inspect({0x78, 0, 1, 0x67, 0, 9, 0x65}) ==   // the second unit is cut off
             H264Content{.parameter_sets = true, .nal_start = true, .nal_end = true, .begins_access_unit = true}));
}
END_TEST

START_TEST(a_picture_begins_with_its_first_slice_a_delimiter_or_an_sps) {
  const struct {
    std::vector<std::uint8_t> payload;
    bool begins;
  } rows[] = {
      {{0x41, 0x9a}, true},         // non-IDR slice, first_mb_in_slice 0
      {{0x41, 0x4a}, false},        // a later slice of the picture
      {{0x65, 0x88}, false},        // IDR: its parameter sets may come before
      {{0x09, 0xf0}, true},         // delimiter
      {{0x06, 0x80}, false},        // SEI
      {{0x5c, 0x81, 0x9a}, true},   // FU-A, start, first slice
      {{0x5c, 0x01, 0x9a}, false},  // FU-A, middle
      {{0x5c, 0x81}, false},        // FU-A with nothing in it
      {{0x41}, false},
      {{0x78, 0, 2, 0x67, 1, 0, 1, 0x68}, true},
      {{0x78, 0, 1, 0x68, 0, 2, 0x67, 1}, false},  // something comes before the SPS
  };
  for (const auto &row : rows) ck_assert_int_eq(inspect_h264(row.payload).begins_access_unit, row.begins);
}
END_TEST

AVC_TESTS("rtp h264", single_nal_units_are_named_by_their_type, fragments_say_where_the_unit_begins_and_ends,
          aggregates_are_all_their_units, empty_cut_and_foreign_payloads_say_nothing_more_than_they_hold,
          a_picture_begins_with_its_first_slice_a_delimiter_or_an_sps)
