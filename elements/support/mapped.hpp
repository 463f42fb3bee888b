// Views of a buffer's or memory's bytes that end with their scope. They take no reference: the buffer must outlive
// its view. Mapping can fail (a memory that is not writable, a foreign allocator), so a view is asked before use.
#pragma once

#include <gst/gst.h>

#include <cstdint>
#include <span>
#include <utility>

namespace avc {

namespace detail {

template <class T>
struct MapCalls;
template <>
struct MapCalls<GstBuffer> {
  static gboolean map(GstBuffer *b, GstMapInfo *info, GstMapFlags flags) { return gst_buffer_map(b, info, flags); }
  static void unmap(GstBuffer *b, GstMapInfo *info) { gst_buffer_unmap(b, info); }
};
template <>
struct MapCalls<GstMemory> {
  static gboolean map(GstMemory *m, GstMapInfo *info, GstMapFlags flags) { return gst_memory_map(m, info, flags); }
  static void unmap(GstMemory *m, GstMapInfo *info) { gst_memory_unmap(m, info); }
};

}  // namespace detail

// Mapped<GstBuffer> joins a buffer of several memories into one by copying; to look at an RTP header alone map the
// first memory, or use copy_front().
template <class T>
class Mapped {
 public:
  explicit Mapped(T *owner, GstMapFlags flags = GST_MAP_READ) : owner_(owner) {
    if (!detail::MapCalls<T>::map(owner_, &info_, flags)) owner_ = nullptr;
  }
  ~Mapped() {
    if (owner_) detail::MapCalls<T>::unmap(owner_, &info_);
  }
  Mapped(const Mapped &) = delete;
  Mapped &operator=(const Mapped &) = delete;

  explicit operator bool() const { return owner_ != nullptr; }
  std::span<const std::uint8_t> bytes() const { return {info_.data, size()}; }
  std::span<std::uint8_t> writable_bytes() { return {info_.data, size()}; }

 private:
  std::size_t size() const { return owner_ ? info_.size : 0; }

  T *owner_;
  GstMapInfo info_ = GST_MAP_INFO_INIT;
};

using MappedBuffer = Mapped<GstBuffer>;
using MappedMemory = Mapped<GstMemory>;

// Copies the first bytes of a buffer, over memory borders, without joining its memories; returns what there was.
inline std::span<const std::uint8_t> copy_front(GstBuffer *buffer, std::span<std::uint8_t> into) {
  return into.first(gst_buffer_extract(buffer, 0, into.data(), into.size()));
}

}  // namespace avc
