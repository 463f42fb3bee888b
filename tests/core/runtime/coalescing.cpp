// What leaves in coalesced messages arrives as what was added: the same bytes, cut at the same places, each lane in
// order. Real sockets on loopback, and kernels that refuse, played by functions.
#include <poll.h>

#include <cstring>

#include "core/random.hpp"
#include "core/runtime/batch_receiver.hpp"
#include "core/runtime/batch_sender.hpp"
#include "tests/check.hpp"

using namespace avc;
using namespace avc::runtime;

namespace {

UdpSocket open_loopback() {
  UdpOptions options;
  options.receive_buffer = 4 << 20;
  auto socket = UdpSocket::open(options);
  ck_assert(static_cast<bool>(socket));
  return std::move(*socket);
}

using Datagram = std::vector<std::uint8_t>;

// Names its lane and its number there, so that order can be read off the wire.
Datagram make(std::uint32_t lane, std::uint32_t number, std::size_t bytes) {
  Datagram made(std::max<std::size_t>(bytes, 8));
  std::memcpy(made.data(), &lane, 4);
  std::memcpy(made.data() + 4, &number, 4);
  for (std::size_t i = 8; i < made.size(); ++i) made[i] = static_cast<std::uint8_t>(i * 7 + number + lane * 31);
  return made;
}

struct Mix {
  static constexpr std::uint32_t kLanes = 20, kTargets = 3;
  std::vector<std::pair<std::uint32_t, Datagram>> added;  // lane, in the order added
  std::array<std::vector<Datagram>, kLanes> by_lane;
};

// Frames of equal packets with a shorter end, tiny packets before large ones, single ones of common sizes, and sizes
// from everywhere.
Mix random_mix(std::uint64_t seed) {
  Rng rng(seed);
  std::uint64_t draws = 0;
  const auto draw = [&](std::uint64_t below) { return rng.at(draws++).below(below); };
  Mix mix;
  std::array<std::uint32_t, Mix::kLanes> next{};
  const auto add = [&](std::uint32_t lane, std::size_t bytes) {
    mix.by_lane[lane].push_back(make(lane, next[lane]++, bytes));
    mix.added.emplace_back(lane, mix.by_lane[lane].back());
  };
  while (mix.added.size() < 700) {
    const auto lane = static_cast<std::uint32_t>(draw(Mix::kLanes));
    switch (draw(4)) {
      case 0:
        for (std::uint64_t i = 0, count = draw(70); i < count; ++i) add(lane, 1180);
        add(lane, 20 + draw(1100));
        break;
      case 1:
        add(lane, 30);
        add(lane, 12);
        add(lane, 1180);
        break;
      case 2:
        add(lane, 160);
        break;
      default:
        add(lane, 8 + draw(1400));
        break;
    }
  }
  return mix;
}

struct Wire {
  UdpSocket sender = open_loopback();
  std::array<UdpSocket, Mix::kTargets> targets{open_loopback(), open_loopback(), open_loopback()};

  const UdpSocket &of(std::uint32_t lane) const { return targets[lane % targets.size()]; }

  void add(BatchSender &batch, std::array<BatchSender::Lane, Mix::kLanes> &lanes, const Mix &mix) {
    for (const auto &[lane, bytes] : mix.added) {
      auto *data = const_cast<std::uint8_t *>(bytes.data());  // only read
      const std::size_t head = std::min<std::size_t>(bytes.size(), 20);
      const std::array<iovec, 2> parts{{{data, head}, {data + head, bytes.size() - head}}};
      batch.add(batch.destination(of(lane).local()), lanes[lane], parts);
    }
  }
  // All datagrams by lane, as they come.
  std::array<std::vector<Datagram>, Mix::kLanes> take(std::size_t count, bool offload) {
    std::array<std::vector<Datagram>, Mix::kLanes> got;
    std::size_t merged = 0;
    for (const UdpSocket &target : targets) {
      BatchReceiver receiver(target.fd(), {.offload = offload});
      for (auto batch = receiver.receive(); !batch.empty(); batch = receiver.receive()) {
        for (const Received &message : batch) {
          std::size_t datagrams = 0;
          message.each([&](std::span<const std::uint8_t> bytes) {
            std::uint32_t lane = 0;
            std::memcpy(&lane, bytes.data(), 4);
            ck_assert_uint_lt(lane, Mix::kLanes);
            got[lane].emplace_back(bytes.begin(), bytes.end());
            ++datagrams;
            --count;
          });
          ck_assert_uint_eq(datagrams, message.datagrams());
          merged += datagrams > 1;
        }
      }
    }
    ck_assert_uint_eq(count, 0);
    if (!offload) ck_assert_uint_eq(merged, 0);
    return got;
  }
};

int without_segments(int fd, mmsghdr *messages, unsigned count, int flags) {
  for (unsigned i = 0; i < count; ++i) {
    if (messages[i].msg_hdr.msg_controllen == 0) continue;
    if (i > 0) return sendmmsg(fd, messages, i, flags);
    errno = EIO;
    return -1;
  }
  return sendmmsg(fd, messages, count, flags);
}

std::size_t bytes_of(const mmsghdr &message) {
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < message.msg_hdr.msg_iovlen; ++i) bytes += message.msg_hdr.msg_iov[i].iov_len;
  return bytes;
}

// A path whose packets are 1300 bytes at most when they are cut by the kernel.
int small_path(int fd, mmsghdr *messages, unsigned count, int flags) {
  for (unsigned i = 0; i < count; ++i) {
    if (messages[i].msg_hdr.msg_controllen == 0) continue;
    std::uint16_t segment = 0;
    std::memcpy(&segment, CMSG_DATA(CMSG_FIRSTHDR(&messages[i].msg_hdr)), sizeof segment);
    if (segment <= 1300) continue;
    if (i > 0) return sendmmsg(fd, messages, i, flags);
    errno = EINVAL;
    return -1;
  }
  return sendmmsg(fd, messages, count, flags);
}

// Takes messages of up to 8000 bytes and no larger ones, whatever is in them.
int full_buffer(int fd, mmsghdr *messages, unsigned count, int flags) {
  for (unsigned i = 0; i < count; ++i) {
    if (bytes_of(messages[i]) <= 8000) continue;
    if (i > 0) return sendmmsg(fd, messages, i, flags);
    errno = ENOBUFS;
    return -1;
  }
  return sendmmsg(fd, messages, count, flags);
}

void everything_arrives(BatchSender::Options options, bool merged, std::uint64_t seeds) {
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    const Mix mix = random_mix(seed);
    Wire wire;
    BatchSender batch(wire.sender.fd(), options);
    std::array<BatchSender::Lane, Mix::kLanes> lanes;
    if (merged)
      for (const UdpSocket &target : wire.targets) BatchReceiver(target.fd(), {.messages = 1, .offload = true});
    for (int round = 0; round < 2; ++round) {  // a batch leaves nothing behind for the next
      wire.add(batch, lanes, mix);
      for (const int error : batch.flush()) ck_assert_int_eq(error, 0);
      const auto got = wire.take(mix.added.size(), merged);
      for (std::uint32_t lane = 0; lane < Mix::kLanes; ++lane) ck_assert(got[lane] == mix.by_lane[lane]);
    }
  }
}

}  // namespace

START_TEST(random_mixes_arrive_byte_for_byte_and_each_lane_in_order) { everything_arrives({}, false, 10); }
END_TEST

START_TEST(a_receiver_of_merged_messages_cuts_them_where_they_were_joined) { everything_arrives({}, true, 10); }
END_TEST

START_TEST(without_offload_the_same_arrives) {
  everything_arrives({.offload = false}, false, 3);
  everything_arrives({.offload = false}, true, 3);
}
END_TEST

START_TEST(a_kernel_that_refuses_to_cut_is_asked_once_and_nothing_is_lost) {
  everything_arrives({.send = without_segments}, false, 3);
  Wire wire;
  BatchSender batch(wire.sender.fd(), {.send = without_segments});
  std::array<BatchSender::Lane, Mix::kLanes> lanes;
  ck_assert(batch.offloads());
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    const Mix mix = random_mix(seed);  // until it is flushed
    wire.add(batch, lanes, mix);
    batch.flush();
  }
  ck_assert(!batch.offloads());
  ck_assert_uint_eq(batch.counts().refused, 1);
  ck_assert_uint_eq(batch.counts().segments, 0);
}
END_TEST

START_TEST(the_real_kernels_refusal_is_survived_too) {
  Wire wire;
  const int on = 1;  // without checksums the kernel does not cut: EINVAL
  ck_assert_int_eq(setsockopt(wire.sender.fd(), SOL_SOCKET, SO_NO_CHECK, &on, sizeof on), 0);
  BatchSender batch(wire.sender.fd());
  std::array<BatchSender::Lane, Mix::kLanes> lanes;
  const Mix mix = random_mix(4);
  wire.add(batch, lanes, mix);
  for (const int error : batch.flush()) ck_assert_int_eq(error, 0);
  ck_assert(!batch.offloads());
  ck_assert_uint_gt(batch.counts().refused, 0);
  const auto got = wire.take(mix.added.size(), false);
  for (std::uint32_t lane = 0; lane < Mix::kLanes; ++lane) ck_assert(got[lane] == mix.by_lane[lane]);
}
END_TEST

START_TEST(a_small_path_loses_the_offload_for_large_datagrams_only) {
  everything_arrives({.send = small_path}, false, 3);
  Wire wire;
  BatchSender batch(wire.sender.fd(), {.send = small_path});
  BatchSender::Lane lane;
  std::string large(1400, 'x'), small(1200, 'y');
  const auto to = batch.destination(wire.targets[0].local());
  const std::array<iovec, 1> large_part{{{large.data(), large.size()}}}, small_part{{{small.data(), small.size()}}};
  for (int round = 0; round < 2; ++round) {
    for (int i = 0; i < 10; ++i) batch.add(to, lane, large_part);
    for (int i = 0; i < 10; ++i) batch.add(to, lane, small_part);
    for (const int error : batch.flush()) ck_assert_int_eq(error, 0);
  }
  ck_assert(batch.offloads());
  ck_assert_uint_eq(batch.counts().segments, 20);  // the small ones
  ck_assert_uint_eq(batch.counts().messages, 20 + 2);
}
END_TEST

START_TEST(a_message_the_kernel_does_not_take_is_an_error_of_each_datagram_in_it) {
  Wire wire;
  BatchSender batch(wire.sender.fd(), {.send = full_buffer});
  BatchSender::Lane lane, other;
  std::string text(1000, 'x'), tiny(10, 'y');
  const auto to = batch.destination(wire.targets[0].local()), aside = batch.destination(wire.targets[1].local());
  const std::array<iovec, 1> part{{{text.data(), text.size()}}}, tiny_part{{{tiny.data(), tiny.size()}}};
  for (int i = 0; i < 20; ++i) batch.add(to, lane, part);
  batch.add(aside, other, tiny_part);
  const auto outcomes = batch.flush();
  for (int i = 0; i < 20; ++i) ck_assert_int_eq(outcomes[static_cast<std::size_t>(i)], ENOBUFS);
  ck_assert_int_eq(outcomes[20], 0);
  ck_assert(batch.offloads());  // a full buffer says nothing against it
}
END_TEST

START_TEST(an_error_that_cutting_has_no_part_in_does_not_end_it) {
  Wire wire;
  BatchSender batch(wire.sender.fd());
  BatchSender::Lane lane;
  std::string text(1000, 'x');
  const std::array<iovec, 1> part{{{text.data(), text.size()}}};
  const auto nowhere = batch.destination(wire.targets[0].local().with_port(0));  // EINVAL, cut or not
  const auto somewhere = batch.destination(wire.targets[0].local());
  for (int i = 0; i < 4; ++i) batch.add(nowhere, lane, part);
  for (int i = 0; i < 4; ++i) batch.add(somewhere, lane, part);
  const auto outcomes = batch.flush();
  for (std::size_t i = 0; i < 8; ++i) ck_assert_int_eq(outcomes[i], i < 4 ? EINVAL : 0);
  ck_assert(batch.offloads());
  ck_assert_uint_eq(batch.counts().segments, 4);
}
END_TEST

// 40 frames of 9 packets with ends of different sizes: 320 equal ones fill six messages, whose last takes one end;
// the other ends leave in twos.
START_TEST(frames_of_many_lanes_leave_in_few_messages) {
  Wire wire;
  BatchSender batch(wire.sender.fd());
  std::vector<BatchSender::Lane> lanes(40);
  std::vector<std::vector<std::uint8_t>> ends;
  std::vector<std::uint8_t> full(1180);
  const auto to = batch.destination(wire.targets[0].local());
  for (std::size_t i = 0; i < lanes.size(); ++i) {
    const std::array<iovec, 1> part{{{full.data(), full.size()}}};
    for (int n = 0; n < 8; ++n) batch.add(to, lanes[i], part);
    auto &end = ends.emplace_back(200 + i);
    const std::array<iovec, 1> end_part{{{end.data(), end.size()}}};
    batch.add(to, lanes[i], end_part);
  }
  batch.flush();
  ck_assert_uint_eq(batch.counts().syscalls, 1);
  ck_assert_uint_eq(batch.counts().messages, 6 + 20);
}
END_TEST

namespace {

std::vector<std::pair<std::uint64_t, std::size_t>> times_sent;  // of each message, and its bytes

int note_times(int, mmsghdr *messages, unsigned count, int) {
  for (unsigned i = 0; i < count; ++i) {
    msghdr &header = messages[i].msg_hdr;
    std::uint64_t at = 0;
    for (cmsghdr *c = CMSG_FIRSTHDR(&header); c; c = CMSG_NXTHDR(&header, c)) {
      if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_TXTIME) std::memcpy(&at, CMSG_DATA(c), sizeof at);
    }
    std::size_t bytes = 0;
    for (std::size_t n = 0; n < header.msg_iovlen; ++n) bytes += header.msg_iov[n].iov_len;
    times_sent.emplace_back(at, bytes);
  }
  return static_cast<int>(count);
}

}  // namespace

START_TEST(datagrams_with_a_time_tell_it_and_share_no_message) {
  times_sent.clear();
  Wire wire;
  BatchSender batch(wire.sender.fd(), {.send = note_times});
  BatchSender::Lane lane;
  std::vector<std::uint8_t> bytes(100);
  const std::array<iovec, 1> part{{{bytes.data(), bytes.size()}}};
  const auto to = batch.destination(wire.targets[0].local());
  for (int i = 0; i < 2; ++i) batch.add(to, lane, part);
  for (std::uint64_t at : {5000u, 5000u, 6000u}) batch.add(to, lane, part, at);
  for (int i = 0; i < 2; ++i) batch.add(to, lane, part);
  batch.flush();
  const decltype(times_sent) wanted{{0, 200}, {5000, 100}, {5000, 100}, {6000, 100}, {0, 200}};
  ck_assert(times_sent == wanted);
  batch.add(to, lane, part);
  batch.flush();
  ck_assert(times_sent.back() == std::pair(std::uint64_t{0}, std::size_t{100}));  // the time was that batch's
}
END_TEST

AVC_TESTS("coalescing", random_mixes_arrive_byte_for_byte_and_each_lane_in_order,
          a_receiver_of_merged_messages_cuts_them_where_they_were_joined, without_offload_the_same_arrives,
          a_kernel_that_refuses_to_cut_is_asked_once_and_nothing_is_lost, the_real_kernels_refusal_is_survived_too,
          a_small_path_loses_the_offload_for_large_datagrams_only,
          a_message_the_kernel_does_not_take_is_an_error_of_each_datagram_in_it,
          an_error_that_cutting_has_no_part_in_does_not_end_it, frames_of_many_lanes_leave_in_few_messages,
          datagrams_with_a_time_tell_it_and_share_no_message)
