// What a packet costs the sender in CPU time: avchaosudpsink's batch and socket beside the least that a program can do.
// Not a test: by hand, on an idle machine.
//
//   build-rel/tests/bench/sender [--participants=1500] [--seconds=3] [--rounds=5] [--plain=1]
//
// The load (load.hpp) goes over loopback to a child process that takes everything with recvmmsg and UDP_GRO. Ways take
// turns, round by round, each paced by the same loop of one turn a millisecond:
//   bare frames     a UDP_SEGMENT message per frame (bare_gso.hpp)
//   bare coalesced  the same over participants; the smaller of the two is what the others are divided by (goal P1)
//   batch           our BatchSender, handed the same packets
//   sink, lists     the same in buffer lists made beforehand, through avchaosudpsink's socket on a context's thread:
//                   all that the sink adds, without what it costs to make, tag and degrade the buffers
//   sink, buffers   every packet a push of its own, as packets that something delayed one by one arrive
//   sink, frames    the same as frames of our own elements (rtp_frame.hpp), made as they are sent
//   sink, jittered  frames whose packets are due 1 to 30 ms later each, parked in the sink's wheel
// CPU is that of the sending thread, system calls and, on loopback, the delivery to the receiver's queue included.
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <map>

#include "core/runtime/batch_receiver.hpp"
#include "core/runtime/context.hpp"
#include "core/runtime/steady_clock.hpp"
#include "elements/support/rtp_frame.hpp"
#include "elements/udpsink/shared_socket.hpp"
#include "tests/bench/bare_gso.hpp"

using namespace avc;
using namespace avc::bench;

namespace {

struct Figures {
  double cpu = 0, packets = 0, failed = 0, messages = 0;
  double us() const { return packets > 0 ? cpu / packets * 1e6 : 0; }
};

// Takes what comes until it is killed.
pid_t start_drain(std::uint16_t &port) {
  runtime::UdpOptions options;
  options.receive_buffer = 16 << 20;
  const auto socket = std::move(*runtime::UdpSocket::open(options));
  port = socket.local().port();
  const pid_t child = fork();
  if (child != 0) return child;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  runtime::BatchReceiver receiver(socket.fd(), {.messages = 32, .offload = true});
  for (;;) {
    pollfd polled{socket.fd(), POLLIN, 0};
    poll(&polled, 1, 1000);
    while (!receiver.receive().empty()) {
    }
  }
}

runtime::UdpSocket open_sender() {
  runtime::UdpOptions options;
  options.send_buffer = 8 << 20;
  return std::move(*runtime::UdpSocket::open(options));
}

Figures bare(const runtime::Address &to, int participants, double seconds, BareGso::Way way) {
  const auto socket = open_sender();
  if (connect(socket.fd(), to.get(), to.size()) != 0) return {};
  Load load(participants);
  BareGso out(socket.fd(), way);
  const double before = cpu_seconds(RUSAGE_THREAD);
  each_millisecond(seconds, [&](Nanos now) {
    load.due(now, [&](std::size_t, std::span<const Packet> packets) { out.add(packets); });
    out.send();
  });
  return {cpu_seconds(RUSAGE_THREAD) - before, static_cast<double>(out.sent), static_cast<double>(out.failed),
          static_cast<double>(out.messages_sent)};
}

Figures batch(const runtime::Address &to, int participants, double seconds, bool offload) {
  const auto socket = open_sender();
  Load load(participants);
  runtime::BatchSender sender(socket.fd(), {.offload = offload});
  const auto destination = sender.destination(to);
  std::vector<runtime::BatchSender::Lane> lanes(load.participants());
  std::vector<std::array<std::uint8_t, kHeader>> headers(runtime::BatchSender::kBatch);
  std::size_t used = 0;
  Figures out;
  const auto flush = [&] {
    for (const int error : sender.flush()) out.failed += error != 0;
    used = 0;
  };
  const double before = cpu_seconds(RUSAGE_THREAD);
  each_millisecond(seconds, [&](Nanos now) {
    load.due(now, [&](std::size_t i, std::span<const Packet> packets) {
      if (used + packets.size() > headers.size()) flush();
      for (const Packet &packet : packets) {
        auto &header = headers[used++] = packet.header;
        const std::array<iovec, 2> parts{
            {{header.data(), kHeader}, {const_cast<std::uint8_t *>(packet.payload), packet.payload_bytes}}};
        sender.add(destination, lanes[i], parts);
        out.packets += 1;
      }
    });
    flush();
  });
  out.cpu = cpu_seconds(RUSAGE_THREAD) - before;
  out.messages = static_cast<double>(sender.counts().messages);
  return out;
}

[[nodiscard]] Ptr<GstMemory> wrapped(const std::uint8_t *bytes, std::size_t size) {
  return take(gst_memory_new_wrapped(GST_MEMORY_FLAG_READONLY, const_cast<std::uint8_t *>(bytes), size, 0, size,
                                     nullptr, nullptr));
}

// The packets of one turn as buffers of a header memory and a shared payload.
struct Prepared {
  std::size_t participant;
  std::vector<Ptr<GstBuffer>> packets;
  Ptr<GstBufferList> list;
};

std::vector<std::vector<Prepared>> prepare(Load &load, std::size_t turns) {
  std::map<const std::uint8_t *, Ptr<GstMemory>> payloads;
  std::vector<std::vector<Prepared>> all(turns);
  for (std::size_t turn = 0; turn < turns; ++turn) {
    load.due(from_ms(static_cast<double>(turn)), [&](std::size_t i, std::span<const Packet> packets) {
      Prepared &made = all[turn].emplace_back(i);
      made.list = take(gst_buffer_list_new_sized(static_cast<guint>(packets.size())));
      for (const Packet &packet : packets) {
        auto &payload = payloads[packet.payload];
        if (!payload) payload = wrapped(packet.payload, kFull);
        auto &buffer = made.packets.emplace_back(take(gst_buffer_new_allocate(nullptr, kHeader, nullptr)));
        gst_buffer_fill(buffer.get(), 0, packet.header.data(), kHeader);
        gst_buffer_append_memory(buffer.get(),
                                 gst_memory_share(payload.get(), 0, static_cast<gssize>(packet.payload_bytes)));
        gst_buffer_list_add(made.list.get(), gst_buffer_ref(buffer.get()));
      }
    });
  }
  return all;
}

Figures sink(const runtime::Address &to, int participants, double seconds, bool one_by_one) {
  const auto context = runtime::Context::shared("", std::make_shared<runtime::SteadyClock>());
  const auto socket =
      std::move(*udpsink::SharedSocket::get(context, {.bind_address = "127.0.0.1", .ttl = 64, .buffer_size = 8 << 20}));
  Load load(participants);
  const auto target = std::make_shared<const udpsink::Target>(udpsink::Target{{{to, to}}});
  std::vector<std::shared_ptr<udpsink::Path>> paths;
  const auto element = take(GST_ELEMENT(gst_object_ref_sink(gst_pipeline_new(nullptr))));
  for (std::size_t i = 0; i < load.participants(); ++i)
    paths.push_back(socket->path(std::make_shared<udpsink::Outlet>(element.get()), target));
  // Some turns, sent again and again (with the same numbers: it is the cost that is measured). No more than what
  // parked packets would be: others would come from memory each time, where fresh buffers are in the cache.
  const auto turns = prepare(load, 12);
  double cpu = 0, before = -1;
  std::size_t turn = 0;
  std::atomic<bool> over = false;
  const Nanos end = steady() + from_seconds(seconds);
  std::unique_ptr<runtime::Timer> timer;
  timer = context->make_timer([&] {
    if (before < 0) before = cpu_seconds(RUSAGE_THREAD);
    const auto &due = turns[turn++ % turns.size()];
    if (one_by_one) {
      // Round after round over the participants, so that no two packets of a frame follow each other.
      for (std::size_t n = 0; n < kFramePackets; ++n) {
        for (const Prepared &each : due) {
          if (n < each.packets.size()) socket->send(paths[each.participant], each.packets[n].get());
        }
      }
    } else {
      for (const Prepared &each : due) socket->send(paths[each.participant], each.list.get());
    }
    if (steady() >= end) {
      cpu = cpu_seconds(RUSAGE_THREAD) - before;
      over = true;
    } else {
      timer->arm(context->now() + from_ms(1) - Nanos(context->now().since_origin.count() % 1'000'000));
    }
  });
  timer->arm(context->now());
  while (!over) std::this_thread::sleep_for(std::chrono::milliseconds(20));
  timer->cancel_and_wait();
  Figures out{cpu, 0, 0, static_cast<double>(socket->counts().messages)};
  for (const auto &path : paths) {
    out.packets += static_cast<double>(path->outlet->sent().packets);
    out.failed += static_cast<double>(path->outlet->errors.load());
  }
  return out;
}

// Payloads of sixty frames, with ends of sixty sizes, and of an audio packet.
struct Clip {
  std::vector<std::uint8_t> bytes = std::vector<std::uint8_t>(60 * kFramePackets * kFull, 0x5a);
  std::array<std::vector<FramePayload>, 61> frames;

  Clip() {
    for (std::size_t n = 0; n < 60; ++n) {
      for (std::size_t i = 0; i < kFramePackets; ++i) {
        const std::size_t size = i + 1 < kFramePackets ? kFull : 100 + n * 17;
        const auto *at = bytes.data() + (n * kFramePackets + i) * kFull;
        frames[n].push_back({wrapped(at, size), std::span(at, size), false});
      }
    }
    frames[60].push_back({wrapped(bytes.data(), kAudio), std::span(bytes.data(), kAudio), false});
  }
};

Figures sink_frames(const runtime::Address &to, int participants, double seconds, bool jittered) {
  const auto context = runtime::Context::shared("", std::make_shared<runtime::SteadyClock>());
  const auto socket =
      std::move(*udpsink::SharedSocket::get(context, {.bind_address = "127.0.0.1", .ttl = 64, .buffer_size = 8 << 20}));
  Load load(participants);
  const auto target = std::make_shared<const udpsink::Target>(udpsink::Target{{{to, to}}});
  std::vector<std::shared_ptr<udpsink::Path>> paths;
  const auto element = take(GST_ELEMENT(gst_object_ref_sink(gst_pipeline_new(nullptr))));
  for (std::size_t i = 0; i < load.participants(); ++i)
    paths.push_back(socket->path(std::make_shared<udpsink::Outlet>(element.get()), target));
  const auto clip = std::make_shared<const Clip>();
  double cpu = 0, before = -1;
  std::uint32_t number = 0, random = 1;
  std::atomic<bool> over = false;
  const Nanos start = steady(), end = start + from_seconds(seconds);
  std::unique_ptr<runtime::Timer> timer;
  timer = context->make_timer([&] {
    if (before < 0) before = cpu_seconds(RUSAGE_THREAD);
    const Instant now = context->now();
    load.due(steady() - start, [&](std::size_t i, std::span<const Packet> packets) {
      const auto buffer = new_frame(clip, clip->frames[packets.size() == 1 ? 60 : number++ % 60], now);
      RtpFrame *frame = frame_of(buffer.get());
      frame->header_bytes = kHeader;
      for (guint n = 0; n < frame->count; ++n) {
        std::ranges::copy(packets[n].header, frame->packets[n].header.begin());
        random = random * 1664525 + 1013904223;
        if (jittered) frame->packets[n].due = now + Nanos(1'000'000 + (random >> 8) % 29'000'000);
      }
      socket->send(paths[i], buffer.get());
    });
    if (steady() >= end) {
      cpu = cpu_seconds(RUSAGE_THREAD) - before;
      over = true;
    } else {
      timer->arm(now + from_ms(1) - Nanos(now.since_origin.count() % 1'000'000));
    }
  });
  timer->arm(context->now());
  while (!over) std::this_thread::sleep_for(std::chrono::milliseconds(20));
  timer->cancel_and_wait();
  Figures out{cpu, 0, 0, static_cast<double>(socket->counts().messages)};
  for (const auto &path : paths) {
    out.packets += static_cast<double>(path->outlet->sent().packets);
    out.failed += static_cast<double>(path->outlet->errors.load());
  }
  const auto late = context->lateness();
  if (jittered)
    std::fprintf(stderr, "late p50 %.2f ms, p99 %.2f ms\n", static_cast<double>(late.p50) / 1e6,
                 static_cast<double>(late.p99) / 1e6);
  return out;
}

}  // namespace

int main(int argc, char **argv) {
  gst_init(nullptr, nullptr);
  const int participants = static_cast<int>(option(argc, argv, "participants", 1500));
  const double seconds = std::clamp(option(argc, argv, "seconds", 3), 0.5, 10.0);
  const int rounds = std::clamp(static_cast<int>(option(argc, argv, "rounds", 5)), 1, 20);
  std::uint16_t port = 0;
  const pid_t drain = start_drain(port);
  const auto to = *runtime::Address::parse("127.0.0.1", port);
  std::vector<std::pair<std::string, std::function<Figures()>>> ways = {
      {"bare frames", [&] { return bare(to, participants, seconds, BareGso::Way::frames); }},
      {"bare coalesced", [&] { return bare(to, participants, seconds, BareGso::Way::coalesced); }},
      {"batch", [&] { return batch(to, participants, seconds, true); }},
      {"sink, lists", [&] { return sink(to, participants, seconds, false); }},
      {"sink, buffers", [&] { return sink(to, participants, seconds, true); }},
      {"sink, frames", [&] { return sink_frames(to, participants, seconds, false); }},
      {"sink, jittered", [&] { return sink_frames(to, participants, seconds, true); }},
  };
  if (option(argc, argv, "plain", 0) != 0)
    ways.emplace_back("batch without offload", [&] { return batch(to, participants, seconds, false); });
  const auto only = static_cast<std::size_t>(option(argc, argv, "only", -1));  // one way alone, for a profiler
  std::vector<std::vector<double>> costs(ways.size());
  std::vector<Figures> last(ways.size());
  for (int round = 0; round < rounds; ++round) {
    for (std::size_t i = 0; i < ways.size(); ++i) {
      if (only < ways.size() && i != only) continue;
      last[i] = ways[i].second();
      costs[i].push_back(last[i].us());
      std::fprintf(stderr, "%s: %.3f us\n", ways[i].first.c_str(), last[i].us());
    }
  }
  kill(drain, SIGKILL);
  waitpid(drain, nullptr, 0);
  const double base = std::min(median(costs[0]), median(costs[1]));
  std::printf("%d participants, %d rounds of %.1f s\n\n", participants, rounds, seconds);
  std::printf("| way | packets/s | packets a message | failed | CPU us/packet, median | of the bare loop |\n");
  std::printf("|---|---|---|---|---|---|\n");
  for (std::size_t i = 0; i < ways.size(); ++i) {
    if (costs[i].empty()) continue;
    const double cost = median(costs[i]);
    std::printf("| %s | %.0f | %.1f | %.0f | %.3f | %.2f |\n", ways[i].first.c_str(), last[i].packets / seconds,
                last[i].packets / last[i].messages, last[i].failed, cost, base > 0 ? cost / base : 0);
  }
}
