// Finds the plugin this daemon belongs to, and checks that it is of the same version and complete.
#pragma once

#include <vector>

#include "launcher/api/context.hpp"

namespace avc::launcher {

// After gst_init. Looks beside the executable in the build tree and in the installed tree; a plugin that GStreamer
// knows already (GST_PLUGIN_PATH) stays.
void find_plugin();

// One check per thing a test needs; `state_dir` must be writable.
std::vector<api::Check> check_readiness(const std::string &state_dir);

}  // namespace avc::launcher
