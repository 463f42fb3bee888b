// The far end of plain RTP over UDP: one thread and one port (RTCP on the next one), any number of streams told apart
// by SSRC, each measured by a stats::Receiver. It knows nothing of what was sent or injected.
//
// Participants are told by the id in the packets' header extension: the contract's, or an RFC 8285 element. Strangers
// cannot make the table grow without end: it holds max_streams, and when it is full a source that never became a
// stream makes room for a new one.
#pragma once

#include <atomic>
#include <memory>
#include <thread>
#include <unordered_map>
#include <vector>

#include "core/runtime/batch_socket.hpp"
#include "core/runtime/guarded.hpp"
#include "core/stats/receiver.hpp"

namespace avc::runtime {

class RtpReceiver {
 public:
  struct Options {
    std::string bind_address = "127.0.0.1";
    std::uint16_t port = 0;         // 0: any free pair of ports
    bool rtcp = true;               // listen on port + 1 as well; RTCP on the RTP port is always understood
    bool send_reports = false;      // answer sender reports with receiver reports, once a second
    bool clock_is_shared = true;    // senders' wall clock is ours: measure the one-way delay
    int receive_buffer = 16 << 20;  // bytes asked for
    std::size_t max_streams = 16384;
    std::uint8_t extension_id = 1;  // of the participant id in RFC 8285 extensions
  };

  struct Stream {
    std::uint32_t ssrc = 0;
    std::uint32_t participant_id = 0;  // 0: its packets carry none
    net::Stream media = net::Stream::other;
    std::uint8_t payload_type = 0;
    stats::StreamStats stats;
  };

  struct Totals {
    std::uint64_t packets = 0, bytes = 0;  // RTP
    std::uint64_t rtcp_packets = 0;        // datagrams
    std::uint64_t rtcp_malformed = 0;
    std::uint64_t reports_sent = 0;
    std::uint64_t not_rtp = 0;
    std::uint64_t truncated = 0;
    std::uint64_t no_room = 0;  // packets of streams that the full table had no place for
    std::uint64_t kernel_drops = 0;
    std::uint64_t errors = 0;
  };

  static Result<std::unique_ptr<RtpReceiver>> start(const Options &options);
  ~RtpReceiver();  // ends the thread

  std::uint16_t port() const { return port_; }
  std::uint16_t rtcp_port() const { return rtcp_port_; }  // 0: none
  int receive_buffer() const { return receive_buffer_; }  // bytes granted, the kernel's overhead included

  // Every stream that is one (two packets in sequence came), in the order of arrival; any thread. 3000 streams take a
  // few milliseconds, in which the receiving thread waits no longer than for 128 of them.
  std::vector<Stream> snapshot() const;
  Totals totals() const;

 private:
  struct Entry {
    explicit Entry(const rtp::Header &first)
        : ssrc(first.ssrc), payload_type(first.payload_type), receiver(stats::media_of(first.payload_type)) {}
    std::uint32_t ssrc;
    std::uint8_t payload_type;
    std::uint32_t participant_id = 0;
    Instant last{};
    Address report_to;  // where its sender reports come from; empty: none came
    stats::Receiver receiver;
  };
  struct Table {
    std::vector<std::unique_ptr<Entry>> entries;
    std::unordered_map<std::uint32_t, std::size_t> by_ssrc;
    std::size_t next_victim = 0;
    Totals totals;
  };

  RtpReceiver(const Options &options, UdpSocket rtp, std::optional<UdpSocket> rtcp, int wake);
  void run();
  void take_all(BatchReceiver &socket);
  void take_rtp(Table &table, const Received &datagram);
  void take_rtcp(Table &table, const Received &datagram);
  Entry *entry_for(Table &table, const rtp::Header &header, Instant at);
  void send_reports(Table &table);

  const Options options_;
  UdpSocket rtp_;
  std::optional<UdpSocket> rtcp_;
  int wake_;  // eventfd, written once to end the thread
  std::uint16_t port_, rtcp_port_;
  int receive_buffer_;
  std::atomic<bool> stop_{false};
  mutable Guarded<Table> table_;
  std::thread thread_;
};

}  // namespace avc::runtime
