// A link that goes on and off by itself, as mm-onoff's: what arrives while it is off is lost. A function of
// (key, time), not of packets: late joiners and links asked out of order see the same.
//   exponential  both times are memoryless with the means given. Time is divided into blocks of kBlock mean cycles;
//                each begins in a state of its own, drawn from the long-run shares, which changes no distribution.
//   fixed        exactly so long on and so long off, over and over, from a place drawn for each key.
#pragma once

#include <cstdint>

#include "core/random.hpp"
#include "core/time.hpp"

namespace avc::net {

class OnOff {
 public:
  static constexpr std::int64_t kBlock = 1024;

  OnOff() = default;  // always on
  OnOff(const Rng &rng, double on_ms, double off_ms, bool fixed);

  bool active() const { return off_ms_ > 0; }
  bool off(Instant at);

 private:
  void enter_block(std::int64_t number);
  void change(bool off, Instant at);

  Rng rng_, in_block_;
  double on_ms_ = 0, off_ms_ = 0;
  Nanos cycle_{}, block_{};
  Nanos place_{};  // fixed: in the cycle at time 0
  bool fixed_ = false;
  // exponential: the state looked at last, from one moment to another.
  std::int64_t number_ = 0;
  std::uint64_t changes_ = 0;  // in the block so far
  Instant from_, until_;
  bool off_ = false, known_ = false;
};

}  // namespace avc::net
