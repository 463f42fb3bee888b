#include "elements/source/packets.hpp"

#include "core/rtp/header.hpp"
#include "elements/support/mapped.hpp"

namespace avc::source {
namespace {

GstClockTime clock_time(Nanos time) { return static_cast<GstClockTime>(time.count()); }

rtp::Fields fields_of(const RtpStream &stream, const Frame &frame) {
  return {.payload_type = stream.payload_type(),
          .marker = frame.marker,
          .sequence = frame.sequence,
          .timestamp = stream.timestamp_at(frame.running_time),
          .ssrc = stream.ssrc()};
}

Ptr<GstMemory> make_header(const rtp::Fields &fields) {
  GstAllocationParams params;
  gst_allocation_params_init(&params);
  params.padding = kHeaderRoom;
  auto header = take(gst_allocator_alloc(nullptr, rtp::kFixedHeaderSize, &params));
  MappedMemory map(header.get(), GST_MAP_WRITE);
  rtp::write_fixed_header(map.writable_bytes().first<rtp::kFixedHeaderSize>(), fields);
  return header;
}

void describe(GstBuffer *buffer, const Frame &frame) {
  GST_BUFFER_PTS(buffer) = clock_time(frame.running_time);
  if (frame.marker) GST_BUFFER_FLAG_SET(buffer, GST_BUFFER_FLAG_MARKER);
  if (frame.delta) GST_BUFFER_FLAG_SET(buffer, GST_BUFFER_FLAG_DELTA_UNIT);
}

}  // namespace

RtpStream::RtpStream(std::uint32_t ssrc, std::uint8_t payload_type, std::uint32_t clock_rate, Rng rng)
    : ssrc_(ssrc), payload_type_(payload_type), clock_rate_(clock_rate) {
  Draws draws = rng.split("rtp").at(0);
  first_sequence_ = static_cast<std::uint16_t>(draws.below(1u << 16));
  first_timestamp_ = static_cast<std::uint32_t>(draws.below(std::uint64_t{1} << 32));
  next_sequence_ = first_sequence_;
}

std::uint32_t RtpStream::timestamp_at(Nanos running_time) const {
  const auto ns = static_cast<guint64>(running_time.count());
  return first_timestamp_ + static_cast<std::uint32_t>(gst_util_uint64_scale_round(ns, clock_rate_, GST_SECOND));
}

std::uint16_t RtpStream::take_sequence(std::uint32_t count) {
  const std::uint16_t first = next_sequence_;
  next_sequence_ = static_cast<std::uint16_t>(next_sequence_ + count);
  return first;
}

Ptr<GstBufferList> make_packets(const RtpStream &stream, const Frame &frame, std::span<const FramePayload> payloads) {
  auto list = take(gst_buffer_list_new_sized(static_cast<guint>(payloads.size())));
  Frame one = frame;
  for (std::size_t i = 0; i < payloads.size(); ++i, ++one.sequence) {
    one.marker = frame.marker && i + 1 == payloads.size();
    auto buffer = take(gst_buffer_new());
    gst_buffer_append_memory(buffer.get(), give(make_header(fields_of(stream, one))));
    gst_buffer_append_memory(buffer.get(), gst_memory_ref(payloads[i].memory.get()));
    describe(buffer.get(), one);
    if (payloads[i].headers) GST_BUFFER_FLAG_SET(buffer.get(), GST_BUFFER_FLAG_HEADER);
    gst_buffer_list_add(list.get(), give(std::move(buffer)));
  }
  return list;
}

void append_packets(const RtpStream &stream, const Frame &frame, std::span<const FramePayload> payloads,
                    std::vector<FramePacket> &out) {
  rtp::Fields fields = fields_of(stream, frame);
  fields.marker = false;
  for (const FramePayload &payload : payloads) {
    FramePacket &packet = out.emplace_back();
    rtp::write_fixed_header(std::span(packet.header).first<rtp::kFixedHeaderSize>(), fields);
    packet.payload = &payload;
    packet.time = {frame.running_time};
    packet.delta = frame.delta;
    ++fields.sequence;
  }
  if (frame.marker) rtp::set_marker(out.back().header, true);
}

Ptr<GstBuffer> make_coded(const Frame &frame, GstMemory *data, bool headers) {
  auto buffer = take(gst_buffer_new());
  gst_buffer_append_memory(buffer.get(), gst_memory_ref(data));
  GST_BUFFER_PTS(buffer.get()) = GST_BUFFER_DTS(buffer.get()) = clock_time(frame.running_time);
  GST_BUFFER_DURATION(buffer.get()) = clock_time(frame.duration);
  if (frame.delta) GST_BUFFER_FLAG_SET(buffer.get(), GST_BUFFER_FLAG_DELTA_UNIT);
  if (headers) GST_BUFFER_FLAG_SET(buffer.get(), GST_BUFFER_FLAG_HEADER);
  return buffer;
}

}  // namespace avc::source
