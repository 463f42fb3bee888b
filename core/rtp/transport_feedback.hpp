// Transport-wide congestion control feedback (draft-holmer-rmcat-transport-wide-cc-extensions-01 section 3.1): RTCP
// transport layer feedback with format 15, by which a receiver tells when each packet of a transport arrived. Packets
// are told by a 16-bit number that the sender gives them in a header extension, over all its streams.
//
// Times are the receiver's, in steps of 250 µs; its clock has no known relation to ours and wraps after 12.4 days
// (Extender, seqnum.hpp, does for the reference time what it does for timestamps). A feedback is checked as a whole
// before anything of it is handed out.
#pragma once

#include <optional>
#include <span>

#include "core/rtp/rtcp.hpp"

namespace avc::rtp {

struct TransportFeedback {
  static constexpr Nanos kReferenceStep = std::chrono::milliseconds(64), kDeltaStep = std::chrono::microseconds(250);

  std::uint32_t sender_ssrc = 0, media_ssrc = 0;
  std::uint16_t base_sequence = 0;     // of the first packet told of
  std::uint16_t packets = 0;           // told of, arrived or not; at least 1
  std::uint32_t reference = 0;         // 24 bits, in steps of 64 ms; packets' times count from here
  std::uint8_t feedback_sequence = 0;  // one more in each feedback: a gap means that some got lost
  Bytes chunks{}, deltas{};            // as on the wire; checked against each other
};
// Nothing when it is cut off, when it uses the reserved packet status, or when its times are less than its packets.
std::optional<TransportFeedback> read_transport_feedback(const RtcpPacket &packet);

// Walks over a feedback's packets in order of their numbers.
class TransportArrivals {
 public:
  struct Packet {
    std::uint16_t sequence = 0;
    std::optional<Nanos> after_reference{};  // when it arrived; nothing: it did not, so far
  };

  explicit TransportArrivals(const TransportFeedback &feedback) : feedback_(feedback) {}
  std::optional<Packet> next();

 private:
  const TransportFeedback feedback_;
  std::uint16_t told_ = 0, left_in_chunk_ = 0;
  std::size_t chunk_ = 0, delta_ = 0;  // places in the feedback's bytes
  Nanos time_{};
};

// Writes what arrived of the packets from `base_sequence` on: as many of them as fit in `out`, and in the range of
// times that one feedback can tell (8 s from one arrival to the next). 0 packets: not even one.
struct TransportFeedbackHead {
  std::uint32_t sender_ssrc = 0, media_ssrc = 0;
  std::uint16_t base_sequence = 0;
  std::uint8_t feedback_sequence = 0;
};
struct WrittenFeedback {
  std::size_t bytes = 0, packets = 0;
};
WrittenFeedback write_transport_feedback(MutableBytes out, const TransportFeedbackHead &head,
                                         std::span<const std::optional<Instant>> arrivals);

}  // namespace avc::rtp
