#include "core/rtp/transport_feedback.hpp"

#include <algorithm>
#include <limits>
#include <vector>

namespace avc::rtp {
namespace {

constexpr std::size_t kHead = 20;  // RTCP's first four bytes and the fixed part
constexpr std::uint16_t kMostInRun = 0x1fff;
constexpr std::size_t kInBitVector = 14, kInWideVector = 7;

enum Status : std::uint8_t { lost = 0, small = 1, large = 2, reserved = 3 };

std::uint16_t length_of(std::uint16_t chunk) {
  if ((chunk & 0x8000) == 0) return chunk & kMostInRun;
  return (chunk & 0x4000) == 0 ? kInBitVector : kInWideVector;
}

// Of the packet at a place in a chunk.
std::uint8_t status_in(std::uint16_t chunk, std::size_t place) {
  if ((chunk & 0x8000) == 0) return (chunk >> 13) & 3;
  if ((chunk & 0x4000) == 0) return (chunk >> (kInBitVector - 1 - place)) & 1;
  return (chunk >> (2 * (kInWideVector - 1 - place))) & 3;
}

// --- writing ---

// What is told of one packet: a status, and the time since the arrival told before it.
struct Told {
  std::uint8_t status = lost;
  std::int16_t delta = 0;
};

using DeltaSteps = std::chrono::duration<std::int64_t, std::ratio<1, 4000>>;

// Each packet's time is told from the one before as it was told, so that rounding does not add up. Ends before a
// packet whose time is out of range.
std::vector<Told> tell(std::span<const std::optional<Instant>> arrivals, Instant reference) {
  std::vector<Told> told;
  told.reserve(arrivals.size());
  std::int64_t before = 0;  // in steps since the reference; less than 0 for who overtook the first
  for (const auto &arrival : arrivals) {
    if (!arrival) {
      told.push_back({});
      continue;
    }
    const std::int64_t now = std::chrono::floor<DeltaSteps>(*arrival - reference).count();
    const std::int64_t delta = now - before;
    if (delta < std::numeric_limits<std::int16_t>::min() || delta > std::numeric_limits<std::int16_t>::max()) break;
    told.push_back({delta >= 0 && delta <= 255 ? small : large, static_cast<std::int16_t>(delta)});
    before = now;
  }
  return told;
}

struct Chunk {
  std::uint16_t bits = 0;
  std::size_t packets = 0;
};

// The chunk that tells most of what comes first.
Chunk next_chunk(std::span<const Told> told) {
  const auto other = std::ranges::find_if(told, [&](const Told &t) { return t.status != told.front().status; });
  const auto alike = std::min<std::size_t>(static_cast<std::size_t>(other - told.begin()), kMostInRun);
  const auto narrow = told.first(std::min(told.size(), kInBitVector));
  const bool wide = std::ranges::any_of(narrow, [](const Told &t) { return t.status == large; });
  const std::size_t vector = std::min(told.size(), wide ? kInWideVector : kInBitVector);
  if (alike >= vector) return {static_cast<std::uint16_t>(told.front().status << 13 | alike), alike};
  std::uint16_t bits = wide ? 0xc000 : 0x8000;
  for (std::size_t i = 0; i < vector; ++i) {
    bits |= static_cast<std::uint16_t>(told[i].status << (wide ? 2 * (kInWideVector - 1 - i) : kInBitVector - 1 - i));
  }
  return {bits, vector};
}

std::size_t delta_bytes(std::span<const Told> told) {
  std::size_t bytes = 0;
  for (const Told &packet : told) bytes += packet.status;  // 0, 1 or 2 bytes
  return bytes;
}

void write_head(MutableBytes out, std::size_t size, std::size_t padding) {
  out[0] = static_cast<std::uint8_t>(0x80 | (padding > 0 ? 0x20 : 0) | 15);
  out[1] = 205;
  write16(out, 2, static_cast<std::uint16_t>(size / 4 - 1));
  if (padding > 0) out[size - 1] = static_cast<std::uint8_t>(padding);
}

void write_deltas(MutableBytes out, std::span<const Told> told) {
  std::size_t at = 0;
  for (const Told &packet : told) {
    if (packet.status == small) out[at] = static_cast<std::uint8_t>(packet.delta);
    if (packet.status == large) write16(out, at, static_cast<std::uint16_t>(packet.delta));
    at += packet.status;
  }
}

}  // namespace

std::optional<TransportFeedback> read_transport_feedback(const RtcpPacket &packet) {
  const Bytes body = packet.body;
  if (packet.kind != RtcpKind::transport_cc || body.size() < kHead - 4) return std::nullopt;
  TransportFeedback feedback;
  feedback.sender_ssrc = read32(body, 0);
  feedback.media_ssrc = read32(body, 4);
  feedback.base_sequence = read16(body, 8);
  feedback.packets = read16(body, 10);
  feedback.reference = read24(body, 12);
  feedback.feedback_sequence = body[15];
  if (feedback.packets == 0) return std::nullopt;
  const Bytes rest = body.subspan(kHead - 4);
  std::size_t at = 0, told = 0, deltas = 0;
  for (; told < feedback.packets; at += 2) {
    if (at + 2 > rest.size()) return std::nullopt;
    const std::uint16_t chunk = read16(rest, at);
    const std::size_t packets = std::min<std::size_t>(length_of(chunk), feedback.packets - told);
    for (std::size_t i = 0; i < packets; ++i) {
      const std::uint8_t status = status_in(chunk, i);
      if (status == reserved) return std::nullopt;
      deltas += status;
    }
    told += packets;
  }
  if (deltas > rest.size() - at) return std::nullopt;
  feedback.chunks = rest.first(at);
  feedback.deltas = rest.subspan(at, deltas);
  return feedback;
}

std::optional<TransportArrivals::Packet> TransportArrivals::next() {
  if (told_ == feedback_.packets) return std::nullopt;
  while (left_in_chunk_ == 0) {
    left_in_chunk_ = length_of(read16(feedback_.chunks, chunk_));
    chunk_ += 2;
  }
  const std::uint16_t chunk = read16(feedback_.chunks, chunk_ - 2);
  const std::uint8_t status = status_in(chunk, static_cast<std::size_t>(length_of(chunk)) - left_in_chunk_--);
  Packet packet{static_cast<std::uint16_t>(feedback_.base_sequence + told_++), {}};
  if (status == lost) return packet;
  const int delta =
      status == small ? feedback_.deltas[delta_] : static_cast<std::int16_t>(read16(feedback_.deltas, delta_));
  delta_ += status;
  time_ += delta * TransportFeedback::kDeltaStep;
  packet.after_reference = time_;
  return packet;
}

WrittenFeedback write_transport_feedback(MutableBytes out, const TransportFeedbackHead &head,
                                         std::span<const std::optional<Instant>> arrivals) {
  arrivals = arrivals.first(std::min<std::size_t>(arrivals.size(), 0xffff));
  const auto first = std::ranges::find_if(arrivals, [](const auto &arrival) { return arrival.has_value(); });
  if (first == arrivals.end() || out.size() < kHead) return {};
  const std::int64_t steps = (*first)->since_origin / TransportFeedback::kReferenceStep;
  const auto told = tell(arrivals, Instant{steps * TransportFeedback::kReferenceStep});

  std::size_t packets = 0, chunks = 0, deltas = 0;
  const std::size_t room = (out.size() - kHead) / 4 * 4;
  while (packets < told.size()) {
    const auto rest = std::span(told).subspan(packets);
    const Chunk chunk = next_chunk(rest);
    const std::size_t more = delta_bytes(rest.first(chunk.packets));
    if (chunks + 2 + deltas + more > room) break;
    write16(out, kHead + chunks, chunk.bits);
    packets += chunk.packets;
    chunks += 2;
    deltas += more;
  }
  if (packets == 0) return {};
  const std::size_t used = kHead + chunks + deltas, size = (used + 3) / 4 * 4;
  std::ranges::fill(out.subspan(used, size - used), std::uint8_t{0});
  write_head(out, size, size - used);
  write32(out, 4, head.sender_ssrc);
  write32(out, 8, head.media_ssrc);
  write16(out, 12, head.base_sequence);
  write16(out, 14, static_cast<std::uint16_t>(packets));
  write32(out, 16, static_cast<std::uint32_t>(steps & 0xffffff) << 8 | head.feedback_sequence);
  write_deltas(out.subspan(kHead + chunks), std::span(told).first(packets));
  return {size, packets};
}

}  // namespace avc::rtp
