// Any datagram as an RTP packet, and any bytes as a stream of them: nothing is read past its end, extension elements
// survive being written again, and a receiver's figures agree with one another whatever came.
#include <algorithm>
#include <cstdlib>
#include <vector>

#include "core/rtp/extension.hpp"
#include "core/rtp/h264.hpp"
#include "core/stats/receiver.hpp"

using namespace avc;

namespace {

void demand(bool holds) {
  if (!holds) std::abort();
}

void one_packet(rtp::Bytes bytes) {
  rtp::classify(bytes);
  const auto header = rtp::parse(bytes);
  if (!header) return;
  demand(header->size + header->payload.size() <= bytes.size());
  rtp::find_participant(*header);
  rtp::inspect_h264(header->payload);
  const rtp::Elements elements(*header);
  std::vector<std::uint8_t> packet(rtp::kFixedHeaderSize + elements.block_size());
  const std::span all(packet);
  rtp::write_fixed_header(all.first<rtp::kFixedHeaderSize>(), {.extension = !elements.all().empty()});
  demand(elements.write(all.subspan(rtp::kFixedHeaderSize)) == elements.block_size());
  const auto again = rtp::parse(packet);
  demand(again.has_value());
  const rtp::Elements copy(*again);
  demand(copy.all().size() == elements.all().size());
  for (std::size_t i = 0; i < copy.all().size(); ++i) {
    demand(copy.all()[i].id == elements.all()[i].id);
    demand(std::ranges::equal(copy.all()[i].data, elements.all()[i].data));
  }
}

// Six bytes make a packet: sequence number, flags and a first payload byte, timestamp, milliseconds since the last.
void stream(rtp::Bytes bytes, net::Stream media) {
  stats::Receiver receiver(media);
  Instant at;
  std::int64_t offered = 0;
  for (; bytes.size() >= 6; bytes = bytes.subspan(6), ++offered) {
    const std::array<std::uint8_t, 3> payload{static_cast<std::uint8_t>(bytes[2] & 0x7f), 0x80, 0};
    rtp::Header header;
    header.sequence = rtp::read16(bytes, 0);
    header.marker = bytes[2] & 0x80;
    header.timestamp = rtp::read16(bytes, 3) * 3000u;
    header.payload = payload;
    at = at + from_ms(bytes[5]);
    receiver.receive(header, 100, at);
  }
  const auto stats = receiver.snapshot();
  demand(stats.packets_received <= stats.packets_expected);
  demand(stats.packets_lost == stats.packets_expected - stats.packets_received);
  demand(stats.packets_received + stats.packets_duplicated <= offered);
  demand(stats.frames_complete <= stats.packets_received);
  std::int64_t runs = 0, shortest = 0;
  for (std::size_t i = 0; i < stats.loss_run_lengths.size(); ++i) {
    demand(stats.loss_run_lengths[i] >= 0);
    runs += stats.loss_run_lengths[i];
    shortest += stats.loss_run_lengths[i] * static_cast<std::int64_t>(i + 1);
  }
  demand(runs == stats.loss_runs && shortest <= stats.packets_lost);
  demand(stats.mos() >= 1 && stats.mos() <= 4.5);
  receiver.report_block(1, at);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
  const std::vector<std::uint8_t> exact(data, data + size);  // of exactly this size, so that a sanitizer sees more
  one_packet(exact);
  stream(exact, net::Stream::video);
  stream(exact, net::Stream::audio);
  return 0;
}
