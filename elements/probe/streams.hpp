// The streams that went through a rtpqualityprobe, by SSRC, and their statistics.
#pragma once

#include <gst/gst.h>

#include <map>
#include <optional>
#include <span>
#include <vector>

#include "core/stats/receiver.hpp"
#include "elements/probe/rows.hpp"

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
  static constexpr std::size_t kMax = 4096, kRowsAtOnce = 64;

  void packet(std::span<const std::uint8_t> bytes, std::size_t size, Instant at, const Hints &hints);
  void rtcp(std::span<const std::uint8_t> datagram, Instant at, bool clock_is_shared);
  void clear() { *this = Streams(); }

  struct Totals {
    guint64 not_rtp = 0, rtcp_packets = 0, no_room = 0;
  };
  const Totals &totals() const { return totals_; }

  enum class Since { start, last_time };
  // Puts some of the streams, from the SSRC `from` on, behind what is in `out` and answers where to go on: so that who
  // holds a lock can let go of it in between. Begins with 0. `last_time`: when it was asked so.
  std::optional<std::uint32_t> rows(std::uint32_t from, Since since, std::vector<Row> &out);

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
  Totals totals_;
};

}  // namespace avc::probe
