// One stream's sequence numbers: which packets came, which are missing, and when the sender began anew. RFC 3550
// appendix A.1 and A.3, with these differences:
// - Packets that come while a source is on probation are counted once it is trusted, so that a reordered or lossy
//   start loses no packet from the count.
// - The caller says how large a gap it takes for loss (A.1 fixes 3000), so that an outage of half a minute is loss.
// - Numbers come back as 64-bit ones that only grow, over wraps and restarts.
// Duplicates and late packets are told apart over the last kWindow numbers.
#pragma once

#include <array>
#include <cstdint>

#include "core/stats/stream_stats.hpp"

namespace avc::stats {

class SequenceTracker {
 public:
  static constexpr int kMinSequential = 2;  // packets in sequence before a source is trusted
  static constexpr int kMaxDropout = 3000;  // a smaller gap is always loss
  static constexpr int kMaxGap = 32767;     // a larger one cannot be told from going backwards
  static constexpr int kWindow = 1024;

  enum class Kind : std::uint8_t {
    fresh,      // the highest so far
    late,       // filled a hole
    duplicate,  // was here before
    held,       // far off: kept by the caller until the next packet says whether the sender began anew
    restarted,  // the sender began anew with the held packet, `number` - 1; this one follows it
    replaced,   // what came so far was not a stream: forget it, this packet is the first
  };
  struct Seen {
    Kind kind;
    std::int64_t number;  // not for held
  };

  Seen see(std::uint16_t sequence, int max_gap = kMaxDropout);

  bool trusted() const { return in_sequence_ >= kMinSequential; }
  std::int64_t expected() const { return started_ ? expected_before_ + highest_ - base_ + 1 : 0; }
  std::int64_t received() const { return received_; }
  std::int64_t highest() const { return highest_; }
  // Of the numbers from here to the highest it is known which came: the latest kWindow of this row.
  std::int64_t known_from() const;
  bool arrived(std::int64_t number) const;

  // Fills in loss_runs and loss_run_lengths; what is missing now counts as lost.
  void describe_runs(StreamStats &stats) const;

 private:
  struct Runs {
    std::int64_t open = 0;  // length of the run under way
    std::int64_t count = 0;
    std::array<std::int64_t, StreamStats::kRunLengths> lengths{};

    void packet(bool arrived);
  };

  void begin(std::int64_t number);
  void advance_to(std::int64_t number);
  void settle_all(Runs &runs) const;
  void mark(std::int64_t number);
  void unmark(std::int64_t number);

  bool started_ = false;
  int in_sequence_ = 0;
  int restart_with_ = -1;  // the sequence number that would confirm a restart; -1 for none
  std::int64_t base_ = 0, highest_ = 0;
  std::int64_t expected_before_ = 0;  // of the rows before the last restart
  std::int64_t received_ = 0;
  Runs settled_;  // numbers up to highest_ - kWindow
  std::array<std::uint64_t, kWindow / 64> bits_{};
};

}  // namespace avc::stats
