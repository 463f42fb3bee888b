#include "elements/media/assemble.hpp"

#include <algorithm>

#include "elements/media/payload.hpp"

namespace avc::media {
namespace {

constexpr Nanos kUsualFrame = std::chrono::microseconds(33333);

std::string bytes_of(GstBuffer *buffer) {
  std::string bytes(gst_buffer_get_size(buffer), '\0');
  gst_buffer_extract(buffer, 0, bytes.data(), bytes.size());
  return bytes;
}

// How long each unit lasts: until the next; the last as long as it says, or as the one before it.
Nanos duration_of(const std::vector<CodedUnit> &units, std::size_t i) {
  if (i + 1 < units.size()) return units[i + 1].pts - units[i].pts;
  if (units[i].duration > Nanos(0)) return units[i].duration;
  return i > 0 ? units[i].pts - units[i - 1].pts : kUsualFrame;
}

Nanos length_of(const std::vector<CodedUnit> &units) {
  return units.back().pts + duration_of(units, units.size() - 1) - units.front().pts;
}

Result<Prepared::Video> assemble_video(const CodedVideo &video, Nanos length, Stop &stop) {
  auto payloads = payload_video(video, stop);
  if (!payloads) return payloads.error();
  Prepared::Video out{video.kbps, take(gst_caps_to_string(video.caps.get())).get(), {}};
  const Nanos once = length_of(video.units);
  for (Nanos repeat{}; repeat < length; repeat += once) {
    for (std::size_t i = 0; i < video.units.size(); ++i) {
      const CodedUnit &unit = video.units[i];
      const Nanos pts = repeat + unit.pts - video.units.front().pts;
      if (pts >= length) break;
      out.units.push_back({pts, std::min(duration_of(video.units, i), length - pts), unit.keyframe,
                           bytes_of(unit.data.get()), (*payloads)[i].payloads});
    }
  }
  return out;
}

// Slot by slot of 20 ms from `origin`; where the audio has nothing for a slot there is silence.
std::vector<std::string> lay_out(const CodedAudio &audio, Nanos origin, std::size_t count) {
  gint channels = 2;
  gst_structure_get_int(gst_caps_get_structure(audio.caps.get(), 0), "channels", &channels);
  std::vector<std::string> slots(count, opus_silence(static_cast<unsigned>(channels)));
  for (const CodedUnit &packet : audio.units) {
    const Nanos at = packet.pts - origin + kAudioFrame / 2;
    if (at < Nanos(0)) continue;
    const auto slot = static_cast<std::size_t>(at / kAudioFrame);
    if (slot < slots.size()) slots[slot] = bytes_of(packet.data.get());
  }
  return slots;
}

std::vector<std::string> assemble_audio(const CodedAudio &audio, Nanos origin, Nanos length, bool repeat) {
  const ClipTiming timing{length, {}, {}};
  const std::size_t count = timing.audio_frames();
  if (!repeat) return lay_out(audio, origin, count);
  const auto frames = static_cast<std::size_t>((length_of(audio.units) + kAudioFrame / 2) / kAudioFrame);
  const std::size_t once = std::clamp<std::size_t>(frames, 1, std::max<std::size_t>(count, 1));
  std::vector<std::string> slots = lay_out(audio, audio.units.front().pts, once);
  slots.reserve(count);
  while (slots.size() < count) slots.push_back(slots[slots.size() - once]);
  return slots;
}

}  // namespace

Result<Prepared> assemble(const std::vector<CodedVideo> &videos, const CodedAudio &audio, Fit fit, Stop &stop) {
  if (videos.empty() || audio.units.empty()) return Error{"", "nothing came out of its preparation"};
  Prepared prepared;
  for (const CodedVideo &video : videos)
    if (video.units.empty() || video.units.size() != videos[0].units.size())
      return Error{"", "its renditions have different frames"};
  const std::vector<CodedUnit> &leads = fit == Fit::repeat_video ? audio.units : videos[0].units;
  prepared.length = length_of(leads);
  for (const CodedVideo &video : videos) {
    auto assembled = assemble_video(video, prepared.length, stop);
    if (!assembled) return assembled.error();
    prepared.renditions.push_back(std::move(*assembled));
  }
  prepared.audio_caps = take(gst_caps_to_string(audio.caps.get())).get();
  prepared.audio = assemble_audio(audio, leads.front().pts, prepared.length, fit == Fit::repeat_audio);
  return prepared;
}

}  // namespace avc::media
