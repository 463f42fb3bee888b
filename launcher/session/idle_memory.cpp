#include "launcher/session/idle_memory.hpp"

#include <cstdlib>
#ifdef __GLIBC__
#include <malloc.h>
#endif

namespace avc::session {
namespace {

// Other C libraries keep little.
void give_back() {
#ifdef __GLIBC__
  malloc_trim(0);
#endif
}

}  // namespace

void IdleMemory::look_later() {
  timer_.set(g_timeout_add_seconds(
      kAfterSeconds,
      [](gpointer data) noexcept -> gboolean {
        auto *self = static_cast<IdleMemory *>(data);
        self->timer_.ended();
        if (self->idle_()) give_back();
        return G_SOURCE_REMOVE;
      },
      this));
}

}  // namespace avc::session
