#include "launcher/rtsp/pay_source.hpp"

#include <array>

#include "core/rtp/header.hpp"
#include "core/runtime/guarded.hpp"

namespace avc::rtsp {
namespace {

constexpr guint64 kMostWaiting = 4 * GST_SECOND;
constexpr std::size_t kHeaders = 64;  // at most, of an RTP packet here
constexpr const char *kStream = "stream";

// What the server may ask on any of its threads.
struct Stream {
  explicit Stream(PayType t) : type(t) {}
  struct Place {
    guint sequence = 0, timestamp = 0;
    GstClockTime running_time = GST_CLOCK_TIME_NONE;
  };
  const PayType type;
  Guarded<Place> place;
};

Stream &stream_of(gpointer source) { return *static_cast<Stream *>(g_object_get_data(G_OBJECT(source), kStream)); }

enum Property : guint { kPt = 1, kStats };

void get_property(GObject *source, guint id, GValue *value, GParamSpec *) noexcept {
  Stream &stream = stream_of(source);
  if (id == kPt) {
    g_value_set_uint(value, stream.type.payload_type);
    return;
  }
  const Stream::Place place = *stream.place.lock();
  g_value_take_boxed(
      value, gst_structure_new("application/x-rtp-payload-stats", "clock-rate", G_TYPE_UINT, stream.type.clock_rate,
                               "seqnum", G_TYPE_UINT, place.sequence, "timestamp", G_TYPE_UINT, place.timestamp,
                               "running-time", GST_TYPE_CLOCK_TIME, place.running_time, nullptr));
}

GType source_type() {
  static const GType type = g_type_register_static_simple(
      GST_TYPE_APP_SRC, "AvcRtspPaySource", sizeof(GstAppSrcClass),
      [](gpointer klass, gpointer) noexcept {
        constexpr auto kFlags = static_cast<GParamFlags>(G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);
        constexpr guint kLast = 127;
        auto *object = G_OBJECT_CLASS(klass);
        object->get_property = get_property;
        g_object_class_install_property(object, kPt,
                                        g_param_spec_uint("pt", "pt", "Payload type", 0, kLast, 0, kFlags));
        g_object_class_install_property(
            object, kStats, g_param_spec_boxed("stats", "stats", "Of the last packet", GST_TYPE_STRUCTURE, kFlags));
      },
      sizeof(GstAppSrc), nullptr, GTypeFlags{});
  return type;
}

}  // namespace

GstAppSrc *new_pay_source(const char *name, PayType type) {
  auto *source = GST_APP_SRC(g_object_new(source_type(), "name", name, nullptr));
  g_object_set_data_full(G_OBJECT(source), kStream, new Stream(type),
                         [](gpointer stream) { delete static_cast<Stream *>(stream); });
  g_object_set(source, "is-live", TRUE, "format", GST_FORMAT_TIME, "max-bytes", guint64{0}, "max-time", kMostWaiting,
               "leaky-type", GST_APP_LEAKY_TYPE_DOWNSTREAM, nullptr);
  return source;
}

void push_packet(GstAppSrc *source, GstBuffer *packet) {
  std::array<std::uint8_t, kHeaders> bytes{};
  const gsize size = gst_buffer_extract(packet, 0, bytes.data(), bytes.size());
  if (const auto header = rtp::parse_header(std::span(bytes).first(size))) {
    *stream_of(source).place.lock() = {header->sequence, header->timestamp, GST_BUFFER_PTS(packet)};
  }
  gst_app_src_push_buffer(source, gst_buffer_ref(packet));
}

}  // namespace avc::rtsp
