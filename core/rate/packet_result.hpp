// What a sender learns of one packet it sent: whether it arrived, and when by the receiver's clock.
#pragma once

#include <cstdint>
#include <optional>

#include "core/time.hpp"

namespace avc::rate {

struct PacketResult {
  Instant sent{};           // by the sender's clock
  std::uint32_t bytes = 0;  // as the sender counts them; estimates count the same bytes
  std::optional<Instant>
      arrived{};  // by the receiver's clock, which has no known relation to ours; nothing: not so far
};

}  // namespace avc::rate
