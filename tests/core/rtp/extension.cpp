#include "core/rtp/extension.hpp"

#include "tests/check.hpp"

using namespace avc::rtp;

namespace {

using Packet = std::vector<std::uint8_t>;

// A packet whose extension block is `block` (profile and length words included), with four bytes of payload.
Packet with_block(std::initializer_list<int> block) {
  Packet packet(12);
  write_fixed_header(std::span<std::uint8_t, 12>(packet.data(), 12), {.payload_type = 96, .extension = true});
  for (int byte : block) packet.push_back(static_cast<std::uint8_t>(byte));
  packet.insert(packet.end(), {1, 2, 3, 4});
  return packet;
}

}  // namespace

START_TEST(twenty_byte_header_is_the_contracts_byte_for_byte) {
  std::array<std::uint8_t, 20> bytes{};
  const std::span<std::uint8_t> all(bytes);
  write_fixed_header(
      all.first<12>(),
      {.payload_type = 96, .marker = true, .extension = true, .sequence = 7, .timestamp = 3000, .ssrc = 1001 * 1000});
  write_participant_extension(all.subspan<12, 8>(), 1001);
  const std::array<std::uint8_t, 20> contract{0x90, 0xe0, 0x00, 0x07, 0x00, 0x00, 0x0b, 0xb8, 0x00, 0x0f,
                                              0x46, 0x28, 0x00, 0x01, 0x00, 0x01, 0xe9, 0x03, 0x00, 0x00};
  ck_assert(bytes == contract);
  ck_assert_uint_eq(*find_participant(*parse(bytes)), 1001);
}
END_TEST

START_TEST(participant_is_found_in_the_contracts_form_only) {
  ck_assert_uint_eq(*find_participant(*parse(with_block({0, 1, 0, 1, 0x78, 0x56, 0x34, 0x12}))), 0x12345678);
  ck_assert(!find_participant(*parse(with_block({0, 2, 0, 1, 1, 0, 0, 0}))));
  ck_assert(!find_participant(*parse(with_block({0, 1, 0, 0}))));
  ck_assert(!find_participant(*parse(with_block({0, 1, 0, 2, 1, 0, 0, 0, 0, 0, 0, 0}))));
  ck_assert(!find_participant(*parse(Packet{0x80, 96, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0})));
}
END_TEST

START_TEST(one_byte_elements_are_found_around_padding) {
  // id 1, 4 bytes; a padding byte; id 3, 2 bytes (RFC 8285 section 4.2)
  const Packet packet = with_block({0xbe, 0xde, 0, 3, 0x13, 0, 0, 3, 0xe9, 0, 0x31, 0xaa, 0xbb, 0, 0, 0});
  const auto header = parse(packet);
  const Elements elements(*header);
  ck_assert_uint_eq(elements.all().size(), 2);
  ck_assert_uint_eq(*read_participant_element(*elements.find(1)), 1001);
  ck_assert_uint_eq((*elements.find(3))[1], 0xbb);
  ck_assert(!elements.find(2));
}
END_TEST

START_TEST(reading_stops_at_id_15_and_at_lengths_that_do_not_fit) {
  const Packet stop = with_block({0xbe, 0xde, 0, 2, 0x10, 1, 0xf0, 0, 0x20, 1, 0, 0});
  ck_assert_uint_eq(Elements(*parse(stop)).all().size(), 1);
  const Packet overrun = with_block({0xbe, 0xde, 0, 1, 0x1f, 1, 2, 3});
  ck_assert(Elements(*parse(overrun)).all().empty());
  const Packet cut = with_block({0x10, 0x00, 0, 1, 1, 1, 9, 7});  // the second element has no length byte
  ck_assert_uint_eq(Elements(*parse(cut)).all().size(), 1);
}
END_TEST

START_TEST(two_byte_elements_may_be_empty_and_long) {
  const Packet packet = with_block({0x10, 0x05, 0, 2, 200, 0, 20, 3, 'a', 'b', 'c', 0});
  const auto header = parse(packet);
  const Elements elements(*header);
  ck_assert_uint_eq(elements.all().size(), 2);
  ck_assert(elements.find(200)->empty());
  ck_assert_uint_eq((*elements.find(20))[2], 'c');
}
END_TEST

START_TEST(written_blocks_read_back_in_the_shortest_form_that_holds_them) {
  const auto id = participant_element(1001);
  const std::vector<std::uint8_t> counter{0, 5}, longer(17, 7);
  Elements elements;
  elements.set({1, id});
  elements.set({3, counter});
  std::array<std::uint8_t, 64> out{};
  ck_assert_uint_eq(elements.block_size(), 12);
  ck_assert_uint_eq(elements.write(out), 12);
  const std::array<std::uint8_t, 12> expected{0xbe, 0xde, 0, 2, 0x13, 0, 0, 3, 0xe9, 0x31, 0, 5};
  ck_assert(std::equal(expected.begin(), expected.end(), out.begin()));

  elements.set({3, longer});  // replaced, and too long for the one-byte form
  ck_assert_uint_eq(elements.all().size(), 2);
  ck_assert_uint_eq(elements.write(out), elements.block_size());
  ck_assert_uint_eq(read16(out, 0), kTwoByteProfile);
  ck_assert_uint_eq(elements.block_size(), 4 + 28);  // 2+4 + 2+17 = 25, padded
  ck_assert_uint_eq(out[4 + 6 + 1], 17);
}
END_TEST

START_TEST(no_elements_need_no_block) {
  std::array<std::uint8_t, 1> out{0xee};
  ck_assert_uint_eq(Elements().block_size(), 0);
  ck_assert_uint_eq(Elements().write(out), 0);
  ck_assert_uint_eq(out[0], 0xee);
}
END_TEST

AVC_TESTS("rtp extension", twenty_byte_header_is_the_contracts_byte_for_byte,
          participant_is_found_in_the_contracts_form_only, one_byte_elements_are_found_around_padding,
          reading_stops_at_id_15_and_at_lengths_that_do_not_fit, two_byte_elements_may_be_empty_and_long,
          written_blocks_read_back_in_the_shortest_form_that_holds_them, no_elements_need_no_block)
