// What happens to single packets besides loss and delay: sent twice, one bit changed, sent ahead of the others, or
// left out as part of a whole video frame.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "core/net/events.hpp"
#include "core/net/impairment.hpp"
#include "core/net/packet.hpp"
#include "core/random.hpp"

namespace avc::net {

// The bit that changes, counted from the packet's first byte: byte bit / 8, mask 1 << bit % 8. Anywhere behind the
// packet's header or, with corrupt_headers, in the whole packet; none if there is nothing to change. One draw.
std::optional<std::uint32_t> corrupted_bit(const Impairment &settings, const Packet &packet, Draws draws);

// netem's "reorder PERCENT CORRELATION gap GAP": a packet is chosen with the percentage, but not before gap-1 others
// have passed since the last one chosen. 100 percent chooses exactly every gap-th packet of a stream. With a smaller
// percentage the count begins anew every kBlock packets, which bounds how far back it must be looked up.
class Reorder {
 public:
  static constexpr std::uint64_t kBlock = 4096;

  Reorder() = default;
  explicit Reorder(const Rng &rng) : events_(rng) {}

  void set(const Impairment &settings);
  bool chosen(std::uint64_t n);

 private:
  Events events_;
  std::uint32_t gap_ = 0;
  bool always_ = false;
  bool known_ = false, chosen_ = false;  // packet n_ was chosen
  std::uint64_t n_ = 0, since_ = 0;      // packets since the last one chosen, after packet n_
};

class Mangle {
 public:
  explicit Mangle(const Rng &rng);

  void set(const Impairment &settings);
  bool frame_dropped(const Packet &packet) const;
  bool duplicated(const Packet &packet) { return of(packet).duplicate.happens(packet.n); }
  std::optional<std::uint32_t> corrupted(const Impairment &settings, const Packet &packet);
  std::optional<std::uint32_t> corrupted_copy(const Impairment &settings, const Packet &packet) const;
  bool sent_ahead(const Packet &packet) { return of(packet).reorder.chosen(packet.n); }

 private:
  struct PerStream {
    Events duplicate, corrupt;
    Rng bits, copies;
    Reorder reorder;
  };
  PerStream &of(const Packet &packet) { return streams_[static_cast<std::size_t>(packet.stream)]; }

  std::array<PerStream, kStreamCount> streams_;
  Rng frames_;
  double frame_drop_percent_ = 0;
};

}  // namespace avc::net
