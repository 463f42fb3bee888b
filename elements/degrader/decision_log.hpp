// What chaos decided about every packet, as JSON lines, for exact comparison with what arrived:
//
//   {"stream":"1001/video","n":0,"fate":"sent","delay_us":25000.000,"seq":7123,"ssrc":1001000}
//
// with "copy_delay_us" where it was duplicated, and "bit" and "copy_bit" where packet or copy have one bit changed;
// "ce" and "copy_ce" where they are marked "congestion experienced".
//
// One file per path and process, shared by all who name it, held by its users. Streaming threads only append to a
// list in memory; one thread per file writes. The list has a limit: what does not fit any more is counted, and
// append() says so, because a log with holes must never look complete. A file is begun anew when the process first
// opens it and continued after that.
#pragma once

#include <array>
#include <condition_variable>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "core/net/packet.hpp"
#include "core/result.hpp"
#include "core/time.hpp"

namespace avc::degrader {

// A packet both duplicated and corrupted is `duplicated`, with its bits.
enum class Fate : std::uint8_t { sent, lost, queue_dropped, frame_dropped, duplicated, corrupted };
inline constexpr std::array kFateNames = {"sent", "lost", "queue-dropped", "frame-dropped", "duplicated", "corrupted"};

struct Decision {
  std::uint32_t participant = 0;
  net::Stream stream = net::Stream::other;
  Fate fate = Fate::sent;
  std::uint16_t sequence = 0;
  std::uint32_t ssrc = 0;
  std::uint64_t n = 0;
  Nanos delay{};  // decided, not measured; 0 where the packet is dropped
  std::optional<Nanos> copy_delay{};
  std::optional<std::uint32_t> bit{}, copy_bit{};
  bool ce = false, copy_ce = false;  // marked instead of lost
};

std::string line_of(const Decision &decision);  // without the newline

class DecisionLog {
 public:
  static constexpr std::size_t kLimit = std::size_t{1} << 20;  // decisions waiting to be written, 80 MB

  static Result<std::shared_ptr<DecisionLog>> open(const std::string &path);
  ~DecisionLog();  // writes what waits
  DecisionLog(const DecisionLog &) = delete;
  DecisionLog &operator=(const DecisionLog &) = delete;

  // Any thread; never waits for the disk. False if something had to be left out.
  [[nodiscard]] bool append(std::span<const Decision> decisions);
  // Waits until all that was appended before is in the file. The error says what is missing.
  Result<std::size_t> flush();

 private:
  DecisionLog(std::string path, std::FILE *file);
  void write_until_closed();

  const std::string path_;
  std::FILE *const file_;
  std::mutex mutex_;
  std::condition_variable changed_;
  // Guarded by mutex_.
  std::vector<Decision> waiting_;
  std::size_t appended_ = 0, written_ = 0, lost_ = 0;
  int write_errno_ = 0;
  bool closing_ = false;
  std::thread writer_;
};

}  // namespace avc::degrader
