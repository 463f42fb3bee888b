// Any datagram as compound RTCP: the walk ends, nothing is read past its end, and reports survive being written again.
#include <cstdlib>
#include <vector>

#include "core/rate/adaptive_sender.hpp"
#include "core/rtp/extended_report.hpp"
#include "core/rtp/rtcp.hpp"
#include "core/rtp/transport_feedback.hpp"

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

void look_into(const Feedback &feedback) {
  nack_count(feedback);
  remb_bits_per_second(feedback);
  for (std::size_t i = 0; i < remb_count(feedback); ++i) remb_ssrc(feedback, i);
  for (std::size_t i = 0; i < fir_count(feedback); ++i) fir_target(feedback, i);
}

// As many packets as it says; what arrived, written anew, tells the same times where they are in one feedback's range.
void write_again(const TransportFeedback &feedback) {
  const avc::Nanos start = (1 << 24) * TransportFeedback::kReferenceStep;  // no time is before 0
  std::vector<std::optional<avc::Instant>> arrivals;
  TransportArrivals packets(feedback);
  while (const auto packet = packets.next()) {
    arrivals.emplace_back();
    if (packet->after_reference) arrivals.back() = avc::Instant{start + *packet->after_reference};
  }
  demand(arrivals.size() == feedback.packets);
  std::vector<std::uint8_t> out(20 + 4 * arrivals.size() + 4);
  const auto written = write_transport_feedback(out, {1, 2, feedback.base_sequence, 3}, arrivals);
  if (written.packets == 0) return;
  RtcpReader reader(Bytes(out).first(written.bytes));
  const auto again = read_transport_feedback(*reader.next());
  demand(again && again->packets == written.packets);
  const avc::Nanos reference = ((1 << 24) + static_cast<std::int64_t>(again->reference)) * avc::Nanos(64'000'000);
  TransportArrivals told(*again);
  for (std::size_t i = 0; i < written.packets; ++i) {
    const auto packet = *told.next();
    demand(packet.after_reference.has_value() == arrivals[i].has_value());
    const std::int64_t wrap = (1 << 24) * std::int64_t{64'000'000};
    if (arrivals[i]) demand((reference + *packet.after_reference - arrivals[i]->since_origin).count() % wrap == 0);
  }
}

void look_into(const XrBlock &block) {
  read_statistics_summary(block);
  read_reference_time(block);
  for (std::size_t i = 0; i < dlrr_count(block); ++i) dlrr(block, i);
  const auto losses = read_loss_rle(block);
  if (!losses) return;
  LossRlePackets packets(*losses);
  for (std::size_t i = 0; packets.next(); ++i) demand(i < 0x10000);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
  const std::vector<std::uint8_t> exact(data, data + size);
  RtcpReader reader(exact);
  std::size_t packets = 0;
  while (const auto packet = reader.next()) {
    demand(++packets <= size / 4);
    if (const auto report = read_report(*packet)) write_again(*report);
    if (const auto feedback = read_feedback(*packet)) look_into(*feedback);
    if (const auto feedback = read_transport_feedback(*packet)) write_again(*feedback);
    ExtendedReportReader blocks(*packet);
    while (const auto block = blocks.next()) look_into(*block);
    sdes_cname(*packet, 1);
    sdes_cname(*packet, 0);
    bye_names(*packet, 1);
  }
  // A sender hears it, twice: what the first report said is compared with the next.
  avc::rate::AdaptiveSender sender({.streams = {{{1, 90000}, {2, 48000}}}, .kbps = {2500, 300}});
  for (std::uint16_t i = 0; i < 64; ++i) sender.sent(i, {avc::Nanos(i * 1'000'000)}, 1200);
  for (const int seconds : {1, 2}) sender.hear(exact, {std::chrono::seconds(seconds)}, std::uint64_t{1} << 40);
  const double kbps = sender.estimator().kbps();
  demand(kbps >= 300 && kbps <= 3750 && sender.rendition() < 2);
  return 0;
}
