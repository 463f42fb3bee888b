// What is freed the C library keeps for the next allocation, in a pool for every few threads: some 15 MB after a few
// hundred WebRTC connections. This gives it back to the machine when nothing has run for a while, and not before: it
// holds each of the pools for a moment.
//
// Main context only.
#pragma once

#include <functional>
#include <utility>

#include "launcher/session/source_id.hpp"

namespace avc::session {

class IdleMemory {
 public:
  static constexpr unsigned kAfterSeconds = 5;

  explicit IdleMemory(std::function<bool()> idle) : idle_(std::move(idle)) {}
  void look_later();  // something has ended

 private:
  const std::function<bool()> idle_;
  SourceId timer_;
};

}  // namespace avc::session
