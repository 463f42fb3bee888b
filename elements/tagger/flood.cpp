#include "elements/tagger/flood.hpp"

#include <algorithm>

#include "core/rtp/header.hpp"
#include "core/spike/tagger_effects.hpp"
#include "elements/support/mapped.hpp"

namespace avc::tagger {
namespace {

constexpr std::size_t kRoom = 64;       // behind the header, for the participant's extension
constexpr std::size_t kLargest = 1200;  // packet_bytes ends there

Ptr<GstMemory> new_header() {
  GstAllocationParams params;
  gst_allocation_params_init(&params);
  params.padding = kRoom;
  return take(gst_allocator_alloc(nullptr, rtp::kFixedHeaderSize, &params));
}

// Zeros, of which every packet has a part.
GstMemory *zeros() {
  static const std::array<std::uint8_t, kLargest> bytes{};
  static const Ptr<GstMemory> memory = take(gst_memory_new_wrapped(
      GST_MEMORY_FLAG_READONLY, const_cast<std::uint8_t *>(bytes.data()), kLargest, 0, kLargest, nullptr, nullptr));
  GST_MINI_OBJECT_FLAG_SET(memory.get(), GST_MINI_OBJECT_FLAG_MAY_BE_LEAKED);
  return memory.get();
}

// Nobody but us knows it, neither the buffer nor (by a copy of the buffer) its header.
bool is_back(GstBuffer *buffer) {
  return gst_buffer_is_writable(buffer) && gst_memory_is_writable(gst_buffer_peek_memory(buffer, 0));
}

void write_fields(GstBuffer *buffer, const rtp::Fields &fields) {
  MappedMemory map(gst_buffer_peek_memory(buffer, 0), GST_MAP_WRITE);
  // The extension behind the fixed header stays; the rewriting that follows needs to know that it is there.
  const bool extended = map.bytes().size() > rtp::kFixedHeaderSize;
  const auto header = map.writable_bytes();
  rtp::write_fixed_header(header.first<rtp::kFixedHeaderSize>(), fields);
  rtp::set_extension_bit(header, extended);
}

}  // namespace

void Flood::restart(Rng rng) {
  sequence_ = static_cast<std::uint16_t>(rng.split("flood").at(0).below(1u << 16));
  let_go();
}

Flood::Ring &Flood::ring_of(std::uint32_t bytes) {
  const auto known = std::ranges::find(rings_, bytes, &Ring::bytes);
  if (known != rings_.end()) return *known;
  rings_.push_back({bytes, 0, {}});
  return rings_.back();
}

GstBuffer *Flood::free_one(Ring &ring) {
  if (!ring.buffers.empty()) {
    GstBuffer *buffer = ring.buffers[ring.next].get();
    if (is_back(buffer)) {
      ring.next = (ring.next + 1) % ring.buffers.size();
      return buffer;
    }
  }
  if (ring.buffers.size() >= kMostOnTheirWay) return nullptr;
  auto buffer = take(gst_buffer_new());
  gst_buffer_append_memory(buffer.get(), give(new_header()));
  // In front of the oldest, so that the order stays the order of leaving.
  const auto place = ring.buffers.begin() + static_cast<std::ptrdiff_t>(ring.next);
  GstBuffer *made = ring.buffers.insert(place, std::move(buffer))->get();
  ring.next = (ring.next + 1) % ring.buffers.size();
  return made;
}

Ptr<GstBuffer> Flood::make(const Rewrite &change, std::uint32_t bytes, GstClockTime pts, std::uint32_t rtp_timestamp) {
  GstBuffer *buffer = free_one(ring_of(bytes));
  if (!buffer) return nullptr;
  write_fields(buffer, {.payload_type = spike::kFloodPayloadType,
                        .marker = false,
                        .sequence = sequence_++,
                        .timestamp = rtp_timestamp,
                        .ssrc = change.ssrc});
  Packet(buffer).rewrite(change);
  if (gst_buffer_n_memory(buffer) == 1)
    gst_buffer_append_memory(buffer, gst_memory_share(zeros(), 0, gssize(bytes - gst_buffer_get_size(buffer))));
  GST_BUFFER_PTS(buffer) = pts;
  GST_BUFFER_FLAG_SET(buffer, GST_BUFFER_FLAG_DELTA_UNIT);
  return share(buffer);
}

}  // namespace avc::tagger
