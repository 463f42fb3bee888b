// What a receiver measured, as text and as JSON: the line of the second, and the block at the end.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/net/packet.hpp"
#include "core/stats/stream_stats.hpp"
#include "tools/render/text.hpp"

namespace avc::tools::render {

struct ReceivedStream {
  std::uint32_t participant = 0;  // 0: its packets carry no id
  std::uint32_t ssrc = 0;
  net::Stream media = net::Stream::other;
  stats::StreamStats stats;
  // Over WebRTC: whose it is, and packets that were sent again.
  std::uint32_t subscriber = 0;
  std::int64_t lost_in_network = 0, retransmitted = 0, repaired = 0;
};

// One connection over WebRTC. Times are since its start.
struct Subscriber {
  std::uint32_t id = 0;
  std::string source, state, reason;
  std::optional<double> join_ms, first_packet_ms, first_keyframe_ms;
};

// Everything since the start, as of one moment.
struct Reception {
  double seconds = 0;
  std::vector<ReceivedStream> streams;
  std::vector<Subscriber> subscribers;  // none: packets came to a port
  std::uint64_t rtcp_packets = 0;
  std::uint64_t not_rtp = 0;       // datagrams that are neither RTP nor RTCP
  std::uint64_t kernel_drops = 0;  // our own socket overflowed: no fault of the network
};

// The time between two moments, in one line.
std::string reception_line(const Reception &before, const Reception &now);
std::string reception_block(const Reception &all, bool every_participant, std::size_t columns, const Paint &paint);
std::string reception_json(const Reception &all);

}  // namespace avc::tools::render
