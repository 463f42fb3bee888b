// The receiver the daemon brings along: runs of which no target is said are sent here, over loopback. It shares
// nothing with the sender but the wire; what it reports it has read off RTP packets.
//
// One thread and one socket for all participants. Kernel drops are the receiver's own failing and are reported as
// such, never as loss.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "core/result.hpp"
#include "launcher/results/samples.hpp"

namespace avc::receiver {

class Embedded {
 public:
  // Port 0: any free one. The error's field is "target.port".
  static Result<std::unique_ptr<Embedded>> open(std::uint16_t port = 0, const std::string &address = "127.0.0.1");

  virtual ~Embedded() = default;

  virtual std::uint16_t port() const = 0;

  // Reads the current counters from the receiving thread, once for all participants asked for afterwards.
  virtual void refresh() = 0;

  // Fills both streams of `received`, as of the last refresh(); false when nothing of this participant ever came.
  virtual bool fill(std::uint32_t participant, results::ParticipantSnapshot &snapshot) const = 0;

  virtual std::uint32_t participants_seen() const = 0;
  virtual std::uint64_t kernel_drops() const = 0;
  virtual std::uint64_t foreign_packets() const = 0;  // not RTP, or of nobody known
};

}  // namespace avc::receiver
