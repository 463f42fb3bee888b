#include "core/rtp/header.hpp"

namespace avc::rtp {
namespace {

constexpr std::uint8_t kVersion2 = 0x80;
constexpr std::uint8_t kPaddingBit = 0x20;
constexpr std::uint8_t kExtensionBit = 0x10;
constexpr std::uint8_t kMarkerBit = 0x80;

void set_bit(std::uint8_t &byte, std::uint8_t bit, bool on) {
  byte = static_cast<std::uint8_t>(on ? byte | bit : byte & ~bit);
}

}  // namespace

std::optional<Header> parse_header(Bytes bytes) {
  if (bytes.size() < kFixedHeaderSize || (bytes[0] & 0xc0) != kVersion2) return std::nullopt;
  Header header;
  header.has_padding = bytes[0] & kPaddingBit;
  header.has_extension = bytes[0] & kExtensionBit;
  header.csrc_count = bytes[0] & 0x0f;
  header.marker = bytes[1] & kMarkerBit;
  header.payload_type = bytes[1] & 0x7f;
  header.sequence = read16(bytes, 2);
  header.timestamp = read32(bytes, 4);
  header.ssrc = read32(bytes, 8);
  header.size = kFixedHeaderSize + 4u * header.csrc_count;
  if (header.size > bytes.size()) return std::nullopt;
  if (header.has_extension) {
    if (header.size + 4 > bytes.size()) return std::nullopt;
    header.extension_profile = read16(bytes, header.size);
    const std::size_t length = 4u * read16(bytes, header.size + 2);
    header.size += 4;
    if (length > bytes.size() - header.size) return std::nullopt;
    header.extension = bytes.subspan(header.size, length);
    header.size += length;
  }
  header.payload = bytes.subspan(header.size);
  return header;
}

std::optional<Header> parse(Bytes packet) {
  auto header = parse_header(packet);
  if (!header || !header->has_padding) return header;
  const std::size_t padding = packet.back();  // counts itself
  if (padding == 0 || padding > header->payload.size()) return std::nullopt;
  header->payload = header->payload.first(header->payload.size() - padding);
  return header;
}

Datagram classify(Bytes datagram) {
  if (datagram.size() < 2) return Datagram::other;
  const std::uint8_t first = datagram[0];
  if (first <= 3) return Datagram::stun;
  if (first >= 20 && first <= 63) return Datagram::dtls;
  if (first < 128 || first > 191) return Datagram::other;
  return datagram[1] >= 192 && datagram[1] <= 223 ? Datagram::rtcp : Datagram::rtp;
}

void write_fixed_header(std::span<std::uint8_t, kFixedHeaderSize> out, const Fields &fields) {
  out[0] = static_cast<std::uint8_t>(kVersion2 | (fields.extension ? kExtensionBit : 0));
  out[1] = static_cast<std::uint8_t>((fields.marker ? kMarkerBit : 0) | (fields.payload_type & 0x7f));
  write16(out, 2, fields.sequence);
  write32(out, 4, fields.timestamp);
  write32(out, 8, fields.ssrc);
}

void set_payload_type(MutableBytes packet, std::uint8_t payload_type) {
  packet[1] = static_cast<std::uint8_t>((packet[1] & kMarkerBit) | (payload_type & 0x7f));
}

void set_marker(MutableBytes packet, bool marker) { set_bit(packet[1], kMarkerBit, marker); }
void set_extension_bit(MutableBytes packet, bool extension) { set_bit(packet[0], kExtensionBit, extension); }
void set_sequence(MutableBytes packet, std::uint16_t sequence) { write16(packet, 2, sequence); }
void set_timestamp(MutableBytes packet, std::uint32_t timestamp) { write32(packet, 4, timestamp); }
void set_ssrc(MutableBytes packet, std::uint32_t ssrc) { write32(packet, 8, ssrc); }

}  // namespace avc::rtp
