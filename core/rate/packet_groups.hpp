// Packets sent together, and how much later than the group before it each group arrived: the inter-group delay
// variation d(i) of draft-ietf-rmcat-gcc-02, sections 5.1 and 5.2.
//
// A group is what was sent within 5 ms. What arrives within 5 ms of it although it was sent later belongs to it as
// well: a path that delivers in bursts (5.2).
#pragma once

#include <optional>

#include "core/time.hpp"

namespace avc::rate {

class PacketGroups {
 public:
  static constexpr Nanos kBurst = std::chrono::milliseconds(5);
  static constexpr Nanos kLongestBurst = std::chrono::milliseconds(100);  // of arrivals taken for one
  static constexpr Nanos kJump = std::chrono::seconds(3);  // a variation beyond it is another clock, not a queue

  struct Variation {
    Nanos delay{};      // d(i): the time between two groups' arrivals less that between their departures
    Instant arrived{};  // the later group's last packet
    bool jumped = false;
  };
  // Packets in the order they were sent. Answers when a group is complete, and there is one before it.
  std::optional<Variation> add(Instant sent, Instant arrived);

 private:
  struct Group {
    Instant first_sent{}, last_sent{}, first_arrived{}, last_arrived{};
  };
  bool belongs(Instant sent, Instant arrived) const;

  std::optional<Group> current_, before_;
};

}  // namespace avc::rate
