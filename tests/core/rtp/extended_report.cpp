#include "core/rtp/extended_report.hpp"

#include "core/random.hpp"
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

// The blocks of a report, which point into it.
std::vector<XrBlock> blocks(Bytes datagram) {
  RtcpReader reader(datagram);
  const auto packet = reader.next();
  std::vector<XrBlock> out;
  if (!packet) return out;
  ExtendedReportReader report(*packet);
  while (const auto block = report.next()) out.push_back(*block);
  return out;
}

using Rows = std::vector<std::pair<int, bool>>;
Rows rows(const LossRle &block) {
  Rows out;
  LossRlePackets packets(block);
  while (const auto packet = packets.next()) out.emplace_back(packet->sequence, packet->received);
  return out;
}

void reads_back(std::uint16_t begin, const std::vector<char> &came) {
  const auto received = std::make_unique<bool[]>(came.size() + 1);
  std::ranges::copy(came, received.get());
  Datagram out(20000);
  ExtendedReportWriter writer(out, 7);
  ck_assert(writer.add_loss_rle(9, begin, std::span(received.get(), came.size())));
  const auto block = *read_loss_rle(blocks(Bytes(out).first(writer.size())).at(0));
  ck_assert_uint_eq(block.ssrc, 9);
  const Rows read = rows(block);
  ck_assert_uint_eq(read.size(), came.size());
  for (std::size_t i = 0; i < came.size(); ++i) {
    ck_assert_int_eq(read[i].first, static_cast<std::uint16_t>(begin + i));
    ck_assert_int_eq(read[i].second, came[i]);
  }
}

}  // namespace

START_TEST(a_summary_is_rfc_3611_byte_for_byte) {
  std::array<std::uint8_t, 64> out{};
  ExtendedReportWriter writer(out, 7);
  ck_assert_uint_eq(writer.size(), 0);  // a report of nothing is none
  ck_assert(writer.add({9, 65530, 10, 3, 1}));
  ck_assert_uint_eq(writer.size(), 48);
  const Datagram expected =
      bytes({0x80, 207, 0, 11, 0, 0, 0, 7, 6, 0xc0, 0, 9, 0, 0, 0, 9, 0xff, 0xfa, 0, 10, 0, 0, 0, 3, 0, 0, 0, 1});
  ck_assert(std::equal(expected.begin(), expected.end(), out.begin()));
  const auto read = *read_statistics_summary(blocks(Bytes(out).first(48)).at(0));
  ck_assert_uint_eq(read.ssrc, 9);
  ck_assert_uint_eq(read.begin, 65530);
  ck_assert_uint_eq(read.end, 10);
  ck_assert_uint_eq(*read.lost, 3);
  ck_assert_uint_eq(*read.duplicates, 1);
  ck_assert(!read.jitter);
}
END_TEST

START_TEST(a_summary_tells_only_what_its_flags_say) {
  std::array<std::uint8_t, 48> out{};
  ExtendedReportWriter writer(out, 7);
  ck_assert(writer.add({9, 0, 10, {}, 5, StatisticsSummary::Jitter{1, 4, 2, 3}}));
  const auto read = *read_statistics_summary(blocks(out).at(0));
  ck_assert(!read.lost);
  ck_assert_uint_eq(*read.duplicates, 5);
  ck_assert_uint_eq(read.jitter->min, 1);
  ck_assert_uint_eq(read.jitter->max, 4);
  ck_assert_uint_eq(read.jitter->mean, 2);
  ck_assert_uint_eq(read.jitter->deviation, 3);
}
END_TEST

// A run of 20 that came, a vector 0 then 1 0 1 and four more, cut by the end; numbers wrap.
START_TEST(losses_read_packet_by_packet) {
  const Datagram report = bytes(
      {0x80, 207, 0, 6, 0, 0, 0, 7, 1, 0, 0, 4, 0, 0, 0, 9, 0xff, 0xf8, 0, 16, 0x40, 0x14, 0xaf, 0x00, 0, 0x00, 0, 0});
  const auto block = *read_loss_rle(blocks(report).at(0));
  const Rows read = rows(block);
  ck_assert_uint_eq(read.size(), 24);
  ck_assert((read[0] == std::pair(0xfff8, true)));
  ck_assert((read[19] == std::pair(11, true)));
  ck_assert((read[20] == std::pair(12, false)));
  ck_assert((read[21] == std::pair(13, true)));
  ck_assert((read[22] == std::pair(14, false)));
  ck_assert((read[23] == std::pair(15, true)));
}
END_TEST

// With a thinning of 2 the numbers 4, 8 and 12 of 1 to 15 are reported.
START_TEST(thinned_losses_are_of_every_so_many_packets) {
  const Datagram report =
      bytes({0x80, 207, 0, 5, 0, 0, 0, 7, 1, 0x02, 0, 3, 0, 0, 0, 9, 0, 1, 0, 16, 0xa0, 0x00, 0, 0});
  ck_assert((rows(*read_loss_rle(blocks(report).at(0))) == Rows{{4, false}, {8, true}, {12, false}}));
}
END_TEST

START_TEST(losses_written_read_back) {
  reads_back(0, {});
  reads_back(65535, {1});
  reads_back(10, {0, 1, 0});
  reads_back(1, std::vector<char>(65534, 1));  // five runs
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    std::vector<char> came(10 * seed + 3);
    for (std::uint64_t i = 0; i < came.size(); ++i) came[i] = Rng(seed).at(i).chance(static_cast<double>(100 - seed));
    reads_back(static_cast<std::uint16_t>(65000 + seed), came);
  }
}
END_TEST

START_TEST(a_block_that_does_not_fit_is_not_written) {
  const bool received[40] = {true, false, true};
  for (std::size_t size = 0; size < 70; ++size) {
    Datagram out(size);
    ExtendedReportWriter writer(out, 7);
    const bool rle = writer.add_loss_rle(9, 0, received);  // 8 + 12 + 4 bytes
    const bool summary = writer.add({9, 0, 40, 37, 0});    // 40 more
    ck_assert_int_eq(rle, size >= 24);
    ck_assert_int_eq(summary, size >= (rle ? 64u : 48u));
    ck_assert_uint_eq(writer.size(), summary ? (rle ? 64 : 48) : rle ? 24 : 0);
    ck_assert_uint_eq(blocks(Bytes(out).first(writer.size())).size(), static_cast<std::size_t>(rle + summary));
  }
}
END_TEST

START_TEST(reference_times_and_their_answers_are_read) {
  const Datagram report = bytes({0x80, 207, 0, 9, 0, 0, 0, 7, 4, 0, 0, 2, 1, 2, 3, 4, 5,  6, 7, 8,
                                 5,    0,   0, 3, 0, 0, 0, 9, 3, 4, 5, 6, 0, 1, 0, 0, 99, 0, 0, 0});
  const auto all = blocks(report);
  ck_assert_uint_eq(all.size(), 3);
  ck_assert(*read_reference_time(all[0]) == 0x0102030405060708);
  ck_assert(!read_reference_time(all[1]));
  ck_assert_uint_eq(dlrr_count(all[0]), 0);
  ck_assert_uint_eq(dlrr_count(all[1]), 1);
  ck_assert_uint_eq(dlrr(all[1], 0).ssrc, 9);
  ck_assert_uint_eq(dlrr(all[1], 0).last_rr, 0x03040506);
  ck_assert_uint_eq(dlrr(all[1], 0).delay_since_rr, 65536);
  ck_assert_uint_eq(all[2].type, 99);
}
END_TEST

// Each length in memory of its own, so that sanitizers see every byte read past the end.
START_TEST(cut_off_at_any_length_nothing_is_read_past_the_end) {
  Datagram whole(200);
  ExtendedReportWriter writer(whole, 7);
  const bool received[40] = {true, false, true};
  writer.add_loss_rle(9, 0, received);
  writer.add({9, 0, 40, 37, 0});
  whole.resize(writer.size());
  for (const Datagram &tail :
       {bytes({4, 0, 0, 2, 1, 2, 3, 4, 5, 6, 7, 8}), bytes({5, 0, 0, 3, 0, 0, 0, 9, 3, 4, 5, 6})})
    whole.insert(whole.end(), tail.begin(), tail.end());
  for (std::size_t size = 4; size <= whole.size(); size += 4) {
    Datagram cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
    write16(cut, 2, static_cast<std::uint16_t>(size / 4 - 1));
    for (std::size_t lie = 0; lie < 16; ++lie) {  // and with a first block of any length
      if (size >= 12 && lie > 0) write16(cut, 10, static_cast<std::uint16_t>(lie - 1));
      for (const auto &block : blocks(cut)) {
        read_statistics_summary(block);
        if (const auto rle = read_loss_rle(block)) ck_assert_uint_le(rows(*rle).size(), 0xffff);
        read_reference_time(block);
        for (std::size_t i = 0; i < dlrr_count(block); ++i) dlrr(block, i);
      }
    }
  }
}
END_TEST

AVC_TESTS("extended report", a_summary_is_rfc_3611_byte_for_byte, a_summary_tells_only_what_its_flags_say,
          losses_read_packet_by_packet, thinned_losses_are_of_every_so_many_packets, losses_written_read_back,
          a_block_that_does_not_fit_is_not_written, reference_times_and_their_answers_are_read,
          cut_off_at_any_length_nothing_is_read_past_the_end)
