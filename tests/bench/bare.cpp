// The bare loop of bare_gso.hpp as a process of its own, for tests/bench/scale.py: it sends the load of a clip for
// so many participants to one place, coalesced, and says what that took.
//
//   bare --host=127.0.0.1 --port=5002 --participants=1500 --seconds=10 [--settle=2] [--clip=FILE] [--turn-ms=1]
//
// Figures are those of the time after `settle` seconds. Lateness is the time from when a frame or an audio packet was
// due to the turn that sent it.
#include "core/runtime/udp_socket.hpp"
#include "core/stats/histogram.hpp"
#include "tests/bench/bare_gso.hpp"

using namespace avc;
using namespace avc::bench;

int main(int argc, char **argv) {
  const auto to = runtime::Address::parse(text_option(argc, argv, "host", "127.0.0.1"),
                                          static_cast<std::uint16_t>(option(argc, argv, "port", 0)));
  const std::string path = text_option(argc, argv, "clip", "");
  Clip clip = path.empty() ? Clip::invented() : Clip::read(path);
  if (!to || clip.empty()) {
    std::fprintf(stderr, "bare: no address, or no clip in \"%s\"\n", path.c_str());
    return 2;
  }
  runtime::UdpOptions options;
  options.bind_address.clear();
  options.send_buffer = 8 << 20;
  const auto socket = runtime::UdpSocket::open(options);
  if (!socket || connect(socket->fd(), to->get(), to->size()) != 0) return 1;
  const double settle = std::clamp(option(argc, argv, "settle", 2), 0.0, 5.0),
               seconds = option(argc, argv, "seconds", 10);
  Load load(static_cast<int>(option(argc, argv, "participants", 1500)), std::move(clip));
  BareGso out(socket->fd(), BareGso::Way::coalesced);
  stats::Histogram late;
  double began_at = -1, cpu = 0;
  std::uint64_t sent = 0;
  const auto turn = [&](Nanos now) {
    if (began_at < 0 && to_seconds(now) >= settle) {
      began_at = to_seconds(now);
      cpu = cpu_seconds(RUSAGE_SELF);
      sent = out.sent;
      late = {};
    }
    load.due(now, [&](std::size_t, std::span<const Packet> packets) {
      late.record(now - load.due_at());
      out.add(packets);
    });
    out.send();
  };
  each_millisecond(settle + seconds, turn, from_ms(option(argc, argv, "turn-ms", 1)));
  const auto [count, mean, p50, p95, p99, max] = late.summary();
  std::printf(
      "{\"cpu_seconds\": %.6f, \"packets\": %llu, \"all_packets\": %llu, \"send_errors\": %llu, \"messages\": %llu, "
      "\"late_ms\": {\"p50\": %.3f, \"p99\": %.3f, \"max\": %.3f}}\n",
      cpu_seconds(RUSAGE_SELF) - cpu, static_cast<unsigned long long>(out.sent - sent),
      static_cast<unsigned long long>(out.sent), static_cast<unsigned long long>(out.failed),
      static_cast<unsigned long long>(out.messages_sent), to_ms(Nanos(p50)), to_ms(Nanos(p99)), to_ms(Nanos(max)));
}
