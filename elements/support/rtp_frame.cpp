#include "elements/support/rtp_frame.hpp"

#include <algorithm>
#include <new>

#include "core/rtp/header.hpp"
#include "elements/support/mapped.hpp"

namespace avc {
namespace {

constexpr const char *kQuery = "avchaos-frames";
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
  frame->payloads = nullptr;
  frame->packets = nullptr;
  frame->count = 0;
  frame->header_bytes = rtp::kFixedHeaderSize;
  return TRUE;
}

void free_frame(GstMeta *meta, GstBuffer *) noexcept {
  auto *frame = reinterpret_cast<RtpFrame *>(meta);
  g_slice_free1(frame->count * sizeof(FramePacket), frame->packets);
  frame->owner.~shared_ptr();
}

const GstMetaInfo *frame_info();

RtpFrame *add_frame(GstBuffer *buffer, const std::shared_ptr<const void> &owner, const FramePayload *payloads,
                    guint count) {
  auto *frame = reinterpret_cast<RtpFrame *>(gst_buffer_add_meta(buffer, frame_info(), nullptr));
  frame->owner = owner;
  frame->payloads = payloads;
  frame->count = count;
  frame->packets = static_cast<FramePacket *>(g_slice_alloc(count * sizeof(FramePacket)));
  return frame;
}

// Copies of a buffer have headers and decisions of their own.
gboolean copy_frame(GstBuffer *to, GstMeta *meta, GstBuffer *, GQuark type, gpointer) noexcept {
  if (!GST_META_TRANSFORM_IS_COPY(type)) return FALSE;
  const auto *from = reinterpret_cast<const RtpFrame *>(meta);
  RtpFrame *copy = add_frame(to, from->owner, from->payloads, from->count);
  copy->header_bytes = from->header_bytes;
  std::uninitialized_copy_n(from->packets, from->count, copy->packets);
  return TRUE;
}

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

// The pad that a push on `src` ends at, through bins; null where something looks on in between.
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

}  // namespace

Ptr<GstBuffer> new_frame(std::shared_ptr<const void> owner, std::span<const FramePayload> payloads) {
  auto buffer = take(gst_buffer_new());
  const RtpFrame *frame = add_frame(buffer.get(), owner, payloads.data(), static_cast<guint>(payloads.size()));
  std::uninitialized_default_construct_n(frame->packets, frame->count);
  return buffer;
}

RtpFrame *frame_of(GstBuffer *buffer) { return reinterpret_cast<RtpFrame *>(gst_buffer_get_meta(buffer, frame_api())); }

Ptr<GstBuffer> frame_of_one(GstBuffer *buffer, guint packet) {
  const RtpFrame *whole = frame_of(buffer);
  auto one = take(gst_buffer_new());
  RtpFrame *frame = add_frame(one.get(), whole->owner, whole->payloads + packet, 1);
  frame->header_bytes = whole->header_bytes;
  std::uninitialized_copy_n(whole->packets + packet, 1, frame->packets);
  gst_buffer_copy_into(one.get(), buffer, kDescription, 0, 0);
  if (packet + 1 < whole->count) GST_BUFFER_FLAG_UNSET(one.get(), GST_BUFFER_FLAG_MARKER);
  return one;
}

bool set_payload(RtpFrame &one, Ptr<GstMemory> payload) {
  auto own = std::make_shared<OwnPayload>(std::move(payload), one.payloads && one.payloads->headers);
  if (!own->view) return false;
  own->payload.bytes = own->view.bytes();
  one.payloads = &own->payload;
  one.owner = std::move(own);
  return true;
}

Ptr<GstBuffer> frame_around(Ptr<GstBuffer> packet) {
  if (frame_of(packet.get())) return packet;
  auto memory = take(gst_buffer_get_all_memory(packet.get()));
  if (!memory) return packet;
  auto buffer = take(gst_buffer_new());
  RtpFrame *frame = add_frame(buffer.get(), nullptr, nullptr, 1);
  std::uninitialized_default_construct_n(frame->packets, 1);
  frame->header_bytes = 0;
  if (!set_payload(*frame, std::move(memory))) return packet;
  gst_buffer_copy_into(buffer.get(), packet.get(), kDescription, 0, 0);
  return buffer;
}

Ptr<GstBufferList> packets_of(GstBuffer *buffer) {
  RtpFrame *frame = frame_of(buffer);
  auto list = take(gst_buffer_list_new_sized(frame->count));
  for (guint i = 0; i < frame->count; i++) {
    if (!frame->packets[i].send) continue;
    auto packet = take(gst_buffer_new());
    const auto header = frame->header(i);
    if (!header.empty()) {
      gst_buffer_append_memory(packet.get(), gst_allocator_alloc(nullptr, header.size(), nullptr));
      gst_buffer_fill(packet.get(), 0, header.data(), header.size());
    }
    gst_buffer_append_memory(packet.get(), gst_memory_ref(frame->payloads[i].memory.get()));
    gst_buffer_copy_into(packet.get(), buffer, kDescription, 0, 0);
    GST_BUFFER_FLAG_UNSET(packet.get(), GST_BUFFER_FLAG_MARKER);
    if (!header.empty() && (header[1] & 0x80) != 0) GST_BUFFER_FLAG_SET(packet.get(), GST_BUFFER_FLAG_MARKER);
    if (frame->payloads[i].headers) GST_BUFFER_FLAG_SET(packet.get(), GST_BUFFER_FLAG_HEADER);
    gst_buffer_list_add(list.get(), give(std::move(packet)));
  }
  return list;
}

void take_frames(GType element_type) { g_type_set_qdata(element_type, takes_frames_quark(), GINT_TO_POINTER(1)); }

bool frames_accepted(GstPad *src) {
  const auto peer = final_peer(src);
  if (!peer) return false;
  const auto element = take(gst_pad_get_parent_element(peer.get()));
  if (!element || !g_type_get_qdata(G_OBJECT_TYPE(element.get()), takes_frames_quark())) return false;
  const auto query = take(gst_query_new_custom(GST_QUERY_CUSTOM, gst_structure_new_empty(kQuery)));
  return gst_pad_query(peer.get(), query.get());
}

bool is_frames_query(GstQuery *query) {
  return GST_QUERY_TYPE(query) == GST_QUERY_CUSTOM && gst_structure_has_name(gst_query_get_structure(query), kQuery);
}

gboolean query_filter(GstPad *sink, GstObject *parent, GstQuery *query, GstPad *src) noexcept {
  return is_frames_query(query) ? frames_accepted(src) : gst_pad_query_default(sink, parent, query);
}

}  // namespace avc
