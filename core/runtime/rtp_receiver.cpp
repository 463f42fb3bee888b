#include "core/runtime/rtp_receiver.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <random>

#include "core/rtp/extension.hpp"
#include "core/rtp/rtcp.hpp"

namespace avc::runtime {
namespace {

constexpr int kPollMs = 250;  // while reports are sent
constexpr Nanos kReportInterval = from_seconds(1), kLongestReportInterval = from_seconds(5);
constexpr double kReceiversShare = 0.05 * 0.75;
constexpr Nanos kIdle = from_seconds(1);  // a source on probation for longer may lose its place
constexpr std::size_t kSnapshotStep = 128, kVictimSteps = 64;
constexpr std::uint32_t kOwnSsrc = 0x61766368;  // "avch"
constexpr std::size_t kDatagram = 1200;
constexpr std::size_t kBlocksPerReport = 31, kBlocksBeforeExtended = 12;
constexpr std::size_t kExtendedRoom = kDatagram - 8 - 24 * kBlocksBeforeExtended - 24;  // RR, blocks and SDES before it
constexpr std::size_t kMessages = 32;   // received at once: with 64 KiB for each, as much as stays in the cache
constexpr std::size_t kLookAhead = 64;  // packets whose streams are fetched before the first of them is counted

Result<UdpSocket> open_port(const RtpReceiver::Options &options, std::uint16_t port) {
  UdpOptions udp;
  udp.bind_address = options.bind_address;
  udp.port = port;
  udp.receive_buffer = options.receive_buffer;
  return UdpSocket::open(udp);
}

struct Ports {
  UdpSocket rtp;
  std::optional<UdpSocket> rtcp;
};

// With port 0 the pair is tried again until the port after a free one is free as well.
Result<Ports> open_ports(const RtpReceiver::Options &options) {
  Error error;
  for (int attempt = 0; attempt < 16; ++attempt) {
    auto rtp = open_port(options, options.port);
    if (!rtp) return rtp.error();
    if (!options.rtcp) return Ports{std::move(*rtp), std::nullopt};
    const std::uint16_t port = rtp->local().port();
    if (port < 65535) {
      auto rtcp = open_port(options, static_cast<std::uint16_t>(port + 1));
      if (rtcp) return Ports{std::move(*rtp), std::move(*rtcp)};
      error = rtcp.error();
    } else {
      error = {"port", "leaves none for RTCP, which is on the next one"};
    }
    if (options.port != 0) return Error{"rtcp", error.text()};
  }
  return Error{"rtcp", error.text()};
}

std::optional<std::uint32_t> participant_in(const rtp::Header &header, std::uint8_t extension_id) {
  if (!header.has_extension) return std::nullopt;
  if (auto id = rtp::find_participant(header)) return id;
  const auto element = rtp::Elements(header).find(extension_id);
  return element ? rtp::read_participant_element(*element) : std::nullopt;
}

// Reports on streams with the same sender: as many as one datagram takes.
class Reports {
 public:
  Reports(const UdpSocket &socket, bool extended) : socket_(socket), with_extended_(extended) {}

  void add(std::uint32_t ssrc, stats::Receiver &stream, const Address &to, Instant now) {
    if (count_ == (with_extended_ ? kBlocksBeforeExtended : kBlocksPerReport) || !(to == to_)) send();
    to_ = to;
    if (with_extended_ && !stream.extended_report(*extended_, ssrc)) {
      send();
      stream.extended_report(*extended_, ssrc);
    }
    blocks_[count_++] = stream.report_block(ssrc, now);
  }
  void send() {
    if (count_ > 0) {
      std::array<std::uint8_t, kDatagram> out;
      std::size_t size = rtp::write_receiver_report(out, kOwnSsrc, "avchaos", std::span(blocks_).first(count_));
      std::copy_n(extended_bytes_.begin(), extended_->size(), out.begin() + static_cast<std::ptrdiff_t>(size));
      size += extended_->size();
      if (sendto(socket_.fd(), out.data(), size, MSG_DONTWAIT, to_.get(), to_.size()) > 0) {
        ++sent_;
        bytes_ += size;
      }
    }
    count_ = 0;
    extended_.emplace(extended_bytes_, kOwnSsrc);
  }
  std::uint64_t sent() const { return sent_; }
  std::uint64_t bytes() const { return bytes_; }

 private:
  const UdpSocket &socket_;
  bool with_extended_;
  Address to_;
  std::size_t count_ = 0;
  std::array<rtp::ReportBlock, kBlocksPerReport> blocks_;
  std::array<std::uint8_t, kExtendedRoom> extended_bytes_{};
  std::optional<rtp::ExtendedReportWriter> extended_{std::in_place, extended_bytes_, kOwnSsrc};
  std::uint64_t sent_ = 0, bytes_ = 0;
};

}  // namespace

Nanos RtpReceiver::report_interval(std::uint64_t report_bytes, double bandwidth) {
  const double seconds = static_cast<double>(report_bytes) / std::max(kReceiversShare * bandwidth, 1.0);
  return from_seconds(std::clamp(seconds, to_seconds(kReportInterval), to_seconds(kLongestReportInterval)));
}

Result<std::unique_ptr<RtpReceiver>> RtpReceiver::start(const Options &options) {
  auto ports = open_ports(options);
  if (!ports) return ports.error();
  const int wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (wake < 0) return Error{"", "cannot make an eventfd"};
  return std::unique_ptr<RtpReceiver>(new RtpReceiver(options, std::move(ports->rtp), std::move(ports->rtcp), wake));
}

RtpReceiver::RtpReceiver(const Options &options, UdpSocket rtp, std::optional<UdpSocket> rtcp, int wake)
    : options_(options),
      rtp_(std::move(rtp)),
      rtcp_(std::move(rtcp)),
      wake_(wake),
      port_(rtp_.local().port()),
      rtcp_port_(rtcp_ ? rtcp_->local().port() : std::uint16_t{0}),
      receive_buffer_(rtp_.receive_buffer()),
      table_(std::random_device{}()),
      thread_([this] { run(); }) {}

RtpReceiver::~RtpReceiver() {
  stop_ = true;
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = write(wake_, &one, sizeof one);  // cannot be full
  thread_.join();
  close(wake_);
}

void RtpReceiver::run() {
  BatchReceiver rtp(rtp_.fd(), {.messages = kMessages, .offload = options_.offload});
  std::optional<BatchReceiver> rtcp;
  if (rtcp_) rtcp.emplace(rtcp_->fd(), BatchReceiver::Options{.messages = 8});
  offloads_ = rtp.offloads();
  found_.reserve(kLookAhead);
  std::array<pollfd, 3> polled{{{rtp_.fd(), POLLIN, 0}, {wake_, POLLIN, 0}, {rtcp_ ? rtcp_->fd() : -1, POLLIN, 0}}};
  Instant reported = wall_clock(), next_report = reported + kReportInterval;
  std::uint64_t reported_bytes = 0;  // of media, at the last reports
  double bandwidth = 0;              // bytes a second
  while (!stop_) {
    poll(polled.data(), polled.size(), options_.send_reports ? kPollMs : -1);
    take_all(rtp);
    if (rtcp) take_all(*rtcp);
    auto table = table_.lock();
    note_totals(table->totals, rtp, rtcp ? &*rtcp : nullptr);
    const Instant now = wall_clock();
    if (!options_.send_reports || now < next_report) continue;
    const auto came = static_cast<double>(table->totals.bytes - reported_bytes);
    bandwidth = std::max(bandwidth, came / to_seconds(now - reported));
    next_report = now + report_interval(send_reports(*table), bandwidth);
    reported = now;
    reported_bytes = table->totals.bytes;
  }
}

void RtpReceiver::note_totals(Totals &totals, BatchReceiver &rtp, BatchReceiver *rtcp) const {
  totals.kernel_drops = rtp.kernel_drops() + (rtcp ? rtcp->kernel_drops() : 0);
  totals.syscalls = rtp.syscalls();
  totals.errors = 0;
  for (const auto &[error, count] : rtp.errors()) totals.errors += count;
}

void RtpReceiver::take_all(BatchReceiver &socket) {
  for (auto batch = socket.receive(); !batch.empty() && !stop_; batch = socket.receive()) {
    auto table = table_.lock();
    for (const Received &message : batch) take(*table, message);
    count_found();
  }
}

void RtpReceiver::take(Table &table, const Received &message) {
  ++table.totals.messages;
  table.totals.truncated += message.truncated;
  message.each([&](std::span<const std::uint8_t> datagram) {
    switch (rtp::classify(datagram)) {
      case rtp::Datagram::rtp:
        find(table, datagram, message.at);
        break;
      case rtp::Datagram::rtcp:
        count_found();  // what came before a report counts before it
        take_rtcp(table, datagram, message);
        break;
      default:
        ++table.totals.not_rtp;
        break;
    }
  });
}

void RtpReceiver::find(Table &table, std::span<const std::uint8_t> datagram, Instant at) {
  const auto header = rtp::parse(datagram);
  if (!header) {
    ++table.totals.not_rtp;
    return;
  }
  ++table.totals.packets;
  table.totals.bytes += datagram.size();
  Entry *entry = entry_for(table, *header, at);
  if (!entry) {
    ++table.totals.no_room;
    return;
  }
  entry->last = at;  // now: nobody waiting to be counted may lose its place
  entry->receiver.prefetch();
  found_.push_back({*header, datagram.size(), at, entry});
  if (found_.size() == kLookAhead) count_found();
}

void RtpReceiver::count_found() {
  for (const auto &[header, bytes, at, entry] : found_) {
    if (const auto id = participant_in(header, options_.extension_id)) entry->participant_id = *id;
    entry->receiver.receive(header, bytes, at);
  }
  found_.clear();
}

RtpReceiver::Entry *RtpReceiver::entry_for(Table &table, const rtp::Header &header, Instant at) {
  if (const auto known = table.by_ssrc.find(header.ssrc)) return table.entries[*known].get();
  if (table.entries.size() < options_.max_streams) {
    table.by_ssrc.put(header.ssrc, static_cast<std::uint32_t>(table.entries.size()));
    return table.entries.emplace_back(std::make_unique<Entry>(header)).get();
  }
  // Full: look at a few entries for one that never became a stream, each time further on.
  for (std::size_t i = 0; i < std::min(kVictimSteps, table.entries.size()); ++i) {
    table.next_victim = (table.next_victim + 1) % table.entries.size();
    auto &entry = table.entries[table.next_victim];
    if (entry->receiver.trusted() || at - entry->last < kIdle) continue;
    table.by_ssrc.erase(entry->ssrc);
    table.by_ssrc.put(header.ssrc, static_cast<std::uint32_t>(table.next_victim));
    entry = std::make_unique<Entry>(header);
    return entry.get();
  }
  return nullptr;
}

void RtpReceiver::take_rtcp(Table &table, std::span<const std::uint8_t> datagram, const Received &message) {
  ++table.totals.rtcp_packets;
  rtp::RtcpReader reader(datagram);
  while (const auto packet = reader.next()) {
    const auto report = rtp::read_report(*packet);
    if (!report || !report->info) continue;
    const auto known = table.by_ssrc.find(report->sender_ssrc);
    if (!known) continue;
    Entry &entry = *table.entries[*known];
    entry.receiver.sender_report(*report->info, message.at, options_.clock_is_shared);
    entry.report_to = message.from;
  }
  table.totals.rtcp_malformed += reader.malformed();
}

// Reports go to where a stream's sender reports come from.
std::uint64_t RtpReceiver::send_reports(Table &table) {
  const Instant now = wall_clock();
  Reports reports(rtcp_ ? *rtcp_ : rtp_, options_.extended_reports);
  for (const auto &entry : table.entries) {
    if (entry->report_to.size() == 0 || !entry->receiver.trusted()) continue;
    reports.add(entry->ssrc, entry->receiver, entry->report_to, now);
  }
  reports.send();
  table.totals.reports_sent += reports.sent();
  return reports.bytes();
}

std::vector<RtpReceiver::Stream> RtpReceiver::snapshot() const {
  std::vector<Stream> streams;
  for (std::size_t from = 0;; from += kSnapshotStep) {
    auto table = table_.lock();
    if (from >= table->entries.size()) return streams;
    if (from == 0) streams.reserve(table->entries.size());
    const std::size_t to = std::min(from + kSnapshotStep, table->entries.size());
    for (std::size_t i = from; i < to; ++i) {
      const Entry &entry = *table->entries[i];
      if (!entry.receiver.trusted()) continue;
      streams.push_back(
          {entry.ssrc, entry.participant_id, entry.receiver.media(), entry.payload_type, entry.receiver.snapshot()});
    }
  }
}

RtpReceiver::Totals RtpReceiver::totals() const { return table_.lock()->totals; }

}  // namespace avc::runtime
