// The GstPipeline of one viewer: the participant's media once more, with the clock and base time of its test, into a
// webrtcbin of its own.
//
//   avchaossrc.video_0 ! participanttagger ! spikescheduler ! webrtcbin[ … its network (network.hpp) ]
//   avchaossrc.audio_0 ! participanttagger ! ─────────────────┘
//
// webrtcbin holds up whoever pushes into it before it is connected, and the thread that pushes here serves other
// participants too. So the source's gate is closed at first: it tells who it is, which is all that negotiation needs,
// and sends media once it is connected, beginning at a keyframe.
//
// One spikescheduler serves both streams: what it says travels with the first of them to the network.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/json/conditions.hpp"
#include "launcher/results/samples.hpp"
#include "launcher/session/chain.hpp"
#include "launcher/webrtc/carrier.hpp"
#include "launcher/webrtc/feedback.hpp"
#include "launcher/webrtc/network.hpp"

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
  unsigned gathering_ms = 2000;  // a description waits so long for candidates
  Numbers numbers;               // that those before it have used
};

class PeerPipeline final : public Carrier {
 public:
  static Result<std::unique_ptr<PeerPipeline>> make(const PeerSettings &settings, const Streams &streams, Left left);
  ~PeerPipeline() override;

  unsigned media() const override { return media_; }
  void describing() override;
  void described_ourselves(const GstSDPMessage &ours) override;
  void connected() override;  // opens the gate

  void halt() override;
  Numbers numbers() const override;
  bool inject(const spike::Planned &spike) override;
  bool cancel(const std::string &spike_id) override;
  void read(results::ParticipantSnapshot &snapshot) const override;

 private:
  PeerPipeline(const PeerSettings &settings, const Streams &streams, Left left)
      : Carrier(std::move(left)),
        adaptive_(settings.adaptive),
        before_(settings.numbers),
        feedback_(settings.participant, streams) {}
  Result<bool> build(const PeerSettings &settings, const Streams &streams);
  Result<bool> add_stream(const char *source_pad, const PeerSettings &settings, const Stream &stream,
                          std::uint16_t numbers);
  void inside(GstElement *element) override;

  const bool adaptive_;
  const Numbers before_;
  Feedback feedback_;
  std::unique_ptr<Network> network_;
  // In the pipeline, and owned by it.
  GstElement *source_ = nullptr, *scheduler_ = nullptr;
  unsigned media_ = 0;
  bool repairs_video_ = false;  // sends again what the viewer misses of it
};

}  // namespace avc::webrtc
