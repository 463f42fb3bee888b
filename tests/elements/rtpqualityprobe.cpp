// rtpqualityprobe: packets with known faults go through, on a clock that the test moves.
#include "tests/elements/rtp_packets.hpp"

#include "core/rtp/extension.hpp"
#include "core/rtp/rtcp.hpp"
#include "core/runtime/udp_socket.hpp"
#include "elements/support/chaos_events.hpp"

using namespace avc;
using namespace avc::test;

namespace {

constexpr const char *kAudioCaps = "application/x-rtp,media=audio,payload=111,clock-rate=48000,encoding-name=OPUS";
constexpr const char *kMixedCaps = "application/x-rtp";

Ptr<GstHarness> probe(const char *properties = "", const char *caps = kAudioCaps) {
  auto h = harness_of(std::string("rtpqualityprobe ") + properties);
  gst_harness_set_src_caps_str(h.get(), caps);
  return h;
}

Octets audio(std::uint16_t n, std::uint32_t ssrc = 1001001) {
  RtpPacket packet;
  packet.fields = {111, true, false, n, n * 960u, ssrc};
  return octets_of(packet);
}

void push(const Ptr<GstHarness> &h, const Octets &bytes) {
  ck_assert_int_eq(gst_harness_push(h.get(), give(buffer_of(bytes))), GST_FLOW_OK);
}

// Audio packets n of [from, to), each 20 ms after the other, without those that `lost` says.
void stream(const Ptr<GstHarness> &h, std::uint16_t from, std::uint16_t to, std::function<bool(int)> lost = {}) {
  for (std::uint16_t n = from; n < to; ++n) {
    gst_harness_set_time(h.get(), n * 20 * GST_MSECOND);
    if (!lost || !lost(n)) push(h, audio(n));
  }
}

Ptr<GstStructure> stats_of(const Ptr<GstHarness> &h) {
  GstStructure *stats = nullptr;
  g_object_get(h->element, "stats", &stats, nullptr);
  return take(stats);
}

const GstStructure *stream_in(const GstStructure *stats, guint index, guint of) {
  const GValue *list = gst_structure_get_value(stats, "streams");
  ck_assert_uint_eq(gst_value_list_get_size(list), of);
  return gst_value_get_structure(gst_value_list_get_value(list, index));
}

gint64 number(const GstStructure *structure, const char *field) {
  gint64 value = 0;
  ck_assert_msg(gst_structure_get_int64(structure, field, &value), "no %s", field);
  return value;
}

double real(const GstStructure *structure, const char *field) {
  double value = 0;
  ck_assert_msg(gst_structure_get_double(structure, field, &value), "no %s", field);
  return value;
}

guint unsigned_number(const GstStructure *structure, const char *field) {
  guint value = 0;
  ck_assert_msg(gst_structure_get_uint(structure, field, &value), "no %s", field);
  return value;
}

}  // namespace

GST_START_TEST(everything_passes_unchanged) {
  const auto h = probe();
  const Octets packet = audio(1);
  push(h, packet);
  ck_assert(pull_bytes(h) == packet);
  const Octets junk{1, 2, 3};
  push(h, junk);
  ck_assert(pull_bytes(h) == junk);
  auto list = take(gst_buffer_list_new());
  for (std::uint16_t n = 2; n < 5; ++n) gst_buffer_list_add(list.get(), give(buffer_of(audio(n))));
  ck_assert_int_eq(gst_pad_push_list(h->srcpad, give(std::move(list))), GST_FLOW_OK);
  for (std::uint16_t n = 2; n < 5; ++n) ck_assert(pull_bytes(h) == audio(n));
  ck_assert_uint_eq(stat(h->element, "not-rtp"), 1);
}
GST_END_TEST

GST_START_TEST(loss_is_measured_per_stream) {
  const auto h = probe();
  stream(h, 0, 101, [](int n) { return n % 10 == 4 || n % 10 == 5; });
  const auto stats = stats_of(h);
  const GstStructure *s = stream_in(stats.get(), 0, 1);
  ck_assert_uint_eq(unsigned_number(s, "ssrc"), 1001001);
  ck_assert_str_eq(gst_structure_get_string(s, "kind"), "audio");
  ck_assert_int_eq(number(s, "packets-expected"), 101);
  ck_assert_int_eq(number(s, "packets-lost"), 20);
  ck_assert_int_eq(number(s, "loss-runs"), 10);
  ck_assert(std::abs(real(s, "burst-ratio") - 2 * (1 - 20.0 / 101)) < 1e-9);
  ck_assert(real(s, "jitter") < 1e-9);
  ck_assert(real(s, "mos-score") < 2.5);
  const GValue *runs = gst_structure_get_value(s, "loss-run-lengths");
  ck_assert_int_eq(g_value_get_int64(gst_value_array_get_value(runs, 1)), 10);
}
GST_END_TEST

GST_START_TEST(jitter_is_measured_on_the_pipelines_clock) {
  const auto h = probe();
  for (std::uint16_t n = 0; n < 200; ++n) {
    gst_harness_set_time(h.get(), n * 20 * GST_MSECOND + (n % 2) * 8 * GST_MSECOND);
    push(h, audio(n));
  }
  // Every transit differs from the one before by 8 ms, so that is what the estimate comes to.
  const auto stats = stats_of(h);
  ck_assert(std::abs(real(stream_in(stats.get(), 0, 1), "jitter") - 0.008) < 1e-5);
}
GST_END_TEST

GST_START_TEST(participants_on_one_pad_are_told_by_their_extension) {
  const auto h = probe("", kMixedCaps);
  for (std::uint16_t n = 0; n < 3; ++n) {
    for (const std::uint32_t id : {1001u, 1002u}) {
      Octets packet = audio(n, id * 1000 + 1);
      rtp::set_extension_bit(packet, true);
      std::array<std::uint8_t, 8> extension{};
      rtp::write_participant_extension(extension, id);
      packet.insert(packet.begin() + 12, extension.begin(), extension.end());
      push(h, packet);
    }
  }
  const auto stats = stats_of(h);
  ck_assert_uint_eq(unsigned_number(stream_in(stats.get(), 0, 2), "participant-id"), 1001);
  ck_assert_uint_eq(unsigned_number(stream_in(stats.get(), 1, 2), "participant-id"), 1002);
}
GST_END_TEST

GST_START_TEST(the_participant_event_names_streams_without_an_id) {
  const auto h = probe();
  ParticipantInfo info;
  info.participant_id = 1077;
  gst_harness_push_event(h.get(), give(make_event(info)));
  stream(h, 0, 3);
  const auto stats = stats_of(h);
  ck_assert_uint_eq(unsigned_number(stream_in(stats.get(), 0, 1), "participant-id"), 1077);
}
GST_END_TEST

GST_START_TEST(a_message_describes_each_interval) {
  const auto h = harness_of("rtpqualityprobe interval-ms=1000");
  const OwnBus bus(h->element);
  gst_harness_set_src_caps_str(h.get(), kAudioCaps);
  stream(h, 0, 50, [](int n) { return n == 10; });
  ck_assert(gst_harness_crank_single_clock_wait(h.get()));
  stream(h, 51, 100);
  ck_assert(gst_harness_crank_single_clock_wait(h.get()));
  const std::pair<gint64, gint64> rows[] = {{49, 1}, {49, 1}};  // 50 is missing in the second
  for (const auto &[received, lost] : rows) {
    const auto message = take(gst_bus_timed_pop_filtered(bus.get(), 5 * GST_SECOND, GST_MESSAGE_ELEMENT));
    ck_assert(message != nullptr);
    const GstStructure *structure = gst_message_get_structure(message.get());
    ck_assert_str_eq(gst_structure_get_name(structure), "rtpqualityprobe");
    const GstStructure *s = stream_in(structure, 0, 1);
    ck_assert_int_eq(number(s, "packets-received"), received);
    ck_assert_int_eq(number(s, "packets-lost"), lost);
  }
}
GST_END_TEST

GST_START_TEST(sender_reports_on_the_pad_give_the_delay) {
  const auto h = probe();
  stream(h, 0, 2);
  Octets report(128);
  const Instant now{Nanos(g_get_real_time() * 1000)};
  report.resize(
      rtp::write_sender_report(report, {1001001, rtp::ntp_from_unix(now - from_ms(250)), 2 * 960, 2, 200}, "x"));
  push(h, report);
  push(h, audio(2));
  const auto stats = stats_of(h);
  // The clock of the test stands at 20 ms while the wall clock moves: a bound, not a number.
  const double delay = real(stream_in(stats.get(), 0, 1), "one-way-delay");
  ck_assert_msg(delay > 0.2 && delay < 5, "%f", delay);
}
GST_END_TEST

GST_START_TEST(reports_leave_on_the_request_pad) {
  auto h = harness_of("rtpqualityprobe rtcp-interval-ms=500");
  gst_harness_set_src_caps_str(h.get(), kAudioCaps);
  const auto pad = take(gst_element_request_pad_simple(h->element, "rtcp_src"));
  ck_assert(pad != nullptr);
  const auto rtcp = take(gst_harness_new_with_element(h->element, nullptr, "rtcp_src"));
  stream(h, 0, 60, [](int n) { return n == 3; });
  const Octets bytes = pull_bytes(rtcp);
  rtp::RtcpReader reader(bytes);
  const auto report = rtp::read_report(*reader.next());
  ck_assert_uint_eq(report->blocks.size(), 1);
  ck_assert_uint_eq(report->blocks[0].ssrc, 1001001);
  ck_assert_int_eq(report->blocks[0].cumulative_lost, 1);
  ck_assert(reader.next()->kind == rtp::RtcpKind::sdes);
  ck_assert(reader.next()->kind == rtp::RtcpKind::xr);
  ck_assert(!reader.next() && !reader.malformed());
  ck_assert_uint_eq(gst_harness_buffers_in_queue(rtcp.get()), 1);  // two intervals of 500 ms in 1.2 s
}
GST_END_TEST

GST_START_TEST(a_new_run_begins_with_nothing) {
  const auto h = probe();
  stream(h, 0, 10);
  gst_element_set_state(h->element, GST_STATE_READY);
  gst_element_set_state(h->element, GST_STATE_PLAYING);
  const auto stats = stats_of(h);
  ck_assert_uint_eq(gst_value_list_get_size(gst_structure_get_value(stats.get(), "streams")), 0);
}
GST_END_TEST

// More streams than are read at once, while packets of theirs come.
GST_START_TEST(statistics_name_every_stream_once_however_many_there_are) {
  constexpr guint kStreams = 300;
  const auto h = probe("", kMixedCaps);
  for (std::uint16_t n = 0; n < 3; ++n) {
    for (guint i = 0; i < kStreams; ++i) push(h, audio(n, 7 * i + 1));
  }
  const auto stats = stats_of(h);
  for (guint i = 0; i < kStreams; ++i) {
    const GstStructure *s = stream_in(stats.get(), i, kStreams);
    ck_assert_uint_eq(unsigned_number(s, "ssrc"), 7 * i + 1);
    ck_assert_int_eq(number(s, "packets-received"), 3);
  }
}
GST_END_TEST

namespace {

const GstStructure *socket_in(const GstStructure *stats) {
  const GValue *value = gst_structure_get_value(stats, "socket");
  ck_assert(value != nullptr);
  return gst_value_get_structure(value);
}

guint64 count(const GstStructure *structure, const char *field) {
  guint64 value = 0;
  ck_assert_msg(gst_structure_get_uint64(structure, field, &value), "no %s", field);
  return value;
}

}  // namespace

GST_START_TEST(its_own_port_is_measured_without_any_other_element) {
  const auto element = take(GST_ELEMENT(gst_object_ref_sink(gst_element_factory_make("rtpqualityprobe", nullptr))));
  g_object_set(element.get(), "port", 0, "interval-ms", 0u, nullptr);
  ck_assert_int_eq(gst_element_set_state(element.get(), GST_STATE_PLAYING), GST_STATE_CHANGE_SUCCESS);
  const auto stats = [&] {
    GstStructure *got = nullptr;
    g_object_get(element.get(), "stats", &got, nullptr);
    return take(got);
  };
  const guint port = unsigned_number(socket_in(stats().get()), "local-port");
  const auto to = *runtime::Address::parse("127.0.0.1", static_cast<std::uint16_t>(port));
  const auto sender = std::move(*runtime::UdpSocket::open({}));
  for (std::uint16_t n = 0; n < 20; ++n) {
    const Octets bytes = audio(n);
    if (n != 7) ck_assert_int_gt(sendto(sender.fd(), bytes.data(), bytes.size(), 0, to.get(), to.size()), 0);
  }
  auto now = stats();
  while (count(socket_in(now.get()), "packets-received") < 19) now = stats();
  const GstStructure *s = stream_in(now.get(), 0, 1);
  ck_assert_int_eq(number(s, "packets-received"), 19);
  ck_assert_int_eq(number(s, "packets-lost"), 1);
  ck_assert_uint_eq(count(socket_in(now.get()), "kernel-drops"), 0);
  gst_element_set_state(element.get(), GST_STATE_NULL);
}
GST_END_TEST

GST_START_TEST(a_port_that_is_taken_stops_the_start) {
  const auto taken = std::move(*runtime::UdpSocket::open({}));
  const auto element = take(GST_ELEMENT(gst_object_ref_sink(gst_element_factory_make("rtpqualityprobe", nullptr))));
  const OwnBus bus(element.get());
  g_object_set(element.get(), "port", static_cast<gint>(taken.local().port()), nullptr);
  ck_assert_int_eq(gst_element_set_state(element.get(), GST_STATE_PLAYING), GST_STATE_CHANGE_FAILURE);
  ck_assert(take(gst_bus_pop_filtered(bus.get(), GST_MESSAGE_ERROR)) != nullptr);
  gst_element_set_state(element.get(), GST_STATE_NULL);
}
GST_END_TEST

AVC_GST_TESTS("rtpqualityprobe", everything_passes_unchanged, loss_is_measured_per_stream,
              jitter_is_measured_on_the_pipelines_clock, participants_on_one_pad_are_told_by_their_extension,
              the_participant_event_names_streams_without_an_id, a_message_describes_each_interval,
              sender_reports_on_the_pad_give_the_delay, reports_leave_on_the_request_pad, a_new_run_begins_with_nothing,
              statistics_name_every_stream_once_however_many_there_are,
              its_own_port_is_measured_without_any_other_element, a_port_that_is_taken_stops_the_start)
