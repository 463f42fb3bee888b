// Which packets of a repeating series are lost: "0001" loses every fourth. Held in place, so that settings are
// copied without allocating.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/result.hpp"

namespace avc::net {

class LossPattern {
 public:
  static constexpr std::size_t kLongest = 256;

  // 1 to 256 characters, each '0' (passes) or '1' (lost). The error's field is empty.
  static Result<LossPattern> parse(std::string_view text) {
    if (text.empty() || text.size() > kLongest)
      return Error{"", std::to_string(text.size()) + " packets are not accepted; a pattern has 1 to 256 digits"};
    LossPattern pattern;
    for (const char c : text) {
      if (c != '0' && c != '1')
        return Error{"", "digit " + std::to_string(pattern.size_ + 1) + " is neither 0 (passes) nor 1 (lost)"};
      if (c == '1') pattern.bits_[pattern.size_ / 64] |= std::uint64_t{1} << pattern.size_ % 64;
      ++pattern.size_;
    }
    return pattern;
  }

  bool empty() const { return size_ == 0; }
  bool lost(std::uint64_t n) const {  // of a pattern that is not empty
    const std::uint64_t i = n % size_;
    return bits_[i / 64] >> i % 64 & 1;
  }
  std::string text() const {
    std::string text;
    for (std::uint64_t i = 0; i < size_; ++i) text += lost(i) ? '1' : '0';
    return text;
  }

  friend bool operator==(const LossPattern &, const LossPattern &) = default;

 private:
  std::array<std::uint64_t, kLongest / 64> bits_{};
  std::uint16_t size_ = 0;
};

}  // namespace avc::net
