#include "launcher/results/windows.hpp"

#include <algorithm>
#include <string_view>

#include "launcher/results/text.hpp"

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

std::string with_unit(std::string_view what, double value, std::string_view unit, int decimals) {
  std::string text(what);
  if (!text.empty()) text += ' ';
  text += number(value, decimals);
  if (!unit.empty()) text += ' ' + std::string(unit);
  return text;
}

// The figure of a window that a type of spike is about.
struct Figure {
  std::string_view name, unit;
  std::optional<double> Window::*member;
  int decimals;
};
constexpr Figure kLoss{"loss", "%", &Window::loss_percent, 2};
constexpr Figure kJitter{"jitter", "ms", &Window::jitter_ms, 1};
constexpr Figure kRate{"rate", "kbit/s", &Window::kbps, 0};
constexpr Figure kFrames{"frames", "fps", &Window::fps, 1};
constexpr Figure kWhole{"whole frames", "%", &Window::frames_complete_percent, 1};
constexpr Figure kSilence{"audio", "bytes a packet", &Window::audio_payload_bytes, 1};

std::vector<Figure> figures_of(std::string_view type) {
  if (type == "network_jitter") return {kJitter, kLoss};
  if (type == "bitrate_reduce") return {kRate};
  if (type == "frame_drop") return {kFrames, kLoss};
  if (type == "bandwidth_limit") return {kRate, kLoss, kJitter};
  if (type == "audio_silence") return {kSilence};
  return {kLoss, kWhole};
}

void append(std::string &text, const std::string &piece) {
  if (!piece.empty()) text += (text.empty() ? "" : "; ") + piece;
}

std::string figure_text(const SpikeRecord &spike, const Figure &figure) {
  const auto during = (*spike.during).*figure.member;
  if (!during) return {};
  std::string around;
  const auto add = [&](const char *when, const std::optional<Window> &window) {
    if (window && *window.*figure.member)
      around += (around.empty() ? "" : ", ") + with_unit(when, *(*window.*figure.member), "", figure.decimals);
  };
  add("before", spike.before);
  add("after", spike.after);
  return with_unit(figure.name, *during, figure.unit, figure.decimals) + (around.empty() ? "" : " (" + around + ")");
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
  return {grown(later.packets, earlier.packets), grown(later.bytes, earlier.bytes),
          grown(later.lost, earlier.lost),       grown(later.queue_dropped, earlier.queue_dropped),
          grown(later.frames, earlier.frames),   grown(later.frames_dropped, earlier.frames_dropped)};
}

SenderCounters &operator+=(SenderCounters &sum, const SenderCounters &other) {
  sum.packets += other.packets;
  sum.bytes += other.bytes;
  sum.lost += other.lost;
  sum.queue_dropped += other.queue_dropped;
  sum.frames += other.frames;
  sum.frames_dropped += other.frames_dropped;
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
  }
  out.loss_percent = percent(of(all.lost), of(all.packets));
  out.queue_drop_percent = percent(of(all.queue_dropped), of(all.packets));
  if (delay.packets) {
    out.delay_ms = delay.total_ms / of(delay.packets);
    out.delay_max_ms = delay.max_ms;
  }
  out.queue_peak_ms = queue_peak;
  out.frame_drop_percent = percent(of(video.frames_dropped), of(video.frames + video.frames_dropped));
  if (!ids.empty()) {
    const auto count = static_cast<double>(ids.size());
    if (to.t > from.t) out.kbps = of(all.bytes) * 8 / 1000 / (to.t - from.t) / count;
    if (rendition > 0) out.rendition_kbps = rendition / count;
  }
  return out;
}

Window measured_between(const Moment &from, const Moment &to, std::span<const std::uint32_t> ids) {
  Window out{.from = from.t, .to = to.t};
  ReceiverCounters all, video, audio;
  std::uint64_t made = 0;
  double scores = 0, scored = 0;
  bool seen = false;
  for (const auto id : ids) {
    const auto &early = at(from, id), &late = at(to, id);
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
  if (scored > 0) out.mos_score = scores / scored;
  out.delivery_percent = percent(of(all.packets_received), of(made));
  out.frames_complete_percent = percent(of(video.frames_complete), of(video.frames()));
  if (audio.packets_received > 0) out.audio_payload_bytes = of(audio.payload_bytes) / of(audio.packets_received);
  if (to.t > from.t) {
    const double seconds = (to.t - from.t) * static_cast<double>(ids.size());
    out.kbps = of(all.bytes_received) * 8 / 1000 / seconds;
    out.fps = of(video.frames_complete + video.frames_broken) / seconds;
  }
  return out;
}

std::string injected_text(const SpikeRecord &spike) {
  if (spike.state == SpikeState::refused) return "refused: " + spike.reason;
  if (!spike.injected) return {};
  const auto &injected = *spike.injected;
  const std::string_view type = spike.plan.spike.type;
  std::string text;
  if (type == "audio_silence") append(text, "silent audio");
  if (type == "bitrate_reduce" && injected.rendition_kbps)
    append(text, with_unit("video of", *injected.rendition_kbps, "kbit/s", 0));
  const auto notable = [&](std::string_view what, const std::optional<double> &value, std::string_view unit,
                           int decimals, double least) {
    if (value && *value >= least) append(text, with_unit(what, *value, unit, decimals));
  };
  notable("loss", injected.loss_percent, "%", 2, type == "rtp_packet_loss" ? 0 : 0.005);
  notable("frames left out", injected.frame_drop_percent, "%", 1, type == "frame_drop" ? 0 : 0.05);
  notable("dropped by the queue", injected.queue_drop_percent, "%", 1, type == "bandwidth_limit" ? 0 : 0.05);
  notable("delay", injected.delay_ms, "ms", 1, 0.05);
  if (type == "bandwidth_limit") notable("queue up to", injected.queue_peak_ms, "ms", 0, 0);
  return text;
}

std::string measured_text(const SpikeRecord &spike) {
  if (!spike.during) return {};
  std::string text;
  for (const auto &figure : figures_of(spike.plan.spike.type)) append(text, figure_text(spike, figure));
  if (text.empty()) return "nothing measured";
  const bool mixed = spike.during->overlapped || (spike.before && spike.before->overlapped) ||
                     (spike.after && spike.after->overlapped);
  return text + (mixed ? "; other spikes acted too" : "");
}

}  // namespace avc::results
