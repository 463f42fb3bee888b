// What a receiver knows of one stream, as plain numbers: copied out of a Receiver at one moment, subtracted from a
// later copy to describe the time between them, and added up over streams.
//
// Counters are signed, because some go down again when a packet comes after it had been taken for lost: in the
// difference of two snapshots that is a small negative number and belongs there.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "core/time.hpp"

namespace avc::stats {

struct StreamStats {
  static constexpr std::size_t kRunLengths = 16;

  // Sequence numbers (RFC 3550 A.1, A.3). Duplicates are no part of received; lost = expected - received.
  std::int64_t packets_received = 0;
  std::int64_t packets_expected = 0;
  std::int64_t packets_lost = 0;
  std::int64_t packets_duplicated = 0;
  std::int64_t packets_reordered = 0;  // came after one with a higher number
  std::int64_t bytes_received = 0;     // whole RTP packets
  std::int64_t payload_bytes = 0;      // without headers and padding (bytesReceived of W3C webrtc-stats)
  std::int64_t restarts = 0;           // the sender began a new row of sequence numbers

  std::int64_t loss_runs = 0;                                // rows of consecutive lost packets
  std::array<std::int64_t, kRunLengths> loss_run_lengths{};  // of 1, 2, ... 15, 16 and more packets

  // Interarrival jitter (RFC 3550 A.8): the estimate after each packet, summed for means over a window.
  double jitter_ms_sum = 0;
  std::int64_t jitter_samples = 0;

  // Video frames: one RTP timestamp each. Complete: first to last packet arrived. Broken: some did. Lost: none did
  // (estimated from the timestamps around a hole). The newest frame is none of these until it is complete or over.
  std::int64_t frames_complete = 0;
  std::int64_t frames_broken = 0;
  std::int64_t frames_lost = 0;
  std::int64_t keyframes_complete = 0;
  std::int64_t freeze_count = 0;  // W3C webrtc-stats, on complete frames
  Nanos freeze_time{};            // totalFreezesDuration

  // One-way delay, where sender reports come from a clock shared with us.
  std::int64_t delay_samples = 0;
  double delay_ms_sum = 0;

  // As they stand at the later snapshot; a difference keeps them.
  double jitter_ms = 0;
  double delay_ms_max = 0;
  std::uint32_t highest_sequence = 0;  // extended by the number of wraps (RFC 3550 section 6.4.1)
  Instant first_arrival{}, last_arrival{};

  StreamStats &operator+=(const StreamStats &other);
  friend StreamStats operator-(const StreamStats &later, const StreamStats &earlier);

  double loss_percent() const;
  // G.107: mean length of the loss runs over the mean expected if the same share were lost at random. 1 without loss,
  // above 1 for bursts.
  double burst_ratio() const;
  double mean_jitter_ms() const;  // of the window; the current estimate when nothing came in it
  double mean_delay_ms() const;
  std::int64_t frames() const { return frames_complete + frames_broken + frames_lost; }
  double frames_complete_percent() const;  // 100 when there were no frames
  double mos() const;                      // E-model for Opus (mos.hpp); only an audio stream's means anything
};

}  // namespace avc::stats
