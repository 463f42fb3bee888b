// Rewrites the RTP header of one buffer: the participant's extension, SSRC, payload type, jumps of sequence number
// and timestamp. The payload is never copied.
//
// Where the header lies in a memory of its own that nobody else holds, with room behind it (as avchaossrc makes them),
// the header grows in place. Otherwise the buffer gets a new header memory in front of what it shares.
#pragma once

#include <gst/gst.h>

#include <array>
#include <cstdint>
#include <optional>
#include <span>

#include "core/rtp/header.hpp"
#include "elements/support/rtp_frame.hpp"

namespace avc::tagger {

enum class Extension { rfc3550, rfc8285, none };

struct Rewrite {
  Extension extension = Extension::rfc3550;
  std::uint8_t extension_id = 1;     // for rfc8285
  std::uint8_t transport_cc_id = 0;  // of a slot of two bytes that rtpsession fills in; 0, or rfc3550: none
  std::uint32_t participant_id = 0;
  std::uint32_t ssrc = 0;
  std::optional<std::uint8_t> payload_type;  // none: keep
  std::uint16_t sequence_offset = 0;         // added, modulo 2^16
  std::uint32_t timestamp_offset = 0;        // added, modulo 2^32
};

// What the packet says now, for whoever counts it.
struct Written {
  std::uint32_t timestamp = 0;
  std::size_t payload_bytes = 0;
};

// One packet on its way through. The buffer itself must be writable (its memories need not be) and outlive this.
class Packet {
 public:
  explicit Packet(GstBuffer *buffer);
  Packet(const Packet &) = delete;
  Packet &operator=(const Packet &) = delete;

  // False for RTCP, anything too short, another version, or a header that announces more than there is.
  explicit operator bool() const { return old_.has_value(); }
  bool is_rtcp() const { return rtcp_; }
  std::uint8_t payload_type() const { return old_->payload_type; }

  // Nothing, and nothing changed, only where there is no memory to be had.
  std::optional<Written> rewrite(const Rewrite &change);

 private:
  static constexpr std::size_t kLongestHeader = 1024;  // longer ones are not RTP that anybody sends

  GstBuffer *buffer_;
  bool rtcp_ = false;
  // A copy: the packet's own bytes are overwritten while its old extension is still being read.
  std::array<std::uint8_t, kLongestHeader> bytes_;
  std::optional<rtp::Header> old_;
};

// The same for all packets of a frame whose headers have so many bytes; its buffer must be writable. They then have as
// many as is answered. Nothing, and nothing changed, only where the new headers do not fit.
struct WrittenFrame : Written {
  std::size_t header_bytes = 0;
};
std::optional<WrittenFrame> rewrite(std::span<FramePacket> frame, std::size_t header_bytes, const Rewrite &change);

}  // namespace avc::tagger
