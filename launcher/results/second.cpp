#include "launcher/results/second.hpp"

#include <algorithm>

#include "core/stats/mos.hpp"
#include "launcher/results/windows.hpp"

namespace avc::results {
namespace {

double of(std::uint64_t count) { return static_cast<double>(count); }
double of(std::int64_t count) { return static_cast<double>(count); }

double share(double part, double whole) { return whole > 0 ? std::clamp(part / whole * 100, 0.0, 100.0) : 0; }

}  // namespace

void SecondSums::add_scores(const ParticipantSnapshot &before, const ParticipantSnapshot &now) {
  const auto sent = now.sent_of(Media::audio) - before.sent_of(Media::audio);
  const auto &received = now.received_of(Media::audio);
  if (received.packets_received > 0) {
    if (const auto score = mos_of(sent, received - before.received_of(Media::audio))) {
      scores_ += *score;
      ++scored_;
    }
  }
  if (!sent.packets) return;
  const auto delayed = difference(now.delay, before.delay);
  sent_scores_ += stats::mos({.loss_percent = share(of(sent.lost + sent.queue_dropped), of(sent.packets)),
                              .delay_ms = delayed.packets ? delayed.total_ms / of(delayed.packets) : 0});
  ++sent_scored_;
}

void SecondSums::add(const ParticipantSnapshot &before, const ParticipantSnapshot &now) {
  if (now.state == ParticipantState::running) ++running_;
  for (const auto media : kAllMedia) {
    const auto received = now.received_of(media) - before.received_of(media);
    sent_ += now.sent_of(media) - before.sent_of(media);
    received_ += received;
    if (media == Media::video) video_ += received;
  }
  const auto delayed = difference(now.delay, before.delay);
  delay_.packets += delayed.packets;
  delay_.total_ms += delayed.total_ms;
  queue_ms_ = std::max(queue_ms_, now.queue_ms);
  if (now.seen()) ++seen_;
  add_scores(before, now);
}

Sample::Received SecondSums::received(const Sample &previous, double seconds) const {
  const auto before = previous.received.value_or(Sample::Received{});
  Sample::Received out;
  out.packets = before.packets + static_cast<std::uint64_t>(std::max<std::int64_t>(received_.packets_received, 0));
  out.lost = before.lost + received_.packets_lost;
  out.loss_percent = share(of(received_.packets_lost), of(received_.packets_expected));
  out.jitter_ms = received_.jitter_samples > 0 ? received_.mean_jitter_ms() : 0;
  if (received_.delay_samples > 0) out.delay_ms = received_.mean_delay_ms();
  if (scored_ > 0) out.mos_score = scores_ / scored_;
  if (video_.frames() > 0) out.frames_complete_percent = share(of(video_.frames_complete), of(video_.frames()));
  out.freezes = before.freezes + static_cast<std::uint64_t>(std::max<std::int64_t>(video_.freeze_count, 0));
  out.kbps = of(received_.bytes_received) * 8 / 1000 / seconds;
  if (running_) out.fps = of(video_.frames_complete + video_.frames_broken) / seconds / running_;
  out.participants_seen = seen_;
  return out;
}

Sample SecondSums::sample(const Sample &previous, double t, double seconds, bool has_receiver,
                          const GeneratorHealth &generator) const {
  Sample out{.t = t, .participants = running_};
  out.sent.packets = previous.sent.packets + sent_.packets;
  out.sent.bytes = previous.sent.bytes + sent_.bytes;
  out.sent.frames = previous.sent.frames + sent_.frames;
  out.sent.packets_per_second = of(sent_.packets) / seconds;
  out.sent.kbps = of(sent_.bytes) * 8 / 1000 / seconds;
  out.sent.lost_percent = share(of(sent_.lost + sent_.queue_dropped), of(sent_.packets));
  out.sent.delay_ms = delay_.packets ? delay_.total_ms / of(delay_.packets) : 0;
  out.sent.queue_ms = queue_ms_;
  if (sent_scored_ > 0) out.sent.mos_score = sent_scores_ / sent_scored_;
  if (has_receiver) {
    out.received = received(previous, seconds);
    out.sent.jitter_ms = out.received->jitter_ms;
  }
  const MachineUse &use = generator.second_use;
  const double all = use.seconds * use.processors;
  out.generator = {generator.late_p99_ms,        generator.send_errors,           generator.receiver_kernel_drops,
                   generator.second_late_p99_ms, share(use.own_cpu_seconds, all), share(use.steal_seconds, all),
                   use.involuntary_switches};
  return out;
}

}  // namespace avc::results
