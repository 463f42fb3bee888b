#include "elements/udpsink/stats.hpp"

namespace avc::udpsink {

Ptr<GstStructure> errors_structure(const runtime::ErrnoCounts &counts) {
  auto structure = take(gst_structure_new_empty("errors-by-errno"));
  for (const auto &[error, count] : counts) {
    const char *name = runtime::errno_name(error);
    guint64 before = 0;  // several may go by the name "other"
    gst_structure_get_uint64(structure.get(), name, &before);
    gst_structure_set(structure.get(), name, G_TYPE_UINT64, before + count, nullptr);
  }
  return structure;
}

void add_remotes(GstStructure *stats, const std::map<std::uint32_t, Remote> &remotes) {
  GValue list = G_VALUE_INIT;
  gst_value_list_init(&list, static_cast<guint>(remotes.size()));
  for (const auto &[ssrc, remote] : remotes) {
    if (remote.reports + remote.nacks + remote.key_unit_requests == 0) continue;
    GValue item = G_VALUE_INIT;
    g_value_init(&item, GST_TYPE_STRUCTURE);
    g_value_take_boxed(
        &item,
        gst_structure_new("remote", "ssrc", G_TYPE_UINT, ssrc, "fraction-lost", G_TYPE_DOUBLE,
                          remote.block.fraction_lost / 256.0, "packets-lost", G_TYPE_INT, remote.block.cumulative_lost,
                          "jitter", G_TYPE_UINT, remote.block.jitter, "highest-sequence", G_TYPE_UINT,
                          remote.block.highest_sequence, "round-trip-ms", G_TYPE_DOUBLE, remote.round_trip_ms,
                          "reports", G_TYPE_UINT64, remote.reports, "nacks", G_TYPE_UINT64, remote.nacks,
                          "key-unit-requests", G_TYPE_UINT64, remote.key_unit_requests, nullptr));
    gst_value_list_append_and_take_value(&list, &item);
  }
  gst_structure_take_value(stats, "remote", &list);
}

}  // namespace avc::udpsink
