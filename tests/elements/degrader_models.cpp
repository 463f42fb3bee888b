// chaosdegrader: marks on buffers and on the wire, tables of jitter as property.
#include <arpa/inet.h>
#include <glib/gstdio.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmath>

#include <gst/net/gstnetcontrolmessagemeta.h>

#include "elements/support/counters.hpp"
#include "elements/support/ecn.hpp"
#include "tests/elements/bench.hpp"

using namespace avc;
using namespace avc::test;

namespace {

struct Bench : PadBench {
  explicit Bench(const std::string &properties) : PadBench("chaosdegrader " + properties) {}
  double number(const char *field) const {
    GstStructure *stats = nullptr;
    g_object_get(element(), "stats", &stats, nullptr);
    double value = 0;
    ck_assert(gst_structure_get_double(stats, field, &value));
    gst_structure_free(stats);
    return value;
  }
  std::string text(const char *property) const {
    gchar *value = nullptr;
    g_object_get(element(), property, &value, nullptr);
    const std::string copy = value ? value : "";
    g_free(value);
    return copy;
  }
};

// A receiver that sees the type-of-service byte of what comes.
struct Receiver {
  int fd = socket(AF_INET, SOCK_DGRAM, 0);
  int port = 0;
  Receiver() {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    const int on = 1;
    ck_assert(bind(fd, reinterpret_cast<sockaddr *>(&address), size) == 0);
    ck_assert(setsockopt(fd, IPPROTO_IP, IP_RECVTOS, &on, sizeof on) == 0);
    getsockname(fd, reinterpret_cast<sockaddr *>(&address), &size);
    port = ntohs(address.sin_port);
  }
  ~Receiver() { close(fd); }
  int type_of_service() const {
    pollfd wanted{fd, POLLIN, 0};
    ck_assert_int_eq(poll(&wanted, 1, 20'000), 1);
    char data[2048], control[256];
    iovec part{data, sizeof data};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    ck_assert_int_gt(static_cast<int>(recvmsg(fd, &message, 0)), 0);
    for (auto *c = CMSG_FIRSTHDR(&message); c; c = CMSG_NXTHDR(&message, c))
      if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_TOS) return *CMSG_DATA(c);
    return -1;
  }
};

}  // namespace

GST_START_TEST(what_would_be_lost_is_marked) {
  Bench bench("loss-percent=100 ecn=ect0");
  for (std::uint16_t n = 0; n < 3; n++) bench.push(video(n, ms(n)));
  const auto out = bench.out_now();
  ck_assert_uint_eq(out.size(), 3);
  for (const auto &buffer : out) ck_assert(ecn_of(buffer.get()) == net::Ecn::ce);
  ck_assert_uint_eq(bench.stat("marked"), 3);
  ck_assert_uint_eq(bench.stat("video-marked"), 3);
  ck_assert_uint_eq(bench.stat("dropped-loss"), 0);
}
GST_END_TEST;

// Only the first one carries a mark, made by hand; the second says nothing of itself.
GST_START_TEST(only_packets_that_say_so_are_marked) {
  Bench bench("loss-percent=100 ecn=marked");
  gst_harness_push(bench.h.get(), give(with_ce(packet_of(video(0, 0)))));
  bench.push(video(1, ms(1)));
  ck_assert_uint_eq(bench.out_now().size(), 1);
  ck_assert_uint_eq(bench.stat("marked"), 1);
  ck_assert_uint_eq(bench.stat("dropped-loss"), 1);
}
GST_END_TEST;

GST_START_TEST(a_mark_changes_nothing_else_of_the_packet) {
  const auto plain = packet_of(video(7, ms(3)));
  const auto twice = with_ce(with_ce(packet_of(video(7, ms(3)))));
  ck_assert(bytes_of(plain.get()) == bytes_of(twice.get()));
  ck_assert(GST_BUFFER_PTS(twice.get()) == ms(3));
  ck_assert(ecn_of(plain.get()) == net::Ecn::not_capable);
  ck_assert_uint_eq(gst_buffer_get_n_meta(twice.get(), GST_NET_CONTROL_MESSAGE_META_API_TYPE), 1);
}
GST_END_TEST;

// Every second packet is marked; 46 is the DSCP of all. Order is kept though one message cannot hold both kinds.
GST_START_TEST(marks_reach_the_wire_in_order) {
  const Receiver receiver;
  const std::string launch =
      "fakesrc is-live=true num-buffers=20 sizetype=fixed sizemax=100 filltype=zero format=time ! "
      "chaosdegrader loss-model=pattern loss-pattern=01 ecn=ect0 ! "
      "avchaosudpsink qos-dscp=46 host=127.0.0.1 port=" +
      std::to_string(receiver.port);
  const auto pipeline = take(GST_ELEMENT(gst_object_ref_sink(gst_parse_launch(launch.c_str(), nullptr))));
  gst_element_set_state(pipeline.get(), GST_STATE_PLAYING);
  for (int n = 0; n < 20; n++) ck_assert_int_eq(receiver.type_of_service(), 46 << 2 | (n % 2 ? 3 : 0));
  gst_element_set_state(pipeline.get(), GST_STATE_NULL);
}
GST_END_TEST;

// -1, 0 and 1 times 4 ms, drawn from the property's own text and from a file.
GST_START_TEST(a_table_is_given_by_its_values_or_a_file) {
  gchar *name = nullptr;
  const int fd = g_file_open_tmp("avchaos-XXXXXX", &name, nullptr);
  ck_assert(fd >= 0 && write(fd, "# three\n-8192 0 8192\n", 21) == 21);
  close(fd);
  for (const std::string &table : {std::string("\"-8192 0 8192\""), std::string(name)}) {
    Bench bench("delay-ms=10 jitter-ms=4 delay-distribution=table allow-reordering=true seed=1 delay-table=" + table);
    for (std::uint16_t n = 0; n < 50; n++) bench.push(video(n, 0));
    ck_assert_uint_eq(bench.play_out(50).size(), 50);
    ck_assert_uint_eq(bench.stat("dropped-loss"), 0);
    ck_assert(std::fabs(bench.number("delay-max-ms") - 14) < 0.2);
    ck_assert(std::fabs(bench.number("delay-avg-ms") - 10) < 2);  // standard deviation 0.46 over 50
  }
  g_unlink(name);
  g_free(name);
}
GST_END_TEST;

GST_START_TEST(a_table_that_cannot_be_read_is_refused) {
  Bench bench("delay-table=\"0 8192\"");
  for (const char *bad : {"1 x", "/nowhere", "# nothing"}) {
    g_object_set(bench.element(), "delay-table", bad, nullptr);
    const auto message = take(gst_bus_pop_filtered(bench.bus.get(), GST_MESSAGE_WARNING));
    ck_assert_msg(message != nullptr, "%s", bad);
    ck_assert(bench.text("delay-table") == "0 8192");
  }
}
GST_END_TEST;

GST_START_TEST(counters_are_figures_of_stats) {
  Bench bench("loss-percent=30 delay-ms=7 seed=3");
  for (std::uint16_t n = 0; n < 50; n++) bench.push(video(n, ms(n)));
  const auto link = counters_of<LinkCounters>(bench.element());
  ck_assert_uint_eq(link.video.in, 50);
  ck_assert_uint_eq(link.audio.in, 0);
  ck_assert_uint_eq(link.video.bytes_in, bench.stat("video-bytes-in"));
  ck_assert_uint_gt(link.video.lost, 0);
  ck_assert_uint_eq(link.video.lost, bench.stat("video-lost"));
  ck_assert_uint_eq(link.delay_count, 50 - link.video.lost);
  ck_assert(std::abs(link.delay_sum_ms / static_cast<double>(link.delay_count) - bench.number("delay-avg-ms")) < 1e-9);
  ck_assert(link.delay_max_ms == bench.number("delay-max-ms"));
}
GST_END_TEST;

AVC_GST_TESTS("degrader_models", counters_are_figures_of_stats, what_would_be_lost_is_marked,
              only_packets_that_say_so_are_marked, a_mark_changes_nothing_else_of_the_packet,
              marks_reach_the_wire_in_order, a_table_is_given_by_its_values_or_a_file,
              a_table_that_cannot_be_read_is_refused)
