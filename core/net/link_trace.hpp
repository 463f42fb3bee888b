// A link's capacity as recorded or made up, in Mahimahi's format: a text file with one time in whole milliseconds
// per line, never falling. Each line is one opportunity to deliver kOpportunity bytes; the last line's time is also
// the length after which the trace begins again.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "core/result.hpp"
#include "core/time.hpp"

namespace avc::net {

class LinkTrace {
 public:
  static constexpr std::uint32_t kOpportunity = 1500;  // bytes
  static constexpr std::size_t kMostLines = 10'000'000;
  static constexpr std::uint32_t kLongestMs = 86'400'000;  // one day

  // The error's message names the line; its field is empty. Lines end with LF or CRLF; nothing but digits is in them.
  static Result<std::shared_ptr<const LinkTrace>> parse(std::string_view text);
  // Times as parse() would accept them.
  static std::shared_ptr<const LinkTrace> of(std::vector<std::uint32_t> times_ms);

  Nanos period() const { return Nanos(period_ns()); }
  double mean_kbps() const { return static_cast<double>(times_.size()) * kOpportunity * 8 / times_.back(); }
  const std::vector<std::uint32_t> &times_ms() const { return times_; }

  // A place among the opportunities: the index within one round, and the round.
  struct Place {
    std::int64_t round = 0;
    std::uint32_t index = 0;

    friend bool operator==(const Place &, const Place &) = default;
  };
  Place first_from(Instant at) const;  // the first opportunity not before a moment on the trace's own time line
  Place next(Place place) const;
  Instant time(Place place) const;

 private:
  static constexpr std::int64_t kMs = 1'000'000;

  std::int64_t period_ns() const { return std::int64_t{times_.back()} * kMs; }

  explicit LinkTrace(std::vector<std::uint32_t> times) : times_(std::move(times)) {}

  std::vector<std::uint32_t> times_;
};

}  // namespace avc::net
