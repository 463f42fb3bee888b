// What a network link does to packets: settings only, all with their defaults and units. An Impairment that is
// all defaults changes nothing. A link runs one base Impairment plus one per spike in force; see link.hpp for how
// they compose.
#pragma once

#include <cstdint>

namespace avc::net {

enum class LossModel : std::uint8_t { random, burst };  // the further models of the interface come with issue 3
enum class DelayDistribution : std::uint8_t { uniform, normal };

struct Impairment {
  // Loss
  LossModel loss_model = LossModel::random;
  double loss_percent = 0;  // 0..100, the long-run share in either model
  double burst_length = 4;  // mean packets lost in a row with LossModel::burst, >= 1

  // Delay: delay_ms plus a jitter draw, never below 0
  double delay_ms = 0;   // >= 0
  double jitter_ms = 0;  // normal: standard deviation; uniform: half width
  DelayDistribution delay_distribution = DelayDistribution::normal;
  bool allow_reordering = false;  // true: a packet may overtake one that drew a longer delay

  // Rate, 0 for none: a queue in front of a line of this speed
  double bandwidth_kbps = 0;
  std::uint32_t packet_overhead = 28;  // bytes counted on top of each packet (UDP/IPv4)
  double queue_ms = 200;               // the longest a packet may wait before it is dropped
  std::uint32_t queue_packets = 0;     // 0: no such limit
  std::uint64_t queue_bytes = 0;       // 0: no such limit

  friend bool operator==(const Impairment &, const Impairment &) = default;
};

}  // namespace avc::net
