// Ctrl-C, politely: the first SIGINT or SIGTERM is noted (and wakes the main context), the second ends the process
// with the exit code for signals. A child of ours dies with us (child.hpp).
#pragma once

#include <glib.h>

namespace avc::tools {

class StopSignals {
 public:
  StopSignals();
  ~StopSignals();
  StopSignals(const StopSignals &) = delete;
  StopSignals &operator=(const StopSignals &) = delete;

  bool asked() const { return asked_; }

 private:
  static gboolean on_signal(gpointer self) noexcept;

  bool asked_ = false;
  guint sources_[2];
};

}  // namespace avc::tools
