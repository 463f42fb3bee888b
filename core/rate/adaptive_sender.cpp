#include "core/rate/adaptive_sender.hpp"

#include <algorithm>

#include "core/rtp/extended_report.hpp"

namespace avc::rate {
namespace {

// Times what the best rendition takes. It is tried first; and what the path could carry beyond it is of no use, but
// would have to be lost again before anything followed from losses.
constexpr double kStart = 1.15, kMost = 1.5;

}  // namespace

AdaptiveSender::AdaptiveSender(const Settings &settings)
    : streams_(settings.streams),
      chooser_(settings.kbps, {}),
      estimator_({.start_kbps = kStart * settings.kbps.front(),
                  .min_kbps = settings.kbps.back(),
                  .max_kbps = kMost * settings.kbps.front(),
                  .ceiling = chooser_.ceiling(),
                  .burst_period = settings.burst_period}) {}

void AdaptiveSender::hear(rtp::Bytes datagram, Instant now, std::uint64_t ntp) {
  rtp::RtcpReader reader(datagram);
  while (const auto packet = reader.next()) {
    if (const auto report = rtp::read_report(*packet)) {
      hear_report(*report, now, ntp);
    } else if (packet->kind == rtp::RtcpKind::xr) {
      hear_extended(*packet);
    } else {
      hear_feedback(*packet, now);
    }
  }
  if (reader.malformed()) ++heard_.malformed;
  const std::size_t before = chooser_.current();
  if (chooser_.choose(estimator_.kbps(), now) != before) ++switches_;
}

bool AdaptiveSender::may_repair(std::uint16_t sequence, Instant now) {
  const Nanos round_trip = from_ms(heard_.streams.front().round_trip_ms.value_or(0));
  const bool may = repairs_.take(sequence, estimator_.kbps(), round_trip, now);
  if (!may) ++repairs_withheld_;
  return may;
}

std::optional<std::size_t> AdaptiveSender::stream_of(std::uint32_t ssrc) const {
  const auto found = std::ranges::find(streams_, ssrc, &Stream::ssrc);
  if (found == streams_.end()) return std::nullopt;
  return static_cast<std::size_t>(found - streams_.begin());
}

void AdaptiveSender::hear_report(const rtp::Report &report, Instant now, std::uint64_t ntp) {
  for (std::size_t i = 0; i < report.blocks.size(); ++i) {
    const rtp::ReportBlock block = report.blocks[i];
    const auto stream = stream_of(block.ssrc);
    if (!stream) continue;
    HeardStream &heard = heard_.streams[*stream];
    ++heard.reports;
    heard.loss_percent = 100.0 * block.fraction_lost / 256;
    heard.packets_lost = block.cumulative_lost;
    heard.jitter_ms = 1000 * block.jitter / streams_[*stream].clock_rate;
    if (const auto trip = rtp::round_trip(block, ntp)) heard.round_trip_ms = to_ms(*trip);
    hear_losses(*stream, block, now);
  }
}

// What it lost since its report before, unless transport-wide feedback tells that better.
void AdaptiveSender::hear_losses(std::size_t stream, const rtp::ReportBlock &block, Instant now) {
  Before &before = before_[stream];
  const std::uint32_t expected = block.highest_sequence - before.highest_sequence;
  const std::int64_t lost = std::clamp<std::int64_t>(block.cumulative_lost - before.lost, 0, expected);
  const bool in_order = expected > 0 && expected < 0x10000;  // else it was repeated, or came late, or is wrong
  if (before.known && in_order && heard_.transport_feedbacks == 0)
    estimator_.losses(static_cast<std::uint64_t>(lost), expected, now);
  if (!before.known || in_order) before = {block.cumulative_lost, block.highest_sequence, true};
}

void AdaptiveSender::hear_feedback(const rtp::RtcpPacket &packet, Instant now) {
  if (packet.kind == rtp::RtcpKind::transport_cc) {
    const auto feedback = rtp::read_transport_feedback(packet);
    if (!feedback) return;
    ++heard_.transport_feedbacks;
    results_.clear();
    history_.results(*feedback, results_);
    estimator_.feedback(results_, now);
    return;
  }
  const auto feedback = rtp::read_feedback(packet);
  if (!feedback) return;
  switch (packet.kind) {
    case rtp::RtcpKind::nack:
      heard_.nacked += rtp::nack_count(*feedback);
      break;
    case rtp::RtcpKind::pli:
      ++heard_.plis;
      break;
    case rtp::RtcpKind::fir:
      heard_.firs += rtp::fir_count(*feedback);
      break;
    case rtp::RtcpKind::remb:
      if (const auto bits = rtp::remb_bits_per_second(*feedback)) {
        ++heard_.rembs;
        estimator_.remb(static_cast<double>(*bits) / 1000);
      }
      break;
    default:
      break;
  }
}

void AdaptiveSender::hear_extended(const rtp::RtcpPacket &packet) {
  ++heard_.extended_reports;
  rtp::ExtendedReportReader reader(packet);
  while (const auto block = reader.next()) {
    const auto summary = rtp::read_statistics_summary(*block);
    const auto stream = summary ? stream_of(summary->ssrc) : std::nullopt;
    if (stream && summary->duplicates) {
      auto &duplicates = heard_.streams[*stream].duplicates;
      duplicates = duplicates.value_or(0) + *summary->duplicates;
    }
  }
}

}  // namespace avc::rate
