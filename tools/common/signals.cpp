#include "tools/common/signals.hpp"

#include <csignal>

#include <glib-unix.h>
#include <unistd.h>

#include "tools/common/exit_code.hpp"

namespace avc::tools {

StopSignals::StopSignals()
    : sources_{g_unix_signal_add(SIGINT, on_signal, this), g_unix_signal_add(SIGTERM, on_signal, this)} {
  std::signal(SIGPIPE, SIG_IGN);  // a reader of our output that went away is seen when writing
}

StopSignals::~StopSignals() {
  for (const guint source : sources_) g_source_remove(source);
}

gboolean StopSignals::on_signal(gpointer data) noexcept {
  auto *self = static_cast<StopSignals *>(data);
  if (self->asked_) _exit(static_cast<int>(Exit::signal));
  self->asked_ = true;
  return G_SOURCE_CONTINUE;
}

}  // namespace avc::tools
