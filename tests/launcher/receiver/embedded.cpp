#include "launcher/receiver/embedded.hpp"

#include "core/rtp/extension.hpp"
#include "tests/check.hpp"

namespace {

using namespace avc;
using receiver::Embedded;
using results::Media;

// Sends RTP packets to a receiver on loopback, one system call each.
class Sender {
 public:
  explicit Sender(std::uint16_t port)
      : socket_(*runtime::UdpSocket::open({})), to_(*runtime::Address::parse("127.0.0.1", port)) {}

  void send(std::uint32_t ssrc, std::uint8_t payload_type, std::uint16_t sequence, std::uint32_t participant = 0) {
    std::vector<std::uint8_t> packet(rtp::kFixedHeaderSize);
    rtp::write_fixed_header(std::span(packet).first<rtp::kFixedHeaderSize>(), {.payload_type = payload_type,
                                                                               .extension = participant != 0,
                                                                               .sequence = sequence,
                                                                               .timestamp = sequence * 960u,
                                                                               .ssrc = ssrc});
    if (participant) {
      std::array<std::uint8_t, rtp::kParticipantExtensionSize> extension{};
      rtp::write_participant_extension(extension, participant);
      packet.insert(packet.end(), extension.begin(), extension.end());
    }
    packet.resize(packet.size() + 80, 0xff);
    datagram(packet);
  }

  void datagram(std::span<const std::uint8_t> bytes) {
    ck_assert_int_eq(::sendto(socket_.fd(), bytes.data(), bytes.size(), 0, to_.get(), to_.size()), bytes.size());
  }

 private:
  runtime::UdpSocket socket_;
  runtime::Address to_;
};

// Looks again until it is so; Check's own limit ends a test of which it never becomes so.
template <class Condition>
void until(Embedded &embedded, Condition condition) {
  do {
    std::this_thread::yield();
    embedded.refresh();
  } while (!condition());
}

std::int64_t packets(const Embedded &embedded, std::uint32_t participant, Media media) {
  results::ParticipantSnapshot snapshot;
  return embedded.fill(participant, snapshot) ? snapshot.received_of(media).packets_received : 0;
}

START_TEST(packets_are_counted_for_the_participant_they_name) {
  const auto embedded = *Embedded::open();
  ck_assert_uint_gt(embedded->port(), 0);
  Sender sender(embedded->port());
  for (std::uint16_t n = 0; n < 10; ++n) {
    if (n != 4) sender.send(7, 111, n, 1001);
    sender.send(1002 * 1000 + 1, 111, n);  // by its SSRC alone
    sender.send(1002 * 1000, 96, n);
  }
  until(*embedded, [&] {
    return packets(*embedded, 1001, Media::audio) == 9 && packets(*embedded, 1002, Media::audio) == 10 &&
           packets(*embedded, 1002, Media::video) == 10;
  });
  results::ParticipantSnapshot snapshot;
  ck_assert(embedded->fill(1001, snapshot));
  ck_assert_int_eq(snapshot.received_of(Media::audio).packets_lost, 1);
  ck_assert_int_eq(snapshot.received_of(Media::video).packets_received, 0);
  ck_assert_uint_eq(embedded->participants_seen(), 2);
  ck_assert(!embedded->fill(1003, snapshot));
  ck_assert_uint_eq(embedded->kernel_drops(), 0);
}
END_TEST

START_TEST(a_second_ssrc_of_a_participant_goes_on_where_the_first_ended) {
  const auto embedded = *Embedded::open();
  Sender sender(embedded->port());
  for (std::uint16_t n = 0; n < 5; ++n) sender.send(7, 111, n, 1001);
  for (std::uint16_t n = 0; n < 5; ++n) sender.send(8, 111, n, 1001);
  until(*embedded, [&] { return packets(*embedded, 1001, Media::audio) == 10; });
}
END_TEST

START_TEST(what_is_not_rtp_is_counted_apart) {
  const auto embedded = *Embedded::open();
  Sender sender(embedded->port());
  const std::array<std::uint8_t, 5> noise{'h', 'e', 'l', 'l', 'o'};
  sender.datagram(noise);
  until(*embedded, [&] { return embedded->foreign_packets() == 1; });
  ck_assert_uint_eq(embedded->participants_seen(), 0);
}
END_TEST

START_TEST(a_port_in_use_is_an_error_that_names_the_setting) {
  const auto first = *Embedded::open();
  const auto second = Embedded::open(first->port());
  ck_assert(!second);
  ck_assert_str_eq(second.error().field.c_str(), "target.port");
  ck_assert(!second.error().message.empty());
}
END_TEST

}  // namespace

AVC_TESTS("embedded", packets_are_counted_for_the_participant_they_name,
          a_second_ssrc_of_a_participant_goes_on_where_the_first_ended, what_is_not_rtp_is_counted_apart,
          a_port_in_use_is_an_error_that_names_the_setting)
