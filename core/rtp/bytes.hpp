// Numbers in network byte order inside a span. The caller has checked that the bytes are there.
#pragma once

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <span>

namespace avc::rtp {

using Bytes = std::span<const std::uint8_t>;
using MutableBytes = std::span<std::uint8_t>;

constexpr std::uint16_t read16(Bytes bytes, std::size_t at) {
  assert(at + 2 <= bytes.size());
  return static_cast<std::uint16_t>(bytes[at] << 8 | bytes[at + 1]);
}

constexpr std::uint32_t read24(Bytes bytes, std::size_t at) {
  assert(at + 3 <= bytes.size());
  return std::uint32_t{bytes[at]} << 16 | std::uint32_t{bytes[at + 1]} << 8 | bytes[at + 2];
}

constexpr std::uint32_t read32(Bytes bytes, std::size_t at) {
  return std::uint32_t{read16(bytes, at)} << 16 | read16(bytes, at + 2);
}

constexpr std::uint64_t read64(Bytes bytes, std::size_t at) {
  return std::uint64_t{read32(bytes, at)} << 32 | read32(bytes, at + 4);
}

constexpr void write16(MutableBytes bytes, std::size_t at, std::uint16_t value) {
  assert(at + 2 <= bytes.size());
  bytes[at] = static_cast<std::uint8_t>(value >> 8);
  bytes[at + 1] = static_cast<std::uint8_t>(value);
}

constexpr void write32(MutableBytes bytes, std::size_t at, std::uint32_t value) {
  write16(bytes, at, static_cast<std::uint16_t>(value >> 16));
  write16(bytes, at + 2, static_cast<std::uint16_t>(value));
}

constexpr void write64(MutableBytes bytes, std::size_t at, std::uint64_t value) {
  write32(bytes, at, static_cast<std::uint32_t>(value >> 32));
  write32(bytes, at + 4, static_cast<std::uint32_t>(value));
}

}  // namespace avc::rtp
