// avchaosudpsink: frames of our own elements, and what is parked until it is due.
#include "tests/elements/sink_bench.hpp"

#include <atomic>

#include "core/random.hpp"
#include "tests/core/runtime/hand_clock.hpp"

using namespace avc;
using namespace avc::test;
using udpsink::Outlet;
using udpsink::SharedSocket;
using udpsink::Target;

namespace {

// A frame of `count` packets of one participant, as our own elements hand it on.
Ptr<GstBuffer> frame(std::uint32_t ssrc, std::uint16_t first, guint count) {
  static const auto payloads = [] {
    std::vector<FramePayload> made(16);
    for (FramePayload &payload : made) {
      payload.memory = take(gst_allocator_alloc(nullptr, 100, nullptr));
      const Mapped<GstMemory> view(payload.memory.get(), GST_MAP_WRITE);
      std::ranges::fill(const_cast<Mapped<GstMemory> &>(view).writable_bytes(), std::uint8_t{7});
      payload.bytes = view.bytes();
    }
    return std::make_shared<const std::vector<FramePayload>>(std::move(made));
  }();
  auto buffer = new_frame(payloads, std::span(*payloads).first(count), {});
  RtpFrame *made = frame_of(buffer.get());
  for (guint i = 0; i < count; ++i) {
    rtp::write_fixed_header(made->header(i).first<12>(),
                            {.payload_type = 96, .sequence = static_cast<std::uint16_t>(first + i), .ssrc = ssrc});
  }
  return buffer;
}

}  // namespace

GST_START_TEST(packets_of_a_frame_leave_when_they_are_due) {
  Port port;
  const auto clock = std::make_shared<HandClock>();
  const auto context = runtime::Context::shared("", clock);
  const auto socket = std::move(*SharedSocket::get(context, {.bind_address = "127.0.0.1"}));
  const auto element = take(GST_ELEMENT(gst_object_ref_sink(gst_pipeline_new(nullptr))));
  const auto path = socket->path(std::make_shared<Outlet>(element.get()), to(port));
  const auto buffer = frame(1, 0, 6);
  RtpFrame *made = frame_of(buffer.get());
  made->packets[1].due = {from_ms(60)};
  made->packets[2].due = {from_ms(20)};
  made->packets[3].send = false;
  made->packets[4].due = {from_ms(20)};
  made->packets[5].due = {Nanos{}};  // over already
  socket->send(path, buffer.get());
  ck_assert_uint_eq(path->outlet->sent().packets, 2);
  const auto expect = [&](std::vector<int> sequences) {
    for (const auto &bytes : port.take(sequences.size())) {
      ck_assert_int_eq(header_of(bytes).sequence, sequences.front());
      sequences.erase(sequences.begin());
      ck_assert_uint_eq(bytes.size(), 112);
      ck_assert_uint_eq(bytes[12], 7);
    }
    ck_assert(sequences.empty() && port.empty());
  };
  expect({0, 5});
  clock->set({from_ms(20)});
  expect({2, 4});
  clock->set({from_ms(60)});
  expect({1});
}
GST_END_TEST

// Frames of many participants with due times from a seed: every stream's packets arrive in the order of their times,
// those of one time in the order of their numbers.
GST_START_TEST(every_stream_of_frames_leaves_in_the_order_of_its_times) {
  constexpr std::uint32_t kSinks = 20;
  Port port;
  const auto clock = std::make_shared<HandClock>();
  const auto context = runtime::Context::shared("", clock);
  const auto socket = std::move(*SharedSocket::get(context, {.bind_address = "127.0.0.1"}));
  const auto element = take(GST_ELEMENT(gst_object_ref_sink(gst_pipeline_new(nullptr))));
  const Instant start{from_ms(20)};  // nothing is due before everything is there
  std::vector<std::pair<std::uint32_t, Ptr<GstBuffer>>> frames;
  std::map<std::uint32_t, std::vector<std::pair<Instant, std::uint16_t>>> wanted;
  const Rng rng(5);
  std::uint64_t draws = 0;
  for (std::uint16_t n = 0; n < 5; ++n) {
    for (std::uint32_t ssrc = 0; ssrc < kSinks; ++ssrc) {
      auto buffer = frame(ssrc, static_cast<std::uint16_t>(16 * n), 10);
      for (std::uint16_t i = 0; i < 10; ++i) {
        const Instant due{from_ms(static_cast<double>(rng.at(draws++).below(30)))};
        frame_of(buffer.get())->packets[i].due = due;
        wanted[ssrc].emplace_back(due, static_cast<std::uint16_t>(16 * n + i));
      }
      frames.emplace_back(ssrc, std::move(buffer));
    }
  }
  std::vector<std::shared_ptr<udpsink::Path>> paths;
  for (std::uint32_t i = 0; i < kSinks; ++i)
    paths.push_back(socket->path(std::make_shared<Outlet>(element.get()), to(port), {.base_time = start}));
  const auto timer = context->make_timer([&] {
    for (const auto &[sink, buffer] : frames) socket->send(paths[sink], buffer.get());
    clock->set({from_ms(50)});
  });
  timer->arm(context->now());
  std::map<std::uint32_t, std::vector<std::uint16_t>> got;
  for (const auto &bytes : port.take(kSinks * 50)) got[header_of(bytes).ssrc].push_back(header_of(bytes).sequence);
  timer->cancel_and_wait();
  for (auto &[ssrc, packets] : wanted) {
    std::ranges::sort(packets);
    ck_assert_uint_eq(got[ssrc].size(), packets.size());
    for (std::size_t i = 0; i < packets.size(); ++i) ck_assert_uint_eq(got[ssrc][i], packets[i].second);
  }
}
GST_END_TEST

GST_START_TEST(frames_are_taken_within_a_context_only) {
  const auto own = sink_to(5002), shared = sink_to(5002, "context=frames-test"),
             paced = sink_to(5002, "context=frames-test pacing-ms=5");
  ck_assert(frames_accepted(own->srcpad) == FramesAnswer::no);
  ck_assert(frames_accepted(shared->srcpad) == FramesAnswer::ahead_too);
  ck_assert(frames_accepted(paced->srcpad) == FramesAnswer::yes);  // it spreads what comes from when it comes
}
GST_END_TEST

// What is due already is sent before what comes, also where the context has not got to it yet.
GST_START_TEST(what_is_due_is_not_overtaken_by_what_comes) {
  Port port;
  const auto context = private_context();
  const auto socket = std::move(*SharedSocket::get(context, {.bind_address = "127.0.0.1"}));
  const auto element = take(GST_ELEMENT(gst_object_ref_sink(gst_pipeline_new(nullptr))));
  const Instant start = context->now();
  const auto path = socket->path(std::make_shared<Outlet>(element.get()), to(port), {.base_time = start});
  std::atomic<bool> busy = true;
  const auto timer = context->make_timer([&] {
    while (busy) {
    }
  });
  timer->arm(start);
  const auto first = frame(1, 0, 1), second = frame(1, 1, 1);
  frame_of(first.get())->packets[0].due = {from_ms(20)};
  frame_of(second.get())->packets[0].due = {from_ms(25)};
  socket->send(path, first.get());
  while (context->now() < start + from_ms(30)) {
  }
  socket->send(path, second.get());
  const auto got = port.take(2);
  busy = false;
  timer->cancel_and_wait();
  for (std::uint16_t i = 0; i < 2; ++i) ck_assert_uint_eq(header_of(got.at(i)).sequence, i);
}
GST_END_TEST

// chaosdegrader wraps up what is no frame, so that it keeps its place: a report goes to the port for reports.
GST_START_TEST(a_packet_wrapped_up_as_a_frame_goes_where_it_would_have_gone) {
  Port rtp_port, rtcp_port;
  const auto context = private_context();
  const auto socket = std::move(*SharedSocket::get(context, {.bind_address = "127.0.0.1"}));
  const auto element = take(GST_ELEMENT(gst_object_ref_sink(gst_pipeline_new(nullptr))));
  const auto target = std::make_shared<const Target>(Target{{{rtp_port.socket.local(), rtcp_port.socket.local()}}});
  const auto path = socket->path(std::make_shared<Outlet>(element.get()), target);
  RtpPacket made;
  made.fields.ssrc = 77;
  const Octets media = octets_of(made),
               report{0x80, 200, 0, 6, 0, 0, 0, 77, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
  for (const Octets *bytes : {&media, &report}) {
    const auto payloads = std::make_shared<std::vector<FramePayload>>(1);
    payloads->front().bytes = *bytes;
    const auto buffer = new_frame(payloads, *payloads, {});
    frame_of(buffer.get())->header_bytes = 0;
    socket->send(path, buffer.get());
  }
  ck_assert(rtp_port.take(1).at(0) == media);
  ck_assert(rtcp_port.take(1).at(0) == report);
  ck_assert_uint_eq(path->outlet->sent().packets, 1);
  ck_assert_uint_eq(path->outlet->rtcp_packets.load(), 1);
  ck_assert_uint_eq(path->outlet->remotes.lock()->size(), 1);
  ck_assert_uint_eq(path->outlet->remotes.lock()->front().ssrc, 77);
}
GST_END_TEST

// Times are running times: a pause of two tenths of a second moves them by as much.
GST_START_TEST(what_is_parked_keeps_its_running_time_over_a_pause) {
  Port port;
  const auto context = private_context();
  const auto socket = std::move(*SharedSocket::get(context, {.bind_address = "127.0.0.1"}));
  const auto element = take(GST_ELEMENT(gst_object_ref_sink(gst_pipeline_new(nullptr))));
  const Instant start = context->now();
  const auto path = socket->path(std::make_shared<Outlet>(element.get()), to(port), {.base_time = start});
  const auto buffer = frame(1, 0, 3);
  for (guint i = 0; i < 3; ++i) frame_of(buffer.get())->packets[i].due = {from_ms(1000 - 10.0 * i)};
  socket->send(path, buffer.get());
  socket->pause(*path);
  socket->send(path, frame(1, 100, 2).get());
  ck_assert_uint_eq(path->outlet->dropped.load(), 2);
  socket->resume(*path, start - from_ms(900));
  const auto got = port.take(3);
  ck_assert(context->now() >= start + from_ms(100));
  for (std::uint16_t i = 0; i < 3; ++i) ck_assert_uint_eq(header_of(got.at(i)).sequence, 2 - i);
  ck_assert_uint_eq(socket->close(*path), 0);
}
GST_END_TEST

GST_START_TEST(what_is_parked_outlives_a_pause_and_eos_waits_for_it) {
  Port port;
  const auto h = sink_to(port.number(), "pacing-ms=100 context=pacing-test");
  gst_element_set_state(h->element, GST_STATE_PAUSED);
  gst_harness_use_systemclock(h.get());
  gst_element_set_state(h->element, GST_STATE_PLAYING);
  const OwnBus bus(h->element);
  push(h, list_of(0, 20));
  gst_element_set_state(h->element, GST_STATE_PAUSED);
  gst_harness_push_event(h.get(), gst_event_new_eos());
  ck_assert(take(gst_bus_pop_filtered(bus.get(), GST_MESSAGE_EOS)) == nullptr);
  gst_element_set_state(h->element, GST_STATE_PLAYING);
  ck_assert(take(gst_bus_timed_pop_filtered(bus.get(), 10 * GST_SECOND, GST_MESSAGE_EOS)) != nullptr);
  ck_assert_uint_eq(sink_stat(h, "packets-sent"), 20);
  ck_assert_uint_eq(sink_stat(h, "dropped-not-playing"), 0);
}
GST_END_TEST

// Who is told of the end may stop the sink, and end the process, before the one who tells has returned.
GST_START_TEST(a_sink_that_has_stopped_tells_nobody_any_more) {
  enum Where { nowhere, telling, told };
  Port port;
  const auto h = sink_to(port.number(), "pacing-ms=20 context=pacing-test");
  gst_element_set_state(h->element, GST_STATE_PAUSED);
  gst_harness_use_systemclock(h.get());
  gst_element_set_state(h->element, GST_STATE_PLAYING);
  const OwnBus bus(h->element);
  std::atomic<Where> where{nowhere};
  gst_bus_set_sync_handler(
      bus.get(),
      [](GstBus *, GstMessage *message, gpointer data) noexcept {
        if (GST_MESSAGE_TYPE(message) != GST_MESSAGE_EOS) return GST_BUS_PASS;
        auto &at = *static_cast<std::atomic<Where> *>(data);
        at = telling;
        g_usleep(100'000);
        at = told;
        return GST_BUS_PASS;
      },
      &where, nullptr);
  push(h, list_of(0, 20));
  gst_harness_push_event(h.get(), gst_event_new_eos());
  while (where == nowhere) g_usleep(1000);
  gst_element_set_state(h->element, GST_STATE_NULL);
  ck_assert_int_eq(where, told);
}
GST_END_TEST

GST_START_TEST(what_is_parked_when_the_sink_stops_is_dropped_and_counted) {
  Port port;
  const auto h = sink_to(port.number(), "pacing-ms=1000 context=pacing-test");
  push(h, list_of(0, 20));
  gst_element_set_state(h->element, GST_STATE_READY);
  ck_assert_uint_eq(sink_stat(h, "packets-sent") + sink_stat(h, "dropped-not-playing"), 20);
  ck_assert_uint_ge(sink_stat(h, "dropped-not-playing"), 1);
}
GST_END_TEST

GST_START_TEST(one_sinks_flush_leaves_the_others_packets_parked) {
  Port port;
  const auto clock = std::make_shared<HandClock>();
  const auto context = runtime::Context::shared("", clock);
  const auto socket = std::move(*SharedSocket::get(context, {.bind_address = "127.0.0.1"}));
  const auto element = take(GST_ELEMENT(gst_object_ref_sink(gst_pipeline_new(nullptr))));
  std::vector<std::shared_ptr<udpsink::Path>> paths;
  for (std::uint32_t i = 0; i < 2; ++i) {
    paths.push_back(socket->path(std::make_shared<Outlet>(element.get()), to(port)));
    const auto buffer = frame(i, 0, 5);
    for (FramePacket &packet : frame_of(buffer.get())->slots()) packet.due = {from_ms(10)};
    socket->send(paths[i], buffer.get());
  }
  ck_assert_uint_eq(socket->close(*paths[0]), 5);
  clock->set({from_ms(10)});
  for (const auto &bytes : port.take(5)) ck_assert_uint_eq(header_of(bytes).ssrc, 1);
  ck_assert_uint_eq(paths[0]->outlet->sent().packets, 0);
}
GST_END_TEST

GST_START_TEST(what_is_parked_goes_where_the_sink_aims_by_then) {
  Port before, after;
  const auto context = private_context();
  const auto socket = std::move(*SharedSocket::get(context, {.bind_address = "127.0.0.1"}));
  const auto element = take(GST_ELEMENT(gst_object_ref_sink(gst_pipeline_new(nullptr))));
  const Instant start = context->now();
  const auto path = socket->path(std::make_shared<Outlet>(element.get()), to(before), {.base_time = start});
  const auto buffer = frame(1, 0, 2);
  frame_of(buffer.get())->packets[1].due = {std::chrono::hours(1)};
  socket->send(path, buffer.get());
  socket->aim(*path, to(after));
  ck_assert_uint_eq(header_of(before.take(1).at(0)).sequence, 0);
  socket->pause(*path);
  socket->resume(*path, start - std::chrono::hours(1));
  ck_assert_uint_eq(header_of(after.take(1).at(0)).sequence, 1);
  ck_assert(before.empty());
}
GST_END_TEST

AVC_GST_TESTS("avchaosudpsink frames", packets_of_a_frame_leave_when_they_are_due,
              every_stream_of_frames_leaves_in_the_order_of_its_times, frames_are_taken_within_a_context_only,
              what_is_due_is_not_overtaken_by_what_comes, a_packet_wrapped_up_as_a_frame_goes_where_it_would_have_gone,
              what_is_parked_keeps_its_running_time_over_a_pause, what_is_parked_outlives_a_pause_and_eos_waits_for_it,
              a_sink_that_has_stopped_tells_nobody_any_more, what_is_parked_when_the_sink_stops_is_dropped_and_counted,
              one_sinks_flush_leaves_the_others_packets_parked, what_is_parked_goes_where_the_sink_aims_by_then)
