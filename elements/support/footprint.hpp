// What a push through a chain of our own elements touches, whatever it pushes: the pads and their locks, the elements
// and what is their own. With a thousand chains none of it is in the processor's caches when its turn comes, and a push
// would wait for one line after the other. Named in advance they come while the packets are still being made.
//
// Nothing is ever read there: an address that has become stale is as good as any other.
#pragma once

#include <gst/gst.h>

#include <cstddef>
#include <vector>

namespace avc {

class Footprint {
 public:
  void follow(GstPad *src);  // down to the sink, in place of what was followed before
  void expect() const {
    for (const Stretch &stretch : stretches_) {
      for (std::size_t at = 0; at < stretch.bytes; at += kLine) __builtin_prefetch(stretch.from + at);
    }
  }

 private:
  static constexpr std::size_t kLine = 64;
  struct Stretch {
    const char *from;
    std::size_t bytes;
  };
  void add(const void *from, std::size_t bytes);
  void add(GstPad *pad);
  void add(GstElement *element);

  std::vector<Stretch> stretches_;
};

}  // namespace avc
