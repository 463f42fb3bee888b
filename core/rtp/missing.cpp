#include "core/rtp/missing.hpp"

namespace avc::rtp {

void Missing::came(std::uint16_t sequence, Instant now) {
  const auto ahead = static_cast<std::int16_t>(static_cast<std::uint16_t>(sequence - highest_));
  if (!started_ || ahead > kMost || ahead < -kMost) {  // the first, or the numbers begin anew
    all_.clear();
    started_ = true;
    highest_ = sequence;
    return;
  }
  if (ahead <= 0) {
    std::erase_if(all_, [sequence](const One &one) { return one.sequence == sequence; });
    return;
  }
  for (int step = 1; step < ahead; ++step)
    all_.push_back({static_cast<std::uint16_t>(highest_ + step), now + kFirst, now + kPatience});
  highest_ = sequence;
}

void Missing::due(Instant now, std::vector<std::uint16_t> &wanted) {
  if (all_.empty()) return;
  std::erase_if(all_, [now](const One &one) { return one.give_up <= now; });
  for (One &one : all_) {
    if (one.ask > now) continue;
    one.ask = now + kAgain;
    wanted.push_back(one.sequence);
  }
}

}  // namespace avc::rtp
