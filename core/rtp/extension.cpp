#include "core/rtp/extension.hpp"

#include <algorithm>

namespace avc::rtp {
namespace {

constexpr std::uint8_t kStopId = 15;  // one-byte form: nothing after it is to be read (RFC 8285 section 4.2)
constexpr std::size_t kBlockHeaderSize = 4;

constexpr std::size_t padded(std::size_t bytes) { return (bytes + 3) / 4 * 4; }

}  // namespace

void write_participant_extension(std::span<std::uint8_t, kParticipantExtensionSize> out, std::uint32_t participant_id) {
  write16(out, 0, kParticipantProfile);
  write16(out, 2, 1);
  for (std::size_t i = 0; i < 4; ++i) out[4 + i] = static_cast<std::uint8_t>(participant_id >> (8 * i));
}

std::optional<std::uint32_t> find_participant(const Header &header) {
  if (!header.has_extension || header.extension_profile != kParticipantProfile || header.extension.size() != 4) {
    return std::nullopt;
  }
  std::uint32_t id = 0;
  for (std::size_t i = 0; i < 4; ++i) id |= std::uint32_t{header.extension[i]} << (8 * i);
  return id;
}

Elements::Elements(const Header &header) {
  if (!header.has_extension) return;
  const bool one_byte = header.extension_profile == kOneByteProfile;
  if (!one_byte && (header.extension_profile & 0xfff0) != kTwoByteProfile) return;
  const Bytes bytes = header.extension;
  std::size_t at = 0;
  while (at < bytes.size()) {
    if (bytes[at] == 0) {  // padding
      ++at;
      continue;
    }
    std::uint8_t id = bytes[at];
    std::size_t size = 0;
    if (one_byte) {
      id = bytes[at] >> 4;
      size = (bytes[at] & 0x0f) + 1u;
      ++at;
      if (id == kStopId) return;
    } else {
      if (at + 1 >= bytes.size()) return;
      size = bytes[at + 1];
      at += 2;
    }
    if (size > bytes.size() - at) return;
    // Id 0 with a length is padding with a size in the one-byte form: skipped, never an element.
    if (id != 0 && count_ < kMax) held_[count_++] = {id, bytes.subspan(at, size)};
    at += size;
  }
}

void Elements::set(Element element) {
  auto *const end = held_.data() + count_;
  auto *const same = std::find_if(held_.data(), end, [&](const Element &e) { return e.id == element.id; });
  if (same != end) {
    *same = element;
  } else if (count_ < kMax) {
    held_[count_++] = element;
  }
}

std::optional<Bytes> Elements::find(std::uint8_t id) const {
  for (const Element &element : all()) {
    if (element.id == id) return element.data;
  }
  return std::nullopt;
}

bool Elements::fits_one_byte_form() const {
  return std::ranges::all_of(all(),
                             [](const Element &e) { return e.id < kStopId && !e.data.empty() && e.data.size() <= 16; });
}

std::size_t Elements::block_size() const {
  if (count_ == 0) return 0;
  std::size_t bytes = (fits_one_byte_form() ? 1 : 2) * count_;
  for (const Element &element : all()) bytes += element.data.size();
  return kBlockHeaderSize + padded(bytes);
}

std::size_t Elements::write(MutableBytes out) const {
  const std::size_t size = block_size();
  if (size == 0) return 0;
  assert(size <= out.size());
  const bool one_byte = fits_one_byte_form();
  write16(out, 0, one_byte ? kOneByteProfile : kTwoByteProfile);
  write16(out, 2, static_cast<std::uint16_t>((size - kBlockHeaderSize) / 4));
  std::size_t at = kBlockHeaderSize;
  for (const Element &element : all()) {
    if (one_byte) {
      out[at++] = static_cast<std::uint8_t>(element.id << 4 | (element.data.size() - 1));
    } else {
      out[at++] = element.id;
      out[at++] = static_cast<std::uint8_t>(element.data.size());
    }
    std::ranges::copy(element.data, out.begin() + static_cast<std::ptrdiff_t>(at));
    at += element.data.size();
  }
  std::ranges::fill(out.subspan(at, size - at), std::uint8_t{0});
  return size;
}

std::array<std::uint8_t, 4> participant_element(std::uint32_t participant_id) {
  std::array<std::uint8_t, 4> bytes{};
  write32(bytes, 0, participant_id);
  return bytes;
}

std::optional<std::uint32_t> read_participant_element(Bytes data) {
  if (data.size() != 4) return std::nullopt;
  return read32(data, 0);
}

}  // namespace avc::rtp
