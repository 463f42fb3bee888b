// The GstPipeline of one viewer: the participant's media once more, with the clock and base time of its test, into a
// webrtcbin of its own.
//
//   avchaossrc.video_0 ! participanttagger ! spikescheduler ! webrtcbin[ … its network (network.hpp) ]
//   avchaossrc.audio_0 ! participanttagger ! ─────────────────┘
//
// webrtcbin holds up whoever pushes into it before it is connected, and the thread that pushes here serves other
// participants too. So the source's gate is closed at first: it tells who it is, which is all that negotiation needs,
// and sends media from open_gate() on, beginning at a keyframe.
//
// One spikescheduler serves both streams: what it says travels with the first of them to the network.
#pragma once

#include <gst/gst.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/json/conditions.hpp"
#include "core/result.hpp"
#include "elements/support/ptr.hpp"
#include "launcher/results/samples.hpp"
#include "launcher/session/chain.hpp"
#include "launcher/webrtc/feedback.hpp"
#include "launcher/webrtc/ice.hpp"
#include "launcher/webrtc/network.hpp"
#include "launcher/webrtc/sdp.hpp"

namespace avc::webrtc {

struct PeerSettings {
  std::uint32_t participant = 0;
  std::uint64_t seed = 0;
  std::string context;  // the thread it shares
  GstClockTime base_time = 0;
  session::MediaSettings media;
  json::Network network;
  std::vector<spike::Planned> planned;  // those that address it and are not over
  std::string decision_log;             // file; empty: none
  bool adaptive = true;                 // its rendition follows what the path carries
  IceSettings ice;
};

class PeerPipeline {
 public:
  // `left` is called, on whatever thread, when the viewer says that it leaves: webrtcbin keeps that to itself.
  using Left = std::function<void()>;
  static Result<std::unique_ptr<PeerPipeline>> make(const PeerSettings &settings, const Streams &streams, Left left);
  ~PeerPipeline();
  PeerPipeline(const PeerPipeline &) = delete;
  PeerPipeline &operator=(const PeerPipeline &) = delete;

  GstElement *pipeline() const { return pipeline_.get(); }
  GstElement *webrtc() const { return webrtc_; }
  unsigned media() const { return media_; }  // audio, video, or both
  bool repairs_video() const { return repairs_video_; }
  void set_rtx_payload_type(unsigned payload_type) { network_->set_rtx_payload_type(payload_type); }

  Result<bool> play();
  void open_gate();
  bool inject(const spike::Planned &spike);
  bool cancel(const std::string &spike_id);
  void read(results::ParticipantSnapshot &snapshot) const;

 private:
  PeerPipeline(const PeerSettings &settings, const Streams &streams, Left left)
      : left_(std::move(left)), adaptive_(settings.adaptive), feedback_(settings.participant, streams) {}
  Result<GstElement *> add(const char *factory);
  Result<bool> build(const PeerSettings &settings, const Streams &streams);
  Result<bool> add_stream(const char *source_pad, const PeerSettings &settings, const Stream &stream);
  Result<bool> set_ice(const IceSettings &ice);
  void look_out_for_the_end(GstElement *dtlsdec);

  const Left left_;
  const bool adaptive_;
  Feedback feedback_;
  Ptr<GstElement> pipeline_;
  std::unique_ptr<Network> network_;
  // In the pipeline, and owned by it.
  GstElement *webrtc_ = nullptr, *source_ = nullptr, *scheduler_ = nullptr;
  unsigned media_ = 0;
  bool repairs_video_ = false;  // sends again what the viewer misses of it
};

}  // namespace avc::webrtc
