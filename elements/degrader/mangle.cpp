#include "elements/degrader/mangle.hpp"

#include "elements/support/mapped.hpp"

namespace avc::degrader {

Ptr<GstBuffer> with_bit_changed(Ptr<GstBuffer> buffer, std::uint32_t bit) {
  guint index = 0, count = 0;
  gsize skip = 0;
  if (!gst_buffer_find_memory(buffer.get(), bit / 8, 1, &index, &count, &skip)) return buffer;
  auto copy = take(gst_memory_copy(gst_buffer_peek_memory(buffer.get(), index), 0, -1));
  if (!copy) return buffer;
  {
    MappedMemory view(copy.get(), GST_MAP_READWRITE);
    if (!view) return buffer;
    view.writable_bytes()[skip] ^= static_cast<std::uint8_t>(1u << bit % 8);
  }
  auto own = take(gst_buffer_make_writable(give(std::move(buffer))));
  gst_buffer_replace_memory(own.get(), index, give(std::move(copy)));
  return own;
}

Ptr<GstBuffer> duplicate_of(GstBuffer *buffer) { return take(gst_buffer_copy(buffer)); }

}  // namespace avc::degrader
