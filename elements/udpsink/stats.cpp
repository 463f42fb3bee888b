#include "elements/udpsink/stats.hpp"

namespace avc::udpsink {
namespace {

[[nodiscard]] Ptr<GstStructure> errors_structure(const runtime::ErrnoCounts &counts) {
  auto structure = take(gst_structure_new_empty("errors-by-errno"));
  for (const auto &[error, count] : counts) {
    const char *name = runtime::errno_name(error);
    guint64 before = 0;  // several may go by the name "other"
    gst_structure_get_uint64(structure.get(), name, &before);
    gst_structure_set(structure.get(), name, G_TYPE_UINT64, before + count, nullptr);
  }
  return structure;
}

}  // namespace

Ptr<GstStructure> sink_structure(Outlet &outlet, guint64 no_address, const SharedSocket *socket,
                                 const runtime::Context *context) {
  const auto errors = errors_structure(*outlet.errors_by_errno.lock());
  const auto sent = socket ? socket->counts() : runtime::BatchSender::Counts();
  const auto handed = outlet.sent();
  auto stats = take(gst_structure_new(
      "avchaosudpsink-stats", "packets-sent", G_TYPE_UINT64, handed.packets, "bytes-sent", G_TYPE_UINT64, handed.bytes,
      "rtcp-packets-sent", G_TYPE_UINT64, outlet.rtcp_packets.load(), "syscalls", G_TYPE_UINT64, sent.syscalls,
      "messages", G_TYPE_UINT64, sent.messages, "segments", G_TYPE_UINT64, sent.segments, "offload", G_TYPE_STRING,
      socket && socket->offloads() ? "gso" : "none", "pacing", G_TYPE_STRING, outlet.pacing.load(), "offload-refused",
      G_TYPE_UINT64, sent.refused, "errors", G_TYPE_UINT64, outlet.errors.load(), "errors-by-errno", GST_TYPE_STRUCTURE,
      errors.get(), "refusals", G_TYPE_UINT64, outlet.refusals.load(), "dropped-not-playing", G_TYPE_UINT64,
      outlet.dropped.load(), "dropped-flush", G_TYPE_UINT64, outlet.flushed.load(), "dropped-no-address", G_TYPE_UINT64,
      no_address, "local-port", G_TYPE_UINT, socket ? socket->local_port() : 0u, "context", G_TYPE_STRING,
      context ? context->name().c_str() : "", nullptr));
  const auto late = context ? context->lateness() : stats::Summary();
  const auto us = [](std::int64_t ns) { return static_cast<guint64>(ns / 1000); };
  gst_structure_set(stats.get(), "late-p50-us", G_TYPE_UINT64, us(late.p50), "late-p99-us", G_TYPE_UINT64, us(late.p99),
                    "late-max-us", G_TYPE_UINT64, us(late.max), "late-count", G_TYPE_UINT64, late.count, nullptr);
  return stats;
}

SinkCounters::Remote counters_of(const Remote &remote) {
  return {.ssrc = remote.ssrc,
          .jitter = remote.block.jitter,
          .packets_lost = remote.block.cumulative_lost,
          .fraction_lost = remote.block.fraction_lost / 256.0,
          .round_trip_ms = remote.round_trip_ms,
          .reports = remote.reports,
          .nacks = remote.nacks,
          .key_unit_requests = remote.key_unit_requests,
          .extended_reports = remote.extended_reports,
          .duplicates = remote.duplicates};
}

void add_remotes(GstStructure *stats, const std::vector<Remote> &remotes) {
  GValue list = G_VALUE_INIT;
  gst_value_list_init(&list, static_cast<guint>(remotes.size()));
  for (const Remote &remote : remotes) {
    if (!remote.heard()) continue;
    GValue item = G_VALUE_INIT;
    g_value_init(&item, GST_TYPE_STRUCTURE);
    g_value_take_boxed(
        &item,
        gst_structure_new("remote", "ssrc", G_TYPE_UINT, remote.ssrc, "fraction-lost", G_TYPE_DOUBLE,
                          remote.block.fraction_lost / 256.0, "packets-lost", G_TYPE_INT, remote.block.cumulative_lost,
                          "jitter", G_TYPE_UINT, remote.block.jitter, "highest-sequence", G_TYPE_UINT,
                          remote.block.highest_sequence, "round-trip-ms", G_TYPE_DOUBLE, remote.round_trip_ms,
                          "reports", G_TYPE_UINT64, remote.reports, "nacks", G_TYPE_UINT64, remote.nacks,
                          "key-unit-requests", G_TYPE_UINT64, remote.key_unit_requests, "extended-reports",
                          G_TYPE_UINT64, remote.extended_reports, "extended-lost", G_TYPE_UINT64, remote.lost,
                          "duplicates", G_TYPE_UINT64, remote.duplicates, nullptr));
    gst_value_list_append_and_take_value(&list, &item);
  }
  gst_structure_take_value(stats, "remote", &list);
}

}  // namespace avc::udpsink
