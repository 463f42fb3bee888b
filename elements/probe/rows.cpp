#include "elements/probe/rows.hpp"

#include "core/stats/mos.hpp"
#include "elements/support/ptr.hpp"

namespace avc::probe {
namespace {

[[nodiscard]] Ptr<GstStructure> structure_of(const Row &row) {
  const stats::StreamStats &s = row.stats;
  auto structure = take(gst_structure_new(
      "stream", "ssrc", G_TYPE_UINT, row.ssrc, "participant-id", G_TYPE_UINT, row.participant_id, "kind", G_TYPE_STRING,
      net::name(row.media), "payload-type", G_TYPE_UINT, row.payload_type, "packets-received", G_TYPE_INT64,
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
  if (row.media == net::Stream::video) {
    gst_structure_set(structure.get(), "frames-received", G_TYPE_INT64, s.frames_complete, "frames-broken",
                      G_TYPE_INT64, s.frames_broken, "frames-lost", G_TYPE_INT64, s.frames_lost,
                      "frames-complete-percent", G_TYPE_DOUBLE, s.frames_complete_percent(), "key-frames-received",
                      G_TYPE_INT64, s.keyframes_complete, "freeze-count", G_TYPE_INT64, s.freeze_count,
                      "total-freezes-duration", G_TYPE_DOUBLE, to_seconds(s.freeze_time), nullptr);
  } else if (row.media == net::Stream::audio) {
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

void add_streams(GstStructure *to, std::span<const Row> rows) {
  GValue list = G_VALUE_INIT;
  gst_value_list_init(&list, static_cast<guint>(rows.size()));
  for (const Row &row : rows) append(&list, structure_of(row));
  gst_structure_take_value(to, "streams", &list);
}

}  // namespace avc::probe
