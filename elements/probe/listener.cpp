#include "elements/probe/listener.hpp"

#include <utility>

namespace avc::probe {

Result<std::shared_ptr<Listener>> Listener::start(const runtime::RtpReceiver::Options &options) {
  auto receiver = runtime::RtpReceiver::start(options);
  if (!receiver) return receiver.error();
  return std::shared_ptr<Listener>(new Listener(std::move(*receiver)));
}

std::vector<Row> Listener::rows() const {
  std::vector<Row> rows;
  for (auto &stream : receiver_->snapshot())
    rows.push_back({stream.ssrc, stream.participant_id, stream.payload_type, stream.media, std::move(stream.stats)});
  return rows;
}

std::vector<Row> Listener::rows_of_window() {
  auto all = rows();
  for (Row &row : all) row.stats = row.stats - std::exchange(before_[row.ssrc], row.stats);
  return all;
}

Streams::Totals Listener::totals() const {
  const auto totals = receiver_->totals();
  return {totals.not_rtp, totals.rtcp_packets, totals.no_room};
}

Ptr<GstStructure> Listener::socket() const {
  const auto totals = receiver_->totals();
  return take(gst_structure_new(
      "socket", "local-port", G_TYPE_UINT, guint{receiver_->port()}, "rtcp-port", G_TYPE_UINT,
      guint{receiver_->rtcp_port()}, "packets-received", G_TYPE_UINT64, totals.packets, "bytes-received", G_TYPE_UINT64,
      totals.bytes, "kernel-drops", G_TYPE_UINT64, totals.kernel_drops, "truncated", G_TYPE_UINT64, totals.truncated,
      "errors", G_TYPE_UINT64, totals.errors, "rtcp-malformed", G_TYPE_UINT64, totals.rtcp_malformed, "reports-sent",
      G_TYPE_UINT64, totals.reports_sent, "messages", G_TYPE_UINT64, totals.messages, "syscalls", G_TYPE_UINT64,
      totals.syscalls, "receive-buffer", G_TYPE_INT, receiver_->receive_buffer(), "offload", G_TYPE_STRING,
      receiver_->offloads() ? "gro" : "none", nullptr));
}

}  // namespace avc::probe
