// The RTP header (RFC 3550 section 5.1), read from and edited in a span of bytes. Never an overlay struct: foreign
// bytes are checked field by field, and nothing is read past their end.
#pragma once

#include <optional>

#include "core/rtp/bytes.hpp"

namespace avc::rtp {

inline constexpr std::size_t kFixedHeaderSize = 12;

// A checked view of a packet; its spans point into the packet and live as long as that.
struct Header {
  std::uint8_t payload_type = 0;
  bool marker = false;
  bool has_padding = false;
  bool has_extension = false;
  std::uint16_t sequence = 0;
  std::uint32_t timestamp = 0;
  std::uint32_t ssrc = 0;
  std::uint8_t csrc_count = 0;
  std::size_t size = 0;                 // everything before the payload
  std::uint16_t extension_profile = 0;  // "defined by profile", only with has_extension
  Bytes extension{};                    // the extension's words, without profile and length
  Bytes payload{};                      // what follows the header; parse() leaves padding out
};

// A whole packet. Nothing for anything that is not one: another version, too short for what it announces, or padding
// that does not fit.
std::optional<Header> parse(Bytes packet);

// The same for bytes that hold at least the header but perhaps not the whole packet (the first memory of a buffer):
// padding is announced in has_padding and left in the payload.
std::optional<Header> parse_header(Bytes bytes);

// How a datagram on a port shared with others is told apart (RFC 7983, and RFC 5761 section 4 for RTCP). Looks at the
// first two bytes only.
enum class Datagram : std::uint8_t { rtp, rtcp, stun, dtls, other };
Datagram classify(Bytes datagram);

// What write_fixed_header() puts down: version 2, no padding, no CSRCs.
struct Fields {
  std::uint8_t payload_type = 0;
  bool marker = false;
  bool extension = false;
  std::uint16_t sequence = 0;
  std::uint32_t timestamp = 0;
  std::uint32_t ssrc = 0;
};
void write_fixed_header(std::span<std::uint8_t, kFixedHeaderSize> out, const Fields &fields);

// Edits in place; the span holds at least the fixed header of a packet that parse() accepted.
void set_payload_type(MutableBytes packet, std::uint8_t payload_type);
void set_marker(MutableBytes packet, bool marker);
void set_extension_bit(MutableBytes packet, bool extension);
void set_sequence(MutableBytes packet, std::uint16_t sequence);
void set_timestamp(MutableBytes packet, std::uint32_t timestamp);
void set_ssrc(MutableBytes packet, std::uint32_t ssrc);

}  // namespace avc::rtp
