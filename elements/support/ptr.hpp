// Owning pointers for C objects. The table of deleters is closed: a type that is not listed does not compile.
// take() marks a C call that hands over a reference, give() one that takes it. Raw pointers never own.
#pragma once

#include <gst/gst.h>

#include <memory>

namespace avc {

template <class T>
struct Freer;

#define AVC_FREES(Type, fn) \
  template <>               \
  struct Freer<Type> {      \
    void operator()(Type *p) const noexcept { fn(p); } \
  };

AVC_FREES(GBytes, g_bytes_unref)
AVC_FREES(GError, g_error_free)
AVC_FREES(GstAllocator, gst_object_unref)
AVC_FREES(GstBuffer, gst_buffer_unref)
AVC_FREES(GstBufferList, gst_buffer_list_unref)
AVC_FREES(GstBus, gst_object_unref)
AVC_FREES(GstCaps, gst_caps_unref)
AVC_FREES(GstClock, gst_object_unref)
AVC_FREES(GstElement, gst_object_unref)
AVC_FREES(GstEvent, gst_event_unref)
AVC_FREES(GstMemory, gst_memory_unref)
AVC_FREES(GstMessage, gst_message_unref)
AVC_FREES(GstMiniObject, gst_mini_object_unref)
AVC_FREES(GstPad, gst_object_unref)
AVC_FREES(GstQuery, gst_query_unref)
AVC_FREES(GstSample, gst_sample_unref)
AVC_FREES(GstStructure, gst_structure_free)
AVC_FREES(GVariant, g_variant_unref)
AVC_FREES(gchar, g_free)

template <class T>
using Ptr = std::unique_ptr<T, Freer<T>>;

template <class T>
[[nodiscard]] Ptr<T> take(T *p) {  // transfer full, in
  return Ptr<T>(p);
}
template <class T>
[[nodiscard]] T *give(Ptr<T> p) {  // transfer full, out
  return p.release();
}
template <class T>
[[nodiscard]] Ptr<T> share(T *p) {  // one more reference to a mini object
  return Ptr<T>(reinterpret_cast<T *>(gst_mini_object_ref(GST_MINI_OBJECT_CAST(p))));
}

}  // namespace avc
