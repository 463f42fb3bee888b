// Moments at which a shared medium lets a sender transmit (Wi-Fi, LTE, cable): packets wait for the next one and
// leave together. The moments are a function of (key, time): a slot at every multiple of kBlock mean distances, and
// after it one after the other, each by a distance drawn evenly between two bounds, or from a distribution like that of
// delays (then at least a hundredth of its mean, or of its width if that is more).
#pragma once

#include <cstdint>
#include <memory>

#include "core/net/impairment.hpp"
#include "core/random.hpp"
#include "core/time.hpp"

namespace avc::net {

class Slots {
 public:
  static constexpr std::int64_t kBlock = 1024;

  Slots() = default;
  // At most so many packets and bytes in one slot; 0: any number.
  Slots(const Rng &rng, double min_ms, double max_ms, std::uint32_t packets = 0, std::uint64_t bytes = 0);

  // netem's "slot distribution".
  Slots(const Rng &rng, double delay_ms, double jitter_ms, DelayDistribution distribution,
        std::shared_ptr<const DelayTable> table, std::uint32_t packets = 0, std::uint64_t bytes = 0);

  bool active() const { return block_.count() > 0; }
  Nanos mean() const { return block_ / kBlock; }
  std::uint32_t packets() const { return packets_; }
  std::uint64_t bytes() const { return bytes_; }
  bool same_as(const Slots &other) const {  // the same moments and limits
    return rng_ == other.rng_ && min_ms_ == other.min_ms_ && max_ms_ == other.max_ms_ && drawn_ == other.drawn_ &&
           distribution_ == other.distribution_ && table_ == other.table_ && packets_ == other.packets_ &&
           bytes_ == other.bytes_;
  }
  // Two questions that each go forward in time by themselves, so that neither has to walk back for the other.
  Instant first_from(Instant at) { return first_from(arrivals_, at); }  // the first slot not before a moment
  Instant next(Instant slot) { return first_from(backlog_, slot + Nanos(1)); }

 private:
  // The slot looked at last: the place-th of block `number`.
  struct Place {
    Rng in_block;
    std::int64_t number = 0;
    std::uint64_t place = 0;
    Instant slot, before;  // and the one before it
    bool known = false;
  };
  Nanos distance(Place &place) const;
  void enter_block(Place &place, std::int64_t number) const;
  Instant first_from(Place &place, Instant at) const;

  Rng rng_;
  double min_ms_ = 0, max_ms_ = 0;  // or delay and jitter
  bool drawn_ = false;              // from a distribution
  DelayDistribution distribution_ = DelayDistribution::normal;
  std::shared_ptr<const DelayTable> table_;
  std::uint32_t packets_ = 0;
  std::uint64_t bytes_ = 0;
  Nanos block_{};
  Place arrivals_, backlog_;
};

}  // namespace avc::net
