// What a network link does to packets: settings only, all with their defaults and units. An Impairment that is
// all defaults changes nothing. A link runs one base Impairment plus one per spike in force; see link.hpp for how
// they compose. Names, ranges and what contradicts what: settings.hpp.
#pragma once

#include <cstdint>
#include <memory>

#include "core/net/pattern.hpp"

namespace avc::net {

class DelayTable;
class LinkTrace;

enum class ApplyTo : std::uint8_t { all, video, audio, keyframes, headers, rtcp };
enum class LossModel : std::uint8_t { random, burst, gilbert_elliott, markov4, pattern };
enum class DelayDistribution : std::uint8_t { uniform, normal, pareto, paretonormal, gamma, table };
enum class SwitchTimes : std::uint8_t { exponential, fixed };
enum class QueueDiscipline : std::uint8_t { droptail, drophead, codel, pie, pi2 };
// Which packets are marked instead of being lost: none, those that say they can be, or all as if they said so.
enum class EcnMode : std::uint8_t { off, marked, ect0, ect1 };

struct Impairment {
  ApplyTo apply_to = ApplyTo::all;  // packets of all other kinds are not touched by this impairment
  double frame_drop_percent = 0;    // whole video frames, by RTP timestamp
  std::uint32_t drop_packets = 0;   // the next so many packets after this number changed

  // Loss
  LossModel loss_model = LossModel::random;
  double loss_percent = 0;      // random and burst: 0..100, the long-run share
  double loss_correlation = 0;  // random: percent, 0..100
  double burst_length = 4;      // burst: mean packets lost in a row, >= 1
  double ge_p = 0, ge_r = -1;   // gilbert_elliott: percent good to bad, bad to good; r -1: 100-p, no memory
  double ge_h = 100, ge_k = 0;  // percent lost in the bad and in the good state: netem's "1-h" and "1-k"
  double markov_p13 = 0;        // markov4: percent from state to state, with netem's defaults
  double markov_p31 = -1;       // -1: 100-p13
  double markov_p32 = 0, markov_p23 = 100, markov_p14 = 0;
  LossPattern loss_pattern;  // pattern: empty loses nothing
  // A link that goes on and off: what arrives while it is off is lost. Mean times, or the exact ones; off 0: never off
  double on_ms = 1000, off_ms = 0;
  SwitchTimes switch_times = SwitchTimes::exponential;

  // Delay: delay_ms plus a jitter draw, never below 0
  double delay_ms = 0;           // >= 0
  double jitter_ms = 0;          // normal: standard deviation; uniform: half width; others: docs/model.md
  double delay_correlation = 0;  // percent, 0..100
  double delay_percent = 100;    // share of packets delayed at all
  DelayDistribution delay_distribution = DelayDistribution::normal;
  std::shared_ptr<const DelayTable> delay_table;  // for `table`
  bool allow_reordering = false;                  // true: a packet may overtake one that drew a longer delay

  // Packets chosen here are sent at once while the others are delayed
  double reorder_percent = 0, reorder_correlation = 0;
  std::uint32_t reorder_gap = 0;  // at least this many packets from one to the next; 0 and 1: no gap

  double duplicate_percent = 0, duplicate_correlation = 0;
  double corrupt_percent = 0, corrupt_correlation = 0;
  bool corrupt_headers = false;  // true: the one bit that changes may lie in the RTP header

  // Rate, 0 for none: a queue in front of a line of this speed
  double bandwidth_kbps = 0;
  std::shared_ptr<const LinkTrace> link_trace;   // the line's capacity in place of a fixed speed
  double trace_offset_ms = -1;                   // place in the trace at time 0; -1: each participant its own
  bool trace_once = false;                       // from the moment it is set, without repeating; then silence
  std::uint64_t burst_bytes = 0;                 // may leave at once after idleness: a token bucket's depth
  std::int32_t packet_overhead = 28;             // bytes counted on top of each packet (UDP/IPv4), or below 0 less
  std::uint32_t cell_bytes = 0;                  // payload of a link-layer cell (ATM 48), 0: no cells
  std::int32_t cell_overhead = 0;                // header of each cell (ATM 5)
  double slot_min_ms = 0, slot_max_ms = 0;       // packets leave in batches this far apart, evenly drawn; max 0: not so
  double slot_delay_ms = 0, slot_jitter_ms = 0;  // or by a distribution, as a delay and its jitter; delay 0: not so
  DelayDistribution slot_distribution = DelayDistribution::normal;
  std::uint32_t slot_packets = 0;  // most packets and bytes in one slot, 0: any number
  std::uint64_t slot_bytes = 0;
  QueueDiscipline queue_discipline = QueueDiscipline::droptail;
  double queue_ms = 200;            // the longest a packet may wait before it is dropped; -1: any time
  std::uint32_t queue_packets = 0;  // 0: no such limit
  std::uint64_t queue_bytes = 0;    // 0: no such limit
  double codel_target_ms = 5, codel_interval_ms = 100;
  double pie_target_ms = 15, pie_burst_ms = 150;
  double pi2_target_ms = 15, pi2_step_ms = 1;
  EcnMode ecn = EcnMode::off;       // the queue and the loss models mark packets in place of dropping them
  std::uint32_t limit_packets = 0;  // most packets on the whole way, delayed ones too, 0: any number

  friend bool operator==(const Impairment &, const Impairment &) = default;
};

}  // namespace avc::net
