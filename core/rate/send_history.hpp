// When the last few thousand packets were sent, by their transport-wide sequence numbers, so that a receiver's feedback
// can be read as results: sent then, so large, arrived then or not.
//
// A packet's arrival is told once, its loss once before that (a late packet is first told as lost, then as arrived).
// Numbers that are not known any more, or never were, are passed over. 16 bytes for each packet, allocated at the
// beginning; nothing later. Not thread-safe.
#pragma once

#include <vector>

#include "core/rate/packet_result.hpp"
#include "core/rtp/seqnum.hpp"
#include "core/rtp/transport_feedback.hpp"

namespace avc::rate {

class SendHistory {
 public:
  // `packets` is rounded up to a power of two, 32768 at most. 2048 are 6 s of 2.5 Mbit/s video with audio.
  explicit SendHistory(std::size_t packets = 2048);

  void sent(std::uint16_t sequence, Instant at, std::size_t bytes);
  // Puts what a feedback tells behind what is in `out`, in the order of sequence numbers.
  void results(const rtp::TransportFeedback &feedback, std::vector<PacketResult> &out);

 private:
  enum class State : std::uint8_t { empty, sent, lost, arrived };
  struct Entry {
    Instant at{};
    std::uint32_t bytes = 0;
    std::uint16_t sequence = 0;
    State state = State::empty;
  };

  std::vector<Entry> entries_;         // a power of two, at the number's lower bits
  rtp::TimestampExtender references_;  // of the reference time's 24 bits, as the upper ones of 32
};

}  // namespace avc::rate
