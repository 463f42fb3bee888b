// SSRC -> number, for tables of many streams that are looked into for every packet: flat, open addressing, eight bytes
// an entry, so that ten thousand streams fit a second-level cache. Numbers are the caller's.
//
// SSRCs come from strangers: the hash is salted, or chosen SSRCs would make every look-up walk through all entries.
// The caller bounds how many there are.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

namespace avc::rtp {

class SsrcTable {
 public:
  explicit SsrcTable(std::uint64_t salt) : salt_(salt | 1) { resize(kSmallest); }

  std::optional<std::uint32_t> find(std::uint32_t ssrc) const {
    const std::size_t at = place_of(ssrc);
    return entries_[at].number == kNone ? std::nullopt : std::optional(entries_[at].number);
  }

  // Replaces the number of an SSRC that is there.
  void put(std::uint32_t ssrc, std::uint32_t number) {
    if (2 * (count_ + 1) > entries_.size()) resize(2 * entries_.size());
    Entry &entry = entries_[place_of(ssrc)];
    count_ += entry.number == kNone;
    entry = {ssrc, number};
  }

  // What follows moves up, so that no look-up has to walk over graves.
  void erase(std::uint32_t ssrc) {
    std::size_t hole = place_of(ssrc);
    if (entries_[hole].number == kNone) return;
    for (std::size_t at = next(hole); entries_[at].number != kNone; at = next(at)) {
      const std::size_t home = home_of(entries_[at].ssrc);
      // It may move unless its home lies behind the hole.
      if (((at - home) & (entries_.size() - 1)) < ((at - hole) & (entries_.size() - 1))) continue;
      entries_[hole] = entries_[at];
      hole = at;
    }
    entries_[hole].number = kNone;
    --count_;
  }

  std::size_t size() const { return count_; }

 private:
  static constexpr std::uint32_t kNone = 0xffffffff;
  static constexpr std::size_t kSmallest = 64;
  struct Entry {
    std::uint32_t ssrc = 0, number = kNone;
  };

  std::size_t next(std::size_t at) const { return (at + 1) & (entries_.size() - 1); }
  std::size_t home_of(std::uint32_t ssrc) const {
    const std::uint64_t mixed = (ssrc + salt_) * 0x9e3779b97f4a7c15u;
    return static_cast<std::size_t>(((mixed ^ (mixed >> 29)) * salt_) >> shift_);
  }
  std::size_t place_of(std::uint32_t ssrc) const {
    std::size_t at = home_of(ssrc);
    while (entries_[at].number != kNone && entries_[at].ssrc != ssrc) at = next(at);
    return at;
  }
  void resize(std::size_t size) {  // a power of two
    shift_ = 64;
    for (std::size_t n = size; n > 1; n /= 2) --shift_;
    const auto before = std::exchange(entries_, std::vector<Entry>(size));
    count_ = 0;
    for (const Entry &entry : before) {
      if (entry.number != kNone) put(entry.ssrc, entry.number);
    }
  }

  std::uint64_t salt_;
  unsigned shift_ = 0;  // a hash's upper bits are the place
  std::size_t count_ = 0;
  std::vector<Entry> entries_;
};

}  // namespace avc::rtp
