// A probe's record, in the form that probe.cpp writes and runs.py reads: when packets were sent, and when each came
// out, which one it was and which bit had changed.
#pragma once

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <string>
#include <vector>

#include "core/time.hpp"

namespace avc::oracle {

inline constexpr std::uint32_t kNoBit = 0xffffffff;

struct Arrival {
  std::uint64_t at;
  std::uint32_t packet, bit;
};

class Record {
 public:
  explicit Record(std::uint32_t bytes) : bytes_(bytes) {}

  void sent(Instant at) { sent_.push_back(static_cast<std::uint64_t>(at.since_origin.count())); }
  void arrived(Instant at, std::uint64_t packet, std::uint32_t bit) {
    arrivals_.push_back({static_cast<std::uint64_t>(at.since_origin.count()), static_cast<std::uint32_t>(packet), bit});
  }

  // Arrivals in order of time, ties in the order they were told.
  bool write(const std::string &path) {
    std::stable_sort(arrivals_.begin(), arrivals_.end(), [](const auto &a, const auto &b) { return a.at < b.at; });
    std::ofstream file(path, std::ios::binary);
    const std::uint32_t header[] = {0x50435641, 1, static_cast<std::uint32_t>(sent_.size()),
                                    static_cast<std::uint32_t>(arrivals_.size()), bytes_};
    put(file, header, sizeof header);
    put(file, sent_.data(), sent_.size() * sizeof sent_[0]);
    put(file, arrivals_.data(), arrivals_.size() * sizeof arrivals_[0]);
    return static_cast<bool>(file.flush());
  }

 private:
  static void put(std::ofstream &file, const void *data, std::size_t size) {
    file.write(static_cast<const char *>(data), static_cast<std::streamsize>(size));
  }

  std::uint32_t bytes_;
  std::vector<std::uint64_t> sent_;
  std::vector<Arrival> arrivals_;
};

}  // namespace avc::oracle
