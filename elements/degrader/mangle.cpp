#include "elements/degrader/mangle.hpp"

#include "elements/support/mapped.hpp"
#include "elements/support/rtp_frame.hpp"

namespace avc::degrader {
namespace {

// A copy of the memory with the bit `mask` of byte `at` changed; null if that cannot be.
Ptr<GstMemory> changed(GstMemory *memory, std::size_t at, std::uint8_t mask) {
  auto copy = take(gst_memory_copy(memory, 0, -1));
  if (!copy) return nullptr;
  MappedMemory view(copy.get(), GST_MAP_READWRITE);
  if (!view || at >= view.bytes().size()) return nullptr;
  view.writable_bytes()[at] ^= mask;
  return copy;
}

void change_bit(RtpFrame &one, std::uint32_t bit) {
  const std::size_t at = bit / 8;
  const auto mask = static_cast<std::uint8_t>(1u << bit % 8);
  if (at < one.header_bytes) {
    one.packets[0].header[at] ^= mask;
  } else if (auto payload = changed(one.packets[0].payload->memory.get(), at - one.header_bytes, mask)) {
    set_payload(one, std::move(payload));
  }
}

}  // namespace

Ptr<GstBuffer> with_bit_changed(Ptr<GstBuffer> buffer, std::uint32_t bit) {
  if (frame_of(buffer.get())) {
    auto own = take(gst_buffer_make_writable(give(std::move(buffer))));
    change_bit(*frame_of(own.get()), bit);
    return own;
  }
  guint index = 0, count = 0;
  gsize skip = 0;
  if (!gst_buffer_find_memory(buffer.get(), bit / 8, 1, &index, &count, &skip)) return buffer;
  auto copy = changed(gst_buffer_peek_memory(buffer.get(), index), skip, static_cast<std::uint8_t>(1u << bit % 8));
  if (!copy) return buffer;
  auto own = take(gst_buffer_make_writable(give(std::move(buffer))));
  gst_buffer_replace_memory(own.get(), index, give(std::move(copy)));
  return own;
}

Ptr<GstBuffer> duplicate_of(GstBuffer *buffer) { return take(gst_buffer_copy(buffer)); }

}  // namespace avc::degrader
