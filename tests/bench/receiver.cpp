// How many packets a second the receiver of `avchaos receive` takes on one core, with full statistics of every stream,
// beside the least that a program can do (recvmmsg of merged messages, nothing looked at). Not a test: by hand, on an
// idle machine.
//
//   build-rel/tests/bench/receiver [--participants=4000] [--seconds=3] [--rounds=5]
//
// A child process sends the load (load.hpp) with the bare coalescing loop (bare_gso.hpp), over loopback. Rounds of both
// receivers take turns. CPU is that of the receiving process, system calls included; "packets/s and core" is its
// inverse: what a core would take if it did nothing else. What arrives is checked against what was sent.
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/runtime/batch_receiver.hpp"
#include "core/runtime/rtp_receiver.hpp"
#include "tests/bench/bare_gso.hpp"

using namespace avc;
using namespace avc::bench;

namespace {

struct Figures {
  double packets = 0, sent = 0, cpu = 0, drops = 0, lost = 0, merged = 0;
};

// Sends for `seconds` and writes down how many packets it was.
pid_t start_sender(std::uint16_t port, int participants, double seconds, int report) {
  const pid_t child = fork();
  if (child != 0) return child;
  runtime::UdpOptions options;
  options.send_buffer = 8 << 20;
  const auto socket = std::move(*runtime::UdpSocket::open(options));
  const auto to = *runtime::Address::parse("127.0.0.1", port);
  if (connect(socket.fd(), to.get(), to.size()) != 0) _exit(1);
  Load load(participants);
  BareGso out(socket.fd(), BareGso::Way::coalesced);
  each_millisecond(seconds, [&](Nanos now) {
    load.due(now, [&](std::size_t, std::span<const Packet> packets) { out.add(packets); });
    out.send();
  });
  const std::uint64_t sent = out.sent - out.failed;
  _exit(write(report, &sent, sizeof sent) == sizeof sent ? 0 : 1);
}

// The sender's count, once it is through.
double finish(pid_t child, int report) {
  std::uint64_t sent = 0;
  const bool told = read(report, &sent, sizeof sent) == sizeof sent;
  waitpid(child, nullptr, 0);
  return told ? static_cast<double>(sent) : 0;
}

Figures bare(int participants, double seconds) {
  runtime::UdpOptions options;
  options.receive_buffer = 16 << 20;
  const auto socket = std::move(*runtime::UdpSocket::open(options));
  runtime::BatchReceiver receiver(socket.fd(), {.messages = 32, .offload = true});
  int pipe_ends[2];
  if (pipe(pipe_ends) != 0) return {};
  const pid_t child = start_sender(socket.local().port(), participants, seconds, pipe_ends[1]);
  Figures out;
  double messages = 0;
  const double before = cpu_seconds(RUSAGE_SELF);
  const Nanos end = steady() + from_seconds(seconds + 1);
  while (steady() < end) {
    pollfd polled{socket.fd(), POLLIN, 0};
    poll(&polled, 1, 100);
    for (auto batch = receiver.receive(); !batch.empty(); batch = receiver.receive()) {
      for (const auto &message : batch) out.packets += static_cast<double>(message.datagrams());
      messages += static_cast<double>(batch.size());
    }
  }
  out.cpu = cpu_seconds(RUSAGE_SELF) - before;
  out.drops = static_cast<double>(receiver.kernel_drops());
  out.sent = finish(child, pipe_ends[0]);
  out.merged = messages > 0 ? out.packets / messages : 0;
  close(pipe_ends[0]);
  close(pipe_ends[1]);
  return out;
}

Figures ours(int participants, double seconds) {
  runtime::RtpReceiver::Options options;
  options.rtcp = false;
  const auto receiver = std::move(*runtime::RtpReceiver::start(options));
  int pipe_ends[2];
  if (pipe(pipe_ends) != 0) return {};
  const pid_t child = start_sender(receiver->port(), participants, seconds, pipe_ends[1]);
  Figures out;
  const double before = cpu_seconds(RUSAGE_SELF);
  std::this_thread::sleep_for(std::chrono::duration<double>(seconds + 1));
  out.cpu = cpu_seconds(RUSAGE_SELF) - before;
  const auto totals = receiver->totals();
  out.packets = static_cast<double>(totals.packets);
  out.drops = static_cast<double>(totals.kernel_drops);
  for (const auto &stream : receiver->snapshot()) out.lost += static_cast<double>(stream.stats.packets_lost);
  out.sent = finish(child, pipe_ends[0]);
  out.merged = totals.messages ? out.packets / static_cast<double>(totals.messages) : 0;
  close(pipe_ends[0]);
  close(pipe_ends[1]);
  return out;
}

}  // namespace

int main(int argc, char **argv) {
  const int participants = static_cast<int>(option(argc, argv, "participants", 4000));
  const double seconds = std::clamp(option(argc, argv, "seconds", 3), 0.5, 10.0);
  const int rounds = std::clamp(static_cast<int>(option(argc, argv, "rounds", 5)), 1, 20);
  std::vector<double> costs[2];
  std::printf("%d participants (%d streams), %.1f s a round\n\n", participants, 2 * participants, seconds);
  std::printf(
      "| receiver | sent | received | packets/s | per message | CPU us/packet | packets/s and core | kernel drops | "
      "lost |\n");
  std::printf("|---|---|---|---|---|---|---|---|---|\n");
  for (int round = 0; round < rounds; ++round) {
    for (const bool mine : {false, true}) {
      const Figures f = mine ? ours(participants, seconds) : bare(participants, seconds);
      const double cost = f.packets > 0 ? f.cpu / f.packets * 1e6 : 0;
      costs[mine].push_back(cost);
      std::printf("| %s | %.0f | %.0f | %.0f | %.1f | %.3f | %.2f M | %.0f | %.0f |\n", mine ? "ours" : "bare", f.sent,
                  f.packets, f.packets / seconds, f.merged, cost, cost > 0 ? 1 / cost : 0, f.drops, f.lost);
      std::fflush(stdout);
    }
  }
  std::printf("\nmedian CPU us/packet: bare %.3f, ours %.3f, ratio %.2f; ours takes %.2f M packets/s and core\n",
              median(costs[0]), median(costs[1]), median(costs[1]) / median(costs[0]), 1 / median(costs[1]));
}
