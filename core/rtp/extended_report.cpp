#include "core/rtp/extended_report.hpp"

#include <algorithm>
#include <array>

namespace avc::rtp {
namespace {

constexpr std::uint8_t kXr = 207;
constexpr std::uint8_t kLossRle = 1, kReferenceTime = 4, kDlrr = 5, kStatisticsSummary = 6;
constexpr std::uint8_t kLostFlag = 0x80, kDuplicatesFlag = 0x40, kJitterFlag = 0x20;
constexpr std::size_t kHead = 8, kSummarySize = 40, kDlrrSize = 12, kRleHead = 12;
constexpr std::uint16_t kInVector = 15, kMostInRun = 0x3fff;

bool is_vector(std::uint16_t chunk) { return (chunk & 0x8000) != 0; }
std::uint16_t length_of(std::uint16_t chunk) { return is_vector(chunk) ? kInVector : chunk & kMostInRun; }

// The chunk for what comes first, and how many packets it tells of.
struct Chunk {
  std::uint16_t bits = 0;
  std::size_t packets = 0;
};
Chunk next_chunk(std::span<const bool> received) {
  const auto other = std::ranges::find(received, !received.front());
  const auto run = std::min<std::size_t>(static_cast<std::size_t>(other - received.begin()), kMostInRun);
  if (run >= kInVector || run == received.size()) {
    return {static_cast<std::uint16_t>((received.front() ? 0x4000 : 0) | run), run};
  }
  Chunk chunk{0x8000, std::min<std::size_t>(received.size(), kInVector)};
  for (std::size_t i = 0; i < chunk.packets; ++i) {
    if (received[i]) chunk.bits |= static_cast<std::uint16_t>(1 << (kInVector - 1 - i));
  }
  return chunk;
}

}  // namespace

LossRlePackets::LossRlePackets(const LossRle &block) : block_(block) {
  const std::uint32_t step = 1u << block.thinning;
  at_ = (step - block.begin % step) % step;  // the first multiple
}

std::optional<LossRlePackets::Packet> LossRlePackets::next() {
  if (at_ >= static_cast<std::uint16_t>(block_.end - block_.begin)) return std::nullopt;
  while (left_in_chunk_ == 0) {
    if (chunk_ + 2 > block_.chunks.size()) return std::nullopt;
    left_in_chunk_ = length_of(read16(block_.chunks, chunk_));
    chunk_ += 2;
  }
  const std::uint16_t chunk = read16(block_.chunks, chunk_ - 2);
  --left_in_chunk_;
  const bool received = is_vector(chunk) ? (chunk >> left_in_chunk_ & 1) != 0 : (chunk & 0x4000) != 0;
  const Packet packet{static_cast<std::uint16_t>(block_.begin + at_), received};
  at_ += 1u << block_.thinning;
  return packet;
}

ExtendedReportReader::ExtendedReportReader(const RtcpPacket &packet) {
  if (packet.kind != RtcpKind::xr || packet.body.size() < 4) return;
  sender_ssrc_ = read32(packet.body, 0);
  rest_ = packet.body.subspan(4);
}

std::optional<XrBlock> ExtendedReportReader::next() {
  if (rest_.size() < 4) return std::nullopt;
  const std::size_t size = 4u * (read16(rest_, 2) + 1u);
  if (size > rest_.size()) {
    rest_ = {};
    return std::nullopt;
  }
  const XrBlock block{rest_[0], rest_[1], rest_.subspan(4, size - 4)};
  rest_ = rest_.subspan(size);
  return block;
}

std::optional<StatisticsSummary> read_statistics_summary(const XrBlock &block) {
  const Bytes b = block.body;
  if (block.type != kStatisticsSummary || b.size() < kSummarySize - 4) return std::nullopt;
  StatisticsSummary summary{read32(b, 0), read16(b, 4), read16(b, 6)};
  if (block.specific & kLostFlag) summary.lost = read32(b, 8);
  if (block.specific & kDuplicatesFlag) summary.duplicates = read32(b, 12);
  if (block.specific & kJitterFlag) summary.jitter = {read32(b, 16), read32(b, 20), read32(b, 24), read32(b, 28)};
  return summary;
}

std::optional<LossRle> read_loss_rle(const XrBlock &block) {
  const Bytes b = block.body;
  if (block.type != kLossRle || b.size() < kRleHead - 4) return std::nullopt;
  return LossRle{read32(b, 0), static_cast<std::uint8_t>(block.specific & 0x0f), read16(b, 4), read16(b, 6),
                 b.subspan(8)};
}

std::optional<std::uint64_t> read_reference_time(const XrBlock &block) {
  if (block.type != kReferenceTime || block.body.size() < 8) return std::nullopt;
  return read64(block.body, 0);
}

std::size_t dlrr_count(const XrBlock &block) { return block.type == kDlrr ? block.body.size() / kDlrrSize : 0; }

Dlrr dlrr(const XrBlock &block, std::size_t index) {
  const Bytes b = block.body.subspan(kDlrrSize * index, kDlrrSize);
  return {read32(b, 0), read32(b, 4), read32(b, 8)};
}

ExtendedReportWriter::ExtendedReportWriter(MutableBytes out, std::uint32_t sender_ssrc) : out_(out) {
  if (out.size() < kHead) return;
  out[0] = 0x80;
  out[1] = kXr;
  write32(out, 4, sender_ssrc);
}

std::size_t ExtendedReportWriter::size() const { return size_ > kHead ? size_ : 0; }

MutableBytes ExtendedReportWriter::block(std::uint8_t type, std::uint8_t specific, std::size_t size) {
  if (out_.size() < size_ + size) return {};
  const MutableBytes block = out_.subspan(size_, size);
  std::ranges::fill(block, std::uint8_t{0});
  block[0] = type;
  block[1] = specific;
  write16(block, 2, static_cast<std::uint16_t>(size / 4 - 1));
  size_ += size;
  write16(out_, 2, static_cast<std::uint16_t>(size_ / 4 - 1));
  return block;
}

bool ExtendedReportWriter::add(const StatisticsSummary &summary) {
  const int flags =
      (summary.lost ? kLostFlag : 0) | (summary.duplicates ? kDuplicatesFlag : 0) | (summary.jitter ? kJitterFlag : 0);
  const MutableBytes b = block(kStatisticsSummary, static_cast<std::uint8_t>(flags), kSummarySize);
  if (b.empty()) return false;
  write32(b, 4, summary.ssrc);
  write16(b, 8, summary.begin);
  write16(b, 10, summary.end);
  write32(b, 12, summary.lost.value_or(0));
  write32(b, 16, summary.duplicates.value_or(0));
  const auto jitter = summary.jitter.value_or(StatisticsSummary::Jitter{});
  write32(b, 20, jitter.min);
  write32(b, 24, jitter.max);
  write32(b, 28, jitter.mean);
  write32(b, 32, jitter.deviation);
  return true;
}

bool ExtendedReportWriter::add_loss_rle(std::uint32_t ssrc, std::uint16_t begin, std::span<const bool> received) {
  received = received.first(std::min<std::size_t>(received.size(), 65534));
  std::size_t chunks = 0;
  for (auto rest = received; !rest.empty(); ++chunks) rest = rest.subspan(next_chunk(rest).packets);
  const MutableBytes b = block(kLossRle, 0, kRleHead + (chunks + 1) / 2 * 4);  // an odd number has a null one behind it
  if (b.empty()) return false;
  write32(b, 4, ssrc);
  write16(b, 8, begin);
  write16(b, 10, static_cast<std::uint16_t>(begin + received.size()));
  std::size_t at = kRleHead;
  for (auto rest = received; !rest.empty(); at += 2) {
    const Chunk chunk = next_chunk(rest);
    write16(b, at, chunk.bits);
    rest = rest.subspan(chunk.packets);
  }
  return true;
}

}  // namespace avc::rtp
