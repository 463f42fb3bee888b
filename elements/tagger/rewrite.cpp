#include "elements/tagger/rewrite.hpp"

#include <algorithm>

#include "core/rtp/extension.hpp"
#include "elements/support/mapped.hpp"
#include "elements/support/ptr.hpp"

namespace avc::tagger {
namespace {

// Enough for every header but those with long extensions, which are read in a second go.
constexpr std::size_t kUsualHeader = 96;
// What an old header can grow by: the participant's element, the slot, and a byte for each element in the two-byte
// form.
constexpr std::size_t kGrowth = 64;

bool write_to(GstMemory *memory, std::span<const std::uint8_t> bytes) {
  MappedMemory view(memory, GST_MAP_WRITE);
  if (!view || view.bytes().size() < bytes.size()) return false;
  std::ranges::copy(bytes, view.writable_bytes().begin());
  return true;
}

// The new header for a packet that begins with `bytes`, which hold all of the old one; its length.
std::size_t compose(const rtp::Header &old, std::span<const std::uint8_t> bytes, const Rewrite &change,
                    std::span<std::uint8_t> out) {
  const std::size_t front = rtp::kFixedHeaderSize + 4u * old.csrc_count;
  std::ranges::copy(bytes.first(front), out.begin());
  rtp::set_ssrc(out, change.ssrc);
  if (change.payload_type) rtp::set_payload_type(out, *change.payload_type);
  rtp::set_sequence(out, static_cast<std::uint16_t>(old.sequence + change.sequence_offset));
  rtp::set_timestamp(out, old.timestamp + change.timestamp_offset);

  switch (change.extension) {
    case Extension::rfc3550:
      rtp::set_extension_bit(out, true);
      rtp::write_participant_extension(out.subspan(front).first<rtp::kParticipantExtensionSize>(),
                                       change.participant_id);
      return front + rtp::kParticipantExtensionSize;
    case Extension::rfc8285:
    case Extension::none: {
      static constexpr std::array<std::uint8_t, 2> kSlot{};
      const auto id = rtp::participant_element(change.participant_id);
      if (change.extension == Extension::none && change.transport_cc_id == 0) break;
      rtp::Elements elements(old);
      if (change.extension == Extension::rfc8285) elements.set({change.extension_id, id});
      if (change.transport_cc_id > 0) elements.set({change.transport_cc_id, kSlot});
      rtp::set_extension_bit(out, true);
      return front + elements.write(out.subspan(front));
    }
  }
  std::ranges::copy(bytes.subspan(front, old.size - front), out.begin() + static_cast<std::ptrdiff_t>(front));
  return old.size;
}

// The first memory, if the new header can be written into it as it is or grown.
bool write_in_place(GstBuffer *buffer, std::size_t old_size, std::span<const std::uint8_t> bytes) {
  GstMemory *memory = gst_buffer_peek_memory(buffer, 0);
  if (!gst_memory_is_writable(memory)) return false;
  gsize offset = 0, capacity = 0;
  const gsize size = gst_memory_get_sizes(memory, &offset, &capacity);
  if (bytes.size() == old_size && size >= old_size) return write_to(memory, bytes);
  if (size != old_size || offset + bytes.size() > capacity) return false;
  gst_memory_resize(memory, 0, bytes.size());
  return write_to(memory, bytes);
}

}  // namespace

Packet::Packet(GstBuffer *buffer) : buffer_(buffer) {
  for (const std::size_t limit : {kUsualHeader, kLongestHeader}) {
    const auto front = copy_front(buffer, std::span(bytes_).first(limit));
    const auto kind = rtp::classify(front);
    rtcp_ = kind == rtp::Datagram::rtcp;
    if (kind != rtp::Datagram::rtp) return;
    old_ = rtp::parse_header(front);
    if (old_ || front.size() < limit) return;
  }
}

std::optional<Written> Packet::rewrite(const Rewrite &change) {
  std::array<std::uint8_t, kLongestHeader + kGrowth> out;
  const auto bytes = std::span(out).first(compose(*old_, bytes_, change, out));
  const Written written{old_->timestamp + change.timestamp_offset, gst_buffer_get_size(buffer_) - old_->size};
  if (write_in_place(buffer_, old_->size, bytes)) return written;

  auto front = take(gst_allocator_alloc(nullptr, bytes.size(), nullptr));
  if (!front || !write_to(front.get(), bytes)) return std::nullopt;
  gst_buffer_resize(buffer_, static_cast<gssize>(old_->size), -1);
  gst_buffer_prepend_memory(buffer_, give(std::move(front)));
  return written;
}

// All headers of a frame differ in sequence number and marker only: the first is composed, the others follow it.
std::optional<WrittenFrame> rewrite(std::span<FramePacket> frame, std::size_t header_bytes, const Rewrite &change) {
  const auto front = std::span<const std::uint8_t>(frame.front().header).first(header_bytes);
  const auto old = rtp::parse_header(front);
  if (!old) return std::nullopt;
  std::array<std::uint8_t, FramePacket::kHeaderRoom + kGrowth> first{};
  WrittenFrame written{{old->timestamp + change.timestamp_offset, 0}, compose(*old, front, change, first)};
  if (written.header_bytes > FramePacket::kHeaderRoom) return std::nullopt;
  for (FramePacket &packet : frame) {
    const std::uint16_t sequence = rtp::read16(packet.header, 2);
    const bool marker = (packet.header[1] & 0x80) != 0;
    std::copy_n(first.begin(), FramePacket::kHeaderRoom, packet.header.begin());
    rtp::set_sequence(packet.header, static_cast<std::uint16_t>(sequence + change.sequence_offset));
    rtp::set_marker(packet.header, marker);
    written.payload_bytes += packet.payload->bytes.size();
  }
  return written;
}

}  // namespace avc::tagger
