// RTCP (RFC 3550 section 6, RFC 4585, RFC 5104, REMB): writing compound SR or RR with SDES, and a bounded walk over
// what comes in. Nothing is read past its end; a packet that lies about its length ends the walk. Extended reports and
// transport-wide feedback have files of their own.
#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "core/rtp/bytes.hpp"
#include "core/time.hpp"

namespace avc::rtp {

// --- what reports hold ---
struct SenderInfo {
  std::uint32_t ssrc = 0;
  std::uint64_t ntp = 0;  // 32.32 fixed point seconds; of the wall clock since 1900
  std::uint32_t rtp_timestamp = 0;
  std::uint32_t packets = 0;
  std::uint32_t octets = 0;  // of payload
};

struct ReportBlock {
  std::uint32_t ssrc = 0;            // whom it is about
  std::uint8_t fraction_lost = 0;    // of 256, since the last report
  std::int32_t cumulative_lost = 0;  // 24 bits with sign on the wire
  std::uint32_t highest_sequence = 0;
  std::uint32_t jitter = 0;          // timestamp units
  std::uint32_t last_sr = 0;         // the middle 32 bits of its NTP time; 0 for none
  std::uint32_t delay_since_sr = 0;  // 1/65536 s
};

std::uint64_t ntp_from_unix(Instant since_1970);
Instant unix_from_ntp(std::uint64_t ntp);
constexpr std::uint32_t ntp_middle(std::uint64_t ntp) { return static_cast<std::uint32_t>(ntp >> 16); }
// The round trip that a report block shows at its arrival (RFC 3550 section 6.4.1); nothing without an SR before it,
// or when the clocks make it negative.
std::optional<Nanos> round_trip(const ReportBlock &block, std::uint64_t arrival_ntp);

// --- writing; all answer the bytes written, 0 when `out` is too small ---
std::size_t write_sender_report(MutableBytes out, const SenderInfo &info, std::string_view cname,
                                std::span<const ReportBlock> blocks = {});
// As many RR packets as the blocks need (31 in each), then SDES.
std::size_t write_receiver_report(MutableBytes out, std::uint32_t sender_ssrc, std::string_view cname,
                                  std::span<const ReportBlock> blocks);
std::size_t write_bye(MutableBytes out, std::uint32_t ssrc);  // to stand behind a report and SDES
std::size_t write_pli(MutableBytes out, std::uint32_t sender_ssrc, std::uint32_t media_ssrc);
// Receiver estimated maximum bit rate (draft-alvestrand-rmcat-remb-03 section 2.2), of 18 bits, rounded down;
// for the streams in `ssrcs`, 255 at most.
std::size_t write_remb(MutableBytes out, std::uint32_t sender_ssrc, std::uint64_t bits_per_second,
                       std::span<const std::uint32_t> ssrcs);

// --- reading ---
enum class RtcpKind : std::uint8_t { sr, rr, sdes, bye, app, nack, transport_cc, pli, fir, remb, xr, other };

// One packet of a compound; its span points into the datagram.
struct RtcpPacket {
  RtcpKind kind = RtcpKind::other;
  std::uint8_t type = 0;
  std::uint8_t count = 0;  // report count, source count or feedback format
  Bytes body{};            // after the first four bytes, without padding
};

class RtcpReader {
 public:
  explicit RtcpReader(Bytes datagram) : rest_(datagram) {}
  std::optional<RtcpPacket> next();
  bool malformed() const { return malformed_; }  // stopped before the end of the datagram

 private:
  Bytes rest_;
  bool malformed_ = false;
};

class ReportBlocks {
 public:
  ReportBlocks() = default;
  explicit ReportBlocks(Bytes bytes) : bytes_(bytes) {}  // whole blocks
  std::size_t size() const { return bytes_.size() / 24; }
  ReportBlock operator[](std::size_t index) const;

 private:
  Bytes bytes_;
};

struct Report {
  std::uint32_t sender_ssrc = 0;
  std::optional<SenderInfo> info{};  // in a sender report
  ReportBlocks blocks{};
};
std::optional<Report> read_report(const RtcpPacket &packet);  // SR or RR

struct Feedback {
  std::uint32_t sender_ssrc = 0;
  std::uint32_t media_ssrc = 0;  // 0 in FIR and REMB, which name their streams in the list
  Bytes fci{};
};
std::optional<Feedback> read_feedback(const RtcpPacket &packet);  // NACK, transport-cc, PLI, FIR, REMB

std::size_t nack_count(const Feedback &feedback);  // sequence numbers asked for
struct FirTarget {
  std::uint32_t ssrc = 0;
  std::uint8_t sequence = 0;  // a repeated number is the same request
};
std::size_t fir_count(const Feedback &feedback);
FirTarget fir_target(const Feedback &feedback, std::size_t index);
std::optional<std::uint64_t> remb_bits_per_second(const Feedback &feedback);
std::size_t remb_count(const Feedback &feedback);  // streams it is for
std::uint32_t remb_ssrc(const Feedback &feedback, std::size_t index);

std::optional<std::string_view> sdes_cname(const RtcpPacket &packet, std::uint32_t ssrc);
bool bye_names(const RtcpPacket &packet, std::uint32_t ssrc);

}  // namespace avc::rtp
