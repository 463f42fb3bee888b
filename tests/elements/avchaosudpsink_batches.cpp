// avchaosudpsink: what leaves together, in which order and through which socket; pacing.
#include "elements/udpsink/shared_socket.hpp"
#include "tests/elements/sink_bench.hpp"

#include <gst/video/video-event.h>

#include <set>

#include "core/random.hpp"
#include "core/rtp/rtcp.hpp"

using namespace avc;
using namespace avc::test;
using udpsink::Outlet;
using udpsink::SharedSocket;
using udpsink::Target;

namespace {

std::string sink_text(const Ptr<GstHarness> &h, const char *field) {
  GstStructure *stats = nullptr;
  g_object_get(h->element, "stats", &stats, nullptr);
  const auto owned = take(stats);
  return gst_structure_get_string(stats, field);
}

// A frame: header memories of their own, one payload memory for everybody.
Ptr<GstBuffer> split_packet(const RtpPacket &made) {
  const Octets whole = octets_of(made);
  auto head = buffer_of(Octets(whole.begin(), whole.begin() + 12));
  const auto body = buffer_of(Octets(whole.begin() + 12, whole.end()));
  gst_buffer_append_memory(head.get(), gst_buffer_get_memory(body.get(), 0));
  return head;
}

// What one turn pushes for many sinks, in random pieces from a seed, arrives stream by stream as it was pushed.
void one_turn(std::uint64_t seed, bool offload) {
  constexpr std::uint32_t kSinks = 12;
  Port port;
  const auto context = private_context();
  const auto socket = std::move(*SharedSocket::get(context, {.bind_address = "127.0.0.1", .offload = offload}));
  const auto element = take(GST_ELEMENT(gst_object_ref_sink(gst_pipeline_new(nullptr))));
  std::vector<std::shared_ptr<udpsink::Path>> paths;
  for (std::uint32_t i = 0; i < kSinks; ++i)
    paths.push_back(socket->path(std::make_shared<Outlet>(element.get()), to(port)));
  const Rng rng(seed);
  std::uint64_t draws = 0;
  const auto draw = [&](std::uint64_t below) { return rng.at(draws++).below(below); };
  std::map<std::uint32_t, std::vector<Octets>> wanted;
  std::vector<std::pair<std::uint32_t, Ptr<GstBufferList>>> pushes;
  std::size_t total = 0;
  for (int n = 0; n < 60; ++n) {
    const auto sink = static_cast<std::uint32_t>(draw(kSinks));
    auto list = take(gst_buffer_list_new());
    for (std::uint64_t i = 0, length = 1 + draw(12); i < length; ++i, ++total) {
      RtpPacket made;
      made.fields.ssrc = sink;
      made.fields.sequence = static_cast<std::uint16_t>(wanted[sink].size());
      made.payload_bytes = draw(3) ? 1152 : 1 + draw(1152);
      wanted[sink].push_back(octets_of(made));
      gst_buffer_list_add(list.get(), give(draw(2) ? split_packet(made) : packet_of(made)));
    }
    pushes.emplace_back(sink, std::move(list));
  }
  const auto timer = context->make_timer([&] {
    for (const auto &[sink, list] : pushes) socket->send(paths[sink], list.get());
  });
  timer->arm(context->now());
  std::map<std::uint32_t, std::vector<Octets>> got;
  for (auto &bytes : port.take(total)) got[header_of(bytes).ssrc].push_back(bytes);
  timer->cancel_and_wait();
  ck_assert(got == wanted);
  const auto counts = socket->counts();  // once the sending that took them here is over
  for (std::uint32_t i = 0; i < kSinks; ++i) ck_assert_uint_eq(paths[i]->outlet->sent().packets, wanted[i].size());
  if (offload) {
    ck_assert_uint_lt(counts.messages, total / 2);
  } else {
    ck_assert_uint_eq(counts.messages, total);
  }
}

}  // namespace

GST_START_TEST(a_turn_of_many_sinks_is_coalesced_and_every_stream_keeps_its_order) {
  for (std::uint64_t seed = 1; seed <= 8; ++seed) one_turn(seed, true);
}
GST_END_TEST

GST_START_TEST(without_offload_a_turn_arrives_the_same) {
  for (std::uint64_t seed = 1; seed <= 3; ++seed) one_turn(seed, false);
}
GST_END_TEST

GST_START_TEST(offload_shows_in_the_statistics) {
  Port port;
  const auto h = sink_to(port.number());
  push(h, list_of(1, 10));
  port.take(10);
  ck_assert(sink_text(h, "offload") == "gso");
  ck_assert_uint_eq(sink_stat(h, "messages"), 1);
  ck_assert_uint_eq(sink_stat(h, "segments"), 10);
}
GST_END_TEST

GST_START_TEST(offload_can_be_turned_off) {
  Port port;
  const auto h = sink_to(port.number(), "segmentation-offload=false");
  push(h, list_of(1, 10));
  ck_assert_uint_eq(port.take(10).size(), 10);
  ck_assert(sink_text(h, "offload") == "none");
  ck_assert_uint_eq(sink_stat(h, "messages"), 10);
  ck_assert_uint_eq(sink_stat(h, "segments"), 0);
}
GST_END_TEST

// A socket that sends no checksums cannot have its messages cut: the kernel says EINVAL.
GST_START_TEST(a_refusal_of_the_kernels_loses_nothing_and_shows) {
  Port port;
  const auto own = take(g_socket_new(G_SOCKET_FAMILY_IPV4, G_SOCKET_TYPE_DATAGRAM, G_SOCKET_PROTOCOL_UDP, nullptr));
  const int on = 1;
  ck_assert_int_eq(setsockopt(g_socket_get_fd(own.get()), SOL_SOCKET, SO_NO_CHECK, &on, sizeof on), 0);
  auto element = take(GST_ELEMENT(gst_object_ref_sink(gst_element_factory_make("avchaosudpsink", nullptr))));
  g_object_set(element.get(), "socket", own.get(), "port", static_cast<gint>(port.number()), nullptr);
  const auto h = take(gst_harness_new_with_element(element.get(), "sink", nullptr));
  gst_harness_set_src_caps_str(h.get(), "application/x-rtp");
  for (const std::uint16_t first : {std::uint16_t{10}, std::uint16_t{20}}) {
    push(h, list_of(first, 10));
    const auto got = port.take(10);
    ck_assert_uint_eq(got.size(), 10);
    for (std::uint16_t i = 0; i < 10; ++i) ck_assert_uint_eq(header_of(got[i]).sequence, first + i);
  }
  ck_assert(sink_text(h, "offload") == "none");
  ck_assert_uint_eq(sink_stat(h, "offload-refused"), 1);
  ck_assert_uint_eq(sink_stat(h, "errors"), 0);
  ck_assert_uint_eq(sink_stat(h, "packets-sent"), 20);
}
GST_END_TEST

GST_START_TEST(several_clients_get_every_packet) {
  Port one, two;
  const auto h =
      sink_to(9, "clients=127.0.0.1:" + std::to_string(one.number()) + ",127.0.0.1:" + std::to_string(two.number()));
  push(h, list_of(1, 5));
  const auto first = one.take(5);
  ck_assert_uint_eq(first.size(), 5);
  ck_assert(first == two.take(5));
  ck_assert_uint_eq(sink_stat(h, "packets-sent"), 10);
}
GST_END_TEST

GST_START_TEST(a_client_that_cannot_be_read_is_an_error) {
  for (const char *text :
       {"127.0.0.1", "127.0.0.1:0", "127.0.0.1:70000", ":5", "127.0.0.1:5,", "127.0.0.1:5,[::1]:5"}) {
    auto element = take(GST_ELEMENT(gst_object_ref_sink(gst_element_factory_make("avchaosudpsink", nullptr))));
    const OwnBus bus(element.get());
    g_object_set(element.get(), "clients", text, nullptr);
    ck_assert_int_eq(gst_element_set_state(element.get(), GST_STATE_PLAYING), GST_STATE_CHANGE_FAILURE);
    ck_assert_msg(take(gst_bus_pop_filtered(bus.get(), GST_MESSAGE_ERROR)) != nullptr, "%s", text);
    gst_element_set_state(element.get(), GST_STATE_NULL);
  }
}
GST_END_TEST

GST_START_TEST(sinks_of_a_context_may_have_source_ports_of_their_own) {
  Port port;
  std::set<unsigned> sources;
  for (int i = 0; i < 3; ++i) {
    const auto h = sink_to(port.number(), "context=own-port-test own-source-port=true");
    push(h, packet(1));
    port.take(1);
    sources.insert(port.sender.port());
    ck_assert_uint_eq(sink_stat(h, "local-port"), port.sender.port());
  }
  ck_assert_uint_ge(sources.size(), 2);  // the kernel may give a port again that was let go
}
GST_END_TEST

// Nine packets over 90 ms leave ten milliseconds apart; what comes next waits behind them.
GST_START_TEST(packets_of_a_list_are_spread_and_stay_in_order) {
  Port port;
  const auto context = private_context();
  const auto socket = std::move(*SharedSocket::get(context, {.bind_address = "127.0.0.1"}));
  const auto element = take(GST_ELEMENT(gst_object_ref_sink(gst_pipeline_new(nullptr))));
  const auto path = socket->path(std::make_shared<Outlet>(element.get()), to(port), {.spread = from_ms(90)});
  const Instant before = context->now();
  socket->send(path, list_of(0, 9).get());
  socket->send(path, packet(9).get());
  ck_assert_uint_eq(path->outlet->sent().packets, 1);
  const auto got = port.take(10);
  ck_assert(context->now() - before >= from_ms(80));  // no packet is early, and the last was due then
  for (std::uint16_t i = 0; i < 10; ++i) ck_assert_uint_eq(header_of(got.at(i)).sequence, i);
  socket->send(path, packet(10).get());  // nothing is parked: it need not wait
  ck_assert_uint_eq(path->outlet->sent().packets, 11);
}
GST_END_TEST

// Loopback takes the times and does not keep them: all are there at once, nothing was parked.
GST_START_TEST(a_kernel_that_keeps_times_does_the_pacing) {
  Port port;
  const auto context = private_context();
  const auto socket = std::move(*SharedSocket::get(context, {.bind_address = "127.0.0.1"}));
  const auto element = take(GST_ELEMENT(gst_object_ref_sink(gst_pipeline_new(nullptr))));
  const auto path = socket->path(std::make_shared<Outlet>(element.get()), to(port),
                                 {.spread = from_ms(90), .keeps_times = [](const runtime::Address &) { return true; }});
  ck_assert_str_eq(path->outlet->pacing, "kernel");
  socket->send(path, list_of(0, 9).get());
  socket->send(path, packet(9).get());
  ck_assert_uint_eq(path->outlet->sent().packets, 10);
  ck_assert(!socket->tell_when_sent(*path));
  const auto got = port.take(10);
  for (std::uint16_t i = 0; i < 10; ++i) ck_assert_uint_eq(header_of(got.at(i)).sequence, i);
  ck_assert_uint_eq(socket->counts().messages, 10);
}
GST_END_TEST

GST_START_TEST(eos_waits_for_what_is_parked) {
  Port port;
  const auto h = sink_to(port.number(), "pacing-ms=100 context=pacing-test");
  gst_element_set_state(h->element, GST_STATE_PAUSED);
  gst_harness_use_systemclock(h.get());  // on a harness' own clock nothing is ever due
  gst_element_set_state(h->element, GST_STATE_PLAYING);
  const OwnBus bus(h->element);
  push(h, list_of(0, 20));
  gst_harness_push_event(h.get(), gst_event_new_eos());
  ck_assert(take(gst_bus_timed_pop_filtered(bus.get(), 10 * GST_SECOND, GST_MESSAGE_EOS)) != nullptr);
  ck_assert_uint_eq(sink_stat(h, "packets-sent"), 20);
  const auto got = port.take(20);
  for (std::uint16_t i = 0; i < 20; ++i) ck_assert_uint_eq(header_of(got.at(i)).sequence, i);
}
GST_END_TEST

GST_START_TEST(a_flush_drops_what_is_parked_and_nothing_after_it) {
  Port port;
  const auto h = sink_to(port.number(), "pacing-ms=1000 context=pacing-test");
  push(h, list_of(0, 20));
  gst_harness_push_event(h.get(), gst_event_new_flush_start());
  gst_harness_push_event(h.get(), gst_event_new_flush_stop(FALSE));
  GstSegment segment;
  gst_segment_init(&segment, GST_FORMAT_TIME);
  gst_harness_push_event(h.get(), gst_event_new_segment(&segment));
  push(h, packet(100));
  const auto sent = sink_stat(h, "packets-sent");
  ck_assert_uint_lt(sent, 20);
  ck_assert_uint_eq(header_of(port.take(sent).back()).sequence, 100);
}
GST_END_TEST

// Many packets leave by a connected socket, which gets what its destination answers; others write to the first.
GST_START_TEST(reports_arrive_at_whichever_socket_they_come_to) {
  Port port, elsewhere;
  const auto h = sink_to(port.number(), "context=report-test");
  push(h, list_of(0, 40));
  port.take(40);
  elsewhere.sender = port.sender;
  Octets pli(64);
  pli.resize(rtp::write_pli(pli, 5, 1001000));
  for (Port *from : {&port, &elsewhere}) {
    from->send_back(pli);
    (void)sink_stat(h, "packets-sent");  // reads what is there
    int asked = 0;
    while (const auto event = take(gst_harness_try_pull_upstream_event(h.get())))
      asked += gst_video_event_is_force_key_unit(event.get());
    ck_assert_int_eq(asked, 1);
  }
}
GST_END_TEST

AVC_GST_TESTS("avchaosudpsink batches", a_turn_of_many_sinks_is_coalesced_and_every_stream_keeps_its_order,
              without_offload_a_turn_arrives_the_same, offload_shows_in_the_statistics, offload_can_be_turned_off,
              a_refusal_of_the_kernels_loses_nothing_and_shows, several_clients_get_every_packet,
              a_client_that_cannot_be_read_is_an_error, sinks_of_a_context_may_have_source_ports_of_their_own,
              packets_of_a_list_are_spread_and_stay_in_order, a_kernel_that_keeps_times_does_the_pacing,
              eos_waits_for_what_is_parked, a_flush_drops_what_is_parked_and_nothing_after_it,
              reports_arrive_at_whichever_socket_they_come_to)
