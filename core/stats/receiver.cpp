#include "core/stats/receiver.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "core/rtp/h264.hpp"

namespace avc::stats {

net::Stream media_of(std::uint8_t payload_type) {
  switch (payload_type) {
    case 96:
      return net::Stream::video;
    case 111:
      return net::Stream::audio;
    default:
      return net::Stream::other;
  }
}

Receiver::Receiver(net::Stream media, std::uint32_t clock_rate)
    : media_(media),
      clock_rate_(clock_rate                    ? clock_rate
                  : media == net::Stream::audio ? 48000
                                                : 90000) {}

Receiver::Packet Receiver::describe(const rtp::Header &header, std::size_t packet_bytes, Instant at) const {
  Packet packet;
  packet.sequence = header.sequence;
  packet.timestamp = header.timestamp;
  packet.marker = header.marker;
  packet.bytes = packet_bytes;
  packet.payload_bytes = header.payload.size();
  packet.at = at;
  if (media_ == net::Stream::video) {
    const auto content = rtp::inspect_h264(header.payload);
    packet.begins_frame = content.begins_access_unit;
    packet.keyframe = content.idr;
  }
  return packet;
}

// How far the sequence numbers may have moved on for the rest to be lost packets: after a silence in which the
// stream's timestamps went on with the clock, four times what its rate so far would have sent.
int Receiver::believable_gap(const Packet &packet) const {
  if (!last_) return SequenceTracker::kMaxDropout;
  const double silence = to_seconds(packet.at - last_->at);
  const double media = rtp::steps(last_->timestamp, packet.timestamp) / static_cast<double>(clock_rate_);
  if (silence < 1 || std::abs(media - silence) > 1 + silence / 10) return SequenceTracker::kMaxDropout;
  const double before = std::max(to_seconds(last_->at - counted_.first_arrival), 1.0);
  const double rate = static_cast<double>(sequence_.received()) / before;
  return static_cast<int>(
      std::min<double>(SequenceTracker::kMaxDropout + 4 * rate * silence, SequenceTracker::kMaxGap + 1));
}

void Receiver::prefetch() const {
  constexpr std::size_t kLine = 64;
  const auto *begin = reinterpret_cast<const char *>(this);
  for (std::size_t at = 0; at < sizeof *this; at += kLine) __builtin_prefetch(begin + at, 1);
}

void Receiver::receive(const rtp::Header &header, std::size_t packet_bytes, Instant at) {
  const Packet packet = describe(header, packet_bytes, at);
  const auto seen = sequence_.see(packet.sequence, believable_gap(packet));
  switch (seen.kind) {
    case SequenceTracker::Kind::duplicate:
      ++counted_.packets_duplicated;
      return;
    case SequenceTracker::Kind::held:
      held_ = packet;
      return;
    case SequenceTracker::Kind::replaced: {
      SequenceTracker fresh = sequence_;
      *this = Receiver(media_, clock_rate_);
      sequence_ = fresh;
      break;
    }
    case SequenceTracker::Kind::restarted:
      begin_row();
      ++counted_.restarts;
      if (held_) count(*held_, seen.number - 1);
      break;
    case SequenceTracker::Kind::late:
      ++counted_.packets_reordered;
      break;
    case SequenceTracker::Kind::fresh:
      break;
  }
  count(packet, seen.number);
}

void Receiver::begin_row() {
  frames_.restart();
  timestamps_.restart();
  last_.reset();
  report_.reset();
}

void Receiver::count(const Packet &packet, std::int64_t number) {
  if (counted_.packets_received++ == 0) counted_.first_arrival = packet.at;
  counted_.last_arrival = packet.at;
  counted_.bytes_received += static_cast<std::int64_t>(packet.bytes);
  counted_.payload_bytes += static_cast<std::int64_t>(packet.payload_bytes);
  update_jitter(packet);
  update_delay(packet);
  if (media_ == net::Stream::video) {
    frames_.add({.number = number,
                 .timestamp = timestamps_.extend(packet.timestamp),
                 .marker = packet.marker,
                 .begins_frame = packet.begins_frame,
                 .keyframe = packet.keyframe,
                 .at = packet.at});
  }
  last_ = packet;
  held_.reset();
}

void Receiver::update_jitter(const Packet &packet) {
  if (!last_) return;
  const double arrival = to_seconds(packet.at - last_->at) * clock_rate_;
  const double sent = rtp::steps(last_->timestamp, packet.timestamp);
  jitter_ += (std::abs(arrival - sent) - jitter_) / 16;
  counted_.jitter_ms = jitter_ / clock_rate_ * 1000;
  counted_.jitter_ms_sum += counted_.jitter_ms;
  ++counted_.jitter_samples;
}

void Receiver::sender_report(const rtp::SenderInfo &info, Instant arrived, bool clock_is_shared) {
  last_sr_ = rtp::ntp_middle(info.ntp);
  sr_arrived_ = arrived;
  if (clock_is_shared) report_ = Report{info.rtp_timestamp, rtp::unix_from_ntp(info.ntp)};
}

rtp::ReportBlock Receiver::report_block(std::uint32_t ssrc, Instant now) {
  const std::int64_t expected = sequence_.expected() - reported_expected_;
  const std::int64_t received = sequence_.received() - reported_received_;
  reported_expected_ += expected;
  reported_received_ += received;
  rtp::ReportBlock block;
  block.ssrc = ssrc;
  if (expected > 0 && received < expected) {
    block.fraction_lost =
        static_cast<std::uint8_t>(std::min<std::int64_t>((expected - received) * 256 / expected, 255));
  }
  const std::int64_t lost = sequence_.expected() - sequence_.received();
  block.cumulative_lost = static_cast<std::int32_t>(std::clamp<std::int64_t>(lost, -0x800000, 0x7fffff));
  block.highest_sequence = static_cast<std::uint32_t>(sequence_.highest());
  block.jitter = static_cast<std::uint32_t>(jitter_);
  block.last_sr = last_sr_;
  if (last_sr_ != 0) block.delay_since_sr = static_cast<std::uint32_t>(to_seconds(now - sr_arrived_) * 65536);
  return block;
}

bool Receiver::extended_report(rtp::ExtendedReportWriter &out, std::uint32_t ssrc) {
  if (!trusted()) return true;
  if (out.room() < kExtendedReport) return false;
  const std::int64_t begin = std::max(extended_to_, sequence_.known_from()), end = sequence_.highest() + 1;
  if (begin >= end) return true;
  std::array<bool, SequenceTracker::kWindow> came{};
  std::uint32_t lost = 0;
  for (std::int64_t n = begin; n < end; ++n) {
    came[static_cast<std::size_t>(n - begin)] = sequence_.arrived(n);
    lost += !sequence_.arrived(n);
  }
  const auto duplicates = static_cast<std::uint32_t>(counted_.packets_duplicated - extended_duplicates_);
  const auto first = static_cast<std::uint16_t>(begin);
  out.add({ssrc, first, static_cast<std::uint16_t>(end), lost, duplicates});
  out.add_loss_rle(ssrc, first, std::span(came).first(static_cast<std::size_t>(end - begin)));
  extended_to_ = end;
  extended_duplicates_ = counted_.packets_duplicated;
  return true;
}

void Receiver::update_delay(const Packet &packet) {
  if (!report_) return;
  const double since_report = rtp::steps(report_->rtp_timestamp, packet.timestamp) / static_cast<double>(clock_rate_);
  const double delay_ms = to_ms(packet.at - report_->sent) - since_report * 1000;
  ++counted_.delay_samples;
  counted_.delay_ms_sum += delay_ms;
  counted_.delay_ms_max = std::max(counted_.delay_ms_max, delay_ms);
}

StreamStats Receiver::snapshot() const {
  StreamStats stats = counted_;
  stats.packets_expected = sequence_.expected();
  stats.packets_lost = stats.packets_expected - stats.packets_received;
  stats.highest_sequence = static_cast<std::uint32_t>(sequence_.highest());
  sequence_.describe_runs(stats);
  if (media_ == net::Stream::video) frames_.describe(stats);
  return stats;
}

}  // namespace avc::stats
