#include "launcher/receiver/embedded.hpp"

namespace avc::receiver {
namespace {

std::uint32_t owner_of(const runtime::RtpReceiver::Stream &stream) {
  if (stream.participant_id) return stream.participant_id;
  return stream.ssrc % 1000 <= 1 ? stream.ssrc / 1000 : 0;
}

}  // namespace

Result<std::unique_ptr<Embedded>> Embedded::open(std::uint16_t port, const std::string &address) {
  runtime::RtpReceiver::Options options;
  options.bind_address = address;
  options.port = port;
  options.send_reports = true;
  auto receiver = runtime::RtpReceiver::start(options);
  if (!receiver) return Error{"target.port", receiver.error().message};
  return std::unique_ptr<Embedded>(new Embedded(std::move(*receiver)));
}

std::uint16_t Embedded::port() const { return receiver_->port(); }
std::uint16_t Embedded::rtcp_port() const { return receiver_->rtcp_port(); }

void Embedded::refresh() {
  participants_.clear();
  for (const auto &stream : receiver_->snapshot()) {
    const auto owner = owner_of(stream);
    if (!owner) continue;
    auto &participant = participants_[owner];
    if (stream.media != net::Stream::audio && stream.media != net::Stream::video) {  // packet_flood's
      participant.flood += static_cast<std::uint64_t>(stream.stats.packets_received);
      continue;
    }
    const auto media = stream.media == net::Stream::audio ? results::Media::audio : results::Media::video;
    participant.streams[static_cast<std::size_t>(media)] += stream.stats;  // a new SSRC goes on where the old one ended
  }
  totals_ = receiver_->totals();
}

bool Embedded::fill(std::uint32_t participant, results::ParticipantSnapshot &snapshot) const {
  const auto found = participants_.find(participant);
  if (found == participants_.end()) return false;
  snapshot.received.assign(found->second.streams.begin(), found->second.streams.end());
  snapshot.flood_seen = found->second.flood;
  return true;
}

std::uint32_t Embedded::participants_seen() const { return static_cast<std::uint32_t>(participants_.size()); }
std::uint64_t Embedded::kernel_drops() const { return totals_.kernel_drops; }
std::uint64_t Embedded::foreign_packets() const { return totals_.not_rtp + totals_.no_room; }

}  // namespace avc::receiver
