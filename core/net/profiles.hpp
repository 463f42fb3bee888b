// Named network conditions with the source of their numbers, for a test's base condition or a spike.
//
// Numbers are taken as published, for one direction: a published latency is the delay of the packets a participant
// sends, unless the source says that it is a round trip (then half of it).
#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "core/net/impairment.hpp"

namespace avc::net {

struct Profile {
  std::string_view name, summary, source;
  void (*fill)(Impairment &);
};

std::span<const Profile> profiles();
std::span<const std::string_view> profile_names();  // in the same order
std::optional<Impairment> profile(std::string_view name);

}  // namespace avc::net
