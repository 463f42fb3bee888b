// RTCP extended reports (RFC 3611): what a receiver can tell beyond a report block. Read and written are the
// statistics summary (4.6) and which packets were lost (4.1, loss run length encoding); read as well the receiver's
// reference time and the answer to one (4.4, 4.5). Blocks of other types are passed over.
#pragma once

#include <algorithm>
#include <optional>
#include <span>

#include "core/rtp/rtcp.hpp"

namespace avc::rtp {

// Of the packets between two sequence numbers.
struct StatisticsSummary {
  struct Jitter {  // timestamp units
    std::uint32_t min = 0, max = 0, mean = 0, deviation = 0;
  };
  std::uint32_t ssrc = 0;
  std::uint16_t begin = 0, end = 0;  // the first number reported on, and the one after the last
  std::optional<std::uint32_t> lost{}, duplicates{};
  std::optional<Jitter> jitter{};
};

// Which packets between two sequence numbers came. With a thinning of t only those are reported on whose numbers are
// multiples of 2^t.
struct LossRle {
  std::uint32_t ssrc = 0;
  std::uint8_t thinning = 0;
  std::uint16_t begin = 0, end = 0;  // as above
  Bytes chunks{};
};

// Walks over the packets a loss RLE block reports on, in order. Ends early where its chunks do.
class LossRlePackets {
 public:
  struct Packet {
    std::uint16_t sequence = 0;
    bool received = false;
  };

  explicit LossRlePackets(const LossRle &block);
  std::optional<Packet> next();

 private:
  const LossRle block_;
  std::uint32_t at_ = 0;  // distance of the next packet from block_.begin
  std::size_t chunk_ = 0;
  std::uint16_t left_in_chunk_ = 0;
};

// When a receiver got our reference time, and how long ago: with the arrival of this, the round trip.
struct Dlrr {
  std::uint32_t ssrc = 0;
  std::uint32_t last_rr = 0;         // the middle 32 bits of the reference time
  std::uint32_t delay_since_rr = 0;  // 1/65536 s
};

// --- reading ---
struct XrBlock {
  std::uint8_t type = 0, specific = 0;
  Bytes body{};  // after the block's first four bytes
};

class ExtendedReportReader {
 public:
  explicit ExtendedReportReader(const RtcpPacket &packet);
  std::optional<XrBlock> next();  // ends at a block that says it is longer than the packet
  std::uint32_t sender_ssrc() const { return sender_ssrc_; }

 private:
  Bytes rest_{};
  std::uint32_t sender_ssrc_ = 0;
};

std::optional<StatisticsSummary> read_statistics_summary(const XrBlock &block);
std::optional<LossRle> read_loss_rle(const XrBlock &block);
std::optional<std::uint64_t> read_reference_time(const XrBlock &block);  // NTP, of who sent the report
std::size_t dlrr_count(const XrBlock &block);                            // 0 for other blocks
Dlrr dlrr(const XrBlock &block, std::size_t index);

// --- writing ---
// One extended report, block by block; add() answers false and writes nothing where a block does not fit.
class ExtendedReportWriter {
 public:
  ExtendedReportWriter(MutableBytes out, std::uint32_t sender_ssrc);
  bool add(const StatisticsSummary &summary);
  // Which packets came from `begin` on; at most 65534.
  bool add_loss_rle(std::uint32_t ssrc, std::uint16_t begin, std::span<const bool> received);
  std::size_t size() const;  // bytes of the report so far; 0 while it has no block
  // The most that a summary and a loss RLE of so many packets together can take.
  static constexpr std::size_t most_bytes(std::size_t packets) { return 40 + 12 + (packets / 15 + 2) / 2 * 4; }
  std::size_t room() const { return out_.size() - std::min(size_, out_.size()); }

 private:
  MutableBytes block(std::uint8_t type, std::uint8_t specific, std::size_t size);  // empty: does not fit

  MutableBytes out_;
  std::size_t size_ = 8;
};

}  // namespace avc::rtp
