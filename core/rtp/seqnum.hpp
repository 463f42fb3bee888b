// Numbers that wrap: RTP sequence numbers (16 bit) and timestamps (32 bit), compared by the shorter way round
// (RFC 1982) and extended to 64 bits that do not wrap.
#pragma once

#include <cstdint>
#include <type_traits>

namespace avc::rtp {

// Steps from `from` to `to` by the shorter way; exactly half way round counts as backwards.
template <class U>
constexpr std::make_signed_t<U> steps(U from, U to) {
  static_assert(std::is_unsigned_v<U>);
  return static_cast<std::make_signed_t<U>>(static_cast<U>(to - from));
}

template <class U>
constexpr bool newer(U a, U b) {
  return steps(b, a) > 0;
}

// Follows one wrapping counter. The first value is taken as it is; each next one is placed nearest to the highest
// seen, so that late arrivals get their own number and do not count as a wrap. May go below zero before the first.
template <class U>
class Extender {
 public:
  std::int64_t extend(U value) {
    if (!started_) {
      started_ = true;
      highest_ = value;
      return highest_;
    }
    const std::int64_t extended = highest_ + steps(static_cast<U>(highest_), value);
    if (extended > highest_) highest_ = extended;
    return extended;
  }

  void restart() { started_ = false; }
  bool started() const { return started_; }
  std::int64_t highest() const { return highest_; }

 private:
  bool started_ = false;
  std::int64_t highest_ = 0;
};

using SequenceExtender = Extender<std::uint16_t>;
using TimestampExtender = Extender<std::uint32_t>;

}  // namespace avc::rtp
