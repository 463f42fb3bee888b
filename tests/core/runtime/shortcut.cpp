// A batch's way past the route lookup: to those who receive there is no difference, answers are not lost between the
// two sockets, nobody else gets the port, and a batch for somebody else leads it elsewhere.
#include "core/runtime/shortcut.hpp"

#include <poll.h>

#include "core/runtime/batch_receiver.hpp"
#include "core/runtime/batch_sender.hpp"
#include "tests/check.hpp"

using namespace avc;
using namespace avc::runtime;

namespace {

constexpr std::size_t kMany = 40;

UdpOptions on(const char *ip) {
  UdpOptions options;
  options.bind_address = ip;
  options.report_refusals = true;
  return options;
}

UdpSocket open_on(const char *ip = "127.0.0.1") {
  auto socket = UdpSocket::open(on(ip));
  ck_assert(static_cast<bool>(socket));
  return std::move(*socket);
}

struct Bed {
  explicit Bed(const char *ip = "127.0.0.1")
      : first(open_on(ip)), shortcut(first.fd(), on(ip)), batch(first.fd(), {.shortcut = &shortcut}) {}

  void add(const UdpSocket &to, std::size_t count) {
    const std::array<iovec, 1> part{iovec{text.data(), text.size()}};
    for (std::size_t i = 0; i < count; ++i) batch.add(batch.destination(to.local()), lane, part);
  }
  void send(const UdpSocket &to, std::size_t count) {
    add(to, count);
    for (const int error : batch.flush()) ck_assert_int_eq(error, 0);
  }

  std::string text = "datagram";
  const UdpSocket first;
  Shortcut shortcut;
  BatchSender batch;
  BatchSender::Lane lane;
};

// How many come within the time limit, all of them from there.
std::size_t received(const UdpSocket &at, std::size_t count, const Address &from) {
  BatchReceiver receiver(at.fd());
  std::size_t got = 0;
  pollfd polled{at.fd(), POLLIN, 0};
  while (got < count && poll(&polled, 1, 5000) == 1) {
    for (const Received &datagram : receiver.receive()) {
      ck_assert(datagram.from == from);
      ++got;
    }
  }
  return got;
}

bool leads_to(const Shortcut &shortcut, const UdpSocket &there) {
  sockaddr_in6 name{};
  socklen_t size = sizeof name;
  if (shortcut.fd() < 0 || getpeername(shortcut.fd(), reinterpret_cast<sockaddr *>(&name), &size) != 0) return false;
  return Address(reinterpret_cast<const sockaddr *>(&name), size) == there.local();
}

void comes_from_the_same_port(const char *ip) {
  Bed bed(ip);
  const UdpSocket there = open_on(ip);
  bed.send(there, kMany);
  ck_assert(leads_to(bed.shortcut, there));
  ck_assert_uint_eq(received(there, kMany, bed.first.local()), kMany);
}

}  // namespace

START_TEST(what_takes_the_shortcut_comes_from_the_same_port) {
  comes_from_the_same_port("127.0.0.1");
  comes_from_the_same_port("::1");
}
END_TEST

START_TEST(few_datagrams_are_not_worth_it) {
  Bed bed;
  const UdpSocket there = open_on();
  bed.send(there, 3);
  ck_assert_int_eq(bed.shortcut.fd(), -1);
  ck_assert_uint_eq(received(there, 3, bed.first.local()), 3);
}
END_TEST

START_TEST(others_in_the_batch_are_reached_as_before) {
  Bed bed;
  const UdpSocket there = open_on(), other = open_on();
  for (int i = 0; i < 3; ++i) {
    bed.add(other, 2);
    bed.send(there, kMany);
  }
  ck_assert(leads_to(bed.shortcut, there));
  ck_assert_uint_eq(received(there, 3 * kMany, bed.first.local()), 3 * kMany);
  ck_assert_uint_eq(received(other, 6, bed.first.local()), 6);
}
END_TEST

START_TEST(it_leads_elsewhere_when_nothing_goes_there_any_more) {
  Bed bed;
  const UdpSocket there = open_on(), next = open_on();
  bed.send(there, kMany);
  bed.add(next, 3 * kMany);
  bed.send(there, 1);
  ck_assert(leads_to(bed.shortcut, there));  // in use, though others have more
  bed.send(next, kMany);
  ck_assert(leads_to(bed.shortcut, next));
  bed.send(there, 2);  // too few to be led there
  ck_assert(leads_to(bed.shortcut, next));
  ck_assert_uint_eq(received(there, kMany + 3, bed.first.local()), kMany + 3);
  ck_assert_uint_eq(received(next, 4 * kMany, bed.first.local()), 4 * kMany);
}
END_TEST

START_TEST(answers_come_to_one_of_the_two) {
  Bed bed;
  const UdpSocket there = open_on(), other = open_on();
  bed.send(there, kMany);
  for (const auto *from : {&there, &other}) {
    const Address back = bed.first.local();
    for (int i = 0; i < 8; ++i) ck_assert_int_eq(sendto(from->fd(), "x", 1, 0, back.get(), back.size()), 1);
  }
  std::size_t at_first = 0, at_shortcut = 0;
  BatchReceiver first(bed.first.fd()), second(bed.shortcut.fd());
  for (const Received &datagram : first.receive()) at_first += datagram.from == other.local();
  for (const Received &datagram : second.receive()) at_shortcut += datagram.from == there.local();
  ck_assert_uint_eq(at_first, 8);
  ck_assert_uint_eq(at_shortcut, 8);
}
END_TEST

START_TEST(nobody_else_gets_the_port) {
  Bed bed;
  const UdpSocket there = open_on();
  bed.send(there, kMany);
  UdpOptions options = on("127.0.0.1");
  options.port = bed.first.local().port();
  ck_assert(!UdpSocket::open(options));
  options.share_port = true;
  ck_assert(!UdpSocket::open(options));
}
END_TEST

START_TEST(a_refused_destination_is_named) {
  Bed bed;
  Address gone;
  {
    const UdpSocket there = open_on();
    gone = there.local();
    bed.send(there, kMany);
  }
  std::size_t refused = 0;
  for (int i = 0; i < 5; ++i) {
    const std::array<iovec, 1> part{iovec{bed.text.data(), bed.text.size()}};
    for (std::size_t n = 0; n < kMany; ++n) bed.batch.add(bed.batch.destination(gone), bed.lane, part);
    for (const int error : bed.batch.flush()) ck_assert_int_eq(error, 0);  // ICMP's answer is about those before
    for (const auto &refusal : bed.batch.collect_refusals()) refused += refusal.destination == gone;
  }
  ck_assert_uint_gt(refused, 0);
}
END_TEST

AVC_TESTS("shortcut", what_takes_the_shortcut_comes_from_the_same_port, few_datagrams_are_not_worth_it,
          others_in_the_batch_are_reached_as_before, it_leads_elsewhere_when_nothing_goes_there_any_more,
          answers_come_to_one_of_the_two, nobody_else_gets_the_port, a_refused_destination_is_named)
