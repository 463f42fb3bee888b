// The packets of a flood: RTP of a participant's own making, on an SSRC of their own. Buffers come back from where they
// went and are used again, so that a flood allocates nothing once as many exist as are on their way at a time.
#pragma once

#include <gst/gst.h>

#include <cstdint>
#include <vector>

#include "core/random.hpp"
#include "elements/support/ptr.hpp"
#include "elements/tagger/rewrite.hpp"

namespace avc::tagger {

class Flood {
 public:
  void restart(Rng rng);  // which the first sequence number comes from
  // A packet of so many bytes, or null while kMostOnTheirWay of that size are.
  [[nodiscard]] Ptr<GstBuffer> make(const Rewrite &change, std::uint32_t bytes, GstClockTime pts,
                                    std::uint32_t rtp_timestamp);
  void let_go() { rings_.clear(); }  // of the buffers; those on their way stay whole

 private:
  static constexpr std::size_t kMostOnTheirWay = 16384;
  // Buffers of one size. The one at `next` has been away longest; if it is not back, none is.
  struct Ring {
    std::uint32_t bytes = 0;
    std::size_t next = 0;
    std::vector<Ptr<GstBuffer>> buffers;
  };

  Ring &ring_of(std::uint32_t bytes);
  GstBuffer *free_one(Ring &ring);

  std::uint16_t sequence_ = 0;
  std::vector<Ring> rings_;
};

}  // namespace avc::tagger
