// A witness that shares no RTP code with the product: receives on a port, looks at every packet, and says at its end
// (a signal, or --seconds) what it saw, as one line of JSON. For tests/bench/scale.py.
//
//   tally [--bind=127.0.0.1] [--port=0] [--seconds=120] [--dump=FILE]
//
// Per stream (SSRC): breaks (a packet that is not its predecessor's successor), packets missing from the numbers, the
// first arrival, and lateness: arrival against RTP timestamp, relative to the most punctual packet of the stream so
// far, from two seconds after the stream's beginning. Malformed is what RFC 3550, 6184 and 7587 do not allow. The dump
// has a line per packet: arrival in nanoseconds, SSRC, sequence number, timestamp, marker, payload type and bytes.
#include <arpa/inet.h>
#include <poll.h>

#include <chrono>
#include <csignal>
#include <cstring>
#include <unordered_map>

#include "core/runtime/batch_receiver.hpp"
#include "core/stats/histogram.hpp"
#include "tests/bench/load.hpp"

using namespace avc;
using namespace avc::bench;

namespace {

constexpr int kVideo = 96, kAudioType = 111;
constexpr std::uint64_t kMostDumped = 4'000'000;
volatile std::sig_atomic_t asked_to_end = 0;

struct Stream {
  std::uint64_t received = 0, breaks = 0;
  std::int64_t first = 0, highest = 0, lowest = 0;  // sequence numbers unwrapped to 64 bit
  std::int64_t last_number = 0, last_timestamp = 0;
  std::int64_t first_arrival = 0, least_transit = 0;
};

struct Moment {
  double at, cpu;
  std::uint64_t packets;
};

template <class Number>
Number big_endian(const std::uint8_t *at) {
  Number value = 0;
  for (std::size_t i = 0; i < sizeof value; ++i) value = static_cast<Number>(value << 8 | at[i]);
  return value;
}

class Tally {
 public:
  explicit Tally(std::FILE *dump) : dump_(dump) { streams_.reserve(16384); }

  void take(std::span<const std::uint8_t> datagram, std::int64_t at) {
    if (datagram.size() >= 8 && datagram[0] >> 6 == 2 && datagram[1] >= 192 && datagram[1] <= 223) {
      ++rtcp;
      return;
    }
    const std::size_t header = header_of(datagram);
    const int type = datagram.size() > 1 ? datagram[1] & 0x7f : -1;
    if (header == 0 || !payload_is_right(type, datagram.subspan(header))) {
      ++malformed;
      return;
    }
    ++packets;
    bytes += datagram.size();
    const auto number = big_endian<std::uint16_t>(&datagram[2]);
    const auto timestamp = big_endian<std::uint32_t>(&datagram[4]), ssrc = big_endian<std::uint32_t>(&datagram[8]);
    count(streams_[ssrc], number, timestamp, type == kVideo ? 90000 : 48000, at);
    if (dump_ && dumped_ < kMostDumped) {
      ++dumped_;
      std::fprintf(dump_, "%lld %u %u %u %d %d %zu\n", static_cast<long long>(at), ssrc, number, timestamp,
                   datagram[1] >> 7, type, datagram.size() - header);
    }
  }

  void print(std::uint64_t kernel_drops, const std::vector<Moment> &moments) const {
    std::uint64_t breaks = 0, expected = 0;
    std::int64_t last_first = 0;
    for (const auto &[ssrc, stream] : streams_) {
      breaks += stream.breaks;
      expected += static_cast<std::uint64_t>(stream.highest - stream.lowest + 1);
      last_first = std::max(last_first, stream.first_arrival);
    }
    const auto late = late_.summary();
    std::printf(
        "{\"packets\": %llu, \"bytes\": %llu, \"streams\": %zu, \"rtcp\": %llu, \"malformed\": %llu, \"breaks\": "
        "%llu, \"missing\": %lld, \"kernel_drops\": %llu, \"last_first_arrival\": %.6f, \"dumped\": %llu, "
        "\"late_ms\": {\"p50\": %.3f, \"p99\": %.3f, \"max\": %.3f}, \"moments\": [",
        static_cast<unsigned long long>(packets), static_cast<unsigned long long>(bytes), streams_.size(),
        static_cast<unsigned long long>(rtcp), static_cast<unsigned long long>(malformed),
        static_cast<unsigned long long>(breaks), static_cast<long long>(expected - packets),
        static_cast<unsigned long long>(kernel_drops), to_seconds(Nanos(last_first)),
        static_cast<unsigned long long>(dumped_), to_ms(Nanos(late.p50)), to_ms(Nanos(late.p99)),
        to_ms(Nanos(late.max)));
    for (std::size_t i = 0; i < moments.size(); ++i)
      std::printf("%s[%.4f, %.4f, %llu]", i ? ", " : "", moments[i].at, moments[i].cpu,
                  static_cast<unsigned long long>(moments[i].packets));
    std::printf("]}\n");
  }

  std::uint64_t packets = 0, bytes = 0, rtcp = 0, malformed = 0;

 private:
  // Bytes of the RTP header with its extension; 0 if it is none or says more than there is.
  static std::size_t header_of(std::span<const std::uint8_t> datagram) {
    if (datagram.size() < 12 || datagram[0] >> 6 != 2) return 0;
    std::size_t size = 12 + 4 * (datagram[0] & 15u);
    if (datagram[0] & 0x10) {
      if (datagram.size() < size + 4) return 0;
      size += 4 + 4 * std::size_t{big_endian<std::uint16_t>(&datagram[size + 2])};
    }
    const std::size_t padding = datagram[0] & 0x20 ? datagram.back() : 0;
    return datagram.size() > size + padding ? size : 0;
  }
  // Single NAL units, STAP-A and FU-A whose inner type is a NAL unit's; anything in Opus.
  static bool payload_is_right(int type, std::span<const std::uint8_t> payload) {
    if (type == kAudioType) return true;
    if (type != kVideo || payload[0] & 0x80) return false;
    const int nal = payload[0] & 31;
    if (nal == 28) return payload.size() > 2 && (payload[1] & 31) >= 1 && (payload[1] & 31) <= 23;
    return (nal >= 1 && nal <= 24) && payload.size() > 1;
  }

  void count(Stream &stream, std::uint16_t number, std::uint32_t timestamp, int rate, std::int64_t at) {
    if (stream.received++ == 0) {
      stream.highest = stream.lowest = stream.last_number = number;
      stream.last_timestamp = timestamp;
      stream.first_arrival = at;
      stream.least_transit = at - stream.last_timestamp * 1'000'000'000 / rate;
      return;
    }
    const std::int64_t step = static_cast<std::int16_t>(number - static_cast<std::uint16_t>(stream.last_number));
    stream.breaks += step != 1;
    stream.last_number += step;
    stream.highest = std::max(stream.highest, stream.last_number);
    stream.lowest = std::min(stream.lowest, stream.last_number);
    stream.last_timestamp += static_cast<std::int32_t>(timestamp - static_cast<std::uint32_t>(stream.last_timestamp));
    const std::int64_t transit = at - stream.last_timestamp * 1'000'000'000 / rate;
    stream.least_transit = std::min(stream.least_transit, transit);
    if (at - stream.first_arrival > 2'000'000'000) late_.record(transit - stream.least_transit);
  }

  std::FILE *dump_;
  std::uint64_t dumped_ = 0;
  std::unordered_map<std::uint32_t, Stream> streams_;
  stats::Histogram late_;
};

}  // namespace

int main(int argc, char **argv) {
  runtime::UdpOptions options;
  options.bind_address = text_option(argc, argv, "bind", "127.0.0.1");
  options.port = static_cast<std::uint16_t>(option(argc, argv, "port", 0));
  options.receive_buffer = 16 << 20;
  const auto socket = runtime::UdpSocket::open(options);
  if (!socket) {
    std::fprintf(stderr, "tally: %s\n", socket.error().text().c_str());
    return 1;
  }
  const std::string path = text_option(argc, argv, "dump", "");
  std::FILE *dump = path.empty() ? nullptr : std::fopen(path.c_str(), "w");
  const double seconds = std::clamp(option(argc, argv, "seconds", 120), 1.0, 600.0);
  for (const int signal : {SIGTERM, SIGINT}) std::signal(signal, [](int) { asked_to_end = 1; });
  std::printf("listening on port %d\n", socket->local().port());
  std::fflush(stdout);

  runtime::BatchReceiver receiver(socket->fd(), {.messages = 32, .offload = true});
  Tally tally(dump);
  std::vector<Moment> moments;
  const Nanos end = steady() + from_seconds(seconds);
  for (Nanos now = steady(), next = now; now < end && !asked_to_end; now = steady()) {
    if (now >= next) {
      moments.push_back({to_seconds(now), cpu_seconds(RUSAGE_SELF), tally.packets});
      next = now + from_ms(100);
    }
    pollfd polled{socket->fd(), POLLIN, 0};
    poll(&polled, 1, 50);
    for (auto batch = receiver.receive(); !batch.empty(); batch = receiver.receive()) {
      for (const auto &message : batch)
        message.each([&](auto datagram) { tally.take(datagram, message.at.since_origin.count()); });
    }
  }
  tally.print(receiver.kernel_drops(), moments);
  if (dump) std::fclose(dump);
}
