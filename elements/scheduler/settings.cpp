#include "elements/scheduler/settings.hpp"

#include <utility>

#include "elements/scheduler/schedule_json.hpp"
#include "elements/support/ptr.hpp"

namespace avc::scheduler {
namespace {

Result<std::string> read_file(const std::string &path) {
  gchar *text = nullptr;
  gsize size = 0;
  GError *error = nullptr;
  if (!g_file_get_contents(path.c_str(), &text, &size, &error)) {
    Error fault{"schedule-location", error->message};
    g_error_free(error);
    return fault;
  }
  const auto owned = take(text);
  return std::string(text, size);
}

}  // namespace

Result<Timeline::Plan> plan_from(const Settings &settings) {
  Timeline::Plan plan;
  const int given = !settings.schedule.empty() + !settings.schedule_location.empty() + !settings.spikes.empty();
  if (given > 1) return Error{"schedule", "only one of schedule, schedule-location and spikes can be set"};
  if (given == 0) return plan;
  std::string property = "schedule", text = settings.schedule;
  if (!settings.schedule_location.empty()) {
    auto read = read_file(settings.schedule_location);
    if (!read) return read.error();
    property = "schedule-location";
    text = *std::move(read);
  } else if (!settings.spikes.empty()) {
    property = "spikes";
    text = settings.spikes;
    plan.spread = true;
    plan.distribution = {settings.strategy, std::chrono::milliseconds(settings.min_spacing_ms), settings.jitter_percent,
                         settings.respect_min_offset};
    plan.length = std::chrono::milliseconds(settings.duration_ms);
  }
  auto spikes = read_spikes(text);
  if (!spikes) return Error{property, spikes.error().text()};
  plan.spikes = *std::move(spikes);
  return plan;
}

}  // namespace avc::scheduler
