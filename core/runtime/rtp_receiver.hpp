// The far end of plain RTP over UDP: one thread and one port (RTCP on the next one), any number of streams told apart
// by SSRC, each measured by a stats::Receiver. It knows nothing of what was sent or injected.
//
// Packets are taken as the kernel merges them (UDP_GRO), a batch of messages at a time: the streams of all packets of
// a message are looked up and fetched into the cache first, then each packet is counted. Nothing is allocated per
// packet.
//
// Participants are told by the id in the packets' header extension: the contract's, or an RFC 8285 element. Strangers
// cannot make the table grow without end: it holds max_streams, and when it is full a source that never became a
// stream makes room for a new one.
#pragma once

#include <atomic>
#include <memory>
#include <thread>
#include <vector>

#include "core/rtp/ssrc_table.hpp"
#include "core/runtime/batch_receiver.hpp"
#include "core/runtime/guarded.hpp"
#include "core/stats/receiver.hpp"

namespace avc::runtime {

class RtpReceiver {
 public:
  struct Options {
    std::string bind_address = "127.0.0.1";
    std::uint16_t port = 0;         // 0: any free pair of ports
    bool rtcp = true;               // listen on port + 1 as well; RTCP on the RTP port is always understood
    bool send_reports = false;      // answer sender reports with receiver reports (report_interval())
    bool extended_reports = false;  // with RFC 3611's behind them: which packets of each stream were lost
    bool clock_is_shared = true;    // senders' wall clock is ours: measure the one-way delay
    int receive_buffer = 16 << 20;  // bytes asked for
    std::size_t max_streams = 16384;
    std::uint8_t extension_id = 1;  // of the participant id in RFC 8285 extensions
    bool offload = true;            // take merged datagrams where the kernel has UDP_GRO
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
    std::uint64_t no_room = 0;       // packets of streams that the full table had no place for
    std::uint64_t kernel_drops = 0;  // as the kernel counts: a merged message is one, so these are at least so many
    std::uint64_t errors = 0;
    std::uint64_t messages = 0;  // received: one datagram, or several that the kernel merged
    std::uint64_t syscalls = 0;  // that received
  };

  // Until the next reports, when those before took so many bytes: a second, or as much longer as keeps them within a
  // receiver's share of RTCP, 3.75 % of the session's bandwidth (RFC 3550 section 6.2: 5 %, three quarters of it for
  // receivers), 5 s at most. The bandwidth is the most that has come so far, in bytes a second; silence does not make
  // it less. Not spread at random: there is one receiver.
  static Nanos report_interval(std::uint64_t report_bytes, double bandwidth);

  static Result<std::unique_ptr<RtpReceiver>> start(const Options &options);
  ~RtpReceiver();  // ends the thread

  std::uint16_t port() const { return port_; }
  std::uint16_t rtcp_port() const { return rtcp_port_; }  // 0: none
  int receive_buffer() const { return receive_buffer_; }  // bytes granted, the kernel's overhead included
  bool offloads() const { return offloads_; }             // the kernel merges datagrams for us

  // Every stream that is one (two packets in sequence came), in the order of arrival; any thread. 3000 streams take a
  // few milliseconds, in which the receiving thread waits no longer than for 128 of them.
  std::vector<Stream> snapshot() const;
  Totals totals() const;

 private:
  struct Entry {
    explicit Entry(const rtp::Header &first)
        : ssrc(first.ssrc), payload_type(first.payload_type), receiver(stats::media_of(first.payload_type)) {}
    std::uint32_t ssrc;
    std::uint32_t participant_id = 0;
    std::uint8_t payload_type;
    Instant last{};
    stats::Receiver receiver;
    Address report_to;  // where its sender reports come from; empty: none came
  };
  struct Found {  // a packet that is not counted yet, and its stream
    rtp::Header header;
    std::size_t bytes;
    Instant at;
    Entry *entry;
  };
  struct Table {
    explicit Table(std::uint64_t salt) : by_ssrc(salt) {}
    std::vector<std::unique_ptr<Entry>> entries;
    rtp::SsrcTable by_ssrc;
    std::size_t next_victim = 0;
    Totals totals;
  };

  RtpReceiver(const Options &options, UdpSocket rtp, std::optional<UdpSocket> rtcp, int wake);
  void run();
  void take_all(BatchReceiver &socket);
  void take(Table &table, const Received &message);
  void find(Table &table, std::span<const std::uint8_t> datagram, Instant at);
  void count_found();
  void take_rtcp(Table &table, std::span<const std::uint8_t> datagram, const Received &message);
  void note_totals(Totals &totals, BatchReceiver &rtp, BatchReceiver *rtcp) const;
  Entry *entry_for(Table &table, const rtp::Header &header, Instant at);
  std::uint64_t send_reports(Table &table);  // bytes

  const Options options_;
  UdpSocket rtp_;
  std::optional<UdpSocket> rtcp_;
  int wake_;  // eventfd, written once to end the thread
  std::uint16_t port_, rtcp_port_;
  int receive_buffer_;
  std::atomic<bool> stop_{false}, offloads_{false};
  std::vector<Found> found_;  // the receiving thread's
  mutable Guarded<Table> table_;
  std::thread thread_;
};

}  // namespace avc::runtime
