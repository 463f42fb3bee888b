#include "core/net/layer.hpp"

#include <algorithm>

namespace avc::net {

void Layer::set(const Impairment &s, Instant at) {
  if (s.drop_packets != settings.drop_packets) to_drop = s.drop_packets;
  if (!settings.trace_once || settings.link_trace != s.link_trace) trace_from_ = std::max(at, Instant{});
  settings = s;
  loss.set(s);
  on_off =
      s.off_ms > 0 ? OnOff(rng_.split("on-off"), s.on_ms, s.off_ms, s.switch_times == SwitchTimes::fixed) : OnOff();
  line = line_settings(s, rng_, trace_from_);
  slots = Slots();
  if (s.slot_max_ms > 0)
    slots = Slots(rng_.split("slot"), s.slot_min_ms, s.slot_max_ms, s.slot_packets, s.slot_bytes);
  else if (s.slot_delay_ms > 0)
    slots = Slots(rng_.split("slot"), s.slot_delay_ms, s.slot_jitter_ms, s.slot_distribution, s.delay_table,
                  s.slot_packets, s.slot_bytes);
  mangles = s.duplicate_percent > 0 || s.corrupt_percent > 0 || s.reorder_percent > 0;
  mangle = mangles || s.frame_drop_percent > 0 ? std::make_unique<Mangle>(rng_) : nullptr;
  if (mangle) mangle->set(s);
  delays = s.delay_ms > 0 || s.jitter_ms > 0;
  needs_chance = s.queue_discipline == QueueDiscipline::pie || s.queue_discipline == QueueDiscipline::pi2;
  has_line = line.takes_time() || slots.active();
  loses_some = loses(s) || on_off.active() || to_drop > 0;
  acts = mangles || delays || has_line || loses_some || s.frame_drop_percent > 0 || s.limit_packets > 0;
}

Mark Layer::lost(const Packet &packet, Instant arrival) {
  if (!loses_some) return Mark::none;
  const bool by_model = loss.lost(packet), off = on_off.off(arrival), counted = to_drop > 0;
  if (counted) --to_drop;
  if (off || counted) return Mark::drop;
  if (!by_model) return Mark::none;
  return ecn_of(packet) != Ecn::not_capable ? Mark::ce : Mark::drop;
}

Ecn Layer::ecn_of(const Packet &packet) const {
  if (settings.ecn == EcnMode::off) return Ecn::not_capable;
  if (settings.ecn == EcnMode::marked || packet.ecn != Ecn::not_capable) return packet.ecn;
  return settings.ecn == EcnMode::ect1 ? Ecn::ect1 : Ecn::ect0;
}

double Layer::queue_chance(const Packet &packet, bool copy) const {
  Draws draws = queue_rng_[static_cast<std::size_t>(packet.stream)].at(packet.n);
  const double own = draws.uniform();
  return copy ? draws.uniform() : own;
}

bool Layer::only_loses_or_delays() const {
  return settings.apply_to == ApplyTo::all && !mangle && !has_line && settings.limit_packets == 0;
}

bool Layer::applies_to(const Packet &packet) const {
  switch (settings.apply_to) {
    case ApplyTo::all:
      return true;
    case ApplyTo::video:
      return packet.stream == Stream::video || packet.stream == Stream::rtx;
    case ApplyTo::audio:
      return packet.stream == Stream::audio;
    case ApplyTo::keyframes:
      return packet.keyframe;
    case ApplyTo::headers:
      return packet.headers;
    case ApplyTo::rtcp:
      break;
  }
  return packet.stream == Stream::rtcp || packet.stream == Stream::feedback;
}

}  // namespace avc::net
