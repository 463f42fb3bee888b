// RTP header extensions: the participant id as the reference contract has it (section 2.1: profile 0x0001, one word,
// little-endian), and the general mechanism of RFC 8285 in its one-byte and two-byte forms.
//
// A packet has one extension block, so the two exclude each other. Blocks are written whole; to change a packet's
// elements, read them, edit the list and write it back.
#pragma once

#include <array>

#include "core/rtp/header.hpp"

namespace avc::rtp {

// --- the contract's extension: 12 + 8 = 20 bytes of header ---
inline constexpr std::uint16_t kParticipantProfile = 0x0001;
inline constexpr std::size_t kParticipantExtensionSize = 8;
void write_participant_extension(std::span<std::uint8_t, kParticipantExtensionSize> out, std::uint32_t participant_id);
std::optional<std::uint32_t> find_participant(const Header &header);

// --- RFC 8285 ---
inline constexpr std::uint16_t kOneByteProfile = 0xbede;
inline constexpr std::uint16_t kTwoByteProfile = 0x1000;  // the low four bits are free for the application

struct Element {
  std::uint8_t id = 0;  // 1..14 in the one-byte form, 1..255 in the two-byte form
  Bytes data{};         // 1..16 bytes, or 0..255
};

// The elements of one packet, at most kMax of them: what more a packet carries is left out.
class Elements {
 public:
  static constexpr std::size_t kMax = 16;

  Elements() = default;
  explicit Elements(const Header &header);  // empty when there is no RFC 8285 extension; stops at malformed bytes

  void set(Element element);  // replaces the one with the same id, or goes to the end; ignored when full
  std::optional<Bytes> find(std::uint8_t id) const;
  std::span<const Element> all() const { return std::span(held_).first(count_); }

  // Bytes of the whole block, profile and length words included; 0 without elements.
  std::size_t block_size() const;
  // Writes the block and answers its size: the one-byte form where every element fits that, else the two-byte form.
  // `out` holds at least block_size() bytes and does not overlap the elements' data.
  std::size_t write(MutableBytes out) const;

 private:
  bool fits_one_byte_form() const;

  std::array<Element, kMax> held_{};
  std::size_t count_ = 0;
};

// The participant id as an RFC 8285 element (URI urn:avchaos:participant-id): four bytes in network order.
std::array<std::uint8_t, 4> participant_element(std::uint32_t participant_id);
std::optional<std::uint32_t> read_participant_element(Bytes data);

}  // namespace avc::rtp
