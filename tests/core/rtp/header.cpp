#include "core/rtp/header.hpp"

#include "tests/check.hpp"

using namespace avc::rtp;

namespace {

using Packet = std::vector<std::uint8_t>;

Packet packet(std::initializer_list<int> bytes) {
  Packet out;
  for (int byte : bytes) out.push_back(static_cast<std::uint8_t>(byte));
  return out;
}

}  // namespace

START_TEST(fixed_header_reads_back_field_by_field) {
  const Packet bytes = packet({0x80, 0xe0, 0x12, 0x34, 0xde, 0xad, 0xbe, 0xef, 0x00, 0x0f, 0x46, 0x28, 'p', 'a', 'y'});
  const auto header = parse(bytes);
  ck_assert(header.has_value());
  ck_assert_uint_eq(header->payload_type, 96);
  ck_assert(header->marker);
  ck_assert_uint_eq(header->sequence, 0x1234);
  ck_assert_uint_eq(header->timestamp, 0xdeadbeef);
  ck_assert_uint_eq(header->ssrc, 1001000);
  ck_assert_uint_eq(header->size, 12);
  ck_assert_uint_eq(header->payload.size(), 3);
  ck_assert_uint_eq(header->payload[0], 'p');
}
END_TEST

START_TEST(csrcs_extension_and_padding_are_not_payload) {
  Packet bytes = packet({0xb1, 0x6f, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 9, 9, 9, 9, 0x00, 0x01, 0x00, 0x01, 1, 2, 3, 4});
  bytes.insert(bytes.end(), {'x', 'y', 0, 0, 3});
  const auto header = parse(bytes);
  ck_assert(header.has_value());
  ck_assert_uint_eq(header->csrc_count, 1);
  ck_assert_uint_eq(header->payload_type, 111);
  ck_assert(!header->marker);
  ck_assert_uint_eq(header->extension_profile, 1);
  ck_assert_uint_eq(header->extension.size(), 4);
  ck_assert_uint_eq(header->extension[3], 4);
  ck_assert_uint_eq(header->size, 24);
  ck_assert_uint_eq(header->payload.size(), 2);
  ck_assert_uint_eq(parse_header(bytes)->payload.size(), 5);  // the first memory of a buffer says nothing of padding
}
END_TEST

START_TEST(every_truncation_of_a_packet_with_everything_is_refused_or_stays_inside) {
  Packet whole = packet({0xb2, 0x60, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 9, 9, 9, 9, 8, 8, 8, 8, 0xbe, 0xde, 0, 2});
  whole.insert(whole.end(), {0x10, 1, 0, 0, 0, 0, 0, 0, 'x', 1});
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const Packet cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));  // exact: a sanitizer sees more
    const auto header = parse(cut);
    if (size < 32) ck_assert(!header);
    if (header) ck_assert_uint_le(header->size + header->payload.size(), size);
  }
  ck_assert(parse(whole).has_value());
}
END_TEST

START_TEST(other_versions_and_impossible_padding_are_refused) {
  Packet bytes(20, 0);
  ck_assert(!parse(bytes));  // version 0
  bytes[0] = 0xc0;
  ck_assert(!parse(bytes));
  bytes[0] = 0xa0;
  bytes[19] = 0;
  ck_assert(!parse(bytes));  // padding counts itself, so it cannot be none
  bytes[19] = 9;
  ck_assert(!parse(bytes));  // more than there is payload
  bytes[19] = 8;
  ck_assert(parse(bytes)->payload.empty());
}
END_TEST

START_TEST(writing_and_editing_change_the_named_field_only) {
  std::array<std::uint8_t, 12> bytes{};
  const Fields fields{.payload_type = 96, .sequence = 65535, .timestamp = 0x01020304, .ssrc = 0xa0b0c0d0};
  write_fixed_header(bytes, fields);
  const std::array<std::uint8_t, 12> expected{0x80, 0x60, 0xff, 0xff, 1, 2, 3, 4, 0xa0, 0xb0, 0xc0, 0xd0};
  ck_assert(bytes == expected);

  set_marker(bytes, true);
  ck_assert_uint_eq(bytes[1], 0xe0);
  set_payload_type(bytes, 111);
  ck_assert_uint_eq(bytes[1], 0xef);
  set_marker(bytes, false);
  ck_assert_uint_eq(bytes[1], 0x6f);
  set_extension_bit(bytes, true);
  ck_assert_uint_eq(bytes[0], 0x90);
  set_extension_bit(bytes, false);
  set_payload_type(bytes, 96);
  set_sequence(bytes, 0x0a0b);
  set_timestamp(bytes, 5);
  set_ssrc(bytes, 6);
  const std::array<std::uint8_t, 12> edited{0x80, 0x60, 0x0a, 0x0b, 0, 0, 0, 5, 0, 0, 0, 6};
  ck_assert(bytes == edited);
}
END_TEST

START_TEST(datagrams_on_a_shared_port_are_told_apart_by_their_first_bytes) {
  const struct {
    int first, second;
    Datagram kind;
  } rows[] = {
      {0, 1, Datagram::stun},      {3, 1, Datagram::stun},     {4, 1, Datagram::other},     {20, 254, Datagram::dtls},
      {63, 254, Datagram::dtls},   {64, 0, Datagram::other},   {127, 96, Datagram::other},  {0x80, 96, Datagram::rtp},
      {0x80, 0xe0, Datagram::rtp}, {0x80, 191, Datagram::rtp}, {0x80, 192, Datagram::rtcp}, {0x81, 200, Datagram::rtcp},
      {0xbf, 223, Datagram::rtcp}, {0x80, 224, Datagram::rtp}, {192, 0, Datagram::other},
  };
  for (const auto &row : rows) ck_assert(classify(packet({row.first, row.second})) == row.kind);
  ck_assert(classify(packet({0x80})) == Datagram::other);
  ck_assert(classify({}) == Datagram::other);
}
END_TEST

AVC_TESTS("rtp header", fixed_header_reads_back_field_by_field, csrcs_extension_and_padding_are_not_payload,
          every_truncation_of_a_packet_with_everything_is_refused_or_stays_inside,
          other_versions_and_impossible_padding_are_refused, writing_and_editing_change_the_named_field_only,
          datagrams_on_a_shared_port_are_told_apart_by_their_first_bytes)
