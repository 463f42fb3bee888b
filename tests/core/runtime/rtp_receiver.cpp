#include "core/runtime/rtp_receiver.hpp"

#include <poll.h>
#include <sys/socket.h>

#include <thread>

#include "core/random.hpp"
#include "core/rtp/extended_report.hpp"
#include "core/rtp/extension.hpp"
#include "core/runtime/batch_sender.hpp"
#include "tests/check.hpp"

using namespace avc;
using namespace avc::runtime;

namespace {

std::unique_ptr<RtpReceiver> start(RtpReceiver::Options options = {}) {
  auto started = RtpReceiver::start(options);
  ck_assert_msg(static_cast<bool>(started), "cannot start");
  return std::move(*started);
}

struct Sender {
  UdpSocket socket = std::move(*UdpSocket::open({}));

  void send(std::uint16_t port, std::span<const std::uint8_t> bytes) {
    const Address to = *Address::parse("127.0.0.1", port);
    ck_assert_int_eq(sendto(socket.fd(), bytes.data(), bytes.size(), 0, to.get(), to.size()),
                     static_cast<long>(bytes.size()));
  }
  // The contract's packet: 20 bytes of header, 100 of payload.
  void rtp(std::uint16_t port, std::uint32_t participant, bool video, std::uint16_t sequence) {
    std::array<std::uint8_t, 120> packet{};
    rtp::write_fixed_header(std::span(packet).first<12>(), {.payload_type = static_cast<std::uint8_t>(video ? 96 : 111),
                                                            .marker = true,
                                                            .extension = true,
                                                            .sequence = sequence,
                                                            .timestamp = sequence * 960u,
                                                            .ssrc = participant * 1000 + (video ? 0 : 1)});
    rtp::write_participant_extension(std::span(packet).subspan<12, 8>(), participant);
    send(port, packet);
  }
};

// Waits until the receiver has taken in what was sent: the condition is certain to come.
template <class Condition>
void until(Condition condition) {
  while (!condition()) std::this_thread::yield();
}

}  // namespace

START_TEST(streams_are_told_apart_by_ssrc_and_named_by_their_extension) {
  const auto receiver = start();
  Sender sender;
  for (std::uint16_t n = 0; n < 20; ++n) {
    for (std::uint32_t id = 1001; id <= 1003; ++id) {
      sender.rtp(receiver->port(), id, true, n);
      if (n != 5) sender.rtp(receiver->port(), id, false, n);
    }
  }
  until([&] { return receiver->totals().packets == 3 * 39; });
  const auto streams = receiver->snapshot();
  ck_assert_uint_eq(streams.size(), 6);
  for (const auto &stream : streams) {
    const bool video = stream.media == net::Stream::video;
    ck_assert_uint_eq(stream.ssrc, stream.participant_id * 1000 + (video ? 0 : 1));
    ck_assert_int_eq(stream.stats.packets_received, video ? 20 : 19);
    ck_assert_int_eq(stream.stats.packets_lost, video ? 0 : 1);
    ck_assert_int_eq(stream.stats.bytes_received, stream.stats.packets_received * 120);
  }
  ck_assert_uint_eq(receiver->totals().kernel_drops, 0);
}
END_TEST

START_TEST(the_id_is_found_in_an_rfc_8285_element_too) {
  RtpReceiver::Options options;
  options.extension_id = 5;
  const auto receiver = start(options);
  Sender sender;
  const auto id = rtp::participant_element(1234);
  rtp::Elements elements;
  elements.set({5, id});
  for (std::uint16_t n = 0; n < 2; ++n) {
    std::array<std::uint8_t, 24> packet{};
    rtp::write_fixed_header(std::span(packet).first<12>(),
                            {.payload_type = 111, .extension = true, .sequence = n, .ssrc = 9});
    elements.write(std::span(packet).subspan(12));
    sender.send(receiver->port(), packet);
  }
  until([&] { return receiver->totals().packets == 2; });
  ck_assert_uint_eq(receiver->snapshot().at(0).participant_id, 1234);
}
END_TEST

START_TEST(what_is_not_rtp_is_counted_and_makes_no_stream) {
  const auto receiver = start();
  Sender sender;
  sender.send(receiver->port(), std::array<std::uint8_t, 3>{1, 2, 3});
  sender.send(receiver->port(), std::array<std::uint8_t, 5>{0x80, 96, 0, 0, 0});  // too short
  sender.send(receiver->port(), std::array<std::uint8_t, 4>{22, 254, 253, 0});    // DTLS
  until([&] { return receiver->totals().not_rtp == 3; });
  ck_assert_uint_eq(receiver->totals().packets, 0);
  ck_assert(receiver->snapshot().empty());
}
END_TEST

START_TEST(strangers_cannot_fill_the_table_for_good) {
  RtpReceiver::Options options;
  options.max_streams = 4;
  const auto receiver = start(options);
  Sender sender;
  for (std::uint16_t n = 0; n < 2; ++n) sender.rtp(receiver->port(), 1001, true, n);
  for (std::uint32_t id = 2000; id < 2100; ++id) sender.rtp(receiver->port(), id, true, 7);
  until([&] { return receiver->totals().packets == 102; });
  ck_assert_uint_eq(receiver->totals().no_room, 97);  // all within a second: nobody loses a place yet
  ck_assert_uint_eq(receiver->snapshot().size(), 1);
  // After a second without a second packet, strangers make room: the kernel's own clock has to move for that.
  const Instant due = wall_clock() + from_ms(1100);
  until([&] { return wall_clock() > due; });
  for (std::uint16_t n = 0; n < 2; ++n) sender.rtp(receiver->port(), 1002, true, n);
  until([&] { return receiver->totals().packets == 104; });
  ck_assert_uint_eq(receiver->snapshot().size(), 2);
}
END_TEST

START_TEST(sender_reports_give_the_delay_and_are_answered) {
  RtpReceiver::Options options;
  options.send_reports = true;
  const auto receiver = start(options);
  Sender sender;
  sender.rtp(receiver->port(), 1001, false, 0);
  sender.rtp(receiver->port(), 1001, false, 1);
  until([&] { return receiver->snapshot().size() == 1; });
  std::array<std::uint8_t, 128> report{};
  const std::uint64_t ntp = rtp::ntp_from_unix(wall_clock() - from_ms(500));
  const std::size_t size = rtp::write_sender_report(report, {1001001, ntp, 2 * 960, 2, 200}, "test");
  sender.send(receiver->rtcp_port(), std::span(report).first(size));
  until([&] { return receiver->totals().rtcp_packets == 1; });
  sender.rtp(receiver->port(), 1001, false, 2);  // its time on the sender's clock: half a second ago
  until([&] { return receiver->totals().packets == 3; });
  const auto stats = receiver->snapshot().at(0).stats;
  ck_assert_int_eq(stats.delay_samples, 1);
  ck_assert(stats.mean_delay_ms() >= 500);

  pollfd polled{sender.socket.fd(), POLLIN, 0};
  ck_assert_int_eq(poll(&polled, 1, 5000), 1);
  BatchReceiver back(sender.socket.fd());
  const auto got = back.receive();
  ck_assert_uint_eq(got[0].from.port(), receiver->rtcp_port());
  const auto answer = rtp::read_report(*rtp::RtcpReader(got[0].bytes).next());
  ck_assert_uint_eq(answer->blocks[0].ssrc, 1001001);
  ck_assert_uint_eq(answer->blocks[0].last_sr, rtp::ntp_middle(ntp));
}
END_TEST

namespace {

// What comes back to a sender within 5 s.
std::vector<std::uint8_t> answer_to(const Sender &sender) {
  pollfd polled{sender.socket.fd(), POLLIN, 0};
  ck_assert_int_eq(poll(&polled, 1, 5000), 1);
  std::vector<std::uint8_t> bytes(1500);
  const auto size = recv(sender.socket.fd(), bytes.data(), bytes.size(), 0);
  ck_assert_int_gt(size, 0);
  bytes.resize(static_cast<std::size_t>(size));
  return bytes;
}

// 30 streams that lost each third packet: more than one datagram of theirs. `told` are SSRCs and what was lost.
void answers_all(const Sender &sender, std::map<std::uint32_t, std::uint32_t> &told, std::size_t streams) {
  std::size_t blocks = 0;
  while (told.size() < streams) {
    const auto bytes = answer_to(sender);
    ck_assert_uint_le(bytes.size(), 1200);
    rtp::RtcpReader reader(bytes);
    while (const auto packet = reader.next()) {
      if (const auto report = rtp::read_report(*packet)) blocks += report->blocks.size();
      rtp::ExtendedReportReader extended(*packet);
      while (const auto block = extended.next()) {
        const auto losses = rtp::read_loss_rle(*block);
        if (!losses) continue;
        std::uint32_t &lost = told[losses->ssrc];
        rtp::LossRlePackets packets(*losses);
        while (const auto one = packets.next()) lost += !one->received;
      }
    }
    ck_assert(!reader.malformed());
  }
  ck_assert_uint_ge(blocks, streams);
}

}  // namespace

START_TEST(extended_reports_tell_each_sender_which_packets_were_lost) {
  constexpr std::uint32_t kStreams = 30;
  RtpReceiver::Options options;
  options.send_reports = options.extended_reports = true;
  const auto receiver = start(options);
  Sender sender;
  std::uint64_t sent = 0;
  for (std::uint16_t n = 0; n < 40; ++n) {
    for (std::uint32_t id = 1; id <= kStreams; ++id)
      if (n % 3 != 2) sender.rtp(receiver->port(), id, false, n), ++sent;
  }
  until([&] { return receiver->totals().packets == sent; });
  for (std::uint32_t id = 1; id <= kStreams; ++id) {
    std::array<std::uint8_t, 128> report{};
    const std::size_t size = rtp::write_sender_report(report, {id * 1000 + 1, 1, 0, 2, 200}, "test");
    sender.send(receiver->rtcp_port(), std::span(report).first(size));
  }
  std::map<std::uint32_t, std::uint32_t> told;
  answers_all(sender, told, kStreams);
  for (const auto &[ssrc, lost] : told) ck_assert_uint_eq(lost, 13);  // of 0..39
  ck_assert_uint_ge(receiver->totals().reports_sent, 3);
}
END_TEST

START_TEST(reports_take_their_share_of_the_bandwidth) {
  const auto seconds = [](std::uint64_t bytes, double bandwidth) {
    return to_seconds(RtpReceiver::report_interval(bytes, bandwidth));
  };
  ck_assert_double_eq(seconds(100, 1e6), 1);
  ck_assert_double_eq(seconds(0, 0), 1);
  ck_assert_double_eq(seconds(750, 10'000), 2);  // 3.75 % are 375 bytes a second
  ck_assert_double_eq(seconds(750, 0), 5);
}
END_TEST

// The same packets, lost, swapped and doubled from a seed, go through a reference that is handed one after the other,
// and through sockets in messages of many packets, which the receiver takes merged, or one by one.
void counts_as_the_reference(bool merged_out, bool merged_in) {
  constexpr std::uint32_t kStreams = 40;
  RtpReceiver::Options options;
  options.offload = merged_in;
  const auto receiver = start(options);
  if (merged_in) until([&] { return receiver->offloads(); });  // the option is set by the receiving thread
  const UdpSocket socket = std::move(*UdpSocket::open({}));
  BatchSender batch(socket.fd(), {.offload = merged_out});
  const auto to = batch.destination(*Address::parse("127.0.0.1", receiver->port()));
  std::vector<BatchSender::Lane> lanes(kStreams);
  std::map<std::uint32_t, stats::Receiver> reference;
  const Rng rng(11);
  std::uint64_t draws = 0, sent = 0;
  const auto draw = [&](std::uint64_t below) { return rng.at(draws++).below(below); };
  std::vector<std::vector<std::uint8_t>> packets;
  for (std::uint16_t n = 0; n < 60; ++n) {
    packets.clear();
    packets.reserve(3 * kStreams);
    const auto send = [&](std::uint32_t stream, std::uint16_t number) {
      const bool video = stream % 2 == 0;
      auto &packet = packets.emplace_back(number % 5 == 4 ? 90 : 900);
      rtp::write_fixed_header(std::span(packet).first<12>(),
                              {.payload_type = static_cast<std::uint8_t>(video ? 96 : 111),
                               .marker = video && number % 5 == 4,
                               .sequence = number,
                               .timestamp = video ? number / 5 * 3000u : number * 960u,
                               .ssrc = 1000 + stream});
      packet[12] = 0x41;  // a slice that goes on: only the packet before tells where the frame begins
      const iovec part{packet.data(), packet.size()};
      batch.add(to, lanes[stream], std::span(&part, 1));
      reference.try_emplace(1000 + stream, video ? net::Stream::video : net::Stream::audio)
          .first->second.receive(*rtp::parse(packet), packet.size(), {});
      ++sent;
    };
    for (std::uint32_t stream = 0; stream < kStreams; ++stream) {
      if (n > 2 && draw(20) == 0) continue;
      if (n > 2 && draw(20) == 0) send(stream, static_cast<std::uint16_t>(n - 1));  // again, or late
      send(stream, n);
      if (draw(20) == 0) send(stream, n);
    }
    for (const int error : batch.flush()) ck_assert_int_eq(error, 0);
    until([&] { return receiver->totals().packets == sent; });
  }
  const auto totals = receiver->totals();
  ck_assert_uint_eq(totals.kernel_drops, 0);
  if (merged_in && merged_out) ck_assert_uint_lt(totals.messages, sent / 4);
  if (!merged_in) ck_assert_uint_eq(totals.messages, sent);
  const auto streams = receiver->snapshot();
  ck_assert_uint_eq(streams.size(), kStreams);
  for (const auto &stream : streams) {
    const auto wanted = reference.at(stream.ssrc).snapshot();
    ck_assert_int_eq(stream.stats.packets_received, wanted.packets_received);
    ck_assert_int_eq(stream.stats.packets_lost, wanted.packets_lost);
    ck_assert_int_eq(stream.stats.packets_duplicated, wanted.packets_duplicated);
    ck_assert_int_eq(stream.stats.packets_reordered, wanted.packets_reordered);
    ck_assert_int_eq(stream.stats.bytes_received, wanted.bytes_received);
    ck_assert_int_eq(stream.stats.loss_runs, wanted.loss_runs);
    ck_assert(stream.stats.loss_run_lengths == wanted.loss_run_lengths);
    ck_assert_int_eq(stream.stats.frames_complete, wanted.frames_complete);
    ck_assert_int_eq(stream.stats.frames_broken, wanted.frames_broken);
    ck_assert_int_eq(stream.stats.frames_lost, wanted.frames_lost);
    ck_assert_uint_eq(stream.stats.highest_sequence, wanted.highest_sequence);
  }
}

START_TEST(merged_packets_are_counted_as_one_after_the_other) { counts_as_the_reference(true, true); }
END_TEST

START_TEST(packets_that_are_not_merged_are_counted_the_same) {
  counts_as_the_reference(true, false);
  counts_as_the_reference(false, true);
  counts_as_the_reference(false, false);
}
END_TEST

// The socket's buffer is small and the receiver does not come to read: the sequence numbers show a loss that the
// network had no part in, and the kernel's count says so, without another packet having to come.
START_TEST(what_the_kernel_drops_is_counted_as_its_own) {
  const UdpSocket target = std::move(*UdpSocket::open({.receive_buffer = 4096})),
                  socket = std::move(*UdpSocket::open({}));
  BatchReceiver receiver(target.fd(), {.offload = true});
  BatchSender batch(socket.fd(), {.offload = false});
  BatchSender::Lane lane;
  std::array<std::uint8_t, 1000> packet{};
  const iovec part{packet.data(), packet.size()};
  const auto to = batch.destination(target.local());
  for (int i = 0; i < 50; ++i) batch.add(to, lane, std::span(&part, 1));
  for (const int error : batch.flush()) ck_assert_int_eq(error, 0);
  ck_assert_uint_gt(receiver.kernel_drops(), 0);
  std::uint64_t got = 0;
  for (auto some = receiver.receive(); !some.empty(); some = receiver.receive())
    for (const Received &message : some) got += message.datagrams();
  ck_assert_uint_eq(got + receiver.kernel_drops(), 50);
}
END_TEST

START_TEST(a_busy_port_is_an_error_that_names_it) {
  const auto receiver = start();
  RtpReceiver::Options options;
  options.port = receiver->port();
  const auto again = RtpReceiver::start(options);
  ck_assert(!again);
  ck_assert_str_eq(again.error().field.c_str(), "port");
}
END_TEST

START_TEST(three_thousand_streams_are_counted_without_a_loss) {
  const auto receiver = start();
  Sender sender;
  std::uint64_t sent = 0;
  for (std::uint16_t n = 0; n < 4; ++n) {
    for (std::uint32_t id = 1001; id < 2501; ++id, sent += 2) {
      sender.rtp(receiver->port(), id, true, n);
      sender.rtp(receiver->port(), id, false, n);
      // The socket's buffer may be small here (net.core.rmem_max): let the receiver follow.
      if (id % 32 == 0) until([&] { return receiver->totals().packets + 64 >= sent; });
    }
  }
  until([&] { return receiver->totals().packets == sent; });
  const auto streams = receiver->snapshot();
  ck_assert_uint_eq(streams.size(), 3000);
  for (const auto &stream : streams) ck_assert_int_eq(stream.stats.packets_received, 4);
}
END_TEST

AVC_TESTS("rtp receiver", streams_are_told_apart_by_ssrc_and_named_by_their_extension,
          the_id_is_found_in_an_rfc_8285_element_too, what_is_not_rtp_is_counted_and_makes_no_stream,
          strangers_cannot_fill_the_table_for_good, sender_reports_give_the_delay_and_are_answered,
          extended_reports_tell_each_sender_which_packets_were_lost, reports_take_their_share_of_the_bandwidth,
          merged_packets_are_counted_as_one_after_the_other, packets_that_are_not_merged_are_counted_the_same,
          what_the_kernel_drops_is_counted_as_its_own, a_busy_port_is_an_error_that_names_it,
          three_thousand_streams_are_counted_without_a_loss)
