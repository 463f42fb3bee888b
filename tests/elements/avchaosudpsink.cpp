// avchaosudpsink: real sockets on loopback, ports chosen by the kernel.
#include "elements/udpsink/shared_socket.hpp"
#include "tests/elements/sink_bench.hpp"

#include <gio/gio.h>
#include <gst/video/video-event.h>

#include "core/rtp/extended_report.hpp"
#include "core/rtp/rtcp.hpp"
#include "core/runtime/context.hpp"
#include "core/runtime/steady_clock.hpp"
#include "elements/support/counters.hpp"

using namespace avc;
using namespace avc::test;
using udpsink::Outlet;
using udpsink::SharedSocket;
using udpsink::Target;

GST_START_TEST(lists_leave_in_one_call_and_arrive_byte_for_byte) {
  Port port;
  const auto h = sink_to(port.number());
  push(h, list_of(10, 20));
  const auto got = port.take(20);
  ck_assert_uint_eq(got.size(), 20);
  for (std::uint16_t i = 0; i < 20; ++i)
    ck_assert(got[i] == bytes_of(packet(static_cast<std::uint16_t>(10 + i)).get()));
  ck_assert_uint_eq(sink_stat(h, "packets-sent"), 20);
  ck_assert_uint_eq(sink_stat(h, "bytes-sent"), 20 * 112);
  ck_assert_uint_eq(sink_stat(h, "syscalls"), 1);
  ck_assert_uint_eq(sink_stat(h, "errors"), 0);
}
GST_END_TEST

GST_START_TEST(headers_and_payloads_in_separate_memories_are_joined_on_the_wire) {
  Port port;
  const auto h = sink_to(port.number());
  const Octets whole = bytes_of(packet(7).get());
  auto shared = buffer_of(Octets(whole.begin() + 12, whole.end()));
  // The same payload memory in 600 packets at once: more than one memory can be mapped, and more than one batch.
  auto list = take(gst_buffer_list_new());
  for (int i = 0; i < 600; ++i) {
    auto head = buffer_of(Octets(whole.begin(), whole.begin() + 12));
    gst_buffer_append_memory(head.get(), gst_buffer_get_memory(shared.get(), 0));
    gst_buffer_list_add(list.get(), give(std::move(head)));
    if (i % 100 == 99) {
      push(h, std::exchange(list, take(gst_buffer_list_new())));
      for (const auto &got : port.take(100)) ck_assert(got == whole);
    }
  }
  ck_assert_uint_eq(sink_stat(h, "packets-sent"), 600);
}
GST_END_TEST

GST_START_TEST(rtcp_goes_to_its_own_port) {
  Port rtp, rtcp;
  const auto h = sink_to(rtp.number(), "rtcp-port=" + std::to_string(rtcp.number()));
  Octets report(64);
  report.resize(rtp::write_sender_report(report, {1001000, 0, 0, 0, 0}, "x"));
  push(h, buffer_of(report));
  push(h, packet(1));
  ck_assert(rtcp.take(1).at(0) == report);
  ck_assert_uint_eq(rtp.take(1).at(0).size(), 112);
  ck_assert(rtp.empty());
  ck_assert_uint_eq(sink_stat(h, "rtcp-packets-sent"), 1);
  ck_assert_uint_eq(sink_stat(h, "packets-sent"), 1);
}
GST_END_TEST

GST_START_TEST(nothing_is_sent_before_playing) {
  Port port;
  const auto h = sink_to(port.number());
  gst_element_set_state(h->element, GST_STATE_PAUSED);
  push(h, packet(1));
  push(h, list_of(2, 3));
  ck_assert(port.empty());
  ck_assert_uint_eq(sink_stat(h, "dropped-not-playing"), 4);
  gst_element_set_state(h->element, GST_STATE_PLAYING);
  push(h, packet(5));
  ck_assert_uint_eq(port.take(1).size(), 1);
}
GST_END_TEST

GST_START_TEST(every_state_change_succeeds_at_once) {
  auto element = take(GST_ELEMENT(gst_object_ref_sink(gst_element_factory_make("avchaosudpsink", nullptr))));
  for (const GstState state :
       {GST_STATE_READY, GST_STATE_PAUSED, GST_STATE_PLAYING, GST_STATE_PAUSED, GST_STATE_READY, GST_STATE_NULL}) {
    ck_assert_int_eq(gst_element_set_state(element.get(), state), GST_STATE_CHANGE_SUCCESS);
  }
}
GST_END_TEST

GST_START_TEST(eos_is_posted_in_playing_with_its_number) {
  Port port;
  const auto h = sink_to(port.number());
  const OwnBus bus(h->element);
  gst_element_set_state(h->element, GST_STATE_PAUSED);
  GstEvent *eos = gst_event_new_eos();
  const guint32 seqnum = gst_event_get_seqnum(eos);
  gst_harness_push_event(h.get(), eos);
  ck_assert(gst_bus_pop_filtered(bus.get(), GST_MESSAGE_EOS) == nullptr);
  gst_element_set_state(h->element, GST_STATE_PLAYING);
  const auto message = take(gst_bus_pop_filtered(bus.get(), GST_MESSAGE_EOS));
  ck_assert(message != nullptr);
  ck_assert_uint_eq(gst_message_get_seqnum(message.get()), seqnum);
}
GST_END_TEST

GST_START_TEST(a_refusing_destination_is_one_warning_and_no_error) {
  unsigned closed = 0;
  {
    Port gone;
    closed = gone.number();
  }
  const auto h = sink_to(closed);
  const OwnBus bus(h->element);
  for (std::uint16_t i = 0; i < 20; ++i) {
    push(h, packet(i));
    sink_stat(h, "refusals");  // reads what ICMP says now
  }
  ck_assert_uint_gt(sink_stat(h, "refusals"), 0);
  const auto warning = take(gst_bus_pop_filtered(bus.get(), GST_MESSAGE_WARNING));
  ck_assert(warning != nullptr);
  ck_assert(gst_bus_pop_filtered(bus.get(), GST_MESSAGE_WARNING) == nullptr);
  ck_assert(gst_bus_pop_filtered(bus.get(), GST_MESSAGE_ERROR) == nullptr);
}
GST_END_TEST

GST_START_TEST(packets_that_cannot_go_are_counted_by_errno) {
  Port port;
  const auto h = sink_to(port.number());
  push(h, buffer_of(Octets(70000, 0x80)));
  push(h, packet(1));
  ck_assert_uint_eq(port.take(1).size(), 1);
  ck_assert_uint_eq(sink_stat(h, "errors"), 1);
  GstStructure *stats = nullptr;
  g_object_get(h->element, "stats", &stats, nullptr);
  const auto owned = take(stats);
  const GValue *errors = gst_structure_get_value(stats, "errors-by-errno");
  guint64 count = 0;
  ck_assert(gst_structure_get_uint64(gst_value_get_structure(errors), "EMSGSIZE", &count));
  ck_assert_uint_eq(count, 1);
}
GST_END_TEST

GST_START_TEST(sinks_of_a_context_share_a_socket) {
  Port one, two;
  const auto a = sink_to(one.number(), "context=shared-test");
  const auto b = sink_to(two.number(), "context=shared-test");
  for (const auto *h : {&a, &b}) {  // a context is one name on one clock, and each harness brings its own
    gst_element_set_state((*h)->element, GST_STATE_PAUSED);
    gst_harness_use_systemclock(h->get());
    gst_element_set_state((*h)->element, GST_STATE_PLAYING);
  }
  push(a, list_of(1, 3));
  push(b, list_of(1, 3));
  one.take(3);
  two.take(3);
  ck_assert(one.sender == two.sender);
  ck_assert_uint_eq(sink_stat(a, "packets-sent"), 3);
  ck_assert_uint_eq(sink_stat(b, "packets-sent"), 3);
}
GST_END_TEST

// Below the elements, because a test has no part in the plugin's contexts.
GST_START_TEST(what_a_turn_pushes_leaves_in_one_call_when_it_ends) {
  Port one, two;
  const auto context = runtime::Context::shared("", std::make_shared<runtime::SteadyClock>());
  const auto socket = std::move(*SharedSocket::get(context, {.bind_address = "127.0.0.1"}));
  ck_assert(*SharedSocket::get(context, {.bind_address = "127.0.0.1"}) == socket);
  ck_assert(*SharedSocket::get(context, {.bind_address = "127.0.0.1", .ttl = 9}) != socket);
  const auto element = take(GST_ELEMENT(gst_object_ref_sink(gst_pipeline_new(nullptr))));
  const auto a = std::make_shared<Outlet>(element.get()), b = std::make_shared<Outlet>(element.get());
  const auto to_one = socket->path(a, std::make_shared<const Target>(Target{{{one.socket.local(), {}}}}));
  const auto to_two = socket->path(b, std::make_shared<const Target>(Target{{{two.socket.local(), {}}}}));
  const auto timer = context->make_timer([&] {
    socket->send(to_one, list_of(1, 3).get());
    socket->send(to_two, list_of(1, 3).get());
    socket->send(to_one, list_of(4, 2).get());
    ck_assert(one.empty());
  });
  timer->arm(context->now());
  const auto got = one.take(5);
  ck_assert_uint_eq(got.size(), 5);
  for (std::uint16_t i = 0; i < 5; ++i) ck_assert_uint_eq(header_of(got[i]).sequence, i + 1);
  ck_assert_uint_eq(two.take(3).size(), 3);
  timer->cancel_and_wait();
  ck_assert_uint_eq(socket->counts().syscalls, 1);
  ck_assert_uint_eq(a->sent().packets, 5);
  ck_assert_uint_eq(b->sent().packets, 3);
}
GST_END_TEST

GST_START_TEST(sinks_without_a_context_have_sockets_of_their_own) {
  Port port;
  const auto a = sink_to(port.number()), b = sink_to(port.number());
  push(a, packet(1));
  port.take(1);
  const auto first = port.sender;
  push(b, packet(1));
  port.take(1);
  ck_assert(!(first == port.sender));
}
GST_END_TEST

GST_START_TEST(reports_become_statistics_and_requests_key_unit_events) {
  Port port;
  const auto h = sink_to(port.number());
  push(h, packet(1, 1001000));
  port.take(1);
  const rtp::ReportBlock block{1001000, 64, 12, 777, 90, 0, 0};
  const rtp::ReportBlock stranger{42, 1, 1, 1, 1, 0, 0};
  const std::array blocks{stranger, block};
  Octets out(512);
  const std::size_t size = rtp::write_receiver_report(out, 5, "x", blocks);
  const std::size_t pli = rtp::write_pli(std::span(out).subspan(size), 5, 1001000);
  port.send_back(std::span(out).first(size + pli));

  GstStructure *stats = nullptr;
  g_object_get(h->element, "stats", &stats, nullptr);  // reads what is there
  const auto owned = take(stats);
  const GValue *remotes = gst_structure_get_value(stats, "remote");
  ck_assert_uint_eq(gst_value_list_get_size(remotes), 1);
  const GstStructure *remote = gst_value_get_structure(gst_value_list_get_value(remotes, 0));
  guint ssrc = 0, jitter = 0;
  gint lost = 0;
  double fraction = 0;
  ck_assert(gst_structure_get(remote, "ssrc", G_TYPE_UINT, &ssrc, "jitter", G_TYPE_UINT, &jitter, "packets-lost",
                              G_TYPE_INT, &lost, "fraction-lost", G_TYPE_DOUBLE, &fraction, nullptr));
  ck_assert_uint_eq(ssrc, 1001000);
  ck_assert_uint_eq(jitter, 90);
  ck_assert_int_eq(lost, 12);
  ck_assert(fraction == 0.25);

  bool asked = false;
  while (const auto event = take(gst_harness_try_pull_upstream_event(h.get()))) {
    if (!gst_video_event_is_force_key_unit(event.get())) continue;
    ck_assert(gst_structure_get_uint(gst_event_get_structure(event.get()), "ssrc", &ssrc));
    ck_assert_uint_eq(ssrc, 1001000);
    asked = true;
  }
  ck_assert(asked);
}
GST_END_TEST

GST_START_TEST(extended_reports_add_up) {
  Port port;
  const auto h = sink_to(port.number());
  push(h, packet(1, 1001000));
  port.take(1);
  const auto answer = [&](std::uint32_t ssrc, std::uint32_t lost, std::uint32_t duplicates) {
    Octets out(512);
    const std::size_t size = rtp::write_receiver_report(out, 5, "x", {});
    rtp::ExtendedReportWriter report(std::span<std::uint8_t>(out).subspan(size), 5);
    ck_assert(
        report.add(rtp::StatisticsSummary{.ssrc = ssrc, .begin = 1, .end = 9, .lost = lost, .duplicates = duplicates}));
    port.send_back(std::span<const std::uint8_t>(out).first(size + report.size()));
  };
  answer(1001000, 3, 1);
  answer(1001000, 4, 2);
  answer(42, 100, 100);  // a stranger's

  GstStructure *stats = nullptr;
  g_object_get(h->element, "stats", &stats, nullptr);
  const auto owned = take(stats);
  const GValue *remotes = gst_structure_get_value(stats, "remote");
  ck_assert_uint_eq(gst_value_list_get_size(remotes), 1);
  const GstStructure *remote = gst_value_get_structure(gst_value_list_get_value(remotes, 0));
  guint64 reports = 0, lost = 0, duplicates = 0;
  ck_assert(gst_structure_get(remote, "extended-reports", G_TYPE_UINT64, &reports, "extended-lost", G_TYPE_UINT64,
                              &lost, "duplicates", G_TYPE_UINT64, &duplicates, nullptr));
  ck_assert_uint_eq(reports, 2);
  ck_assert_uint_eq(lost, 7);
  ck_assert_uint_eq(duplicates, 3);

  const auto counters = counters_of<SinkCounters>(h->element).remotes;
  ck_assert_uint_eq(counters[0].ssrc, 1001000);
  ck_assert_uint_eq(counters[0].extended_reports, 2);
  ck_assert_uint_eq(counters[0].duplicates, 3);
  ck_assert_uint_eq(counters[1].ssrc, 0);  // there is no other
}
GST_END_TEST

GST_START_TEST(reports_arrive_after_a_restart_too) {
  Port port;
  const auto h = sink_to(port.number());
  for (int run = 0; run < 3; ++run) {
    push(h, packet(1, 1001000));
    port.take(1);
    Octets out(64);
    const std::size_t size = rtp::write_pli(out, 5, 1001000);
    port.send_back(std::span(out).first(size));
    (void)sink_stat(h, "packets-sent");  // reads what is there
    int asked = 0;
    while (const auto event = take(gst_harness_try_pull_upstream_event(h.get()))) {
      asked += gst_video_event_is_force_key_unit(event.get());
    }
    ck_assert_int_eq(asked, 1);
    gst_element_set_state(h->element, GST_STATE_READY);
    gst_element_set_state(h->element, GST_STATE_PLAYING);
    gst_pad_push_event(h->srcpad, gst_event_new_stream_start("again"));
    GstSegment segment;
    gst_segment_init(&segment, GST_FORMAT_TIME);
    gst_pad_push_event(h->srcpad, gst_event_new_segment(&segment));
  }
}
GST_END_TEST

GST_START_TEST(the_destination_may_change_while_playing) {
  Port one, two;
  const auto h = sink_to(one.number());
  push(h, packet(1));
  ck_assert_uint_eq(one.take(1).size(), 1);
  g_object_set(h->element, "port", static_cast<gint>(two.number()), nullptr);
  push(h, packet(2));
  ck_assert_uint_eq(two.take(1).size(), 1);
  ck_assert(one.empty());
}
GST_END_TEST

GST_START_TEST(an_unknown_name_is_an_error_that_names_it) {
  auto element = take(GST_ELEMENT(gst_object_ref_sink(gst_element_factory_make("avchaosudpsink", nullptr))));
  const OwnBus bus(element.get());
  g_object_set(element.get(), "host", "no such host.invalid", nullptr);
  gst_element_set_state(element.get(), GST_STATE_PAUSED);
  ck_assert(take(gst_bus_timed_pop_filtered(bus.get(), 300 * GST_MSECOND, GST_MESSAGE_ERROR)) == nullptr);
  gst_element_set_state(element.get(), GST_STATE_PLAYING);
  const auto message = take(gst_bus_timed_pop_filtered(bus.get(), 30 * GST_SECOND, GST_MESSAGE_ERROR));
  ck_assert(message != nullptr);
  GError *error = nullptr;
  gst_message_parse_error(message.get(), &error, nullptr);
  ck_assert(g_strrstr(error->message, "no such host.invalid") != nullptr);
  g_error_free(error);
  gst_element_set_state(element.get(), GST_STATE_NULL);
}
GST_END_TEST

GST_START_TEST(a_taken_port_to_send_from_is_an_error) {
  Port taken;
  auto element = take(GST_ELEMENT(gst_object_ref_sink(gst_element_factory_make("avchaosudpsink", nullptr))));
  const OwnBus bus(element.get());
  g_object_set(element.get(), "bind-address", "127.0.0.1", "bind-port", static_cast<gint>(taken.number()), nullptr);
  ck_assert_int_eq(gst_element_set_state(element.get(), GST_STATE_PLAYING), GST_STATE_CHANGE_FAILURE);
  ck_assert(take(gst_bus_pop_filtered(bus.get(), GST_MESSAGE_ERROR)) != nullptr);
  gst_element_set_state(element.get(), GST_STATE_NULL);
}
GST_END_TEST

GST_START_TEST(a_socket_of_the_application_is_used_as_it_is) {
  Port port;
  const auto own = take(g_socket_new(G_SOCKET_FAMILY_IPV4, G_SOCKET_TYPE_DATAGRAM, G_SOCKET_PROTOCOL_UDP, nullptr));
  auto *any = g_inet_socket_address_new_from_string("127.0.0.1", 0);
  ck_assert(g_socket_bind(own.get(), any, FALSE, nullptr));
  g_object_unref(any);
  auto element = take(GST_ELEMENT(gst_object_ref_sink(gst_element_factory_make("avchaosudpsink", nullptr))));
  g_object_set(element.get(), "socket", own.get(), "port", static_cast<gint>(port.number()), nullptr);
  const auto h = take(gst_harness_new_with_element(element.get(), "sink", nullptr));
  gst_harness_set_src_caps_str(h.get(), "application/x-rtp");
  push(h, packet(1));
  port.take(1);
  auto *local = G_INET_SOCKET_ADDRESS(g_socket_get_local_address(own.get(), nullptr));
  ck_assert_uint_eq(port.sender.port(), g_inet_socket_address_get_port(local));
  g_object_unref(local);
}
GST_END_TEST

GST_START_TEST(counters_are_figures_of_stats) {
  Port port;
  const auto h = sink_to(port.number());
  push(h, packet(1, 1001000));
  port.take(1);
  const auto sink = counters_of<SinkCounters>(h->element);
  ck_assert_uint_eq(sink.packets_sent, 1);
  ck_assert_uint_eq(sink.bytes_sent, sink_stat(h, "bytes-sent"));
  ck_assert_uint_eq(sink.errors, 0);
  ck_assert_uint_eq(sink.remotes[0].ssrc, 0);  // nothing was heard of it
}
GST_END_TEST

AVC_GST_TESTS("avchaosudpsink", counters_are_figures_of_stats, lists_leave_in_one_call_and_arrive_byte_for_byte,
              headers_and_payloads_in_separate_memories_are_joined_on_the_wire, rtcp_goes_to_its_own_port,
              nothing_is_sent_before_playing, every_state_change_succeeds_at_once,
              eos_is_posted_in_playing_with_its_number, a_refusing_destination_is_one_warning_and_no_error,
              packets_that_cannot_go_are_counted_by_errno, sinks_of_a_context_share_a_socket,
              what_a_turn_pushes_leaves_in_one_call_when_it_ends, sinks_without_a_context_have_sockets_of_their_own,
              reports_become_statistics_and_requests_key_unit_events, extended_reports_add_up,
              reports_arrive_after_a_restart_too, the_destination_may_change_while_playing,
              an_unknown_name_is_an_error_that_names_it, a_taken_port_to_send_from_is_an_error,
              a_socket_of_the_application_is_used_as_it_is)
