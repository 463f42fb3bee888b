// One run of a source, from its first frame to its last: the clip's time line laid onto running time, what the
// settings and the spikes in force do to it, and the packets that come of it. It belongs to the thread that pushes;
// deadlines, pads and orders come from the player.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/media/frame_dropper.hpp"
#include "core/media/source_effects.hpp"
#include "core/media/timeline.hpp"
#include "core/spike/changes.hpp"
#include "elements/media/clip.hpp"
#include "elements/source/output.hpp"
#include "elements/source/packets.hpp"
#include "elements/source/settings.hpp"

namespace avc::source {

// Written by the pushing thread, read by any.
struct Counters {
  std::atomic<guint64> frames_sent{0}, frames_dropped{0}, audio_frames_sent{0}, packets_sent{0}, bytes_sent{0};
  std::atomic<guint64> loops{0}, key_unit_jumps{0};
  std::atomic<guint64> frames_withheld{0};
  std::atomic<std::uint16_t> video_numbers{0}, audio_numbers{0};  // RTP sequence numbers taken, modulo 2^16
  std::atomic<double> bitrate_kbps{0};
  std::atomic<bool> absent{false};
};

// A spike's beginning, or its end, as announced.
struct SpikeChange {
  Instant at;
  std::string id;
  std::optional<spike::SourceEffect> effect{};  // none: the end
  Instant end = Instant::never();               // with a beginning: the planned one
};

class Run {
 public:
  Run(std::shared_ptr<const media::Clip> clip, const Settings &settings, guint group_id, Nanos start,
      Counters &counters);
  Run(const Run &) = delete;
  Run &operator=(const Run &) = delete;

  const Offer &offer() const { return offer_; }
  // How much is handed on together to these outputs; 0: each frame when it is due.
  Nanos ahead(std::span<const std::shared_ptr<Output>> outputs) const;
  std::optional<Nanos> next() const;  // running time of the next frame; none when the clip is over

  void introduce(std::span<const std::shared_ptr<Output>> outputs);

  // Sends the next frame to those outputs that want it. True when somebody did.
  bool emit(const Live &live, std::span<const std::shared_ptr<Output>> outputs);

  void change(SpikeChange change);
  void request_key_unit();                               // at most one jump in 500 ms, none by who is not there
  bool sent_keyframe() const { return sent_keyframe_; }  // with the last emit()
  bool is_of(std::uint32_t ssrc) const { return ssrc == video_.ssrc() || ssrc == audio_.ssrc(); }

 private:
  void apply_changes(Nanos now);
  void choose_rendition(const spike::SourceEffect &effect, Nanos now);
  void withhold(media::Medium medium, Nanos now, Nanos duration, std::span<const std::shared_ptr<Output>> outputs);
  void push_rtp(Output &output, const RtpStream &stream, const Frame &frame, std::span<const FramePayload> payloads);
  bool emit_video(const media::Tick &tick, Nanos now, const spike::SourceEffect &effect,
                  std::span<const std::shared_ptr<Output>> outputs);
  bool emit_audio(const media::Tick &tick, Nanos now, const spike::SourceEffect &effect,
                  std::span<const std::shared_ptr<Output>> outputs);

  std::shared_ptr<const media::Clip> clip_;
  Counters &counters_;
  const Nanos ahead_, end_;
  Nanos start_;  // running time of the output line's beginning
  media::Timeline timeline_;
  RtpStream video_, audio_;
  Offer offer_;

  media::SourceEffects effects_;
  spike::Changes<spike::SourceEffect> changes_;  // that are not due yet
  bool picture_waits_ = false;                   // for a keyframe, after an absence
  media::FrameDropper dropper_;
  bool sent_keyframe_ = false;
  bool was_closed_ = false;  // the gate, at the last frame
  bool was_silent_ = true;   // no talk spurt under way
  std::optional<Nanos> last_jump_;

  std::size_t rendition_ = 0;  // in use
  struct Walk {                // to another rendition
    std::size_t from = 0, to = 0;
    Nanos start{}, transition{};
  } walk_;
};

}  // namespace avc::source
