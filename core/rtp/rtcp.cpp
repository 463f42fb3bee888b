#include "core/rtp/rtcp.hpp"

#include <algorithm>
#include <bit>

namespace avc::rtp {
namespace {

constexpr std::uint8_t kSr = 200, kRr = 201, kSdes = 202, kBye = 203, kApp = 204, kRtpfb = 205, kPsfb = 206, kXr = 207;
constexpr std::size_t kBlockSize = 24, kSenderInfoSize = 24, kMaxBlocks = 31;
constexpr std::uint8_t kCname = 1;
constexpr std::uint64_t kUnixEpochInNtp = 2208988800u;  // seconds from 1900 to 1970
constexpr std::uint32_t kRemb = 0x52454d42;             // "REMB"
constexpr unsigned kRembMantissa = 18;                  // bits

void write_head(MutableBytes out, std::uint8_t count, std::uint8_t type, std::size_t size) {
  out[0] = static_cast<std::uint8_t>(0x80 | count);
  out[1] = type;
  write16(out, 2, static_cast<std::uint16_t>(size / 4 - 1));
}

void write_block(MutableBytes out, const ReportBlock &block) {
  write32(out, 0, block.ssrc);
  const auto lost = static_cast<std::uint32_t>(std::clamp(block.cumulative_lost, -0x800000, 0x7fffff));
  write32(out, 4, std::uint32_t{block.fraction_lost} << 24 | (lost & 0xffffff));
  write32(out, 8, block.highest_sequence);
  write32(out, 12, block.jitter);
  write32(out, 16, block.last_sr);
  write32(out, 20, block.delay_since_sr);
}

std::string_view fitting(std::string_view cname) { return cname.substr(0, 255); }

std::size_t sdes_size(std::string_view cname) {
  return 4 + (4 + 2 + fitting(cname).size() + 1 + 3) / 4 * 4;  // head, SSRC, item, a zero, up to a whole word
}

void write_sdes(MutableBytes out, std::uint32_t ssrc, std::string_view cname) {
  const std::size_t size = sdes_size(cname);
  std::ranges::fill(out.first(size), std::uint8_t{0});
  write_head(out, 1, kSdes, size);
  write32(out, 4, ssrc);
  out[8] = kCname;
  out[9] = static_cast<std::uint8_t>(fitting(cname).size());
  std::ranges::copy(fitting(cname), out.begin() + 10);
}

RtcpKind kind_of(std::uint8_t type, std::uint8_t count, Bytes body) {
  switch (type) {
    case kSr:
      return RtcpKind::sr;
    case kRr:
      return RtcpKind::rr;
    case kSdes:
      return RtcpKind::sdes;
    case kBye:
      return RtcpKind::bye;
    case kApp:
      return RtcpKind::app;
    case kXr:
      return RtcpKind::xr;
    case kRtpfb:
      return count == 1 ? RtcpKind::nack : count == 15 ? RtcpKind::transport_cc : RtcpKind::other;
    case kPsfb:
      if (count == 1) return RtcpKind::pli;
      if (count == 4) return RtcpKind::fir;
      if (count == 15 && body.size() >= 12 && read32(body, 8) == kRemb) return RtcpKind::remb;
      return RtcpKind::other;
    default:
      return RtcpKind::other;
  }
}

}  // namespace

std::uint64_t ntp_from_unix(Instant since_1970) {
  const auto ns = static_cast<std::uint64_t>(std::max<Nanos::rep>(since_1970.since_origin.count(), 0));
  const std::uint64_t seconds = ns / 1'000'000'000, rest = ns % 1'000'000'000;
  return (seconds + kUnixEpochInNtp) << 32 | (rest << 32) / 1'000'000'000;
}

Instant unix_from_ntp(std::uint64_t ntp) {
  const auto seconds = static_cast<std::int64_t>(ntp >> 32) - static_cast<std::int64_t>(kUnixEpochInNtp);
  const auto rest = static_cast<std::int64_t>(((ntp & 0xffffffff) * 1'000'000'000 + 0x80000000u) >> 32);
  return {Nanos(seconds * 1'000'000'000 + rest)};
}

std::optional<Nanos> round_trip(const ReportBlock &block, std::uint64_t arrival_ntp) {
  if (block.last_sr == 0) return std::nullopt;
  const auto units = static_cast<std::int32_t>(ntp_middle(arrival_ntp) - block.last_sr - block.delay_since_sr);
  if (units < 0) return std::nullopt;
  return Nanos(static_cast<std::int64_t>(units) * 1'000'000'000 / 65536);
}

std::size_t write_sender_report(MutableBytes out, const SenderInfo &info, std::string_view cname,
                                std::span<const ReportBlock> blocks) {
  blocks = blocks.first(std::min(blocks.size(), kMaxBlocks));
  const std::size_t report = 4 + kSenderInfoSize + kBlockSize * blocks.size();
  const std::size_t size = report + sdes_size(cname);
  if (size > out.size()) return 0;
  write_head(out, static_cast<std::uint8_t>(blocks.size()), kSr, report);
  write32(out, 4, info.ssrc);
  write64(out, 8, info.ntp);
  write32(out, 16, info.rtp_timestamp);
  write32(out, 20, info.packets);
  write32(out, 24, info.octets);
  for (std::size_t i = 0; i < blocks.size(); ++i) write_block(out.subspan(28 + kBlockSize * i), blocks[i]);
  write_sdes(out.subspan(report), info.ssrc, cname);
  return size;
}

std::size_t write_receiver_report(MutableBytes out, std::uint32_t sender_ssrc, std::string_view cname,
                                  std::span<const ReportBlock> blocks) {
  const std::size_t packets = std::max<std::size_t>((blocks.size() + kMaxBlocks - 1) / kMaxBlocks, 1);
  const std::size_t size = 8 * packets + kBlockSize * blocks.size() + sdes_size(cname);
  if (size > out.size()) return 0;
  std::size_t at = 0;
  do {
    const auto some = blocks.first(std::min(blocks.size(), kMaxBlocks));
    blocks = blocks.subspan(some.size());
    const std::size_t report = 8 + kBlockSize * some.size();
    write_head(out.subspan(at), static_cast<std::uint8_t>(some.size()), kRr, report);
    write32(out, at + 4, sender_ssrc);
    for (std::size_t i = 0; i < some.size(); ++i) write_block(out.subspan(at + 8 + kBlockSize * i), some[i]);
    at += report;
  } while (!blocks.empty());
  write_sdes(out.subspan(at), sender_ssrc, cname);
  return size;
}

std::size_t write_bye(MutableBytes out, std::uint32_t ssrc) {
  constexpr std::size_t kSize = 8;
  if (out.size() < kSize) return 0;
  write_head(out, 1, kBye, kSize);
  write32(out, 4, ssrc);
  return kSize;
}

std::size_t write_pli(MutableBytes out, std::uint32_t sender_ssrc, std::uint32_t media_ssrc) {
  if (out.size() < 12) return 0;
  write_head(out, 1, kPsfb, 12);
  write32(out, 4, sender_ssrc);
  write32(out, 8, media_ssrc);
  return 12;
}

std::size_t write_remb(MutableBytes out, std::uint32_t sender_ssrc, std::uint64_t bits_per_second,
                       std::span<const std::uint32_t> ssrcs) {
  ssrcs = ssrcs.first(std::min<std::size_t>(ssrcs.size(), 255));
  const std::size_t size = 20 + 4 * ssrcs.size();
  if (size > out.size()) return 0;
  const auto bits = static_cast<unsigned>(std::bit_width(bits_per_second));
  const unsigned exponent = bits > kRembMantissa ? bits - kRembMantissa : 0;
  write_head(out, 15, kPsfb, size);
  write32(out, 4, sender_ssrc);
  write32(out, 8, 0);
  write32(out, 12, kRemb);
  write32(out, 16,
          static_cast<std::uint32_t>(ssrcs.size()) << 24 | exponent << kRembMantissa |
              static_cast<std::uint32_t>(bits_per_second >> exponent));
  for (std::size_t i = 0; i < ssrcs.size(); ++i) write32(out, 20 + 4 * i, ssrcs[i]);
  return size;
}

std::optional<RtcpPacket> RtcpReader::next() {
  if (rest_.empty()) return std::nullopt;
  const std::size_t size = rest_.size() < 4 ? 0 : 4u * (read16(rest_, 2) + 1u);
  if (size == 0 || (rest_[0] & 0xc0) != 0x80 || size > rest_.size()) {
    malformed_ = true;
    rest_ = {};
    return std::nullopt;
  }
  RtcpPacket packet;
  packet.type = rest_[1];
  packet.count = rest_[0] & 0x1f;
  packet.body = rest_.subspan(4, size - 4);
  if (rest_[0] & 0x20) {
    const std::size_t padding = rest_[size - 1];
    if (padding == 0 || padding > packet.body.size()) {
      malformed_ = true;
      rest_ = {};
      return std::nullopt;
    }
    packet.body = packet.body.first(packet.body.size() - padding);
  }
  packet.kind = kind_of(packet.type, packet.count, packet.body);
  rest_ = rest_.subspan(size);
  return packet;
}

ReportBlock ReportBlocks::operator[](std::size_t index) const {
  const Bytes b = bytes_.subspan(kBlockSize * index, kBlockSize);
  ReportBlock block;
  block.ssrc = read32(b, 0);
  block.fraction_lost = b[4];
  block.cumulative_lost = static_cast<std::int32_t>(read24(b, 5) << 8) >> 8;  // 24 bits with their sign
  block.highest_sequence = read32(b, 8);
  block.jitter = read32(b, 12);
  block.last_sr = read32(b, 16);
  block.delay_since_sr = read32(b, 20);
  return block;
}

std::optional<Report> read_report(const RtcpPacket &packet) {
  const bool sender = packet.kind == RtcpKind::sr;
  if (!sender && packet.kind != RtcpKind::rr) return std::nullopt;
  const std::size_t head = sender ? kSenderInfoSize : 4;
  if (packet.body.size() < head + kBlockSize * packet.count) return std::nullopt;
  Report report;
  report.sender_ssrc = read32(packet.body, 0);
  if (sender) {
    report.info = SenderInfo{report.sender_ssrc, read64(packet.body, 4), read32(packet.body, 12),
                             read32(packet.body, 16), read32(packet.body, 20)};
  }
  report.blocks = ReportBlocks(packet.body.subspan(head, kBlockSize * packet.count));
  return report;
}

std::optional<Feedback> read_feedback(const RtcpPacket &packet) {
  if (packet.type != kRtpfb && packet.type != kPsfb) return std::nullopt;
  if (packet.body.size() < 8) return std::nullopt;
  return Feedback{read32(packet.body, 0), read32(packet.body, 4), packet.body.subspan(8)};
}

std::size_t nack_count(const Feedback &feedback) {
  std::size_t count = 0;
  for (std::size_t at = 0; at + 4 <= feedback.fci.size(); at += 4) {
    count += 1 + static_cast<std::size_t>(std::popcount(read16(feedback.fci, at + 2)));
  }
  return count;
}

std::size_t fir_count(const Feedback &feedback) { return feedback.fci.size() / 8; }

FirTarget fir_target(const Feedback &feedback, std::size_t index) {
  return {read32(feedback.fci, 8 * index), feedback.fci[8 * index + 4]};
}

std::optional<std::uint64_t> remb_bits_per_second(const Feedback &feedback) {
  if (feedback.fci.size() < 8 || read32(feedback.fci, 0) != kRemb) return std::nullopt;
  const std::uint32_t word = read24(feedback.fci, 5);  // 6 bits of exponent, 18 of mantissa
  const std::uint32_t exponent = word >> kRembMantissa;
  if (exponent > 64 - kRembMantissa) return std::nullopt;  // would not fit 64 bits
  return std::uint64_t{word & 0x3ffff} << exponent;
}

std::size_t remb_count(const Feedback &feedback) {
  if (!remb_bits_per_second(feedback)) return 0;
  return std::min<std::size_t>(feedback.fci[4], (feedback.fci.size() - 8) / 4);
}

std::uint32_t remb_ssrc(const Feedback &feedback, std::size_t index) { return read32(feedback.fci, 8 + 4 * index); }

std::optional<std::string_view> sdes_cname(const RtcpPacket &packet, std::uint32_t ssrc) {
  if (packet.kind != RtcpKind::sdes) return std::nullopt;
  const Bytes body = packet.body;
  std::size_t at = 0;
  for (std::size_t chunk = 0; chunk < packet.count && at + 4 <= body.size(); ++chunk) {
    const bool wanted = read32(body, at) == ssrc;
    at += 4;
    while (at < body.size() && body[at] != 0) {
      if (at + 2 > body.size() || body[at + 1] > body.size() - at - 2) return std::nullopt;
      const std::size_t length = body[at + 1];
      if (wanted && body[at] == kCname) {
        return std::string_view(reinterpret_cast<const char *>(body.data() + at + 2), length);
      }
      at += 2 + length;
    }
    at = (at + 4) / 4 * 4;  // the end of the list is one to four zeros
  }
  return std::nullopt;
}

bool bye_names(const RtcpPacket &packet, std::uint32_t ssrc) {
  if (packet.kind != RtcpKind::bye) return false;
  for (std::size_t i = 0; i < packet.count && 4 * i + 4 <= packet.body.size(); ++i) {
    if (read32(packet.body, 4 * i) == ssrc) return true;
  }
  return false;
}

}  // namespace avc::rtp
