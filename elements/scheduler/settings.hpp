// What a user sets on spikescheduler, and the plan that it means.
#pragma once

#include <gst/gst.h>

#include <string>

#include "core/result.hpp"
#include "core/spike/plan.hpp"
#include "elements/scheduler/timeline.hpp"

namespace avc::scheduler {

struct Settings {
  std::string schedule, schedule_location, spikes;
  spike::Strategy strategy = spike::Strategy::even;
  guint64 duration_ms = 0;
  guint min_spacing_ms = 5000;
  double jitter_percent = 15;
  bool respect_min_offset = true;
  bool connections = false;
  guint64 seed = 0;
  std::string context;
};

// The error's field is the property; nothing set is an empty plan. Reads the file that schedule_location names.
Result<Timeline::Plan> plan_from(const Settings &settings);

}  // namespace avc::scheduler
