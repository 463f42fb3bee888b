// What one peer connection runs on: a GstPipeline with a webrtcbin of its own, its ICE agent set up, one transport for
// everything. What flows through it is the derived class's business: PeerPipeline sends a participant's media,
// ReceivePipeline takes what comes.
//
// A derived class calls end() in its destructor: elements call back until then.
#pragma once

#include <gst/gst.h>

#include <cstdint>
#include <functional>
#include <string>

#include "core/result.hpp"
#include "core/spike/spike.hpp"
#include "elements/support/ptr.hpp"
#include "launcher/results/samples.hpp"
#include "launcher/webrtc/ice.hpp"
#include "launcher/webrtc/sdp.hpp"

namespace avc::webrtc {

// RTP sequence numbers that a participant's streams have used up, modulo 2^16: whoever takes over goes on behind them.
struct Numbers {
  std::uint16_t video = 0, audio = 0;
};

bool is_made_by(GstElement *element, const char *factory);

class Carrier {
 public:
  // Called, on whatever thread, when the other side says that it leaves: webrtcbin keeps that to itself.
  using Left = std::function<void()>;

  virtual ~Carrier();
  Carrier(const Carrier &) = delete;
  Carrier &operator=(const Carrier &) = delete;

  GstElement *pipeline() const { return pipeline_.get(); }
  GstElement *webrtc() const { return webrtc_; }
  Result<bool> play();

  virtual unsigned media() const = 0;                     // of our own offer: audio, video, or both
  virtual bool answers_at_once() const { return false; }  // and never offers: nothing has to be known before
  virtual void describing() {}                            // a description of ours is about to be made
  virtual void described_ourselves(const GstSDPMessage &) {}
  virtual void described(const GstSDPMessage &) {}  // by the other side
  virtual void connected() {}

  // Of those that send: the end of it, spikes, and what has been sent. After halt() numbers() is final.
  virtual void halt() {}
  virtual Numbers numbers() const { return {}; }
  virtual bool inject(const spike::Planned &) { return false; }
  virtual bool cancel(const std::string &) { return false; }
  virtual void read(results::ParticipantSnapshot &) const {}

 protected:
  explicit Carrier(Left left) : left_(std::move(left)) {}
  Result<bool> make(const IceSettings &ice);
  Result<GstElement *> add(const char *factory);
  // One more element inside webrtcbin, on whatever thread made it.
  virtual void inside(GstElement *element) { static_cast<void>(element); }
  void end();

 private:
  Result<bool> set_ice(const IceSettings &ice);
  void look_out_for_the_end(GstElement *dtlsdec);

  const Left left_;
  Ptr<GstElement> pipeline_;
  GstElement *webrtc_ = nullptr;  // the pipeline's
};

}  // namespace avc::webrtc
