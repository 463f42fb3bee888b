// Any datagram as compound RTCP: the walk ends, nothing is read past its end, and reports survive being written again.
#include <cstdlib>
#include <vector>

#include "core/rtp/rtcp.hpp"

using namespace avc::rtp;

namespace {

void demand(bool holds) {
  if (!holds) std::abort();
}

void same(const ReportBlock &a, const ReportBlock &b) {
  demand(a.ssrc == b.ssrc && a.fraction_lost == b.fraction_lost && a.cumulative_lost == b.cumulative_lost);
  demand(a.highest_sequence == b.highest_sequence && a.jitter == b.jitter);
  demand(a.last_sr == b.last_sr && a.delay_since_sr == b.delay_since_sr);
}

void write_again(const Report &report) {
  std::vector<ReportBlock> blocks;
  for (std::size_t i = 0; i < report.blocks.size(); ++i) {
    blocks.push_back(report.blocks[i]);
    round_trip(blocks.back(), 0x1234567890abcdef);
  }
  std::vector<std::uint8_t> out(2048);
  const std::size_t size = report.info ? write_sender_report(out, *report.info, "x", blocks)
                                       : write_receiver_report(out, report.sender_ssrc, "x", blocks);
  demand(size > 0);
  RtcpReader reader(Bytes(out).first(size));
  const auto again = read_report(*reader.next());
  demand(again && again->sender_ssrc == report.sender_ssrc && again->blocks.size() == blocks.size());
  for (std::size_t i = 0; i < blocks.size(); ++i) same(again->blocks[i], blocks[i]);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
  const std::vector<std::uint8_t> exact(data, data + size);
  RtcpReader reader(exact);
  std::size_t packets = 0;
  while (const auto packet = reader.next()) {
    demand(++packets <= size / 4);
    if (const auto report = read_report(*packet)) write_again(*report);
    if (const auto feedback = read_feedback(*packet)) {
      nack_count(*feedback);
      remb_bits_per_second(*feedback);
      for (std::size_t i = 0; i < fir_count(*feedback); ++i) fir_target(*feedback, i);
    }
    sdes_cname(*packet, 1);
    sdes_cname(*packet, 0);
    bye_names(*packet, 1);
  }
  return 0;
}
