// The one-buffer form of a frame's packets: what it keeps, what a copy shares, and who is offered it.
#include "tests/elements/bench.hpp"

#include "core/rtp/header.hpp"
#include "elements/support/rtp_frame.hpp"

using namespace avc;
using namespace avc::test;
using namespace std::chrono_literals;
using namespace std::string_literals;

namespace {

// Three payloads of 4, 5 and 6 bytes, each filled with its number; counts how often it is let go.
struct Payloads {
  std::vector<FramePayload> payloads;
  std::array<std::array<std::uint8_t, 6>, 3> bytes;
};

std::shared_ptr<Payloads> three_payloads() {
  auto made = std::make_shared<Payloads>();
  for (guint i = 0; i < 3; i++) {
    made->bytes[i].fill(static_cast<std::uint8_t>(i));
    const auto bytes = std::span(made->bytes[i]).first(4 + i);
    made->payloads.push_back({take(gst_memory_new_wrapped(GST_MEMORY_FLAG_READONLY, bytes.data(), bytes.size(), 0,
                                                          bytes.size(), nullptr, nullptr)),
                              bytes, i == 0});
  }
  return made;
}

Ptr<GstBuffer> frame_from(const std::shared_ptr<Payloads> &payloads) {
  auto buffer = new_frame(payloads, payloads->payloads, {5ms});
  RtpFrame *frame = frame_of(buffer.get());
  for (guint i = 0; i < frame->count; i++) {
    rtp::write_fixed_header(frame->header(i).first<rtp::kFixedHeaderSize>(),
                            {.payload_type = 96, .marker = i == 2, .sequence = static_cast<std::uint16_t>(7 + i)});
  }
  for (FramePacket &packet : frame->slots()) packet.delta = true;
  GST_BUFFER_FLAG_SET(buffer.get(), GST_BUFFER_FLAG_DELTA_UNIT);
  GST_BUFFER_FLAG_SET(buffer.get(), GST_BUFFER_FLAG_MARKER);
  return buffer;
}

// An element with one or two pads that answers the frames query as it is told.
struct Taker {
  GstElement parent;
};
struct TakerClass {
  GstElementClass parent;
};
G_DEFINE_TYPE(Taker, taker, GST_TYPE_ELEMENT)
void taker_class_init(TakerClass *klass) { take_frames(G_TYPE_FROM_CLASS(klass)); }
void taker_init(Taker *) {}

Ptr<GstElement> taker(bool filter) {
  auto element = take(GST_ELEMENT(gst_object_ref_sink(g_object_new(taker_get_type(), nullptr))));
  GstPad *sink = gst_pad_new("sink", GST_PAD_SINK);
  gst_pad_set_query_function(sink, [](GstPad *pad, GstObject *parent, GstQuery *query) -> gboolean {
    if (!is_frames_query(query)) return gst_pad_query_default(pad, parent, query);
    const auto src = take(gst_element_get_static_pad(GST_ELEMENT(parent), "src"));
    return src ? forward_frames_query(src.get(), query) : answer_frames_query(query, FramesAnswer::yes);
  });
  gst_element_add_pad(element.get(), sink);
  if (filter) gst_element_add_pad(element.get(), gst_pad_new("src", GST_PAD_SRC));
  return element;
}

Ptr<GstPad> pad(const Ptr<GstElement> &element, const char *name) {
  return take(gst_element_get_static_pad(element.get(), name));
}

}  // namespace

GST_START_TEST(ordinary_packets_come_out_of_it) {
  const auto payloads = three_payloads();
  auto buffer = frame_from(payloads);
  frame_of(buffer.get())->packets[1].send = false;
  const auto list = packets_of(buffer.get());
  fail_unless_equals_int(gst_buffer_list_length(list.get()), 2);
  for (guint i = 0; i < 2; i++) {
    GstBuffer *packet = gst_buffer_list_get(list.get(), i);
    const guint number = i * 2;
    guint8 bytes[32];
    fail_unless_equals_uint64(gst_buffer_extract(packet, 0, bytes, sizeof bytes), 12 + 4 + number);
    const auto header = rtp::parse(std::span(bytes, 12 + 4 + number));
    fail_unless(header && header->sequence == 7 + number && header->marker == (number == 2));
    fail_unless(std::ranges::all_of(header->payload, [&](std::uint8_t b) { return b == number; }));
    fail_unless_equals_uint64(GST_BUFFER_PTS(packet), 5 * GST_MSECOND);
    fail_unless(GST_BUFFER_FLAG_IS_SET(packet, GST_BUFFER_FLAG_DELTA_UNIT));
    fail_unless_equals_int(GST_BUFFER_FLAG_IS_SET(packet, GST_BUFFER_FLAG_MARKER), number == 2);
    fail_unless_equals_int(GST_BUFFER_FLAG_IS_SET(packet, GST_BUFFER_FLAG_HEADER), number == 0);
    fail_unless(gst_buffer_peek_memory(packet, 1) == payloads->payloads[number].memory.get());
  }
}
GST_END_TEST;

GST_START_TEST(a_copy_decides_for_itself_and_shares_the_payloads) {
  auto payloads = three_payloads();
  auto original = frame_from(payloads);
  frame_of(original.get())->header_bytes = 20;
  auto copy = take(gst_buffer_copy(original.get()));
  RtpFrame *a = frame_of(original.get()), *b = frame_of(copy.get());
  fail_unless(b && b != a && b->packets != a->packets && b->packets[0].payload == a->packets[0].payload);
  fail_unless_equals_int(b->header_bytes, 20);
  fail_unless_equals_uint64(b->bytes(2), 26);
  b->packets[0].due = {7ms};
  b->header(0)[0] = 0;
  fail_unless(a->packets[0].due == Instant{Nanos::min()} && a->header(0)[0] == 0x80);
  std::weak_ptr<Payloads> alive = payloads;
  payloads.reset();
  original.reset();
  fail_if(alive.expired());
  copy.reset();
  fail_unless(alive.expired());
}
GST_END_TEST;

GST_START_TEST(one_packet_can_go_alone) {
  auto buffer = frame_from(three_payloads());
  frame_of(buffer.get())->packets[1].due = {9ms};
  for (guint i = 1; i < 3; i++) {
    const auto one = frame_of_one(buffer.get(), i);
    RtpFrame *frame = frame_of(one.get());
    fail_unless_equals_int(frame->count, 1);
    fail_unless_equals_uint64(frame->bytes(0), 12 + 4 + i);
    fail_unless_equals_int(rtp::parse_header(frame->header(0))->sequence, 7 + i);
    fail_unless(frame->packets[0].due == (i == 1 ? Instant{9ms} : Instant{Nanos::min()}));
    fail_unless_equals_uint64(GST_BUFFER_PTS(one.get()), 5 * GST_MSECOND);
    fail_unless_equals_int(GST_BUFFER_FLAG_IS_SET(one.get(), GST_BUFFER_FLAG_MARKER), i == 2);
  }
}
GST_END_TEST;

GST_START_TEST(an_ordinary_buffer_is_no_frame) {
  const auto buffer = take(gst_buffer_new_allocate(nullptr, 10, nullptr));
  fail_if(frame_of(buffer.get()));
}
GST_END_TEST;

GST_START_TEST(only_a_chain_of_takers_is_offered_frames) {
  const auto source = take(GST_PAD(gst_object_ref_sink(gst_pad_new("src", GST_PAD_SRC))));
  GstPad *src = source.get();
  fail_unless(frames_accepted(src) == FramesAnswer::no);  // nobody is linked
  const auto filter = taker(true), sink = taker(false),
             stranger = take(GST_ELEMENT(gst_object_ref_sink(gst_element_factory_make("identity", nullptr))));
  const auto filter_src = pad(filter, "src"), sink_sink = pad(sink, "sink");
  fail_unless_equals_int(gst_pad_link(src, pad(filter, "sink").get()), GST_PAD_LINK_OK);
  fail_unless(frames_accepted(src) == FramesAnswer::no);
  fail_unless_equals_int(gst_pad_link(filter_src.get(), sink_sink.get()), GST_PAD_LINK_OK);
  fail_unless(frames_accepted(src) == FramesAnswer::yes);

  const gulong probe = gst_pad_add_probe(
      sink_sink.get(), GST_PAD_PROBE_TYPE_BUFFER,
      [](GstPad *, GstPadProbeInfo *, gpointer) { return GST_PAD_PROBE_OK; }, nullptr, nullptr);
  fail_unless(frames_accepted(src) == FramesAnswer::no);  // somebody looks on
  gst_pad_remove_probe(sink_sink.get(), probe);
  fail_unless(frames_accepted(src) == FramesAnswer::yes);

  gst_pad_unlink(filter_src.get(), sink_sink.get());
  fail_unless(gst_element_link(filter.get(), stranger.get()) && gst_element_link(stranger.get(), sink.get()));
  fail_unless(frames_accepted(src) == FramesAnswer::no);  // identity would pass the query on
}
GST_END_TEST;

GST_START_TEST(bins_in_between_are_seen_through) {
  const auto source = take(GST_ELEMENT(gst_object_ref_sink(gst_bin_new("from"))));
  const auto rest = take(GST_ELEMENT(gst_object_ref_sink(gst_bin_new("to"))));
  const auto filter = taker(true), sink = taker(false);
  gst_bin_add(GST_BIN(source.get()), filter.get());
  gst_bin_add(GST_BIN(rest.get()), sink.get());
  gst_element_add_pad(source.get(), gst_ghost_pad_new("src", pad(filter, "src").get()));
  gst_element_add_pad(rest.get(), gst_ghost_pad_new("sink", pad(sink, "sink").get()));
  fail_unless(gst_element_link(source.get(), rest.get()));
  fail_unless(frames_accepted(pad(filter, "src").get()) == FramesAnswer::yes);
}
GST_END_TEST;

GST_START_TEST(a_tagged_frame_is_its_tagged_packets) {
  for (const char *how : {"extension=rfc3550", "extension=rfc8285", "extension=none", "payload-type=99 ssrc=7",
                          "seqnum-offset=65530 timestamp-offset=90000", "participant-id=7"}) {
    const auto payloads = three_payloads();
    PadBench packets("participanttagger rtcp-interval-ms=1 "s + how),
        frames("participanttagger rtcp-interval-ms=1 "s + how);
    const auto plain = frame_from(payloads);
    gst_pad_push_list(packets.h->srcpad, give(packets_of(plain.get())));
    gst_harness_push(frames.h.get(), give(frame_from(payloads)));
    auto as_packets = packets.out_now(), as_frames = frames.out_now();
    fail_unless_equals_uint64(as_frames.size(), 2);  // the frame and a sender report
    fail_unless_equals_uint64(as_packets.size(), 4);
    const auto list = packets_of(as_frames[0].get());
    for (guint i = 0; i < 3; i++)
      fail_unless(bytes_of(gst_buffer_list_get(list.get(), i)) == bytes_of(as_packets[i].get()));
    const auto counts = [](const PadBench &bench) {
      return std::array{bench.stat("packets"), bench.stat("video-packets"), bench.stat("sender-reports")};
    };
    fail_unless(counts(packets) == counts(frames) && counts(frames)[0] == 3);
    const auto report = [](const auto &out) {  // but for its NTP time
      GstBuffer *last = out.back().get();
      const auto unwrapped = frame_of(last) ? packets_of(last) : nullptr;
      auto bytes = bytes_of(unwrapped ? gst_buffer_list_get(unwrapped.get(), 0) : last);
      std::fill_n(bytes.begin() + 8, 8, 0);
      return bytes;
    };
    fail_unless(report(as_packets) == report(as_frames));
  }
}
GST_END_TEST;

AVC_GST_TESTS("rtp_frame", ordinary_packets_come_out_of_it, a_copy_decides_for_itself_and_shares_the_payloads,
              one_packet_can_go_alone, an_ordinary_buffer_is_no_frame, only_a_chain_of_takers_is_offered_frames,
              bins_in_between_are_seen_through, a_tagged_frame_is_its_tagged_packets)
