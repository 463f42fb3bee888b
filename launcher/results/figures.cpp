#include "launcher/results/figures.hpp"

#include <algorithm>
#include <cmath>
#include <string_view>

#include "core/net/link_trace.hpp"
#include "core/spike/effect.hpp"
#include "launcher/results/text.hpp"

namespace avc::results {
namespace {

enum class Show : std::uint8_t { always, if_changed };

struct Kind {
  std::string_view name, unit;
  int decimals;
  std::optional<double> Window::*measured;  // none: a receiver cannot see it
  double noticeable;                        // a smaller change is none
};
constexpr Kind kLoss{"packet loss", "%", 1, &Window::loss_percent, 0.1};
constexpr Kind kDelay{"delay", "ms", 1, &Window::delay_ms, 5};
constexpr Kind kJitter{"jitter", "ms", 1, &Window::jitter_ms, 1};
constexpr Kind kRate{"bitrate", "kbit/s", 0, &Window::kbps, 20};
constexpr Kind kVideoRate{"video bitrate", "kbit/s", 0, &Window::video_kbps, 20};
constexpr Kind kFrameRate{"frame rate", "fps", 1, &Window::fps, 0.5};
constexpr Kind kLeftOut{"frames left out", "%", 1, nullptr, 0.1};
constexpr Kind kAudioSize{"audio packet", "bytes", 0, &Window::audio_payload_bytes, 5};
constexpr Kind kWhole{"whole frames", "%", 1, &Window::frames_complete_percent, 1};
constexpr Kind kFreezes{"freezes", "", 0, &Window::freezes, 1};
constexpr Kind kDelivered{"delivered", "%", 1, &Window::delivery_percent, 0.5};
constexpr Kind kDuplicates{"duplicates", "%", 1, &Window::duplicate_percent, 0.1};
constexpr Kind kOvertaking{"sent ahead of others", "%", 1, nullptr, 0.1};
constexpr Kind kOutOfOrder{"out of order", "%", 1, &Window::reordered_percent, 0.1};
constexpr Kind kCorrupt{"corrupted", "%", 1, nullptr, 0.1};
constexpr Kind kKeyframes{"whole keyframes", "/min", 0, &Window::keyframes_per_minute, 1};
constexpr Kind kRtcpLoss{"RTCP loss", "%", 1, nullptr, 0.1};
constexpr Kind kFlood{"flood packets", "/s", 0, &Window::flood_per_second, 1};
constexpr Kind kAway{"without connection", "ms", 0, nullptr, 1};
constexpr Kind kMos{"audio MOS", "", 2, &Window::mos_score, 0.1};

Figure figure(const SpikeRecord &spike, const Kind &kind, std::optional<double> injected) {
  Figure out{std::string(kind.name), std::string(kind.unit), kind.decimals, injected, {}, {}, {}};
  const auto value = [&](const std::optional<Window> &window) {
    return window && kind.measured ? *window.*kind.measured : std::nullopt;
  };
  out.before = value(spike.before);
  out.during = value(spike.during);
  out.after = value(spike.after);
  return out;
}

bool changed(const Figure &figure, const Kind &kind) {
  if (figure.injected && *figure.injected >= kind.noticeable) return true;
  const auto differs = [&](const std::optional<double> &value) {
    return value && figure.during && std::abs(*value - *figure.during) >= kind.noticeable;
  };
  return differs(figure.before) || differs(figure.after);
}

bool has_any(const Figure &figure) { return figure.injected || figure.before || figure.during || figure.after; }

std::optional<double> sum(const std::optional<double> &a, const std::optional<double> &b) {
  return a || b ? std::optional(a.value_or(0) + b.value_or(0)) : std::nullopt;
}

// Of the line that the spike asks for, as far as it is known without its file.
std::optional<double> capacity_kbps(const SpikeRecord &spike) {
  const auto effect = spike::effect_of(spike.plan.spike.type, spike.plan.spike.effective());
  if (!effect) return std::nullopt;
  if (effect->link.link_trace) return effect->link.link_trace->mean_kbps();
  return effect->link.bandwidth_kbps > 0 ? std::optional(effect->link.bandwidth_kbps) : std::nullopt;
}

// The longest of all participants.
std::optional<double> away_ms(const SpikeRecord &spike) {
  const auto longest = std::ranges::max_element(spike.replaced_ms);
  return longest != spike.replaced_ms.end() ? std::optional(*longest) : std::nullopt;
}

std::optional<double> passed_percent(const Injected &injected) {
  const auto taken = sum(injected.loss_percent, injected.queue_drop_percent);
  return taken ? std::optional(100 - *taken) : std::nullopt;
}

std::string with_unit(std::string_view what, double value, std::string_view unit, int decimals) {
  std::string text(what);
  if (!text.empty()) text += ' ';
  text += number(value, decimals);
  if (!unit.empty()) text += ' ' + std::string(unit);
  return text;
}

void append(std::string &text, const std::string &piece) {
  if (!piece.empty()) text += (text.empty() ? "" : "; ") + piece;
}

std::string measured_text(const Figure &figure) {
  if (!figure.during) return {};
  std::string around;
  const auto add = [&](const char *when, const std::optional<double> &value) {
    if (value) around += (around.empty() ? "" : ", ") + with_unit(when, *value, "", figure.decimals);
  };
  add("before", figure.before);
  add("after", figure.after);
  return with_unit(figure.name, *figure.during, figure.unit, figure.decimals) +
         (around.empty() ? "" : " (" + around + ")");
}

}  // namespace

std::vector<Figure> figures_of(const SpikeRecord &spike) {
  std::vector<Figure> out;
  if (!spike.injected) return out;
  const auto &injected = *spike.injected;
  const std::string_view type = spike.plan.spike.type;
  const auto add = [&](const Kind &kind, std::optional<double> value, Show show) {
    Figure each = figure(spike, kind, value);
    if (has_any(each) && (show == Show::always || changed(each, kind))) out.push_back(std::move(each));
  };
  const auto about = [&](std::string_view wanted) { return type == wanted ? Show::always : Show::if_changed; };
  const bool condition = type == "network_profile" || type == "link_trace";
  if (type == "bandwidth_limit" || condition) add(kRate, capacity_kbps(spike), Show::always);
  if (type == "participant_leave") add(kRate, 0, Show::always);
  if (spike::needs_connection(type)) {
    add(kAway, away_ms(spike), Show::always);
    add(kRate, {}, Show::always);
  }
  if (type == "packet_flood") add(kFlood, injected.flood_per_second, Show::always);
  if (type == "blackout") add(kDelivered, passed_percent(injected), Show::always);
  if (type == "rtcp_loss") add(kRtcpLoss, injected.rtcp_loss_percent, Show::always);
  if (type == "keyframe_loss") add(kKeyframes, {}, Show::always);
  if (type == "bitrate_reduce") add(kVideoRate, injected.rendition_kbps, Show::always);
  if (type == "frame_drop") {
    add(kLeftOut, injected.frame_drop_percent, Show::always);
    add(kFrameRate, {}, Show::always);
  }
  if (type == "audio_silence") add(kAudioSize, {}, Show::always);
  add(kDuplicates, injected.duplicate_percent, about("packet_duplicate"));
  add(kOvertaking, injected.sent_ahead_percent, about("packet_reorder"));
  add(kOutOfOrder, {}, about("packet_reorder"));
  add(kCorrupt, injected.corrupt_percent, about("packet_corrupt"));
  const bool holes = type == "rtp_packet_loss" || type == "keyframe_loss" || type == "sequence_jump" || condition;
  const bool times = type == "network_jitter" || type == "timestamp_jump" || condition;
  add(kLoss, sum(injected.loss_percent, injected.queue_drop_percent), holes ? Show::always : Show::if_changed);
  add(kDelay, injected.delay_ms, times ? Show::always : Show::if_changed);
  add(kJitter, {}, times ? Show::always : Show::if_changed);
  add(kWhole, {}, Show::if_changed);
  add(kFreezes, {}, Show::if_changed);
  add(kMos, {}, Show::if_changed);
  return out;
}

bool mixed(const SpikeRecord &spike) {
  const auto overlapped = [](const std::optional<Window> &window) { return window && window->overlapped; };
  return overlapped(spike.before) || overlapped(spike.during) || overlapped(spike.after);
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
  if (type == "participant_leave") append(text, "away");
  if (spike::needs_connection(type)) {
    append(text, "connections replaced: " + std::to_string(spike.replaced_ms.size()));
    notable("away up to", away_ms(spike), "ms", 0, 0);
  }
  if (type == "ssrc_change") append(text, "another SSRC");
  if (type == "timestamp_jump" || type == "sequence_jump") append(text, "headers changed");
  if (type == "packet_flood") notable("", injected.flood_per_second, "packets/s", 0, 0);
  const bool loses = type == "rtp_packet_loss" || type == "blackout" || type == "keyframe_loss";
  notable("loss", injected.loss_percent, "%", 2, loses ? 0 : 0.005);
  notable("RTCP loss", injected.rtcp_loss_percent, "%", 1, type == "rtcp_loss" ? 0 : 0.05);
  notable("duplicates", injected.duplicate_percent, "%", 2, type == "packet_duplicate" ? 0 : 0.005);
  notable("sent ahead of others", injected.sent_ahead_percent, "%", 1, type == "packet_reorder" ? 0 : 0.05);
  notable("corrupted", injected.corrupt_percent, "%", 2, type == "packet_corrupt" ? 0 : 0.005);
  notable("frames left out", injected.frame_drop_percent, "%", 1, type == "frame_drop" ? 0 : 0.05);
  notable("dropped by the queue", injected.queue_drop_percent, "%", 1, type == "bandwidth_limit" ? 0 : 0.05);
  notable("delay", injected.delay_ms, "ms", 1, 0.05);
  if (type == "bandwidth_limit") notable("queue up to", injected.queue_peak_ms, "ms", 0, 0);
  return text;
}

std::string measured_text(const SpikeRecord &spike) {
  if (!spike.during) return {};
  std::string text;
  for (const auto &each : figures_of(spike)) append(text, measured_text(each));
  if (text.empty()) return "nothing measured";
  return text + (mixed(spike) ? "; other spikes acted too" : "");
}

}  // namespace avc::results
