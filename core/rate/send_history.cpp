#include "core/rate/send_history.hpp"

#include <algorithm>
#include <bit>

namespace avc::rate {
namespace {

constexpr std::int64_t kFar = std::int64_t{1} << 36;  // steps of 64 ms: 139 years, half of what an Instant can tell

}  // namespace

SendHistory::SendHistory(std::size_t packets) : entries_(std::bit_ceil(std::clamp<std::size_t>(packets, 1, 32768))) {}

void SendHistory::sent(std::uint16_t sequence, Instant at, std::size_t bytes) {
  entries_[sequence & (entries_.size() - 1)] = {at, static_cast<std::uint32_t>(bytes), sequence, State::sent};
}

void SendHistory::results(const rtp::TransportFeedback &feedback, std::vector<PacketResult> &out) {
  constexpr int kUnusedBits = 8;  // of the reference time's 32
  std::int64_t steps = references_.extend(feedback.reference << kUnusedBits) >> kUnusedBits;
  if (steps > kFar) {  // a clock that runs half a wrap ahead in each feedback is none: begin again
    references_.restart();
    steps = references_.extend(feedback.reference << kUnusedBits) >> kUnusedBits;
  }
  const Instant reference{steps * rtp::TransportFeedback::kReferenceStep};
  rtp::TransportArrivals arrivals(feedback);
  while (const auto packet = arrivals.next()) {
    Entry &entry = entries_[packet->sequence & (entries_.size() - 1)];
    if (entry.state == State::empty || entry.sequence != packet->sequence) continue;
    const State now = packet->after_reference ? State::arrived : State::lost;
    if (entry.state >= now) continue;
    entry.state = now;
    PacketResult result{entry.at, entry.bytes, {}};
    if (packet->after_reference) result.arrived = reference + *packet->after_reference;
    out.push_back(result);
  }
}

}  // namespace avc::rate
