#include "core/stats/peer_streams.hpp"

#include <algorithm>

#include "core/rtp/extension.hpp"
#include "core/rtp/h264.hpp"

namespace avc::stats {

PeerStreams::Entry *PeerStreams::entry_for(std::uint32_t ssrc, std::uint8_t payload_type) {
  if (const auto known = entries_.find(ssrc); known != entries_.end()) return &known->second;
  const PayloadMap::Type &type = map_.types[payload_type];
  if (entries_.size() >= kMostStreams) return nullptr;
  return &entries_
              .emplace(std::piecewise_construct, std::forward_as_tuple(ssrc),
                       std::forward_as_tuple(type.media, type.clock_rate, payload_type))
              .first->second;
}

void PeerStreams::receive(rtp::Bytes packet, Instant at) {
  const auto header = rtp::parse(packet);
  const PayloadMap::Type type = header ? map_.types[header->payload_type] : PayloadMap::Type{};
  if (type.clock_rate == 0) {
    ++unexplained_;
    return;
  }
  if (type.again) return take_again(*header, *type.again, at);
  Entry *entry = entry_for(header->ssrc, header->payload_type);
  if (entry == nullptr) {
    ++unexplained_;
    return;
  }
  if (!first_packet_) first_packet_ = at;
  if (!entry->participant_id && header->has_extension) {
    const auto element =
        map_.participant_ext > 0 ? rtp::Elements(*header).find(map_.participant_ext) : std::optional<rtp::Bytes>();
    if (element) entry->participant_id = rtp::read_participant_element(*element).value_or(0);
  }
  entry->first.receive(*header, packet.size(), at);
  count(*entry, *header, packet.size(), at);
}

// RFC 4588 section 4: the original's number is in front of its payload; the rest of its header is the same.
void PeerStreams::take_again(const rtp::Header &header, std::uint8_t original_type, Instant at) {
  constexpr std::size_t kNumber = 2;
  if (header.payload.size() <= kNumber) return;  // no more than padding, to see what the network takes
  auto found = entries_.end();
  if (const auto told = map_.originals.find(header.ssrc); told != map_.originals.end()) {
    found = entries_.find(told->second);
  } else {
    found = std::find_if(entries_.begin(), entries_.end(),
                         [&](const auto &one) { return one.second.payload_type == original_type; });
  }
  if (found == entries_.end()) return;  // of a stream of which nothing has come
  Entry &entry = found->second;
  rtp::Header original = header;
  original.ssrc = found->first;
  original.payload_type = original_type;
  original.sequence = static_cast<std::uint16_t>(header.payload[0] << 8 | header.payload[1]);
  original.payload = header.payload.subspan(kNumber);
  ++entry.came_again;
  const std::int64_t twice = entry.all.snapshot().packets_duplicated;
  count(entry, original, header.size + original.payload.size(), at);
  if (entry.all.snapshot().packets_duplicated == twice) ++entry.repaired;
}

void PeerStreams::count(Entry &entry, const rtp::Header &header, std::size_t bytes, Instant at) {
  entry.all.receive(header, bytes, at);
  if (entry.all.media() != net::Stream::video) return;
  entry.missing.came(header.sequence, at);
  if (first_keyframe_) return;
  entry.keyframe_begun = entry.keyframe_begun || rtp::inspect_h264(header.payload).idr;
  if (entry.keyframe_begun && entry.all.snapshot().keyframes_complete > 0) first_keyframe_ = at;
}

void PeerStreams::wanted(Instant now, std::vector<Wanted> &out) {
  if (!map_.nack) return;
  for (auto &[ssrc, entry] : entries_) {
    numbers_.clear();
    entry.missing.due(now, numbers_);
    entry.asked += static_cast<std::int64_t>(numbers_.size());
    for (const std::uint16_t sequence : numbers_) out.push_back({ssrc, sequence});
  }
}

std::vector<PeerStream> PeerStreams::snapshot() const {
  std::vector<PeerStream> all;
  for (const auto &[ssrc, entry] : entries_) {
    if (!entry.all.trusted()) continue;
    PeerStream one{ssrc, entry.participant_id, entry.all.media(), entry.payload_type, entry.all.snapshot()};
    const StreamStats first = entry.first.snapshot();
    one.stats.jitter_ms = first.jitter_ms;
    one.stats.jitter_ms_sum = first.jitter_ms_sum;
    one.stats.jitter_samples = first.jitter_samples;
    one.lost_first = first.packets_lost;
    one.came_again = entry.came_again;
    one.repaired = entry.repaired;
    one.asked = entry.asked;
    all.push_back(one);
  }
  return all;
}

std::vector<PeerStreams::Video> PeerStreams::videos() const {
  std::vector<Video> all;
  for (const auto &[ssrc, entry] : entries_) {
    if (entry.all.media() == net::Stream::video) all.push_back({ssrc, entry.payload_type});
  }
  return all;
}

}  // namespace avc::stats
