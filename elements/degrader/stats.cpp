#include "elements/degrader/stats.hpp"

#include <string>

namespace avc::degrader {
namespace {

void set(GstStructure *structure, const char *name, guint64 value) {
  gst_structure_set(structure, name, G_TYPE_UINT64, value, nullptr);
}

void set(GstStructure *structure, const char *name, double value) {
  gst_structure_set(structure, name, G_TYPE_DOUBLE, value, nullptr);
}

void set_ms(GstStructure *structure, const char *name, std::int64_t nanos) {
  set(structure, name, to_ms(Nanos(nanos)));
}

void set_us(GstStructure *structure, const char *name, std::int64_t nanos) {
  set(structure, name, static_cast<guint64>(nanos / 1000));
}

void add_totals(GstStructure *s, const Model &model, Outbox &outbox, std::size_t waiting) {
  Sent out;
  for (std::size_t i = 0; i < net::kStreamCount; i++) {
    const auto sent = outbox.sent(static_cast<net::Stream>(i));
    out.packets += sent.packets;
    out.bytes += sent.bytes;
  }
  const auto in = model.total();
  set(s, "packets-in", in.in);
  set(s, "packets-out", out.packets);
  set(s, "bytes-in", in.bytes_in);
  set(s, "bytes-out", out.bytes);
  set(s, "dropped-loss", in.lost);
  set(s, "dropped-frame", in.frame_dropped);
  set(s, "dropped-queue", in.queue_dropped);
  set(s, "dropped-managed", in.managed_dropped);
  set(s, "dropped-flush", outbox.flushed());
  set(s, "duplicated", in.duplicated);
  set(s, "corrupted", in.corrupted);
  set(s, "marked", in.marked);
  set(s, "reordered", model.reordered());
  set(s, "not-rtp", in.not_rtp);
  set(s, "replay-missing", model.replay_missing());
  set(s, "held", guint64{outbox.held() + waiting});
}

void add_delays(GstStructure *s, const Model &model) {
  const auto queue = model.queue();
  const auto &delays = model.delays();
  set_ms(s, "queue-ms", queue.wait.count());
  set(s, "queue-packets", guint64{queue.packets});
  set_ms(s, "queue-peak-ms", model.queue_peak().count());
  set(s, "delay-count", guint64{delays.count()});
  set(s, "delay-avg-ms", delays.mean() / 1e6);
  set_ms(s, "delay-p50-ms", delays.quantile(0.5));
  set_ms(s, "delay-p95-ms", delays.quantile(0.95));
  set_ms(s, "delay-max-ms", delays.max());
}

void add_stream(GstStructure *s, const Model &model, net::Stream kind) {
  const auto &stream = model.stream(kind);
  const std::string media = net::name(kind);
  const auto add = [&](const char *what, guint64 value) { set(s, (media + what).c_str(), value); };
  add("-in", stream.in);
  add("-bytes-in", stream.bytes_in);
  add("-lost", stream.lost);
  add("-frame-dropped", stream.frame_dropped);
  add("-queue-dropped", stream.queue_dropped);
  add("-managed-dropped", stream.managed_dropped);
  add("-duplicated", stream.duplicated);
  add("-corrupted", stream.corrupted);
  add("-marked", stream.marked);
  add("-not-rtp", stream.not_rtp);
}

void add_context(GstStructure *s, Outbox &outbox) {
  const auto lateness = outbox.lateness();
  gst_structure_set(s, "context", G_TYPE_STRING, outbox.context_name().c_str(), nullptr);
  set(s, "late-count", guint64{lateness.count});
  set_us(s, "late-p50-us", lateness.p50);
  set_us(s, "late-p99-us", lateness.p99);
  set_us(s, "late-max-us", lateness.max);
}

}  // namespace

Ptr<GstStructure> stats_of(const Model &model, Outbox &outbox, std::size_t waiting) {
  auto stats = take(
      gst_structure_new("chaosdegrader-stats", "participant-id", G_TYPE_UINT, guint{model.participant_id()}, nullptr));
  add_totals(stats.get(), model, outbox, waiting);
  add_delays(stats.get(), model);
  set(stats.get(), "active-layers", guint64{model.layers()});
  for (std::size_t i = 0; i < net::kStreamCount; i++) add_stream(stats.get(), model, static_cast<net::Stream>(i));
  add_context(stats.get(), outbox);
  return stats;
}

LinkCounters counters_of(const Model &model) {
  const auto counters = [](const Model::Stream &s) {
    return LinkCounters::Stream{s.in, s.bytes_in, s.lost, s.frame_dropped, s.queue_dropped, s.duplicated, s.corrupted};
  };
  const auto &rtcp = model.stream(net::Stream::rtcp), &feedback = model.stream(net::Stream::feedback);
  const auto &delays = model.delays();
  return {.video = counters(model.stream(net::Stream::video)),
          .audio = counters(model.stream(net::Stream::audio)),
          .rtx = counters(model.stream(net::Stream::rtx)),
          .rtcp_in = rtcp.in,
          .rtcp_lost = rtcp.lost,
          .feedback_in = feedback.in,
          .feedback_lost = feedback.lost,
          .other_in = model.stream(net::Stream::other).in,
          .reordered = model.reordered(),
          .delay_count = delays.count(),
          .delay_sum_ms = delays.sum() / 1e6,
          .delay_max_ms = to_ms(Nanos(delays.max())),
          .queue_ms = to_ms(model.queue().wait),
          .queue_peak_ms = to_ms(model.queue_peak())};
}

}  // namespace avc::degrader
