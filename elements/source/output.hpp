// One source pad: what its consumer takes (ready RTP, one way or the other, or coded frames), the events that go before
// the first frame, and what downstream last answered. A pad whose consumer has gone or had enough is skipped and holds
// nobody up.
//
// All of it belongs to the thread that pushes, except reset(), which is called when nobody does.
#pragma once

#include <gst/gst.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/media/timeline.hpp"
#include "elements/support/chaos_events.hpp"
#include "elements/support/footprint.hpp"
#include "elements/support/ptr.hpp"
#include "elements/support/rtp_frame.hpp"

namespace avc::source {

enum class Kind { video, audio, both };

// What a source can send, and who it is.
struct Offer {
  std::function<Ptr<GstCaps>(media::Medium)> caps;  // RTP first, then coded; made when they are asked for
  ParticipantInfo participant;
  guint group_id = 0;
};

class Output {
 public:
  Output(GstElement *element, GstPad *pad, Kind kind)
      : element_(element), kept_(take(GST_PAD(gst_object_ref_sink(pad)))), pad_(pad), kind_(kind) {}

  GstPad *pad() const { return pad_; }
  bool takes(media::Medium medium) const;
  enum class Form { coded, packets, frames };
  Form form() const { return form_; }

  // Sees to it that events have gone before the next frame. False when nothing can be sent now.
  bool ready(const Offer &offer);
  void push(Ptr<GstBufferList> list);
  void push(Ptr<GstBuffer> buffer);
  // Of a form that is frames: where the next packets are put, whose payloads `owner` keeps. They leave with flush(),
  // and before anything else.
  std::vector<FramePacket> &gather(const std::shared_ptr<const void> &owner);
  void flush();
  bool takes_ahead() const { return ahead_; }      // of their time: it is kept downstream
  void gap(Nanos running_time, Nanos duration);    // in place of a frame
  void send(const Offer &offer, GstEvent *event);  // keeps nothing

  void reset() {
    begun_ = segment_sent_ = negotiated_ = over_ = false;
    gathered_.clear();
  }

 private:
  void begin(const Offer &offer);
  bool negotiate(const Offer &offer);
  void note(GstFlowReturn flow);

  GstElement *element_;
  Ptr<GstPad> kept_;  // a pad may be released while the thread that pushes is on its way to it
  GstPad *pad_;
  Kind kind_;
  bool begun_ = false;         // stream-start has gone
  bool segment_sent_ = false;  // and so has everything else that goes once
  bool negotiated_ = false;
  Form form_ = Form::packets;
  bool ahead_ = false;
  Footprint footprint_;                // of a form that is frames
  std::vector<FramePacket> gathered_;  // its room is the thread's: it is of use for a moment, and by turns to all
  std::shared_ptr<const void> owner_;  // of theirs
  bool over_ = false;                  // downstream wants no more, until it is linked anew
};

}  // namespace avc::source
