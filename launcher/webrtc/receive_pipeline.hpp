// The GstPipeline of one subscriber: a webrtcbin that only receives, and nothing behind it.
//
//   webrtcbin[ nicesrc ! … dtlssrtpdec ! (counted here) rtpsession (ends here) ]
//
// Packets are counted as they come out of SRTP, in the order and at the time of their arrival. They go on into the
// RTP session, whose reports and transport-wide feedback the sender lives by, and end there: no jitter buffer, no
// decoder, two threads a stream less. Who would have asked for lost packets and keyframes is missing then, so it is
// done here: by negative acknowledgements, and by picture loss indications as long as no keyframe has come.
#pragma once

#include <memory>

#include "core/runtime/guarded.hpp"
#include "core/stats/peer_streams.hpp"
#include "launcher/webrtc/carrier.hpp"

namespace avc::webrtc {

// Outlives the pipeline: what was counted stays to be read.
struct Intake {
  Guarded<stats::PeerStreams> streams;
};

Instant intake_now();  // the clock of all arrivals

class ReceivePipeline final : public Carrier {
 public:
  // `offers`: we describe first what we would like to have (video and audio); else we take what the other side offers.
  static Result<std::unique_ptr<ReceivePipeline>> make(const IceSettings &ice, bool offers,
                                                       std::shared_ptr<Intake> intake, Left left);
  ~ReceivePipeline() override;

  unsigned media() const override { return offers_ ? 2 : 0; }
  bool answers_at_once() const override { return !offers_; }
  void described(const GstSDPMessage &theirs) override;

  // Of every video stream.
  void ask_for_keyframes();

 private:
  ReceivePipeline(bool offers, std::shared_ptr<Intake> intake, Left left)
      : Carrier(std::move(left)), offers_(offers), intake_(std::move(intake)) {}
  Result<bool> build(const IceSettings &ice);
  void inside(GstElement *element) override;
  void watch(GstPad *pad);

  const bool offers_;
  const std::shared_ptr<Intake> intake_;
  Guarded<Ptr<GstPad>> session_;  // where requests go in; none before the transport is there
};

}  // namespace avc::webrtc
