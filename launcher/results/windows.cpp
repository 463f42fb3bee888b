#include "launcher/results/windows.hpp"

#include <algorithm>

namespace avc::results {
namespace {

double of(std::int64_t count) { return static_cast<double>(count); }
double of(std::uint64_t count) { return static_cast<double>(count); }

std::optional<double> percent(double part, double whole) {
  return whole > 0 ? std::optional(std::clamp(part / whole * 100, 0.0, 100.0)) : std::nullopt;
}

std::uint64_t grown(std::uint64_t later, std::uint64_t earlier) { return later > earlier ? later - earlier : 0; }

const ParticipantSnapshot kNothing{};

const ParticipantSnapshot &at(const Moment &moment, std::uint32_t id) {
  const auto *found = moment.snapshots ? find(*moment.snapshots, id) : nullptr;
  return found ? *found : kNothing;
}

}  // namespace

Snapshots ordered(std::span<const ParticipantSnapshot> participants) {
  Snapshots out(participants.begin(), participants.end());
  const auto by_id = [](const ParticipantSnapshot &a, const ParticipantSnapshot &b) { return a.id < b.id; };
  if (!std::is_sorted(out.begin(), out.end(), by_id)) std::sort(out.begin(), out.end(), by_id);
  return out;
}

const ParticipantSnapshot *find(const Snapshots &snapshots, std::uint32_t id) {
  const auto found =
      std::lower_bound(snapshots.begin(), snapshots.end(), id,
                       [](const ParticipantSnapshot &each, std::uint32_t want) { return each.id < want; });
  return found != snapshots.end() && found->id == id ? &*found : nullptr;
}

// A counter that went back belongs to a source that began anew: nothing is claimed of that stretch.
SenderCounters operator-(const SenderCounters &later, const SenderCounters &earlier) {
  return {grown(later.packets, earlier.packets),
          grown(later.bytes, earlier.bytes),
          grown(later.lost, earlier.lost),
          grown(later.queue_dropped, earlier.queue_dropped),
          grown(later.frames, earlier.frames),
          grown(later.frames_dropped, earlier.frames_dropped),
          grown(later.duplicated, earlier.duplicated),
          grown(later.corrupted, earlier.corrupted)};
}

SenderCounters &operator+=(SenderCounters &sum, const SenderCounters &other) {
  sum.packets += other.packets;
  sum.bytes += other.bytes;
  sum.lost += other.lost;
  sum.queue_dropped += other.queue_dropped;
  sum.frames += other.frames;
  sum.frames_dropped += other.frames_dropped;
  sum.duplicated += other.duplicated;
  sum.corrupted += other.corrupted;
  return sum;
}

DelayCounters difference(const DelayCounters &later, const DelayCounters &earlier) {
  return {grown(later.packets, earlier.packets), std::max(later.total_ms - earlier.total_ms, 0.0), later.max_ms};
}

std::optional<double> mos_of(const SenderCounters &sent, const ReceiverCounters &received) {
  if (received.packets_expected > 0) return received.mos();
  return sent.packets > 0 ? std::optional(1.0) : std::nullopt;
}

Injected injected_between(const Moment &from, const Moment &to, std::span<const std::uint32_t> ids) {
  Injected out{.from = from.t, .to = to.t};
  SenderCounters all, video;
  DelayCounters delay;
  double queue_peak = 0, rendition = 0;
  std::uint64_t ahead = 0, rtcp = 0, rtcp_lost = 0, flood = 0;
  for (const auto id : ids) {
    const auto &early = at(from, id), &late = at(to, id);
    for (const auto media : kAllMedia) all += late.sent_of(media) - early.sent_of(media);
    video += late.sent_of(Media::video) - early.sent_of(Media::video);
    const auto delayed = difference(late.delay, early.delay);
    delay.packets += delayed.packets;
    delay.total_ms += delayed.total_ms;
    delay.max_ms = std::max(delay.max_ms, delayed.max_ms);
    queue_peak = std::max(queue_peak, late.queue_peak_ms);
    rendition += late.rendition_kbps;
    ahead += grown(late.sent_ahead, early.sent_ahead);
    rtcp += grown(late.rtcp_packets, early.rtcp_packets);
    rtcp_lost += grown(late.rtcp_lost, early.rtcp_lost);
    flood += grown(late.flood_packets, early.flood_packets);
  }
  out.loss_percent = percent(of(all.lost), of(all.packets));
  out.queue_drop_percent = percent(of(all.queue_dropped), of(all.packets));
  out.duplicate_percent = percent(of(all.duplicated), of(all.packets));
  out.corrupt_percent = percent(of(all.corrupted), of(all.packets));
  out.sent_ahead_percent = percent(of(ahead), of(all.packets));
  out.rtcp_loss_percent = percent(of(rtcp_lost), of(rtcp));
  if (delay.packets) {
    out.delay_ms = delay.total_ms / of(delay.packets);
    out.delay_max_ms = delay.max_ms;
  }
  out.queue_peak_ms = queue_peak;
  out.frame_drop_percent = percent(of(video.frames_dropped), of(video.frames + video.frames_dropped));
  if (!ids.empty()) {
    const auto count = static_cast<double>(ids.size());
    if (to.t > from.t) out.kbps = of(all.bytes) * 8 / 1000 / (to.t - from.t) / count;
    if (to.t > from.t) out.flood_per_second = of(flood) / (to.t - from.t) / count;
    if (rendition > 0) out.rendition_kbps = rendition / count;
  }
  return out;
}

Window measured_between(const Moment &from, const Moment &to, std::span<const std::uint32_t> ids) {
  Window out{.from = from.t, .to = to.t};
  ReceiverCounters all, video, audio;
  std::uint64_t made = 0, flood = 0;
  double scores = 0, scored = 0;
  bool seen = false;
  for (const auto id : ids) {
    const auto &early = at(from, id), &late = at(to, id);
    flood += grown(late.flood_seen, early.flood_seen);
    for (const auto media : kAllMedia) {
      const auto received = late.received_of(media) - early.received_of(media);
      const auto sent = late.sent_of(media) - early.sent_of(media);
      all += received;
      (media == Media::video ? video : audio) += received;
      made += sent.packets;
      seen = seen || late.received_of(media).packets_received > 0;
      if (media != Media::audio) continue;
      if (const auto score = mos_of(sent, received)) {
        scores += *score;
        ++scored;
      }
    }
  }
  if (!seen) return out;  // these participants never reached the receiver: it has nothing to say
  out.loss_percent = percent(of(all.packets_lost), of(all.packets_expected));
  if (all.jitter_samples > 0) out.jitter_ms = all.mean_jitter_ms();
  if (all.delay_samples > 0) out.delay_ms = all.mean_delay_ms();
  if (scored > 0) out.mos_score = scores / scored;
  out.delivery_percent = percent(of(all.packets_received), of(made));
  out.duplicate_percent = percent(of(all.packets_duplicated), of(all.packets_received));
  out.reordered_percent = percent(of(all.packets_reordered), of(all.packets_received));
  out.frames_complete_percent = percent(of(video.frames_complete), of(video.frames()));
  if (video.frames() > 0) out.freezes = of(video.freeze_count);
  if (audio.packets_received > 0) out.audio_payload_bytes = of(audio.payload_bytes) / of(audio.packets_received);
  if (to.t > from.t) {
    const double seconds = (to.t - from.t) * static_cast<double>(ids.size());
    out.kbps = of(all.bytes_received) * 8 / 1000 / seconds;
    if (video.packets_received > 0) out.video_kbps = of(video.bytes_received) * 8 / 1000 / seconds;
    out.keyframes_per_minute = of(video.keyframes_complete) / seconds * 60;
    out.flood_per_second = of(flood) / seconds;
    out.fps = of(video.frames_complete + video.frames_broken) / seconds;
  }
  return out;
}

}  // namespace avc::results
