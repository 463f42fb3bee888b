// The network of one peer connection: a chaosdegrader where packets leave webrtcbin, and one where they come back.
//
//   … rtpsession ─ srtpenc ─ chaosdegrader ─ nicesink          nicesrc ─ chaosdegrader(way-back) ─ dtlssrtpdec …
//
// Both are put in when webrtcbin makes its transport, before anything flows. What they decide depends on seed and
// participant; the way back has chance of its own, so that a report lost changes nothing about the media. Base
// condition and spikes act on the way out; of the spikes, those that say so (blackout, rtcp_loss) act on the way back
// too: they travel down the way out with the media, and are handed on from there.
#pragma once

#include <gst/gst.h>

#include <cstdint>
#include <memory>
#include <string>

#include "core/json/conditions.hpp"
#include "core/result.hpp"
#include "elements/support/ptr.hpp"

namespace avc::webrtc {

struct NetworkSettings {
  std::uint64_t seed = 0;
  std::string context;  // the thread that sends what the way out has held
  json::Network base;
  std::string decision_log;  // file, of both ways; empty: none
};

class Network {
 public:
  static Result<std::unique_ptr<Network>> make(const NetworkSettings &settings);

  // From webrtcbin's thread. One transport: everything is bundled, so the first of each is the only one.
  void place_before(GstElement *nicesink);
  void place_behind(GstElement *nicesrc);

  void set_rtx_payload_type(unsigned payload_type);  // before media flows; 0: there are no retransmissions
  GstElement *way_out() const { return out_.get(); }
  GstElement *way_back() const { return back_.get(); }

 private:
  Network() = default;
  Ptr<GstElement> out_, back_;
};

}  // namespace avc::webrtc
