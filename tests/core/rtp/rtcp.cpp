#include "core/rtp/rtcp.hpp"

#include "tests/check.hpp"

using namespace avc;
using namespace avc::rtp;

namespace {

using Datagram = std::vector<std::uint8_t>;

Datagram bytes(std::initializer_list<int> values) {
  Datagram out;
  for (int value : values) out.push_back(static_cast<std::uint8_t>(value));
  return out;
}

// The one packet in a datagram, whose bytes it points into: those are kept.
RtcpPacket only(Datagram datagram) {
  static std::vector<std::unique_ptr<Datagram>> kept;
  kept.push_back(std::make_unique<Datagram>(std::move(datagram)));
  RtcpReader reader(*kept.back());
  const auto packet = reader.next();
  ck_assert(packet.has_value());
  ck_assert(!reader.next());
  ck_assert(!reader.malformed());
  return *packet;
}

constexpr ReportBlock kBlock{1001000, 64, -3, 70000, 450, 0x12345678, 65536};

}  // namespace

START_TEST(a_sender_report_is_rfc_3550_byte_for_byte) {
  std::array<std::uint8_t, 64> out{};
  const SenderInfo info{0x000f4628, 0x0102030405060708, 90000, 10, 1000};
  const std::size_t size = write_sender_report(out, info, "avc");
  const Datagram expected =
      bytes({0x80, 200, 0, 6, 0, 0x0f, 0x46, 0x28, 1, 2, 3, 4,    5,    6,    7, 8, 0,   1,   0x5f, 0x90, 0, 0,
             0,    10,  0, 0, 3, 0xe8, 0x81, 202,  0, 3, 0, 0x0f, 0x46, 0x28, 1, 3, 'a', 'v', 'c',  0,    0, 0});
  ck_assert_uint_eq(size, expected.size());
  ck_assert(std::equal(expected.begin(), expected.end(), out.begin()));
}
END_TEST

START_TEST(what_is_written_reads_back) {
  std::array<std::uint8_t, 256> out{};
  const SenderInfo info{1001000, 0xaabbccdd11223344, 12345, 678, 91011};
  const std::size_t size = write_sender_report(out, info, "participant-1001", {&kBlock, 1});
  RtcpReader reader(Bytes(out).first(size));
  const auto sr = reader.next();
  ck_assert(sr->kind == RtcpKind::sr);
  const auto report = read_report(*sr);
  ck_assert_uint_eq(report->info->ntp, info.ntp);
  ck_assert_uint_eq(report->info->rtp_timestamp, 12345);
  ck_assert_uint_eq(report->info->packets, 678);
  ck_assert_uint_eq(report->info->octets, 91011);
  ck_assert_uint_eq(report->blocks.size(), 1);
  const ReportBlock block = report->blocks[0];
  ck_assert_uint_eq(block.ssrc, kBlock.ssrc);
  ck_assert_uint_eq(block.fraction_lost, 64);
  ck_assert_int_eq(block.cumulative_lost, -3);
  ck_assert_uint_eq(block.highest_sequence, 70000);
  ck_assert_uint_eq(block.jitter, 450);
  ck_assert_uint_eq(block.last_sr, 0x12345678);
  ck_assert_uint_eq(block.delay_since_sr, 65536);
  const auto sdes = reader.next();
  ck_assert(*sdes_cname(*sdes, 1001000) == "participant-1001");
  ck_assert(!sdes_cname(*sdes, 1));
  ck_assert(!reader.next());
  ck_assert(!reader.malformed());
}
END_TEST

START_TEST(more_than_31_blocks_go_into_several_reports) {
  std::vector<ReportBlock> blocks(70, kBlock);
  std::vector<std::uint8_t> out(4096);
  const std::size_t size = write_receiver_report(out, 5, "x", blocks);
  RtcpReader reader(Bytes(out).first(size));
  std::vector<std::size_t> counts;
  while (const auto packet = reader.next()) {
    if (const auto report = read_report(*packet)) counts.push_back(report->blocks.size());
  }
  ck_assert(!reader.malformed());
  ck_assert((counts == std::vector<std::size_t>{31, 31, 8}));
}
END_TEST

START_TEST(an_empty_report_still_says_who_is_there) {
  std::array<std::uint8_t, 64> out{};
  const std::size_t size = write_receiver_report(out, 5, "x", {});
  RtcpReader reader(Bytes(out).first(size));
  ck_assert_uint_eq(read_report(*reader.next())->sender_ssrc, 5);
  ck_assert(reader.next()->kind == RtcpKind::sdes);
}
END_TEST

START_TEST(nothing_is_written_where_it_does_not_fit) {
  std::array<std::uint8_t, 43> out{};
  ck_assert_uint_eq(write_sender_report(out, {}, "avc"), 0);
  ck_assert_uint_eq(write_receiver_report(out, 1, "avc", {&kBlock, 1}), 0);
  ck_assert_uint_eq(write_pli(std::span(out).first(11), 1, 2), 0);
  ck_assert(std::ranges::all_of(out, [](auto byte) { return byte == 0; }));
}
END_TEST

START_TEST(feedback_is_recognised_by_type_and_format) {
  const struct {
    int count, type;
    RtcpKind kind;
  } rows[] = {{1, 205, RtcpKind::nack}, {15, 205, RtcpKind::transport_cc}, {3, 205, RtcpKind::other},
              {1, 206, RtcpKind::pli},  {4, 206, RtcpKind::fir},           {15, 206, RtcpKind::other},
              {0, 207, RtcpKind::xr},   {1, 204, RtcpKind::app},           {0, 210, RtcpKind::other}};
  for (const auto &row : rows) {
    ck_assert(only(bytes({0x80 | row.count, row.type, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2})).kind == row.kind);
  }
}
END_TEST

START_TEST(requests_name_their_streams) {
  std::array<std::uint8_t, 12> pli{};
  ck_assert_uint_eq(write_pli(pli, 7, 1001000), 12);
  const auto packet = *RtcpReader(pli).next();
  ck_assert(packet.kind == RtcpKind::pli);
  ck_assert_uint_eq(read_feedback(packet)->media_ssrc, 1001000);

  const auto fir =
      only(bytes({0x84, 206, 0, 6, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0, 9, 5, 0, 0, 0, 0, 0, 0, 10, 6, 0, 0, 0}));
  const auto feedback = *read_feedback(fir);
  ck_assert_uint_eq(fir_count(feedback), 2);
  ck_assert_uint_eq(fir_target(feedback, 1).ssrc, 10);
  ck_assert_uint_eq(fir_target(feedback, 1).sequence, 6);

  // packet 100 and, by its mask, 101 and 116
  const auto nack = only(bytes({0x81, 205, 0, 3, 0, 0, 0, 7, 0, 0, 0, 9, 0, 100, 0x80, 0x01}));
  ck_assert_uint_eq(nack_count(*read_feedback(nack)), 3);

  // REMB for one stream: mantissa 0x20000 (131072), exponent 3
  const auto remb =
      only(bytes({0x8f, 206, 0, 5, 0, 0, 0, 7, 0, 0, 0, 0, 'R', 'E', 'M', 'B', 1, 0x0e, 0, 0, 0, 0, 0, 9}));
  ck_assert(remb.kind == RtcpKind::remb);
  ck_assert_uint_eq(*remb_bits_per_second(*read_feedback(remb)), 131072 * 8);
}
END_TEST

START_TEST(remb_reads_back_as_far_as_it_can_tell) {
  const std::uint32_t ssrcs[] = {9, 1001000};
  for (const std::uint64_t bits : {0ull, 1ull, 262143ull, 262144ull, 2'500'000ull, ~0ull}) {
    std::array<std::uint8_t, 28> out{};
    ck_assert_uint_eq(write_remb(out, 7, bits, ssrcs), 28);
    const auto packet = *RtcpReader(out).next();
    ck_assert(packet.kind == RtcpKind::remb);
    const auto feedback = *read_feedback(packet);
    const std::uint64_t read = *remb_bits_per_second(feedback);
    ck_assert(read <= bits && bits - read <= bits >> 17);
    ck_assert_uint_eq(remb_count(feedback), 2);
    ck_assert_uint_eq(remb_ssrc(feedback, 0), 9);
    ck_assert_uint_eq(remb_ssrc(feedback, 1), 1001000);
    ck_assert_uint_eq(write_remb(std::span(out).first(27), 7, bits, ssrcs), 0);
  }
}
END_TEST

// Says it is for three streams, names one.
START_TEST(remb_is_for_no_more_streams_than_it_holds) {
  const auto remb =
      only(bytes({0x8f, 206, 0, 5, 0, 0, 0, 7, 0, 0, 0, 0, 'R', 'E', 'M', 'B', 3, 0x0e, 0, 0, 0, 0, 0, 9}));
  ck_assert_uint_eq(remb_count(*read_feedback(remb)), 1);
  const auto pli = only(bytes({0x81, 206, 0, 2, 0, 0, 0, 7, 0, 0, 0, 9}));
  ck_assert_uint_eq(remb_count(*read_feedback(pli)), 0);
}
END_TEST

START_TEST(bye_names_its_sources) {
  const auto bye = only(bytes({0x82, 203, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2}));
  ck_assert(bye_names(bye, 2));
  ck_assert(!bye_names(bye, 3));
  ck_assert(!bye_names(only(bytes({0x9f, 203, 0, 1, 0, 0, 0, 1})), 2));  // counts more than it holds
}
END_TEST

START_TEST(a_packet_that_lies_about_its_length_ends_the_walk) {
  const Datagram good = bytes({0x80, 201, 0, 1, 0, 0, 0, 1});
  for (const Datagram &bad : {bytes({0x80}), bytes({0x80, 201, 0}), bytes({0x80, 201, 0, 9, 0, 0, 0, 1}),
                              bytes({0x00, 201, 0, 1, 0, 0, 0, 1}), bytes({0xa0, 201, 0, 1, 0, 0, 0, 0}),
                              bytes({0xa0, 201, 0, 1, 0, 0, 0, 9})}) {
    Datagram both = good;
    both.insert(both.end(), bad.begin(), bad.end());
    RtcpReader reader(both);
    ck_assert(reader.next().has_value());
    ck_assert(!reader.next());
    ck_assert(reader.malformed());
    ck_assert(!reader.next());
  }
}
END_TEST

START_TEST(padding_is_no_part_of_the_body) {
  const auto packet = only(bytes({0xa0, 201, 0, 2, 0, 0, 0, 1, 0, 0, 0, 4}));
  ck_assert_uint_eq(packet.body.size(), 4);
}
END_TEST

START_TEST(reports_and_feedback_shorter_than_they_say_are_refused) {
  ck_assert(!read_report(only(bytes({0x81, 201, 0, 1, 0, 0, 0, 1}))));  // one block announced, none there
  ck_assert(!read_report(only(bytes({0x80, 200, 0, 1, 0, 0, 0, 1}))));
  ck_assert(!read_feedback(only(bytes({0x81, 206, 0, 1, 0, 0, 0, 1}))));
  ck_assert(!sdes_cname(only(bytes({0x81, 202, 0, 2, 0, 0, 0, 1, 1, 200, 'a', 'b'})), 1));
}
END_TEST

START_TEST(times_go_to_ntp_and_back) {
  const Instant at{std::chrono::seconds(1700000000) + Nanos(123456789)};
  const std::uint64_t ntp = ntp_from_unix(at);
  ck_assert_uint_eq(ntp >> 32, 1700000000u + 2208988800u);
  ck_assert(std::abs((unix_from_ntp(ntp) - at).count()) <= 1);
}
END_TEST

START_TEST(round_trip_is_arrival_less_report_less_delay) {
  const std::uint64_t sent = ntp_from_unix({std::chrono::seconds(1700000000)});
  ReportBlock block;
  block.last_sr = ntp_middle(sent);
  block.delay_since_sr = 65536;  // held for a second
  const auto rtt = round_trip(block, ntp_from_unix({std::chrono::seconds(1700000001) + from_ms(50)}));
  ck_assert(std::abs(to_ms(*rtt) - 50) < 0.05);
  ck_assert(!round_trip(block, sent));  // would be negative
  ck_assert(!round_trip({}, sent));
}
END_TEST

AVC_TESTS("rtcp", a_sender_report_is_rfc_3550_byte_for_byte, what_is_written_reads_back,
          more_than_31_blocks_go_into_several_reports, an_empty_report_still_says_who_is_there,
          nothing_is_written_where_it_does_not_fit, feedback_is_recognised_by_type_and_format,
          requests_name_their_streams, remb_reads_back_as_far_as_it_can_tell, remb_is_for_no_more_streams_than_it_holds,
          bye_names_its_sources, a_packet_that_lies_about_its_length_ends_the_walk, padding_is_no_part_of_the_body,
          reports_and_feedback_shorter_than_they_say_are_refused, times_go_to_ntp_and_back,
          round_trip_is_arrival_less_report_less_delay)
