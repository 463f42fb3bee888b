#include "launcher/results/json.hpp"

#include <algorithm>
#include <cmath>
#include <optional>
#include <string_view>

#include "core/spike/effect.hpp"
#include "launcher/results/figures.hpp"
#include "launcher/results/verdict.hpp"
#include "launcher/results/windows.hpp"

namespace avc::results {
namespace {

using json::Writer;

// Four decimals are more than any of these numbers is worth.
double rounded(double value) { return std::round(value * 1e4) / 1e4; }

Writer &put(Writer &out, std::string_view key, double value) { return out.put(key, rounded(value)); }

Writer &put(Writer &out, std::string_view key, const std::optional<double> &value) {
  return value ? put(out, key, *value) : out.null(key);
}

std::optional<double> percent(std::int64_t part, std::int64_t whole) {
  if (whole <= 0) return std::nullopt;
  return std::clamp(static_cast<double>(part) / static_cast<double>(whole) * 100, 0.0, 100.0);
}

std::int64_t signed_of(std::uint64_t count) { return static_cast<std::int64_t>(count); }

std::optional<double> some(bool there, double value) { return there ? std::optional(value) : std::nullopt; }

void write_value(Writer &out, std::string_view key, const spike::Value &value) {
  if (const auto *number = std::get_if<double>(&value))
    out.put(key, *number);
  else
    out.put(key, std::get<std::string>(value));
}

void write_window(Writer &out, std::string_view key, const std::optional<Window> &window) {
  if (!window) {
    out.null(key);
    return;
  }
  out.begin_object(key);
  put(out, "from_seconds", window->from);
  put(out, "to_seconds", window->to);
  put(out, "loss_percent", window->loss_percent);
  put(out, "delivery_percent", window->delivery_percent);
  put(out, "jitter_ms", window->jitter_ms);
  put(out, "delay_ms", window->delay_ms);
  put(out, "mos_score", window->mos_score);
  put(out, "kbps", window->kbps);
  put(out, "video_kbps", window->video_kbps);
  put(out, "freezes", window->freezes);
  put(out, "fps", window->fps);
  put(out, "frames_complete_percent", window->frames_complete_percent);
  put(out, "audio_payload_bytes", window->audio_payload_bytes);
  put(out, "duplicate_percent", window->duplicate_percent);
  put(out, "reordered_percent", window->reordered_percent);
  put(out, "keyframes_per_minute", window->keyframes_per_minute);
  put(out, "flood_per_second", window->flood_per_second);
  out.put("overlapped", window->overlapped).end_object();
}

void write_injected(Writer &out, const std::optional<Injected> &injected) {
  if (!injected) {
    out.null("injected");
    return;
  }
  out.begin_object("injected");
  put(out, "from_seconds", injected->from);
  put(out, "to_seconds", injected->to);
  put(out, "loss_percent", injected->loss_percent);
  put(out, "queue_drop_percent", injected->queue_drop_percent);
  put(out, "delay_ms", injected->delay_ms);
  put(out, "delay_max_ms", injected->delay_max_ms);
  put(out, "queue_peak_ms", injected->queue_peak_ms);
  put(out, "frame_drop_percent", injected->frame_drop_percent);
  put(out, "kbps", injected->kbps);
  put(out, "rendition_kbps", injected->rendition_kbps);
  put(out, "duplicate_percent", injected->duplicate_percent);
  put(out, "corrupt_percent", injected->corrupt_percent);
  put(out, "sent_ahead_percent", injected->sent_ahead_percent);
  put(out, "rtcp_loss_percent", injected->rtcp_loss_percent);
  put(out, "flood_per_second", injected->flood_per_second);
  out.end_object();
}

void write_figures(Writer &out, const SpikeRecord &spike) {
  out.begin_array("figures");
  for (const auto &figure : figures_of(spike)) {
    out.begin_object().put("name", figure.name).put("unit", figure.unit).put("decimals", figure.decimals);
    put(out, "injected", figure.injected);
    put(out, "before", figure.before);
    put(out, "during", figure.during);
    put(out, "after", figure.after);
    out.end_object();
  }
  out.end_array().put("mixed", mixed(spike));
}

void write_replaced(Writer &out, const std::vector<double> &replaced_ms) {
  out.begin_object("connections_replaced").put("count", replaced_ms.size());
  if (!replaced_ms.empty()) {
    double sum = 0;
    for (const double ms : replaced_ms) sum += ms;
    put(out, "mean_ms", sum / static_cast<double>(replaced_ms.size()));
    put(out, "max_ms", *std::ranges::max_element(replaced_ms));
  }
  out.end_object();
}

struct Totals {
  SenderCounters sent[kMediaCount], sent_all;
  ReceiverCounters received[kMediaCount], received_all;
  std::uint32_t seen = 0;
};

Totals totals_of(const RunResult &run) {
  Totals totals;
  for (const auto &participant : run.participants) {
    if (participant.seen()) ++totals.seen;
    for (const Media media : kAllMedia) {
      const auto place = static_cast<std::size_t>(media);
      totals.sent[place] += participant.sent_of(media);
      totals.sent_all += participant.sent_of(media);
      totals.received[place] += participant.received_of(media);
      totals.received_all += participant.received_of(media);
    }
  }
  return totals;
}

// The mean of what the seconds scored, as the chart and a threshold's average have it: the score is no straight line,
// so that of the whole run's loss would be another number.
std::optional<double> mean_mos(const RunResult &run) {
  double sum = 0, count = 0;
  for (const auto &sample : run.samples) {
    if (!sample.received || !sample.received->mos_score) continue;
    sum += *sample.received->mos_score;
    ++count;
  }
  return some(count > 0, sum / count);
}

template <class Fields>
void write_by_media(Writer &out, Fields fields) {
  for (const auto media : kAllMedia) {
    fields(media, out.begin_object(name(media)));
    out.end_object();
  }
}

void write_sent(Writer &out, const RunResult &run, const Totals &totals) {
  if (run.participants.empty() && !run.samples.empty()) {  // read back from the history: the last second knows
    const auto &last = run.samples.back().sent;
    out.begin_object("sent").put("packets", last.packets).put("bytes", last.bytes).put("frames", last.frames);
    out.end_object();
    return;
  }
  const auto &all = totals.sent_all;
  out.begin_object("sent").put("participants", run.participants.size());
  out.put("packets", all.packets).put("bytes", all.bytes).put("frames", all.frames);
  out.put("frames_dropped", all.frames_dropped).put("lost", all.lost).put("queue_dropped", all.queue_dropped);
  out.put("duplicated", all.duplicated).put("corrupted", all.corrupted);
  put(out, "lost_percent", percent(signed_of(all.lost + all.queue_dropped), signed_of(all.packets)));
  put(out, "kbps", some(run.duration_seconds > 0, static_cast<double>(all.bytes) * 8 / 1000 / run.duration_seconds));
  write_by_media(out, [&](Media media, Writer &o) { write_fields(o, totals.sent[static_cast<std::size_t>(media)]); });
  out.end_object();
}

void write_received(Writer &out, const RunResult &run, const Totals &totals) {
  if (!run.facts.has_receiver) {
    out.null("received");
    return;
  }
  if (run.participants.empty() && !run.samples.empty() && run.samples.back().received) {
    const auto &last = *run.samples.back().received;
    out.begin_object("received").put("packets", last.packets).put("lost", last.lost).put("freezes", last.freezes);
    out.put("participants_seen", last.participants_seen).end_object();
    return;
  }
  const auto &all = totals.received_all, &video = totals.received[0];
  out.begin_object("received").put("participants_seen", totals.seen);
  out.put("packets", all.packets_received).put("bytes", all.bytes_received).put("expected", all.packets_expected);
  out.put("lost", all.packets_lost).put("duplicates", all.packets_duplicated).put("reordered", all.packets_reordered);
  put(out, "loss_percent", percent(all.packets_lost, all.packets_expected));
  put(out, "delivery_percent", percent(all.packets_received, signed_of(totals.sent_all.packets)));
  out.put("unexplained_losses", unexplained_losses(run));
  put(out, "jitter_ms", some(all.jitter_samples > 0, all.mean_jitter_ms()));
  put(out, "mos_score", mean_mos(run));
  put(out, "frames_complete_percent", percent(video.frames_complete, video.frames()));
  out.put("freezes", video.freeze_count);
  put(out, "freeze_seconds", to_seconds(video.freeze_time));
  put(out, "kbps",
      some(run.duration_seconds > 0, static_cast<double>(all.bytes_received) * 8 / 1000 / run.duration_seconds));
  write_by_media(
      out, [&](Media media, Writer &o) { write_fields(o, totals.received[static_cast<std::size_t>(media)], media); });
  out.end_object();
}

void write_lateness(Writer &out, const stats::LateCounts &counts) {
  out.begin_array("late_histogram");
  for (std::size_t i = 0; i < counts.in_class.size(); ++i) {
    out.begin_object();
    if (i < counts.kUpToUs.size())
      out.put("up_to_ms", static_cast<double>(counts.kUpToUs[i]) / 1e3);
    else
      out.null("up_to_ms");
    out.put("count", counts.in_class[i]).end_object();
  }
  out.end_array();
}

void write_use(Writer &out, std::string_view key, const MachineUse &use) {
  out.begin_object(key);
  put(out, "seconds", use.seconds);
  out.put("processors", use.processors);
  put(out, "own_cpu_seconds", use.own_cpu_seconds);
  put(out, "machine_cpu_seconds", use.machine_cpu_seconds);
  put(out, "steal_seconds", use.steal_seconds);
  put(out, "throttled_seconds", use.throttled_seconds);
  put(out, "waited_seconds", use.waited_seconds);
  put(out, "busiest_thread_seconds", use.busiest_seconds);
  out.put("busiest_thread", use.busiest).put("involuntary_switches", use.involuntary_switches).end_object();
}

void write_generator(Writer &out, const GeneratorHealth &generator) {
  out.begin_object("generator").put("late_count", generator.late_count);
  put(out, "late_avg_ms", generator.late_avg_ms);
  put(out, "late_p50_ms", generator.late_p50_ms);
  put(out, "late_p95_ms", generator.late_p95_ms);
  put(out, "late_p99_ms", generator.late_p99_ms);
  put(out, "late_max_ms", generator.late_max_ms);
  out.put("packets_sent", generator.packets_sent).put("bytes_sent", generator.bytes_sent);
  out.put("send_errors", generator.send_errors).put("receiver_kernel_drops", generator.receiver_kernel_drops);
  out.begin_object("send_errors_by_name");
  for (const auto &[name, count] : generator.errors_by_name) out.put(name, count);
  out.end_object();
  write_lateness(out, generator.late_counts);
  write_use(out, "machine", generator.use);
  if (generator.late_use.seconds > 0) write_use(out, "machine_while_late", generator.late_use);
  out.end_object();
}

void write_threshold(Writer &out, const ThresholdResult &threshold) {
  out.begin_object().put("metric", threshold.metric).put("expr", threshold.expr);
  put(out, "value", threshold.value);
  out.put("ok", threshold.ok).put("severity", threshold.severity == Severity::warn ? "warn" : "fail");
  out.put("text", threshold.text).end_object();
}

void write_facts(Writer &out, const RunResult &run) {
  const auto &facts = run.facts;
  const bool failed = run.ended == EndReason::failed || run.ended == EndReason::failed_to_start;
  out.put("format", 1).put("test_id", facts.test_id).put("state", failed ? "failed" : "stopped");
  out.put("reason", name(run.ended)).put_unless_empty("detail", run.end_detail);
  if (facts.scenario_json.empty())
    out.null("scenario");
  else
    out.raw("scenario", facts.scenario_json);
  out.put("seed", facts.seed).put("seed_text", std::to_string(facts.seed));  // many readers round large numbers
  out.put("started_at", facts.started_at);
  put(out, "planned_seconds", facts.planned_seconds);
  put(out, "duration_seconds", run.duration_seconds);
  out.put("num_participants", facts.participants);
  if (facts.ramp_seconds > 0) put(out, "ramp_seconds", facts.ramp_seconds);
  out.put("target", facts.target);
}

}  // namespace

const char *name(Media media) { return media == Media::video ? "video" : "audio"; }

const char *name(SpikeState state) {
  switch (state) {
    case SpikeState::planned:
      return "planned";
    case SpikeState::active:
      return "active";
    case SpikeState::ended:
      return "ended";
    case SpikeState::cancelled:
      return "cancelled";
    case SpikeState::refused:
      break;
  }
  return "refused";
}

const char *name(ParticipantState state) {
  switch (state) {
    case ParticipantState::created:
      return "created";
    case ParticipantState::preparing:
      return "preparing";
    case ParticipantState::running:
      return "running";
    case ParticipantState::left:
      return "left";
    case ParticipantState::failed:
      return "failed";
    case ParticipantState::stopped:
      break;
  }
  return "stopped";
}

const char *name(Outcome outcome) {
  switch (outcome) {
    case Outcome::passed:
      return "passed";
    case Outcome::warned:
      return "warned";
    case Outcome::failed:
      return "failed";
    case Outcome::invalid:
      break;
  }
  return "invalid";
}

const char *name(EndReason reason) {
  switch (reason) {
    case EndReason::completed:
      return "completed";
    case EndReason::stopped:
      return "stopped";
    case EndReason::signal:
      return "signal";
    case EndReason::aborted:
      return "aborted";
    case EndReason::failed_to_start:
      return "failed_to_start";
    case EndReason::failed:
      return "failed";
    case EndReason::interrupted:
      break;
  }
  return "interrupted";
}

void write_fields(Writer &out, const Sample &sample) {
  put(out, "t", sample.t);
  out.put("participants", sample.participants).put("spikes_active", sample.spikes_active);
  const auto &sent = sample.sent;
  out.begin_object("sent").put("packets", sent.packets).put("bytes", sent.bytes).put("frames", sent.frames);
  put(out, "packets_per_second", sent.packets_per_second);
  put(out, "kbps", sent.kbps);
  put(out, "lost_percent", sent.lost_percent);
  put(out, "delay_ms", sent.delay_ms);
  put(out, "queue_ms", sent.queue_ms);
  put(out, "jitter_ms", sent.jitter_ms);
  put(out, "mos_score", sent.mos_score);
  out.end_object();
  if (const auto &received = sample.received) {
    out.begin_object("received").put("packets", received->packets).put("lost", received->lost);
    put(out, "loss_percent", received->loss_percent);
    put(out, "jitter_ms", received->jitter_ms);
    put(out, "delay_ms", received->delay_ms);
    put(out, "mos_score", received->mos_score);
    put(out, "frames_complete_percent", received->frames_complete_percent);
    out.put("freezes", received->freezes);
    put(out, "kbps", received->kbps);
    put(out, "fps", received->fps);
    out.put("participants_seen", received->participants_seen).end_object();
  } else {
    out.null("received");
  }
  out.begin_object("generator");
  put(out, "late_p99_ms", sample.generator.late_p99_ms);
  put(out, "second_late_p99_ms", sample.generator.second_late_p99_ms);
  put(out, "cpu_percent", sample.generator.cpu_percent);
  put(out, "steal_percent", sample.generator.steal_percent);
  out.put("involuntary_switches", sample.generator.involuntary_switches);
  out.put("send_errors", sample.generator.send_errors);
  out.put("receiver_kernel_drops", sample.generator.receiver_kernel_drops).end_object();
}

void write_fields(Writer &out, const SpikeRecord &spike) {
  const auto &plan = spike.plan;
  out.put("spike_id", plan.spike.id).put("type", plan.spike.type);
  put(out, "start_seconds", to_seconds(plan.start.since_origin));
  if (plan.end != Instant::never()) put(out, "end_seconds", to_seconds(plan.end.since_origin));
  if (!plan.spike.participants.empty()) out.put("participant_ids", plan.spike.participants);
  out.begin_object("params");
  for (const auto &[key, value] : plan.spike.params) write_value(out, key, value);
  out.end_object().put("state", name(spike.state)).put("participants", spike.participants);
  out.put_unless_empty("reason", spike.reason);
  put(out, "started_seconds", spike.started_at);
  put(out, "ended_seconds", spike.ended_at);
  write_injected(out, spike.injected);
  out.begin_object("measured");
  write_window(out, "before", spike.before);
  write_window(out, "during", spike.during);
  write_window(out, "after", spike.after);
  out.end_object();
  write_figures(out, spike);
  if (spike::needs_connection(plan.spike.type)) write_replaced(out, spike.replaced_ms);
  out.put("injected_text", spike.injected_text).put("measured_text", spike.measured_text);
}

void write_fields(Writer &out, const SenderCounters &sent) {
  out.put("packets", sent.packets).put("bytes", sent.bytes).put("lost", sent.lost);
  out.put("queue_dropped", sent.queue_dropped).put("frames", sent.frames).put("frames_dropped", sent.frames_dropped);
  out.put("duplicated", sent.duplicated).put("corrupted", sent.corrupted);
}

void write_fields(Writer &out, const ReceiverCounters &received, Media media) {
  out.put("packets", received.packets_received).put("bytes", received.bytes_received);
  out.put("expected", received.packets_expected).put("lost", received.packets_lost);
  out.put("duplicates", received.packets_duplicated).put("reordered", received.packets_reordered);
  put(out, "loss_percent", percent(received.packets_lost, received.packets_expected));
  put(out, "burst_ratio", some(received.packets_lost > 0, received.burst_ratio()));
  put(out, "jitter_ms", some(received.jitter_samples > 0, received.mean_jitter_ms()));
  put(out, "delay_ms", some(received.delay_samples > 0, received.mean_delay_ms()));
  if (media == Media::audio) {
    put(out, "mos_score", some(received.packets_received > 0, received.mos()));
    return;
  }
  out.put("frames_complete", received.frames_complete).put("frames_broken", received.frames_broken);
  out.put("frames_lost", received.frames_lost).put("keyframes_complete", received.keyframes_complete);
  put(out, "frames_complete_percent", percent(received.frames_complete, received.frames()));
  out.put("freezes", received.freeze_count);
  put(out, "freeze_seconds", to_seconds(received.freeze_time));
}

void write_fields(Writer &out, const ParticipantSnapshot &participant, bool has_receiver) {
  out.put("participant_id", participant.id).put("state", name(participant.state));
  out.begin_object("sent");
  write_by_media(out, [&](Media media, Writer &o) { write_fields(o, participant.sent_of(media)); });
  out.end_object();
  if (has_receiver) {
    out.begin_object("received");
    write_by_media(out, [&](Media media, Writer &o) { write_fields(o, participant.received_of(media), media); });
    out.end_object();
  } else {
    out.null("received");
  }
  const auto &delay = participant.delay;
  put(out, "delay_ms", some(delay.packets > 0, delay.total_ms / static_cast<double>(delay.packets)));
  put(out, "delay_max_ms", delay.max_ms);
  put(out, "queue_peak_ms", participant.queue_peak_ms);
  put(out, "rendition_kbps", participant.rendition_kbps);
}

void write_fields(Writer &out, const Verdict &verdict) {
  out.put("result", name(verdict.outcome)).put("exit_code", verdict.exit_code).put("reasons", verdict.reasons);
}

std::string report_json(const RunResult &run, const std::vector<std::string> &spikes_json) {
  const auto totals = totals_of(run);
  Writer out;
  write_facts(out.begin_object(), run);
  write_fields(out.begin_object("verdict"), run.verdict);
  out.end_object();
  write_sent(out, run, totals);
  write_received(out, run, totals);
  write_generator(out, run.generator);
  out.begin_array("spikes");
  for (const auto &spike : spikes_json) out.raw(spike);
  if (spikes_json.empty())
    for (const auto &spike : run.spikes) {
      write_fields(out.begin_object(), spike);
      out.end_object();
    }
  out.end_array().begin_array("thresholds");
  for (const auto &threshold : run.thresholds) write_threshold(out, threshold);
  out.end_array().begin_array("participants");
  for (const auto &participant : run.participants) {
    write_fields(out.begin_object(), participant, run.facts.has_receiver);
    out.end_object();
  }
  out.end_array();
  write_subscribers(out, run);
  out.begin_array("samples");
  for (const auto &sample : run.samples) {
    write_fields(out.begin_object(), sample);
    out.end_object();
  }
  out.end_array().put("warnings", run.facts.warnings).begin_object("environment");
  for (const auto &[key, value] : run.facts.environment) out.put(key, value);
  return out.end_object().end_object().take();
}

}  // namespace avc::results
