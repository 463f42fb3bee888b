#include "core/net/mangle.hpp"

namespace avc::net {

std::optional<std::uint32_t> corrupted_bit(const Impairment &settings, const Packet &packet, Draws draws) {
  const std::size_t first = settings.corrupt_headers ? 0 : packet.header_bytes;
  if (packet.bytes <= first) return std::nullopt;
  return static_cast<std::uint32_t>(first * 8 + draws.below((packet.bytes - first) * 8));
}

void Reorder::set(const Impairment &settings) {
  events_.set(settings.reorder_percent, settings.reorder_correlation);
  gap_ = settings.reorder_gap;
  always_ = settings.reorder_percent >= 100;
  known_ = false;
}

bool Reorder::chosen(std::uint64_t n) {
  if (gap_ <= 1) return events_.happens(n);
  if (always_) return n % gap_ == gap_ - 1;
  if (known_ && n == n_) return chosen_;
  const bool follows = known_ && n > n_ && n / kBlock == n_ / kBlock;
  if (!follows) {
    n_ = n - n % kBlock - 1;  // just before the block
    since_ = 0;
  }
  known_ = true;
  while (n_ != n) {
    chosen_ = since_ >= gap_ - 1 && events_.happens(n_ + 1);
    since_ = chosen_ ? 0 : since_ + 1;
    ++n_;
  }
  return chosen_;
}

Mangle::Mangle(const Rng &rng) : frames_(rng.split(name(Stream::video)).split("frame")) {
  for (std::size_t i = 0; i < kStreamCount; ++i) {
    const Rng stream = rng.split(name(static_cast<Stream>(i)));
    const Rng corrupt = stream.split("corrupt");
    streams_[i] = {Events(stream.split("duplicate")), Events(corrupt), corrupt.split("bit"), corrupt.split("copy"),
                   Reorder(stream.split("reorder"))};
  }
}

void Mangle::set(const Impairment &settings) {
  frame_drop_percent_ = settings.frame_drop_percent;
  for (PerStream &stream : streams_) {
    stream.duplicate.set(settings.duplicate_percent, settings.duplicate_correlation);
    stream.corrupt.set(settings.corrupt_percent, settings.corrupt_correlation);
    stream.reorder.set(settings);
  }
}

// All packets of a frame have its timestamp, so they share one draw.
bool Mangle::frame_dropped(const Packet &packet) const {
  return frame_drop_percent_ > 0 && packet.stream == Stream::video &&
         frames_.at(packet.rtp_timestamp).chance(frame_drop_percent_);
}

std::optional<std::uint32_t> Mangle::corrupted(const Impairment &settings, const Packet &packet) {
  PerStream &stream = of(packet);
  if (!stream.corrupt.happens(packet.n)) return std::nullopt;
  return corrupted_bit(settings, packet, stream.bits.at(packet.n));
}

std::optional<std::uint32_t> Mangle::corrupted_copy(const Impairment &settings, const Packet &packet) const {
  const PerStream &stream = streams_[static_cast<std::size_t>(packet.stream)];
  Draws draws = stream.copies.at(packet.n);
  if (!draws.chance(settings.corrupt_percent)) return std::nullopt;
  return corrupted_bit(settings, packet, draws);
}

}  // namespace avc::net
