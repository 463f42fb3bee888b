// The streams that went through a rtpqualityprobe, by SSRC, and their statistics as GstStructures with the names of
// W3C webrtc-stats in kebab-case.
#pragma once

#include <gst/gst.h>

#include <map>
#include <string>
#include <vector>

#include "core/stats/receiver.hpp"
#include "elements/support/ptr.hpp"

namespace avc::probe {

// What the pad's caps and events say of the streams on it; nothing: go by the payload type.
struct Hints {
  std::optional<net::Stream> media;
  guint clock_rate = 0;
  guint participant_id = 0;  // where packets carry none
  std::uint8_t extension_id = 1;
};

class Streams {
 public:
  static constexpr std::size_t kMax = 4096;

  void packet(std::span<const std::uint8_t> bytes, std::size_t size, Instant at, const Hints &hints);
  void rtcp(std::span<const std::uint8_t> datagram, Instant at, bool clock_is_shared);
  void clear() { *this = Streams(); }

  // Everything since the start; `window`: since the last such call.
  [[nodiscard]] Ptr<GstStructure> describe(const char *name) const;
  [[nodiscard]] Ptr<GstStructure> window(const char *name);

  // RTCP receiver reports with extended ones on all streams, as datagrams of at most 1200 bytes.
  std::vector<std::vector<std::uint8_t>> reports(std::uint32_t own_ssrc, Instant now);

 private:
  struct Stream {
    explicit Stream(const rtp::Header &first, const Hints &hints);
    guint participant_id = 0;
    guint payload_type;
    stats::Receiver receiver;
    stats::StreamStats before;    // at the last window
    stats::StreamStats reported;  // at the last report
  };

  std::map<std::uint32_t, Stream> streams_;
  guint64 not_rtp_ = 0, rtcp_packets_ = 0, no_room_ = 0;
};

}  // namespace avc::probe
