// What is sent to those who watch one participant over RTSP: its media once more, with the clock and base time of its
// test, through its network, into an RTSP media that hands it on to all of them.
//
//   avchaossrc.video_0 ! participanttagger ! spikescheduler ! rtpfunnel ! chaosdegrader ! appsink
//   avchaossrc.audio_0 ! participanttagger ! ────────────────┘
//
// One degrader, so that one capacity and one queue serve both streams; what it lets out is told apart by payload type.
// A pipeline of its own: an RTSP media pauses, and holds up what pushes into it until somebody plays. Packets are given
// to sources there that take them at once, whatever state they are in.
//
// The gate is closed until the media is ready for packets, and again from the moment it has seen the first of each
// stream, which it needs to describe them, until somebody plays. So what waits there is little, and no number is
// missing.
#pragma once

#include <gst/app/gstappsrc.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "core/result.hpp"
#include "elements/support/ptr.hpp"
#include "launcher/rtsp/mounts.hpp"

namespace avc::rtsp {

inline constexpr unsigned kVideoPayload = 96, kAudioPayload = 111;  // as avchaossrc has them

class Chain {
 public:
  // The sources (pay_source.hpp) of video and audio, in this order; both are kept.
  static Result<std::shared_ptr<Chain>> make(const Watched &watched, GstAppSrc *video, GstAppSrc *audio);
  ~Chain();  // on any thread but its own
  Chain(const Chain &) = delete;
  Chain &operator=(const Chain &) = delete;

  std::uint32_t participant() const { return participant_; }
  GstClockTime base_time() const { return gst_element_get_base_time(pipeline_.get()); }

  // Any thread.
  Result<bool> play(const std::vector<spike::Planned> &planned);
  void set_gate(bool open);
  void stop();
  void inject(const spike::Planned &spike);
  void cancel(const std::string &spike_id);

 private:
  enum Stream : std::size_t { kVideo, kAudio, kStreams };

  explicit Chain(std::uint32_t participant) : participant_(participant) {}
  Result<bool> build(const Watched &watched);
  Result<GstElement *> add(const char *factory);
  Result<bool> add_stream(Stream stream, GstElement *funnel);
  void deliver(GstSample *sample);
  void deliver(GstBuffer *packet);

  const std::uint32_t participant_;
  Ptr<GstElement> out_[kStreams];
  bool described_[kStreams] = {};  // caps were handed over; the chain's own thread
  Ptr<GstElement> pipeline_;
  // In the pipeline, and owned by it.
  GstElement *source_ = nullptr, *scheduler_ = nullptr, *degrader_ = nullptr, *taggers_[kStreams] = {};
};

}  // namespace avc::rtsp
