#include "elements/scheduler/settings.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <optional>
#include <utility>

#include "elements/scheduler/schedule_json.hpp"

namespace avc::scheduler {
namespace {

constexpr off_t kLargestFile = off_t{64} << 20;  // bytes; more than kMostSpikes spikes need

// Opened without waiting and looked at before it is read: a FIFO nobody writes to, or a device, holds no start up.
Result<std::string> read_file(const std::string &path) {
  const auto fault = [&](const char *what) { return Error{"schedule-location", "\"" + path + "\" " + what}; };
  const int file = open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  if (file < 0) return fault(("cannot be opened: " + std::string(g_strerror(errno))).c_str());
  std::string text;
  struct stat status {};
  std::optional<Error> error;
  if (fstat(file, &status) != 0 || !S_ISREG(status.st_mode))
    error = fault("is not a regular file");
  else if (status.st_size > kLargestFile)
    error = fault("is larger than 64 MiB");
  for (ssize_t got = 1; !error && got > 0;) {
    std::array<char, 65536> part;
    got = read(file, part.data(), part.size());
    if (got < 0) error = fault(("cannot be read: " + std::string(g_strerror(errno))).c_str());
    if (got > 0) text.append(part.data(), static_cast<std::size_t>(got));
    if (text.size() > std::size_t{kLargestFile}) error = fault("is larger than 64 MiB");
  }
  close(file);
  if (error) return *error;
  return text;
}

}  // namespace

Result<Timeline::Plan> plan_from(const Settings &settings) {
  Timeline::Plan plan;
  plan.connections = settings.connections;
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
