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
  ck_assert((inspect({0x67, 1}) == H264Content{.parameter_sets = true, .nal_start = true, .nal_end = true}));
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
  ck_assert((inspect({0x78, 0, 2, 0x67, 1, 0, 1, 0x68, 0, 2, 0x65, 9}) ==
             H264Content{.slice = true, .idr = true, .parameter_sets = true, .nal_start = true, .nal_end = true}));
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
             H264Content{.parameter_sets = true, .nal_start = true, .nal_end = true}));
}
END_TEST

AVC_TESTS("rtp h264", single_nal_units_are_named_by_their_type, fragments_say_where_the_unit_begins_and_ends,
          aggregates_are_all_their_units, empty_cut_and_foreign_payloads_say_nothing_more_than_they_hold)
