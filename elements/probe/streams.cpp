#include "elements/probe/streams.hpp"

#include "core/rtp/extended_report.hpp"
#include "core/rtp/extension.hpp"

namespace avc::probe {
namespace {

constexpr std::size_t kStreamsPerReport = 15;  // 8 + 24 each, SDES, 8 + 40 each: 1000 bytes

}  // namespace

Streams::Stream::Stream(const rtp::Header &first, const Hints &hints)
    : payload_type(first.payload_type),
      receiver(hints.media.value_or(stats::media_of(first.payload_type)), hints.clock_rate) {}

void Streams::packet(std::span<const std::uint8_t> bytes, std::size_t size, Instant at, const Hints &hints) {
  const auto header = rtp::parse(bytes);
  if (!header) {
    ++totals_.not_rtp;
    return;
  }
  auto found = streams_.find(header->ssrc);
  if (found == streams_.end()) {
    if (streams_.size() >= kMax) {
      ++totals_.no_room;
      return;
    }
    found = streams_.try_emplace(header->ssrc, *header, hints).first;
  }
  Stream &stream = found->second;
  std::optional<std::uint32_t> id = rtp::find_participant(*header);
  if (!id) {
    const auto element = rtp::Elements(*header).find(hints.extension_id);
    if (element) id = rtp::read_participant_element(*element);
  }
  stream.participant_id = id.value_or(hints.participant_id);
  stream.receiver.receive(*header, size, at);
}

void Streams::rtcp(std::span<const std::uint8_t> datagram, Instant at, bool clock_is_shared) {
  ++totals_.rtcp_packets;
  rtp::RtcpReader reader(datagram);
  while (const auto packet = reader.next()) {
    const auto report = rtp::read_report(*packet);
    if (!report || !report->info) continue;
    const auto found = streams_.find(report->sender_ssrc);
    if (found != streams_.end()) found->second.receiver.sender_report(*report->info, at, clock_is_shared);
  }
}

std::optional<std::uint32_t> Streams::rows(std::uint32_t from, Since since, std::vector<Row> &out) {
  if (from == 0) out.reserve(out.size() + streams_.size());
  std::size_t looked_at = 0;
  for (auto at = streams_.lower_bound(from); at != streams_.end(); ++at) {
    if (looked_at++ == kRowsAtOnce) return at->first;
    auto &[ssrc, stream] = *at;
    if (!stream.receiver.trusted()) continue;
    auto now = stream.receiver.snapshot();
    out.push_back({ssrc, stream.participant_id, stream.payload_type, stream.receiver.media(), now});
    if (since == Since::start) continue;
    out.back().stats = now - stream.before;
    stream.before = std::move(now);
  }
  return std::nullopt;
}

std::vector<std::vector<std::uint8_t>> Streams::reports(std::uint32_t own_ssrc, Instant now) {
  std::vector<std::vector<std::uint8_t>> datagrams;
  std::vector<rtp::ReportBlock> blocks;
  std::vector<rtp::StatisticsSummary> summaries;
  const auto flush = [&] {
    if (blocks.empty()) return;
    std::vector<std::uint8_t> out(1200);
    const std::size_t size = rtp::write_receiver_report(out, own_ssrc, "avchaos", blocks);
    rtp::ExtendedReportWriter extended{std::span(out).subspan(size), own_ssrc};
    for (const auto &summary : summaries) extended.add(summary);
    out.resize(size + extended.size());
    datagrams.push_back(std::move(out));
    blocks.clear();
    summaries.clear();
  };
  for (auto &[ssrc, stream] : streams_) {
    if (!stream.receiver.trusted()) continue;
    blocks.push_back(stream.receiver.report_block(ssrc, now));
    const auto stats = stream.receiver.snapshot();
    const auto since = stats - stream.reported;
    const auto count = [](std::int64_t n) { return static_cast<std::uint32_t>(std::max<std::int64_t>(n, 0)); };
    summaries.push_back({ssrc, static_cast<std::uint16_t>(stats.highest_sequence + 1 - count(since.packets_expected)),
                         static_cast<std::uint16_t>(stats.highest_sequence + 1), count(since.packets_lost),
                         count(since.packets_duplicated)});
    stream.reported = stats;
    if (blocks.size() == kStreamsPerReport) flush();
  }
  flush();
  return datagrams;
}

}  // namespace avc::probe
