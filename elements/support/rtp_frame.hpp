// All RTP packets of a video or audio frame, or of some frames of one participant in the order of their times, as one
// buffer: the form in which our own elements hand packets to each other, because nine GstBuffers cost ten times what
// one does. Nobody else ever sees it.
//
// Such a buffer has no memory, only an RtpFrame as its meta: a slot for each packet with its header, its place on the
// time line and what has been decided about it, and a reference to its payload. Payloads are shared with all
// participants that play the same clip and kept alive by `owner`. Timestamp and DELTA_UNIT and MARKER flags are those
// of the first packet's frame.
//
// Who may get one: a source asks frames_accepted() whenever its pad asks for negotiation. The answer is yes if every
// element down to the sink is of a type that has called take_frames() and says so to the query; one stranger between
// them, or a probe on a pad in between, and the source makes buffer lists. Each element answers the query
// is_frames_query() on its sink pads: a filter with forward_frames_query() to its source pad, a sink with true if it
// has a context, whose timer keeps the times. A change of links downstream reaches the source as a RECONFIGURE event
// and is asked about anew.
//
// A sink that takes frames sends each packet when its `due` has come, and not before (an "earliest departure time", as
// the kernel's qdiscs know it). So a delaying element parks nothing: it writes down when. And a source may hand on
// frames before their time, if the sink's answer says so: what belongs to one participant is then worked on together,
// while it is in the processor's caches, and not anew for every frame.
#pragma once

#include <gst/gst.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "core/time.hpp"
#include "elements/support/ptr.hpp"

namespace avc {

struct FramePayload {
  Ptr<GstMemory> memory;
  std::span<const std::uint8_t> bytes;  // the same, without mapping it
  bool headers = false;                 // carries parameter sets
};

struct alignas(64) FramePacket {
  static constexpr std::size_t kHeaderRoom = 32;

  std::array<std::uint8_t, kHeaderRoom> header;  // the frame's header_bytes of it are in use
  const FramePayload *payload = nullptr;
  Instant time{};             // running time: its frame's place on the media time line
  Instant due{Nanos::min()};  // running time; the default is "at once"
  bool send = true;           // false: taken out on the way
  bool delta = false;         // not of a video keyframe
};
static_assert(sizeof(FramePacket) == 64);  // a cache line: what the sink looks at when the packet leaves

// Those that belong to the frame of the first.
std::span<FramePacket> first_frame(std::span<FramePacket> packets);

struct RtpFrame {
  GstMeta meta;
  std::shared_ptr<const void> owner;  // of the payloads and their bytes
  FramePacket *packets;               // the buffer's own: to be written to only while the buffer is writable
  guint count;
  std::uint32_t header_bytes;

  std::span<FramePacket> slots() { return {packets, count}; }
  std::span<const FramePacket> slots() const { return {packets, count}; }
  std::span<std::uint8_t> header(guint i) { return std::span(packets[i].header).first(header_bytes); }
  std::span<const std::uint8_t> header(guint i) const { return std::span(packets[i].header).first(header_bytes); }
  std::span<const std::uint8_t> payload(guint i) const { return packets[i].payload->bytes; }
  std::size_t bytes(guint i) const { return header_bytes + payload(i).size(); }
};

// A frame of these payloads with fixed RTP headers yet to be written.
[[nodiscard]] Ptr<GstBuffer> new_frame(std::shared_ptr<const void> owner, std::span<const FramePayload> payloads,
                                       Instant time);
// Of these packets, which have fixed RTP headers; with the timestamp and flags that the first one's frame has.
[[nodiscard]] Ptr<GstBuffer> new_frame(std::shared_ptr<const void> owner, std::span<const FramePacket> packets);
// Null for every ordinary buffer.
RtpFrame *frame_of(GstBuffer *buffer);
// One packet of a frame as a frame of its own, with the same flags and the timestamp that it has.
[[nodiscard]] Ptr<GstBuffer> frame_of_one(GstBuffer *buffer, guint packet);
// An ordinary packet (RTCP, mostly) as a frame of one, not to leave before `due`: no header, all of it is payload.
// Comes back as it is if it is a frame already, or cannot be read.
[[nodiscard]] Ptr<GstBuffer> frame_around(Ptr<GstBuffer> packet, Instant due = {Nanos::min()});
// Gives a frame of one packet a payload of its own in place of the shared one; false if it cannot be read.
bool set_payload(RtpFrame &one, Ptr<GstMemory> payload);
// What is to be sent of a frame as ordinary packets; due times are not in it.
[[nodiscard]] Ptr<GstBufferList> packets_of(GstBuffer *buffer);

// Where elements of a type have what is their own: behind a pointer at that place of the instance, so many bytes.
struct Insides {
  std::size_t pointer_at = 0, bytes = 0;
};
void take_frames(GType element_type, Insides insides = {});
const Insides *takes_frames(GstElement *element);  // null: it does not
// The pad that a push on `src` ends at, through bins; null where something looks on in between.
Ptr<GstPad> final_peer(GstPad *src);
enum class FramesAnswer : std::uint8_t {
  no,
  yes,
  ahead_too,  // of their time, as far as one likes
};
FramesAnswer frames_accepted(GstPad *src);
bool is_frames_query(GstQuery *query);
// What a filter answers, and a sink.
bool forward_frames_query(GstPad *src, GstQuery *query);
bool answer_frames_query(GstQuery *query, FramesAnswer answer);
// The query function of a filter's sink pad: the frames query as `src` answers it, all others by default.
gboolean query_filter(GstPad *sink, GstObject *parent, GstQuery *query, GstPad *src) noexcept;

}  // namespace avc
