// A distribution of jitter from the user's own measurements, in the format of netem's .dist files: whole numbers
// -32768..32767 between white space, '#' up to the end of its line a comment. Each stands for an equal share of all
// packets; kScale is one jitter_ms. iproute2's `maketable` makes such a file from measured times.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "core/result.hpp"

namespace avc::net {

class DelayTable {
 public:
  static constexpr int kScale = 8192;
  static constexpr std::size_t kMostValues = 16384;  // netem's own limit

  // The error's message names the line; its field is empty.
  static Result<std::shared_ptr<const DelayTable>> parse(std::string_view text);

  // The value below which a share 0 <= u <= 1 of all draws lies, in units of jitter_ms.
  double quantile(double u) const;
  std::size_t size() const { return values_.size(); }

 private:
  explicit DelayTable(std::vector<std::int16_t> values) : values_(std::move(values)) {}

  std::vector<std::int16_t> values_;  // ascending
};

}  // namespace avc::net
