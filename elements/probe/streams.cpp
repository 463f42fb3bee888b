#include "elements/probe/streams.hpp"

#include "core/rtp/extension.hpp"
#include "core/stats/mos.hpp"

namespace avc::probe {
namespace {

constexpr std::size_t kStreamsPerReport = 15;  // 8 + 24 each, SDES, 8 + 40 each: 1000 bytes

[[nodiscard]] Ptr<GstStructure> structure_of(std::uint32_t ssrc, guint participant_id, guint payload_type,
                                             const stats::Receiver &receiver, const stats::StreamStats &s) {
  auto structure = take(gst_structure_new(
      "stream", "ssrc", G_TYPE_UINT, ssrc, "participant-id", G_TYPE_UINT, participant_id, "kind", G_TYPE_STRING,
      net::name(receiver.media()), "payload-type", G_TYPE_UINT, payload_type, "packets-received", G_TYPE_INT64,
      s.packets_received, "packets-lost", G_TYPE_INT64, s.packets_lost, "packets-duplicated", G_TYPE_INT64,
      s.packets_duplicated, "packets-reordered", G_TYPE_INT64, s.packets_reordered, "packets-expected", G_TYPE_INT64,
      s.packets_expected, "bytes-received", G_TYPE_INT64, s.payload_bytes, "header-bytes-received", G_TYPE_INT64,
      s.bytes_received - s.payload_bytes, "jitter", G_TYPE_DOUBLE, s.jitter_ms / 1000, "mean-jitter", G_TYPE_DOUBLE,
      s.mean_jitter_ms() / 1000, "loss-percent", G_TYPE_DOUBLE, s.loss_percent(), "burst-ratio", G_TYPE_DOUBLE,
      s.burst_ratio(), "loss-runs", G_TYPE_INT64, s.loss_runs, "restarts", G_TYPE_INT64, s.restarts, "highest-sequence",
      G_TYPE_UINT, s.highest_sequence, nullptr));
  GValue runs = G_VALUE_INIT, run = G_VALUE_INIT;
  gst_value_array_init(&runs, static_cast<guint>(s.loss_run_lengths.size()));
  g_value_init(&run, G_TYPE_INT64);
  for (const std::int64_t count : s.loss_run_lengths) {
    g_value_set_int64(&run, count);
    gst_value_array_append_value(&runs, &run);
  }
  gst_structure_take_value(structure.get(), "loss-run-lengths", &runs);
  if (s.delay_samples > 0) {
    gst_structure_set(structure.get(), "one-way-delay", G_TYPE_DOUBLE, s.mean_delay_ms() / 1000, "max-one-way-delay",
                      G_TYPE_DOUBLE, s.delay_ms_max / 1000, nullptr);
  }
  if (receiver.media() == net::Stream::video) {
    gst_structure_set(structure.get(), "frames-received", G_TYPE_INT64, s.frames_complete, "frames-broken",
                      G_TYPE_INT64, s.frames_broken, "frames-lost", G_TYPE_INT64, s.frames_lost,
                      "frames-complete-percent", G_TYPE_DOUBLE, s.frames_complete_percent(), "key-frames-received",
                      G_TYPE_INT64, s.keyframes_complete, "freeze-count", G_TYPE_INT64, s.freeze_count,
                      "total-freezes-duration", G_TYPE_DOUBLE, to_seconds(s.freeze_time), nullptr);
  } else if (receiver.media() == net::Stream::audio) {
    const stats::SpeechPath path{s.loss_percent(), s.burst_ratio(), s.mean_jitter_ms(), s.mean_delay_ms()};
    gst_structure_set(structure.get(), "r-factor", G_TYPE_DOUBLE, stats::r_factor(path), "mos-score", G_TYPE_DOUBLE,
                      stats::mos(path), nullptr);
  }
  return structure;
}

void append(GValue *list, Ptr<GstStructure> structure) {
  GValue item = G_VALUE_INIT;
  g_value_init(&item, GST_TYPE_STRUCTURE);
  g_value_take_boxed(&item, give(std::move(structure)));
  gst_value_list_append_and_take_value(list, &item);
}

}  // namespace

Streams::Stream::Stream(const rtp::Header &first, const Hints &hints)
    : payload_type(first.payload_type),
      receiver(hints.media.value_or(stats::media_of(first.payload_type)), hints.clock_rate) {}

void Streams::packet(std::span<const std::uint8_t> bytes, std::size_t size, Instant at, const Hints &hints) {
  const auto header = rtp::parse(bytes);
  if (!header) {
    ++not_rtp_;
    return;
  }
  auto found = streams_.find(header->ssrc);
  if (found == streams_.end()) {
    if (streams_.size() >= kMax) {
      ++no_room_;
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
  ++rtcp_packets_;
  rtp::RtcpReader reader(datagram);
  while (const auto packet = reader.next()) {
    const auto report = rtp::read_report(*packet);
    if (!report || !report->info) continue;
    const auto found = streams_.find(report->sender_ssrc);
    if (found != streams_.end()) found->second.receiver.sender_report(*report->info, at, clock_is_shared);
  }
}

Ptr<GstStructure> Streams::describe(const char *name) const {
  auto structure = take(gst_structure_new(name, "not-rtp", G_TYPE_UINT64, not_rtp_, "rtcp-packets", G_TYPE_UINT64,
                                          rtcp_packets_, "no-room", G_TYPE_UINT64, no_room_, nullptr));
  GValue list = G_VALUE_INIT;
  gst_value_list_init(&list, static_cast<guint>(streams_.size()));
  for (const auto &[ssrc, stream] : streams_) {
    if (!stream.receiver.trusted()) continue;
    append(&list,
           structure_of(ssrc, stream.participant_id, stream.payload_type, stream.receiver, stream.receiver.snapshot()));
  }
  gst_structure_take_value(structure.get(), "streams", &list);
  return structure;
}

Ptr<GstStructure> Streams::window(const char *name) {
  auto structure = take(gst_structure_new_empty(name));
  GValue list = G_VALUE_INIT;
  gst_value_list_init(&list, static_cast<guint>(streams_.size()));
  for (auto &[ssrc, stream] : streams_) {
    if (!stream.receiver.trusted()) continue;
    const auto now = stream.receiver.snapshot();
    append(&list, structure_of(ssrc, stream.participant_id, stream.payload_type, stream.receiver, now - stream.before));
    stream.before = now;
  }
  gst_structure_take_value(structure.get(), "streams", &list);
  return structure;
}

std::vector<std::vector<std::uint8_t>> Streams::reports(std::uint32_t own_ssrc, Instant now) {
  std::vector<std::vector<std::uint8_t>> datagrams;
  std::vector<rtp::ReportBlock> blocks;
  std::vector<rtp::StatisticsSummary> summaries;
  const auto flush = [&] {
    if (blocks.empty()) return;
    std::vector<std::uint8_t> out(1200);
    std::size_t size = rtp::write_receiver_report(out, own_ssrc, "avchaos", blocks);
    size += rtp::write_extended_report(std::span(out).subspan(size), own_ssrc, summaries);
    out.resize(size);
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
