#include "core/net/layer.hpp"

namespace avc::net {

void Layer::set(const Impairment &s) {
  settings = s;
  loss.set(s);
  mangle.set(s);
  line = line_settings(s, rng_);
  slots = s.slot_max_ms > 0 ? Slots(rng_.split("slot"), s.slot_min_ms, s.slot_max_ms, s.slot_packets, s.slot_bytes)
                            : Slots();
  mangles = s.duplicate_percent > 0 || s.corrupt_percent > 0 || s.reorder_percent > 0;
  delays = s.delay_ms > 0 || s.jitter_ms > 0;
  has_line = line.takes_time() || slots.active();
  acts = mangles || delays || has_line || loses(s) || s.frame_drop_percent > 0;
}

bool Layer::applies_to(const Packet &packet) const {
  switch (settings.apply_to) {
    case ApplyTo::all:
      return true;
    case ApplyTo::video:
      return packet.stream == Stream::video;
    case ApplyTo::audio:
      return packet.stream == Stream::audio;
    case ApplyTo::keyframes:
      return packet.keyframe;
    case ApplyTo::headers:
      return packet.headers;
    case ApplyTo::rtcp:
      break;
  }
  return packet.stream == Stream::rtcp;
}

}  // namespace avc::net
