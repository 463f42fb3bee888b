// An event source of the default main context that ends with its owner.
#pragma once

#include <glib.h>

#include <utility>

namespace avc::session {

class SourceId {
 public:
  SourceId() = default;
  explicit SourceId(guint id) : id_(id) {}
  SourceId(const SourceId &) = delete;
  SourceId &operator=(const SourceId &) = delete;
  ~SourceId() { reset(); }

  // Replaces what was pending. The callback may reset or replace its own source.
  void set(guint id) {
    reset();
    id_ = id;
  }
  void reset() {
    if (id_ != 0) g_source_remove(std::exchange(id_, 0));
  }
  void ended() { id_ = 0; }  // the callback is about to return G_SOURCE_REMOVE
  explicit operator bool() const { return id_ != 0; }

 private:
  guint id_ = 0;
};

}  // namespace avc::session
