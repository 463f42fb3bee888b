// How many packets are on their way: netem's `limit` counts these, whether they wait for the line or are delayed.
#pragma once

#include <algorithm>
#include <functional>
#include <vector>

#include "core/time.hpp"

namespace avc::net {

class Held {
 public:
  void hold(Instant until) {
    due_.push_back(until);
    std::push_heap(due_.begin(), due_.end(), std::greater<>());
  }
  std::size_t at(Instant now) {  // does not go back
    while (!due_.empty() && due_.front() <= now) {
      std::pop_heap(due_.begin(), due_.end(), std::greater<>());
      due_.pop_back();
    }
    return due_.size();
  }
  void clear() { due_.clear(); }

 private:
  std::vector<Instant> due_;  // a heap that keeps its room
};

}  // namespace avc::net
