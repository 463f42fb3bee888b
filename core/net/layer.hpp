// One impairment at work: settings with the chance that belongs to them, ready to be asked about packets.
#pragma once

#include <array>
#include <memory>
#include <string>
#include <string_view>

#include "core/net/delay.hpp"
#include "core/net/impairment.hpp"
#include "core/net/line.hpp"
#include "core/net/loss.hpp"
#include "core/net/mangle.hpp"
#include "core/net/on_off.hpp"
#include "core/net/packet.hpp"
#include "core/random.hpp"

namespace avc::net {

struct Layer {
  Layer(std::string_view name, const Rng &rng) : id(name), loss(rng), delay(rng), rng_(rng) {
    for (std::size_t i = 0; i < kStreamCount; ++i)
      queue_rng_[i] = rng.split(avc::net::name(static_cast<Stream>(i))).split("queue");
  }

  void set(const Impairment &changed, Instant at);
  bool only_loses_or_delays() const;  // every packet, and each alone
  bool applies_to(const Packet &packet) const;
  Mark lost(const Packet &packet, Instant arrival);
  Ecn ecn_of(const Packet &packet) const;  // what the packet says, as far as this impairment heeds it
  double queue_chance(const Packet &packet, bool copy) const;

  std::string id;
  Impairment settings;
  Loss loss;
  Delay delay;
  std::unique_ptr<Mangle> mangle;  // where frames are dropped or `mangles` is true
  LineSettings line;
  Slots slots;
  OnOff on_off;
  std::uint32_t to_drop = 0;  // what is left of drop_packets
  // What of it is in use, found when the settings change.
  bool acts = false;  // on any packet
  bool loses_some = false;
  bool mangles = false;  // duplicates, corrupts or reorders
  bool delays = false;
  bool needs_chance = false;  // the queue draws
  bool has_line = false;      // a speed, a trace or slots

 private:
  Rng rng_;
  std::array<Rng, kStreamCount> queue_rng_;
  Instant trace_from_;  // when a trace that runs once was set
};

}  // namespace avc::net
