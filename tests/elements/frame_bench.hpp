// chaosdegrader between a pad that frames are pushed into and a sink that takes them, or refuses them, on a test clock
// at 0. Keeps everything the sink got.
#pragma once

#include <condition_variable>
#include <mutex>

#include "elements/support/clock.hpp"
#include "elements/support/rtp_frame.hpp"
#include "tests/elements/link_bench.hpp"

namespace avc::test {

// A sink of a type that can take frames and does if `takes` says so.
struct FrameTaker {
  GstElement parent;
  bool takes;
};
struct FrameTakerClass {
  GstElementClass parent;
};
G_DEFINE_TYPE(FrameTaker, frame_taker, GST_TYPE_ELEMENT)
inline void frame_taker_class_init(FrameTakerClass *klass) { take_frames(G_TYPE_FROM_CLASS(klass)); }
inline void frame_taker_init(FrameTaker *) {}

// A packet that has arrived, as bytes, or an event by its type.
struct Arrival {
  Octets bytes;
  GstEventType event = GST_EVENT_UNKNOWN;
  std::optional<Instant> due{};  // of a frame's packet: Nanos::min() is "at once"
  std::uint32_t header_bytes = 0;
  const std::uint8_t *payload = nullptr;
  std::size_t push = 0;  // which buffer or list it came in
};

inline constexpr std::size_t kVideoPackets = 20;

// Payloads of video frames and of one audio packet.
struct Clip {
  std::array<std::array<std::uint8_t, 988>, kVideoPackets + 1> bytes;
  std::vector<FramePayload> payloads;
};
inline std::shared_ptr<const Clip> new_clip() {
  auto clip = std::make_shared<Clip>();
  for (std::size_t i = 0; i < clip->bytes.size(); i++) {
    auto &bytes = clip->bytes[i];
    bytes.fill(static_cast<std::uint8_t>(i));
    const std::span used(bytes.data(), i == kVideoPackets ? 160 : bytes.size() - i);
    clip->payloads.push_back({take(gst_memory_new_wrapped(GST_MEMORY_FLAG_READONLY, bytes.data(), used.size(), 0,
                                                          used.size(), nullptr, nullptr)),
                              used, i == 0});
  }
  return clip;
}

class FrameBench {
 public:
  explicit FrameBench(bool takes, const net::Impairment &link = {}, const std::string &log = "")
      : element_(made(gst_element_factory_make("chaosdegrader", nullptr))),
        sink_(made(GST_ELEMENT(g_object_new(frame_taker_get_type(), nullptr)))) {
    set_link(element_.get(), link);
    g_object_set(element_.get(), "seed", guint64{42}, nullptr);
    if (!log.empty()) g_object_set(element_.get(), "decision-log", log.c_str(), nullptr);
    gst_element_set_clock(element_.get(), clock_.get());
    make_sink_pad();
    reinterpret_cast<FrameTaker *>(sink_.get())->takes = takes;
    ck_assert(gst_element_link(element_.get(), sink_.get()));
    src_ = made(gst_pad_new("src", GST_PAD_SRC));
    const auto in = take(gst_element_get_static_pad(element_.get(), "sink"));
    ck_assert_int_eq(gst_pad_link(src_.get(), in.get()), GST_PAD_LINK_OK);
    for (auto *element : {sink_.get(), element_.get()})
      ck_assert_int_eq(gst_element_set_state(element, GST_STATE_PLAYING), GST_STATE_CHANGE_SUCCESS);
    gst_pad_set_active(src_.get(), TRUE);
    send(gst_event_new_stream_start("frames"));
    send(gst_event_new_caps(take(gst_caps_from_string("application/x-rtp")).get()));
    GstSegment segment;
    gst_segment_init(&segment, GST_FORMAT_TIME);
    send(gst_event_new_segment(&segment));
    send(give(make_event(kParticipant)));
  }
  ~FrameBench() {
    gst_element_set_state(element_.get(), GST_STATE_NULL);
    gst_element_set_state(sink_.get(), GST_STATE_NULL);
    gst_pad_set_active(src_.get(), FALSE);
  }
  FrameBench(const FrameBench &) = delete;
  FrameBench &operator=(const FrameBench &) = delete;

  GstElement *element() const { return element_.get(); }
  GstElement *sink() const { return sink_.get(); }
  GstPad *src() const { return src_.get(); }
  GstTestClock *clock() const { return GST_TEST_CLOCK(clock_.get()); }
  const std::shared_ptr<const Clip> &clip() const { return clip_; }
  void set_takes(bool takes) { reinterpret_cast<FrameTaker *>(sink_.get())->takes = takes; }

  void send(GstEvent *event) { ck_assert(gst_pad_push_event(src_.get(), event)); }
  void push(Ptr<GstBuffer> buffer) { ck_assert_int_eq(gst_pad_push(src_.get(), give(std::move(buffer))), GST_FLOW_OK); }
  Ptr<GstBuffer> video_frame(GstClockTime pts) { return frame(0, kVideoPackets, 96, kSsrc, sequence_, pts); }
  Ptr<GstBuffer> audio_frame(GstClockTime pts) {
    return frame(kVideoPackets, 1, 111, kAudioSsrc, audio_sequence_, pts);
  }
  void end() { send(gst_event_new_eos()); }
  // Ends the stream and lets time pass until the end is out.
  void finish() {
    end();
    while (!ended()) {
      if (gst_test_clock_timed_wait_for_multiple_pending_ids(clock(), 1, 1, nullptr)) gst_test_clock_crank(clock());
    }
  }
  bool ended() {
    const std::lock_guard hold(mutex_);
    return !arrived_.empty() && arrived_.back().event == GST_EVENT_EOS;
  }
  std::vector<Arrival> arrived() {
    const std::lock_guard hold(mutex_);
    return arrived_;
  }
  std::vector<Arrival> packets() {
    auto all = arrived();
    std::erase_if(all, [](const Arrival &a) { return a.event != GST_EVENT_UNKNOWN; });
    return all;
  }

 private:
  template <class T>
  static Ptr<T> made(T *object) {
    ck_assert(object != nullptr);
    return take(static_cast<T *>(gst_object_ref_sink(object)));
  }
  static FrameBench &bench_of(GstPad *pad) { return *static_cast<FrameBench *>(gst_pad_get_element_private(pad)); }

  void make_sink_pad() {
    GstPad *pad = gst_pad_new("sink", GST_PAD_SINK);
    gst_pad_set_element_private(pad, this);
    gst_pad_set_query_function(pad, [](GstPad *p, GstObject *parent, GstQuery *query) -> gboolean {
      if (is_frames_query(query)) return reinterpret_cast<FrameTaker *>(parent)->takes;
      return gst_pad_query_default(p, parent, query);
    });
    gst_pad_set_chain_function(pad, [](GstPad *p, GstObject *, GstBuffer *buffer) noexcept {
      bench_of(p).take_in(take(buffer).get(), true);
      return GST_FLOW_OK;
    });
    gst_pad_set_chain_list_function(pad, [](GstPad *p, GstObject *, GstBufferList *list) noexcept {
      const auto owned = take(list);
      for (guint i = 0; i < gst_buffer_list_length(list); i++)
        bench_of(p).take_in(gst_buffer_list_get(list, i), i == 0);
      return GST_FLOW_OK;
    });
    gst_pad_set_event_function(pad, [](GstPad *p, GstObject *, GstEvent *event) noexcept -> gboolean {
      const auto owned = take(event);
      const std::lock_guard hold(bench_of(p).mutex_);
      bench_of(p).arrived_.push_back({{}, GST_EVENT_TYPE(event)});
      return TRUE;
    });
    gst_element_add_pad(sink_.get(), pad);
  }

  Ptr<GstBuffer> frame(std::size_t first, std::size_t count, std::uint8_t payload_type, guint ssrc,
                       std::uint16_t &sequence, GstClockTime pts) {
    auto buffer = new_frame(clip_, std::span(clip_->payloads).subspan(first, count), to_instant(pts));
    RtpFrame *made = frame_of(buffer.get());
    for (guint i = 0; i < made->count; i++) {
      rtp::write_fixed_header(made->header(i).first<rtp::kFixedHeaderSize>(),
                              {.payload_type = payload_type,
                               .marker = i + 1 == made->count,
                               .sequence = sequence++,
                               .timestamp = static_cast<std::uint32_t>(pts / 11111),
                               .ssrc = ssrc});
    }
    GST_BUFFER_FLAG_SET(buffer.get(), GST_BUFFER_FLAG_MARKER);
    if (pts % ms(200) != 0) {
      GST_BUFFER_FLAG_SET(buffer.get(), GST_BUFFER_FLAG_DELTA_UNIT);
      for (FramePacket &packet : made->slots()) packet.delta = true;
    }
    return buffer;
  }

  void take_in(GstBuffer *buffer, bool new_push) {
    const std::lock_guard hold(mutex_);
    pushes_ += new_push;
    RtpFrame *frame = frame_of(buffer);
    if (!frame) {
      arrived_.push_back({bytes_of(buffer), GST_EVENT_UNKNOWN, std::nullopt, 0, nullptr, pushes_});
      return;
    }
    for (guint i = 0; i < frame->count; i++) {
      if (!frame->packets[i].send) continue;
      const auto header = frame->header(i);
      const auto payload = frame->payload(i);
      Octets bytes(header.begin(), header.end());
      bytes.insert(bytes.end(), payload.begin(), payload.end());
      arrived_.push_back(
          {std::move(bytes), GST_EVENT_UNKNOWN, frame->packets[i].due, frame->header_bytes, payload.data(), pushes_});
    }
  }

  const std::shared_ptr<const Clip> clip_ = new_clip();
  Ptr<GstClock> clock_ = take(gst_test_clock_new());
  Ptr<GstElement> element_, sink_;
  Ptr<GstPad> src_;
  std::uint16_t sequence_ = 0, audio_sequence_ = 0;
  std::mutex mutex_;
  std::vector<Arrival> arrived_;
  std::size_t pushes_ = 0;
};

}  // namespace avc::test
