// Whether the kernel sends datagrams at the times they are given (SO_TXTIME). Only the queueing discipline of the
// device that they leave by can do that; a socket takes the times in any case and says nothing. So the discipline is
// asked for by name: fq keeps times of the monotonic clock. (etf keeps those of a clock that its user chooses, mostly
// TAI, and drops all others: it is not counted.)
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "core/runtime/udp_socket.hpp"

namespace avc::runtime {

struct Discipline {
  std::uint32_t handle = 0, parent = 0;  // as in tc: major number in the upper half
  std::string kind;
};

// Of one device: its root keeps times, or all of a multi-queue root's children do.
bool keep_times(std::span<const Discipline> of_device);

// Asks the kernel for the route and its device's disciplines. False as well if it does not answer.
bool times_are_kept_to(const Address &to);

}  // namespace avc::runtime
