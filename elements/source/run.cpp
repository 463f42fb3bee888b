#include "elements/source/run.hpp"

#include <algorithm>

#include "core/media/ladder.hpp"
#include "core/participant/participant.hpp"

namespace avc::source {
namespace {

constexpr Nanos kJumpDistance = std::chrono::milliseconds(500);
constexpr std::uint32_t kVideoRate = 90000, kAudioRate = 48000;

Rng rng_of(const Settings &settings) { return Rng(settings.seed).split(settings.participant_id); }

media::StartPoint start_point(const media::Clip &clip, const Settings &settings) {
  media::StartPoint start{std::chrono::milliseconds(settings.start_offset_ms), Nanos(0)};
  if (settings.start_offset_ms < 0) start = media::spread_start(clip.timing, settings.participant_id);
  if (settings.start_at_ms >= 0) start.delay = Nanos(0);  // whoever sets times has spread them
  return start;
}

double keyframe_share(const media::Clip &clip) {
  return static_cast<double>(clip.timing.keyframes.size()) / static_cast<double>(clip.timing.video.size());
}

Ptr<GstCaps> rtp_caps(const RtpStream &stream, const char *medium, const char *encoding) {
  return take(gst_caps_new_simple("application/x-rtp", "media", G_TYPE_STRING, medium, "payload", G_TYPE_INT,
                                  int{stream.payload_type()}, "clock-rate", G_TYPE_INT, int(stream.clock_rate()),
                                  "encoding-name", G_TYPE_STRING, encoding, "ssrc", G_TYPE_UINT, stream.ssrc(),
                                  "timestamp-offset", G_TYPE_UINT, stream.first_timestamp(), "seqnum-offset",
                                  G_TYPE_UINT, guint{stream.first_sequence()}, nullptr));
}

Ptr<GstCaps> video_caps(const media::Clip &clip, const RtpStream &stream) {
  auto caps = rtp_caps(stream, "video", "H264");
  gst_caps_set_simple(caps.get(), "packetization-mode", G_TYPE_STRING, "1", nullptr);
  if (!clip.profile_level_id.empty())
    gst_caps_set_simple(caps.get(), "profile-level-id", G_TYPE_STRING, clip.profile_level_id.c_str(), nullptr);
  gst_caps_append(caps.get(), gst_caps_copy(clip.renditions[0].caps.get()));
  return caps;
}

Ptr<GstCaps> audio_caps(const media::Clip &clip, const RtpStream &stream) {
  auto caps = rtp_caps(stream, "audio", "OPUS");
  gst_caps_set_simple(caps.get(), "encoding-params", G_TYPE_STRING, "2", nullptr);
  gst_caps_append(caps.get(), gst_caps_copy(clip.audio_caps.get()));
  return caps;
}

}  // namespace

Run::Run(std::shared_ptr<const media::Clip> clip, const Settings &settings, guint group_id, Nanos start,
         Counters &counters)
    : clip_(std::move(clip)),
      counters_(counters),
      ahead_(std::chrono::milliseconds(settings.ahead_ms)),
      end_(settings.duration_ms > 0 ? Nanos(std::chrono::milliseconds(settings.duration_ms)) : Nanos::max()),
      start_(start),
      timeline_(clip_->timing, start_point(*clip_, settings), settings.loop),
      video_(participant::identity_of(settings.participant_id).video_ssrc, participant::kVideoPayloadType, kVideoRate,
             rng_of(settings).split("video")),
      audio_(participant::identity_of(settings.participant_id).audio_ssrc, participant::kAudioPayloadType, kAudioRate,
             rng_of(settings).split("audio")),
      offer_{[this](media::Medium medium) {
               return medium == media::Medium::video ? video_caps(*clip_, video_) : audio_caps(*clip_, audio_);
             },
             {settings.participant_id, video_.ssrc(), audio_.ssrc(), video_.payload_type(), audio_.payload_type(),
              settings.seed},
             group_id},
      dropper_(keyframe_share(*clip_), rng_of(settings).split("frame-drop").at(0).uniform()) {
  rendition_ = media::pick_rendition(clip_->kbps, settings.max_bitrate_kbps);
  walk_.from = walk_.to = rendition_;
  counters_.bitrate_kbps = clip_->kbps[rendition_];
  counters_.absent = false;
}

std::optional<Nanos> Run::next() const {
  const auto tick = timeline_.peek();
  return tick && start_ + tick->at < end_ ? std::optional(start_ + tick->at) : std::nullopt;
}

Nanos Run::ahead(std::span<const std::shared_ptr<Output>> outputs) const {
  const auto takes = [](const auto &output) { return output->takes_ahead(); };
  return std::ranges::all_of(outputs, takes) ? ahead_ : Nanos(0);
}

void Run::request_key_unit() {
  const auto now = next();
  if (!now || counters_.absent || (last_jump_ && *now - *last_jump_ < kJumpDistance)) return;
  if (!timeline_.jump_to_keyframe()) return;
  last_jump_ = now;
  ++counters_.key_unit_jumps;
}

void Run::change(SpikeChange change) {
  if (change.effect)
    changes_.start(change.id, change.at, change.end, *change.effect);
  else
    changes_.end(change.id, change.at);
}

void Run::apply_changes(Nanos now) {
  while (const auto change = changes_.take_due({now})) {
    if (change->effect)
      effects_.put(change->id, *change->effect);
    else
      effects_.remove(change->id);
  }
}

void Run::introduce(std::span<const std::shared_ptr<Output>> outputs) {
  for (const auto &output : outputs) output->ready(offer_);
}

bool Run::emit(const Live &live, std::span<const std::shared_ptr<Output>> outputs) {
  sent_keyframe_ = false;
  // A gate that opens does so at a keyframe.
  if (was_closed_ && live.gate_open) timeline_.jump_to_keyframe();
  was_closed_ = !live.gate_open;
  const media::Tick tick = *timeline_.peek();
  const Nanos now = start_ + tick.at;
  timeline_.advance();
  counters_.loops = tick.loop;
  apply_changes(now);

  spike::SourceEffect base;
  if (live.max_bitrate_kbps > 0) base.max_bitrate_kbps = live.max_bitrate_kbps;
  base.frame_drop_percent = live.frame_drop_percent;
  base.audio_silence = live.audio_silence;
  const spike::SourceEffect effect = effects_.over(base);
  counters_.absent = effect.absent;
  picture_waits_ |= effect.absent;
  if (tick.medium == media::Medium::video) choose_rendition(effect, now);
  bool wanted = false;
  for (const auto &output : outputs) wanted |= output->ready(offer_) && output->takes(tick.medium);
  if (!wanted || !live.gate_open) return false;
  return tick.medium == media::Medium::video ? emit_video(tick, now, effect, outputs)
                                             : emit_audio(tick, now, effect, outputs);
}

void Run::choose_rendition(const spike::SourceEffect &effect, Nanos now) {
  const std::size_t target = media::pick_rendition(clip_->kbps, effect.max_bitrate_kbps.value_or(0));
  if (target != walk_.to) walk_ = {rendition_, target, now, effect.transition};
}

void Run::push_rtp(Output &output, const RtpStream &stream, const Frame &frame,
                   std::span<const FramePayload> payloads) {
  if (output.form() != Output::Form::frames) return output.push(make_packets(stream, frame, payloads));
  auto &packets = output.gather(clip_);
  const std::size_t before = packets.size();
  append_packets(stream, frame, payloads, packets);
  if (!output.takes_ahead()) return;
  for (FramePacket &packet : std::span(packets).subspan(before)) packet.due = packet.time;
}

// The frame has had its place and its numbers; downstream is told that time goes on.
void Run::withhold(media::Medium medium, Nanos now, Nanos duration, std::span<const std::shared_ptr<Output>> outputs) {
  for (const auto &output : outputs) {
    if (output->takes(medium) && output->ready(offer_)) output->gap(now, duration);
  }
  ++counters_.frames_withheld;
}

bool Run::emit_video(const media::Tick &tick, Nanos now, const spike::SourceEffect &effect,
                     std::span<const std::shared_ptr<Output>> outputs) {
  const bool keyframe = clip_->renditions[0].units[tick.index].keyframe;
  if (dropper_.drop(effect.frame_drop_percent, keyframe)) {
    ++counters_.frames_dropped;
    return false;
  }
  if (keyframe) {
    rendition_ = media::rendition_on_the_way(walk_.from, walk_.to, now - walk_.start, walk_.transition);
    counters_.bitrate_kbps = clip_->kbps[rendition_];
  }
  const media::Rendition &rendition = clip_->renditions[rendition_];
  const media::AccessUnit &unit = rendition.units[tick.index];
  const std::span payloads(&rendition.payloads[unit.first_payload], unit.payloads);
  const Frame frame{now, unit.duration, !keyframe, video_.take_sequence(unit.payloads), true};
  counters_.video_numbers = video_.numbers_taken();
  picture_waits_ &= effect.absent || !keyframe;
  if (picture_waits_) {
    withhold(tick.medium, now, unit.duration, outputs);
    return false;
  }
  std::size_t payload_bytes = 0;
  for (const FramePayload &payload : payloads) payload_bytes += payload.bytes.size();
  for (const auto &output : outputs) {
    if (!output->takes(media::Medium::video) || !output->ready(offer_)) continue;
    if (output->form() == Output::Form::coded)
      output->push(make_coded(frame, unit.coded.get(), unit.headers));
    else
      push_rtp(*output, video_, frame, payloads);
  }
  sent_keyframe_ = keyframe;
  ++counters_.frames_sent;
  counters_.packets_sent += unit.payloads;
  counters_.bytes_sent += payload_bytes + unit.payloads * std::size_t{12};
  return true;
}

bool Run::emit_audio(const media::Tick &tick, Nanos now, const spike::SourceEffect &effect,
                     std::span<const std::shared_ptr<Output>> outputs) {
  const FramePayload &payload = effect.audio_silence ? clip_->silence : clip_->audio[tick.index];
  const bool spurt_begins = was_silent_ && !effect.audio_silence;
  was_silent_ = effect.audio_silence;
  const Frame frame{now, media::kAudioFrame, false, audio_.take_sequence(1), spurt_begins};
  counters_.audio_numbers = audio_.numbers_taken();
  if (effect.absent) {
    withhold(tick.medium, now, media::kAudioFrame, outputs);
    return false;
  }
  for (const auto &output : outputs) {
    if (!output->takes(media::Medium::audio) || !output->ready(offer_)) continue;
    if (output->form() == Output::Form::coded)
      output->push(make_coded(frame, payload.memory.get(), false));
    else
      push_rtp(*output, audio_, frame, {&payload, 1});
  }
  ++counters_.audio_frames_sent;
  ++counters_.packets_sent;
  counters_.bytes_sent += payload.bytes.size() + 12;
  return true;
}

}  // namespace avc::source
