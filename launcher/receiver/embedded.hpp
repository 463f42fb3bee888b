// The receiver the daemon brings along: runs of which no target is said are sent here, over loopback. It shares
// nothing with the sender but the wire; what it reports it has read off RTP packets.
//
// One thread and one socket for all participants. Kernel drops are the receiver's own failing and are reported as
// such, never as loss. A stream without a participant's id in its packets belongs to the one whose SSRC it uses
// (id * 1000 for video, id * 1000 + 1 for audio). Main context only.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>

#include "core/result.hpp"
#include "core/runtime/rtp_receiver.hpp"
#include "launcher/results/samples.hpp"

namespace avc::receiver {

class Embedded {
 public:
  // Port 0: any free one. The error's field is "target.port".
  static Result<std::unique_ptr<Embedded>> open(std::uint16_t port = 0, const std::string &address = "127.0.0.1");

  std::uint16_t port() const;
  std::uint16_t rtcp_port() const;

  // Reads the current counters from the receiving thread, once for all participants asked for afterwards.
  void refresh();

  // Fills both streams of `received`, as of the last refresh(); false when nothing of this participant ever came.
  bool fill(std::uint32_t participant, results::ParticipantSnapshot &snapshot) const;

  std::uint32_t participants_seen() const;
  std::uint64_t kernel_drops() const;
  std::uint64_t foreign_packets() const;  // not RTP, or more streams than there is room for

 private:
  explicit Embedded(std::unique_ptr<runtime::RtpReceiver> receiver) : receiver_(std::move(receiver)) {}

  std::unique_ptr<runtime::RtpReceiver> receiver_;
  struct Participant {
    std::array<results::ReceiverCounters, results::kMediaCount> streams;
    std::uint64_t flood = 0;
  };
  std::unordered_map<std::uint32_t, Participant> participants_;
  runtime::RtpReceiver::Totals totals_;
};

}  // namespace avc::receiver
