// Owning pointers for the GLib and libsoup objects of this folder, which knows no GStreamer.
#pragma once

#include <glib-object.h>

#include <memory>

namespace avc::launcher::http {

struct ObjectUnref {
  void operator()(gpointer object) const noexcept { g_object_unref(object); }
};
struct GFree {
  void operator()(gpointer memory) const noexcept { g_free(memory); }
};
struct ErrorFree {
  void operator()(GError *error) const noexcept { g_error_free(error); }
};
struct HashUnref {
  void operator()(GHashTable *table) const noexcept { g_hash_table_unref(table); }
};
struct BytesUnref {
  void operator()(GBytes *bytes) const noexcept { g_bytes_unref(bytes); }
};

template <class T>
using ObjectPtr = std::unique_ptr<T, ObjectUnref>;
using CharPtr = std::unique_ptr<char, GFree>;
using ErrorPtr = std::unique_ptr<GError, ErrorFree>;
using HashPtr = std::unique_ptr<GHashTable, HashUnref>;
using BytesPtr = std::unique_ptr<GBytes, BytesUnref>;

// An event source of the default main context that ends with its owner.
class SourceId {
 public:
  SourceId() = default;
  explicit SourceId(guint id) : id_(id) {}
  SourceId(SourceId &&other) noexcept : id_(std::exchange(other.id_, 0)) {}
  SourceId &operator=(SourceId &&other) noexcept {
    if (this != &other) {
      reset();
      id_ = std::exchange(other.id_, 0);
    }
    return *this;
  }
  ~SourceId() { reset(); }

  void reset() {
    if (id_ != 0) g_source_remove(std::exchange(id_, 0));
  }
  void ended() { id_ = 0; }  // the callback returned G_SOURCE_REMOVE
  explicit operator bool() const { return id_ != 0; }

 private:
  guint id_ = 0;
};

}  // namespace avc::launcher::http
