// A recorded network: what a decision log says became of each packet becomes of it again, whatever decided it then.
//
// A log is JSON lines (elements/degrader/decision_log.hpp), one per packet, in any order:
//
//   {"stream":"1001/video","n":0,"fate":"sent","delay_us":25000.000,"seq":7123,"ssrc":1001000}
//
// The lines are flat objects of texts without escapes, numbers and truth values, read without a JSON library: a log
// has a million of them. Keys that mean nothing here are passed over. What caused a drop within the queue is not in a
// log, so neither is it here.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "core/net/link.hpp"
#include "core/net/packet.hpp"
#include "core/result.hpp"
#include "core/time.hpp"

namespace avc::net {

// What a packet is found by: SSRCs of one stream count each for itself.
struct Track {
  std::uint32_t participant = 0;
  Stream stream = Stream::other;
  std::uint32_t ssrc = 0;
  auto operator<=>(const Track &) const = default;
};

struct Recorded {
  Track track;
  std::uint64_t n = 0;
  std::uint16_t sequence = 0;
  std::optional<Drop::Why> dropped{};
  Nanos delay{};
  std::optional<Nanos> copy_delay{};
  std::optional<std::uint32_t> bit{}, copy_bit{};
  bool ce = false, copy_ce = false;
};

// One line; the error's field is the key at fault.
Result<Recorded> parse_recorded(std::string_view line);

class Recording {
 public:
  // All lines of a log; empty ones are none. The error's message begins with "line N: ".
  static Result<std::shared_ptr<const Recording>> parse(std::string_view log);

  std::size_t packets() const { return packets_; }
  Nanos longest_delay() const { return longest_delay_; }

 private:
  friend class Replay;
  // As Recorded, made small: logs of long runs are held in memory.
  struct Entry {
    std::uint64_t n;
    Nanos delay, copy_delay;      // kNever: no copy
    std::uint32_t bit, copy_bit;  // kNoBit: none is changed
    std::uint16_t sequence;
    bool dropped, ce, copy_ce;
    Drop::Why why;

    Verdict at(Instant arrival) const;
  };
  static constexpr Nanos kNever = Nanos::min();
  static constexpr std::uint32_t kNoBit = ~std::uint32_t{0};

  void add(const Recorded &line);

  std::map<Track, std::vector<Entry>> tracks_;  // each by n, same ones in the order of the log
  std::size_t packets_ = 0;
  Nanos longest_delay_{};
};

// One element's way through a recording. Each line is used once; of several for one n (a packet sent twice, say) the
// first with the packet's sequence number that is not used yet.
class Replay {
 public:
  explicit Replay(std::shared_ptr<const Recording> recording) : recording_(std::move(recording)) {}

  // A Drop or a Send; nothing where the log has no line for the packet.
  std::optional<Verdict> verdict(const Track &track, std::uint64_t n, std::uint16_t sequence, Instant arrival);

  const Recording &recording() const { return *recording_; }

 private:
  // Along one track, by place in it.
  struct Way {
    const std::vector<Recording::Entry> *entries;
    std::vector<bool> used;
    std::size_t next = 0;  // where the packet after the last one is, if none is missing
  };

  Way *way_of(const Track &track);  // none: the log has no such track

  std::shared_ptr<const Recording> recording_;
  std::map<Track, Way> ways_;
};

}  // namespace avc::net
