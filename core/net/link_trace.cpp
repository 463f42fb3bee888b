#include "core/net/link_trace.hpp"

#include <algorithm>
#include <charconv>
#include <string>

namespace avc::net {

Result<std::shared_ptr<const LinkTrace>> LinkTrace::parse(std::string_view text) {
  std::vector<std::uint32_t> times;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);

    const std::string where = "line " + std::to_string(times.size() + 1);
    if (times.size() == kMostLines) return Error{"", where + ": more than " + std::to_string(kMostLines) + " lines"};
    std::uint32_t ms = 0;
    const auto read = std::from_chars(line.data(), line.data() + line.size(), ms);
    if (line.empty() || read.ec == std::errc::invalid_argument || read.ptr != line.data() + line.size())
      return Error{"", where + ": \"" + std::string(line.substr(0, 40)) + "\" is not a time in whole milliseconds"};
    if (read.ec != std::errc() || ms > kLongestMs)
      return Error{"", where + ": " + std::string(line.substr(0, 40)) + " is not accepted; it must be 0 to " +
                           std::to_string(kLongestMs) + " ms"};
    if (!times.empty() && ms < times.back())
      return Error{"", where + ": " + std::to_string(ms) + " ms comes after " + std::to_string(times.back()) + " ms"};
    times.push_back(ms);
  }
  if (times.empty()) return Error{"", "the trace is empty"};
  if (times.back() == 0) return Error{"", "the trace has no length: its last time must be above 0 ms"};
  return of(std::move(times));
}

std::shared_ptr<const LinkTrace> LinkTrace::of(std::vector<std::uint32_t> times_ms) {
  return std::shared_ptr<const LinkTrace>(new LinkTrace(std::move(times_ms)));
}

LinkTrace::Place LinkTrace::first_from(Instant at) const {
  const std::int64_t ns = at.since_origin.count(), period = period_ns();
  std::int64_t round = ns / period;
  if (ns % period < 0) --round;
  if (round > 0 && ns == round * period) --round;  // the last opportunity of the round before is at that moment
  const std::int64_t within = ns - round * period;
  const auto ms = static_cast<std::uint32_t>((within + kMs - 1) / kMs);
  const auto found = std::lower_bound(times_.begin(), times_.end(), ms);
  // The end of a round is an opportunity of its own, so there always is one up to there.
  return {round, static_cast<std::uint32_t>(found - times_.begin())};
}

LinkTrace::Place LinkTrace::next(Place place) const {
  if (++place.index == times_.size()) place = {place.round + 1, 0};
  return place;
}

Instant LinkTrace::time(Place place) const {
  return {Nanos(place.round * period_ns() + std::int64_t{times_[place.index]} * kMs)};
}

}  // namespace avc::net
