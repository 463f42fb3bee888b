#include "elements/support/rtp_frame.hpp"

#include <algorithm>
#include <memory>
#include <new>
#include <utility>

#include "core/rtp/header.hpp"
#include "elements/support/mapped.hpp"

namespace avc {
namespace {

constexpr const char *kQuery = "avchaos-frames", *kAhead = "ahead";
constexpr auto kDescription = static_cast<GstBufferCopyFlags>(GST_BUFFER_COPY_FLAGS | GST_BUFFER_COPY_TIMESTAMPS);

// A test links this code and loads the plugin, which has it too: what is there already is taken.
GType frame_api() {
  static const GType type = [] {
    if (const GType known = g_type_from_name("AvcRtpFrameAPI")) return known;
    static const gchar *no_tags[] = {nullptr};
    return gst_meta_api_type_register("AvcRtpFrameAPI", no_tags);
  }();
  return type;
}

gboolean init_frame(GstMeta *meta, gpointer, GstBuffer *) noexcept {
  auto *frame = reinterpret_cast<RtpFrame *>(meta);
  new (&frame->owner) std::shared_ptr<const void>();
  frame->packets = nullptr;
  frame->count = 0;
  frame->header_bytes = rtp::kFixedHeaderSize;
  return TRUE;
}

void free_frame(GstMeta *meta, GstBuffer *) noexcept {
  auto *frame = reinterpret_cast<RtpFrame *>(meta);
  std::allocator<FramePacket>().deallocate(frame->packets, frame->count);
  frame->owner.~shared_ptr();
}

const GstMetaInfo *frame_info();

// Its packets are yet to be made.
RtpFrame *add_frame(GstBuffer *buffer, std::shared_ptr<const void> owner, std::size_t count) {
  auto *frame = reinterpret_cast<RtpFrame *>(gst_buffer_add_meta(buffer, frame_info(), nullptr));
  frame->owner = std::move(owner);
  frame->count = static_cast<guint>(count);
  frame->packets = std::allocator<FramePacket>().allocate(count);
  return frame;
}

// Copies of a buffer have headers and decisions of their own.
gboolean copy_frame(GstBuffer *to, GstMeta *meta, GstBuffer *, GQuark type, gpointer) noexcept {
  if (!GST_META_TRANSFORM_IS_COPY(type)) return FALSE;
  const auto *from = reinterpret_cast<const RtpFrame *>(meta);
  RtpFrame *copy = add_frame(to, from->owner, from->count);
  copy->header_bytes = from->header_bytes;
  std::uninitialized_copy_n(from->packets, from->count, copy->packets);
  return TRUE;
}

GstClockTime clock_time(Instant at) { return static_cast<GstClockTime>(at.since_origin.count()); }

bool has_marker(std::span<const std::uint8_t> header) { return header.size() > 1 && (header[1] & 0x80) != 0; }

const GstMetaInfo *frame_info() {
  static const GstMetaInfo *info = [] {
    const GstMetaInfo *known = gst_meta_get_info("AvcRtpFrame");
    return known ? known
                 : gst_meta_register(frame_api(), "AvcRtpFrame", sizeof(RtpFrame), init_frame, free_frame, copy_frame);
  }();
  return info;
}

// A payload that no clip keeps, readable as long as it lives.
struct OwnPayload {
  OwnPayload(Ptr<GstMemory> memory, bool headers)
      : payload{std::move(memory), {}, headers}, view(payload.memory.get(), GST_MAP_READ) {}
  FramePayload payload;
  MappedMemory view;  // declared after the memory, so unmapped before it is let go of
};

GQuark takes_frames_quark() {
  static const GQuark quark = g_quark_from_static_string("avc-takes-frames");
  return quark;
}

}  // namespace

std::span<FramePacket> first_frame(std::span<FramePacket> packets) {
  const FramePacket &first = packets.front();
  const std::uint32_t ssrc = rtp::read32(first.header, 8);
  const auto others = std::ranges::find_if(
      packets, [&](const FramePacket &p) { return p.time != first.time || rtp::read32(p.header, 8) != ssrc; });
  return {packets.begin(), others};
}

Ptr<GstBuffer> new_frame(std::shared_ptr<const void> owner, std::span<const FramePayload> payloads, Instant time) {
  auto buffer = take(gst_buffer_new());
  RtpFrame *frame = add_frame(buffer.get(), std::move(owner), payloads.size());
  std::uninitialized_default_construct_n(frame->packets, frame->count);
  for (guint i = 0; i < frame->count; i++) {
    frame->packets[i].payload = &payloads[i];
    frame->packets[i].time = time;
  }
  GST_BUFFER_PTS(buffer.get()) = clock_time(time);
  return buffer;
}

Ptr<GstBuffer> new_frame(std::shared_ptr<const void> owner, std::span<const FramePacket> packets) {
  auto buffer = take(gst_buffer_new());
  RtpFrame *frame = add_frame(buffer.get(), std::move(owner), packets.size());
  std::uninitialized_copy(packets.begin(), packets.end(), frame->packets);
  const FramePacket &first = packets.front();
  GST_BUFFER_PTS(buffer.get()) = clock_time(first.time);
  if (first.delta) GST_BUFFER_FLAG_SET(buffer.get(), GST_BUFFER_FLAG_DELTA_UNIT);
  if (has_marker(first_frame({frame->packets, frame->count}).back().header))
    GST_BUFFER_FLAG_SET(buffer.get(), GST_BUFFER_FLAG_MARKER);
  return buffer;
}

RtpFrame *frame_of(GstBuffer *buffer) { return reinterpret_cast<RtpFrame *>(gst_buffer_get_meta(buffer, frame_api())); }

namespace {

// What a packet of a frame has of what a list's buffer would say.
void describe(GstBuffer *one, GstBuffer *frame, const FramePacket &packet, std::span<const std::uint8_t> header) {
  gst_buffer_copy_into(one, frame, kDescription, 0, 0);
  const auto &first = frame_of(frame)->packets[0];
  GST_BUFFER_PTS(one) += clock_time(packet.time) - clock_time(first.time);
  GST_BUFFER_FLAG_UNSET(one, GST_BUFFER_FLAG_MARKER | GST_BUFFER_FLAG_DELTA_UNIT);
  if (packet.delta) GST_BUFFER_FLAG_SET(one, GST_BUFFER_FLAG_DELTA_UNIT);
  if (has_marker(header)) GST_BUFFER_FLAG_SET(one, GST_BUFFER_FLAG_MARKER);
}

}  // namespace

Ptr<GstBuffer> frame_of_one(GstBuffer *buffer, guint packet) {
  const RtpFrame *whole = frame_of(buffer);
  auto one = take(gst_buffer_new());
  RtpFrame *frame = add_frame(one.get(), whole->owner, 1);
  frame->header_bytes = whole->header_bytes;
  std::uninitialized_copy_n(whole->packets + packet, 1, frame->packets);
  describe(one.get(), buffer, whole->packets[packet], whole->header(packet));
  return one;
}

bool set_payload(RtpFrame &one, Ptr<GstMemory> payload) {
  const FramePayload *old = one.packets[0].payload;
  auto own = std::make_shared<OwnPayload>(std::move(payload), old && old->headers);
  if (!own->view) return false;
  own->payload.bytes = own->view.bytes();
  one.packets[0].payload = &own->payload;
  one.owner = std::move(own);
  return true;
}

Ptr<GstBuffer> frame_around(Ptr<GstBuffer> packet, Instant due) {
  if (frame_of(packet.get())) return packet;
  auto memory = take(gst_buffer_get_all_memory(packet.get()));
  if (!memory) return packet;
  auto buffer = take(gst_buffer_new());
  RtpFrame *frame = add_frame(buffer.get(), nullptr, 1);
  std::uninitialized_default_construct_n(frame->packets, 1);
  frame->header_bytes = 0;
  frame->packets[0].time = frame->packets[0].due = due;
  if (!set_payload(*frame, std::move(memory))) return packet;
  gst_buffer_copy_into(buffer.get(), packet.get(), kDescription, 0, 0);
  return buffer;
}

Ptr<GstBufferList> packets_of(GstBuffer *buffer) {
  RtpFrame *frame = frame_of(buffer);
  auto list = take(gst_buffer_list_new_sized(frame->count));
  for (guint i = 0; i < frame->count; i++) {
    const FramePacket &slot = frame->packets[i];
    if (!slot.send) continue;
    auto packet = take(gst_buffer_new());
    const auto header = frame->header(i);
    if (!header.empty()) {
      gst_buffer_append_memory(packet.get(), gst_allocator_alloc(nullptr, header.size(), nullptr));
      gst_buffer_fill(packet.get(), 0, header.data(), header.size());
    }
    gst_buffer_append_memory(packet.get(), gst_memory_ref(slot.payload->memory.get()));
    describe(packet.get(), buffer, slot, header);
    if (slot.payload->headers) GST_BUFFER_FLAG_SET(packet.get(), GST_BUFFER_FLAG_HEADER);
    gst_buffer_list_add(list.get(), give(std::move(packet)));
  }
  return list;
}

void take_frames(GType element_type, Insides insides) {
  g_type_set_qdata(element_type, takes_frames_quark(), new Insides(insides));  // types are never given up
}

const Insides *takes_frames(GstElement *element) {
  return static_cast<const Insides *>(g_type_get_qdata(G_OBJECT_TYPE(element), takes_frames_quark()));
}

FramesAnswer frames_accepted(GstPad *src) {
  const auto query = take(gst_query_new_custom(GST_QUERY_CUSTOM, gst_structure_new_empty(kQuery)));
  if (!forward_frames_query(src, query.get())) return FramesAnswer::no;
  gboolean ahead = FALSE;
  gst_structure_get_boolean(gst_query_get_structure(query.get()), kAhead, &ahead);
  return ahead ? FramesAnswer::ahead_too : FramesAnswer::yes;
}

Ptr<GstPad> final_peer(GstPad *src) {
  auto at = take(GST_PAD(gst_object_ref(src)));
  while (true) {
    if (at->num_probes > 0) return nullptr;
    auto peer = take(gst_pad_get_peer(at.get()));
    if (!peer || peer->num_probes > 0) return nullptr;
    if (!GST_IS_PROXY_PAD(peer.get())) return peer;
    // A ghost pad and the pad inside it pass on to each other: into a bin, or out of one.
    at = take(GST_PAD(gst_proxy_pad_get_internal(GST_PROXY_PAD(peer.get()))));
    if (!at) return nullptr;
  }
}

bool forward_frames_query(GstPad *src, GstQuery *query) {
  const auto peer = final_peer(src);
  if (!peer) return false;
  const auto element = take(gst_pad_get_parent_element(peer.get()));
  if (!element || !takes_frames(element.get())) return false;
  return gst_pad_query(peer.get(), query);
}

bool answer_frames_query(GstQuery *query, FramesAnswer answer) {
  gst_structure_set(gst_query_writable_structure(query), kAhead, G_TYPE_BOOLEAN, answer == FramesAnswer::ahead_too,
                    nullptr);
  return answer != FramesAnswer::no;
}

bool is_frames_query(GstQuery *query) {
  return GST_QUERY_TYPE(query) == GST_QUERY_CUSTOM && gst_structure_has_name(gst_query_get_structure(query), kQuery);
}

gboolean query_filter(GstPad *sink, GstObject *parent, GstQuery *query, GstPad *src) noexcept {
  return is_frames_query(query) ? forward_frames_query(src, query) : gst_pad_query_default(sink, parent, query);
}

}  // namespace avc
