#include "core/runtime/batch_receiver.hpp"
#include "core/runtime/batch_sender.hpp"

#include <poll.h>

#include "tests/check.hpp"

using namespace avc;
using namespace avc::runtime;

namespace {

UdpSocket open_loopback(const char *ip = "127.0.0.1") {
  UdpOptions options;
  options.bind_address = ip;
  auto socket = UdpSocket::open(options);
  ck_assert_msg(static_cast<bool>(socket), "cannot open");
  return std::move(*socket);
}

// Everything that comes within the test's time limit, until there are `count`.
std::vector<std::pair<std::string, Address>> receive(BatchReceiver &receiver, int fd, std::size_t count) {
  std::vector<std::pair<std::string, Address>> got;
  while (got.size() < count) {
    pollfd polled{fd, POLLIN, 0};
    if (poll(&polled, 1, 5000) != 1) break;
    for (const Received &datagram : receiver.receive()) {
      got.emplace_back(std::string(datagram.bytes.begin(), datagram.bytes.end()), datagram.from);
    }
  }
  return got;
}

iovec part(std::string &text) { return {text.data(), text.size()}; }

}  // namespace

START_TEST(a_batch_reaches_every_destination_in_order_with_its_parts_joined) {
  const UdpSocket sender = open_loopback(), one = open_loopback(), two = open_loopback();
  BatchSender batch(sender.fd());
  BatchSender::Lane lane;
  std::string head = "head", body = "body", lone = "lone";
  const Address to_one = one.local(), to_two = two.local();
  const std::array<iovec, 2> both{part(head), part(body)};
  const std::array<iovec, 1> single{part(lone)};
  batch.add(batch.destination(to_one), lane, both);
  batch.add(batch.destination(to_two), lane, single);
  batch.add(batch.destination(to_one), lane, single);
  const auto outcomes = batch.flush();
  ck_assert_uint_eq(outcomes.size(), 3);
  ck_assert(std::ranges::all_of(outcomes, [](int error) { return error == 0; }));
  ck_assert_uint_eq(batch.counts().syscalls, 1);

  BatchReceiver at_one(one.fd()), at_two(two.fd());
  const auto first = receive(at_one, one.fd(), 2);
  ck_assert_uint_eq(first.size(), 2);
  ck_assert(first[0].first == "headbody");
  ck_assert(first[1].first == "lone");
  ck_assert(first[0].second == sender.local());
  ck_assert(receive(at_two, two.fd(), 1)[0].first == "lone");
  ck_assert(batch.flush().empty());  // nothing is sent twice
}
END_TEST

START_TEST(a_datagram_that_cannot_go_does_not_keep_the_others) {
  const UdpSocket sender = open_loopback(), target = open_loopback();
  BatchSender batch(sender.fd());
  BatchSender::Lane lane;
  std::string good = "good", huge(70000, 'x');
  const Address to = target.local();
  const std::array<iovec, 1> fits{part(good)}, too_long{part(huge)};
  batch.add(batch.destination(to), lane, fits);
  batch.add(batch.destination(to), lane, too_long);
  batch.add(batch.destination(to), lane, fits);
  const auto outcomes = batch.flush();
  ck_assert_int_eq(outcomes[0], 0);
  ck_assert_int_eq(outcomes[1], EMSGSIZE);
  ck_assert_int_eq(outcomes[2], 0);
  BatchReceiver receiver(target.fd());
  ck_assert_uint_eq(receive(receiver, target.fd(), 2).size(), 2);
}
END_TEST

START_TEST(a_refused_destination_is_named_and_costs_the_others_nothing) {
  UdpOptions options;
  options.report_refusals = true;
  auto opened = UdpSocket::open(options);
  const UdpSocket sender = std::move(*opened), target = open_loopback();
  Address closed;
  {
    const UdpSocket gone = open_loopback();
    closed = gone.local();
  }
  BatchSender batch(sender.fd());
  BatchSender::Lane lane;
  std::string text = "x";
  const Address to = target.local();
  const std::array<iovec, 1> one{part(text)};
  for (int i = 0; i < 10; ++i) {
    batch.add(batch.destination(closed), lane, one);
    batch.add(batch.destination(to), lane, one);
    for (int error : batch.flush()) ck_assert_int_eq(error, 0);  // on loopback the ICMP answer is there at once
  }
  const auto refusals = batch.collect_refusals();
  ck_assert(!refusals.empty());
  for (const auto &refusal : refusals) {
    ck_assert(refusal.destination == closed);
    ck_assert_int_eq(refusal.error, ECONNREFUSED);
  }
  ck_assert(batch.collect_refusals().empty());
  BatchReceiver receiver(target.fd());
  ck_assert_uint_eq(receive(receiver, target.fd(), 10).size(), 10);
}
END_TEST

START_TEST(the_kernel_tells_when_a_datagram_came_and_how_many_it_dropped) {
  const UdpSocket sender = open_loopback();
  UdpOptions options;
  options.receive_buffer = 4096;
  auto opened = UdpSocket::open(options);
  const UdpSocket target = std::move(*opened);
  BatchSender batch(sender.fd());
  BatchSender::Lane lane;
  std::string text(1000, 'x');
  const Address to = target.local();
  const std::array<iovec, 1> one{part(text)};
  const Instant before = wall_clock();
  for (int i = 0; i < 100; ++i) batch.add(batch.destination(to), lane, one);
  for (int error : batch.flush()) ck_assert_int_eq(error, 0);
  BatchReceiver receiver(target.fd());
  std::uint64_t got = 0;
  for (auto some = receiver.receive(); !some.empty(); some = receiver.receive()) {
    for (const Received &datagram : some) {
      ++got;
      ck_assert(datagram.at >= before && datagram.at <= wall_clock());
    }
  }
  ck_assert_uint_lt(got, 100);
  // The counter travels with the next datagram that is taken in.
  batch.add(batch.destination(to), lane, one);
  batch.flush();
  receive(receiver, target.fd(), 1);
  ck_assert_uint_eq(got + receiver.kernel_drops(), 100);
}
END_TEST

START_TEST(long_datagrams_are_marked_as_cut) {
  const UdpSocket sender = open_loopback(), target = open_loopback();
  BatchSender batch(sender.fd());
  BatchSender::Lane lane;
  std::string text(BatchReceiver::Options().datagram + 1, 'x');
  const Address to = target.local();
  const std::array<iovec, 1> one{part(text)};
  batch.add(batch.destination(to), lane, one);
  batch.flush();
  BatchReceiver receiver(target.fd());
  pollfd polled{target.fd(), POLLIN, 0};
  ck_assert_int_eq(poll(&polled, 1, 5000), 1);
  const auto got = receiver.receive();
  ck_assert_uint_eq(got.size(), 1);
  ck_assert(got[0].truncated);
  ck_assert_uint_eq(got[0].bytes.size(), BatchReceiver::Options().datagram);
}
END_TEST

START_TEST(the_buffer_granted_is_reported) {
  UdpOptions options;
  options.receive_buffer = 100000;
  auto socket = UdpSocket::open(options);
  ck_assert_int_ge(socket->receive_buffer(), 100000);
}
END_TEST

START_TEST(addresses_are_numbers_and_read_back) {
  ck_assert(Address::parse("127.0.0.1", 5002)->text() == "127.0.0.1:5002");
  ck_assert(Address::parse("::1", 5002)->text() == "[::1]:5002");
  ck_assert(!Address::parse("localhost", 1));
  ck_assert(!Address::parse("", 1));
  ck_assert_uint_eq(Address::parse("::1", 1)->with_port(9).port(), 9);
  ck_assert(!(*Address::parse("127.0.0.1", 1) == *Address::parse("127.0.0.1", 2)));
  ck_assert(!(*Address::parse("::1", 1) == *Address::parse("::2", 1)));
}
END_TEST

START_TEST(a_port_in_use_and_a_bad_address_are_errors_that_name_the_field) {
  const UdpSocket taken = open_loopback();
  UdpOptions options;
  options.port = taken.local().port();
  const auto again = UdpSocket::open(options);
  ck_assert(!again);
  ck_assert(again.error().field == "port");
  options.bind_address = "not-an-ip";
  ck_assert(UdpSocket::open(options).error().field == "bind_address");
}
END_TEST

AVC_TESTS("batch socket", a_batch_reaches_every_destination_in_order_with_its_parts_joined,
          a_datagram_that_cannot_go_does_not_keep_the_others,
          a_refused_destination_is_named_and_costs_the_others_nothing,
          the_kernel_tells_when_a_datagram_came_and_how_many_it_dropped, long_datagrams_are_marked_as_cut,
          the_buffer_granted_is_reported, addresses_are_numbers_and_read_back,
          a_port_in_use_and_a_bad_address_are_errors_that_name_the_field)
