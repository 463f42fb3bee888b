// Turns buffers into what the network model may know of them: which of the participant's streams, which number in
// it, how big, keyframe or not. Follows sequence numbers per SSRC, so that a packet's number does not depend on what
// was dropped before it got here.
#pragma once

#include <gst/gst.h>

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "core/net/packet.hpp"
#include "core/rtp/seqnum.hpp"
#include "elements/support/chaos_events.hpp"
#include "elements/support/rtp_frame.hpp"

namespace avc::degrader {

struct Reading {
  net::Packet packet;
  std::uint16_t sequence = 0;  // 0 unless RTP
  std::uint32_t ssrc = 0;
  bool bypass = false;  // DTLS or STUN: no part of the media, not touched by the link
  bool media = true;    // RTP or RTCP: a model that knows them can judge it
};

class PacketReader {
 public:
  // SSRCs followed at once. Beyond that the one not seen for longest is forgotten, and counts anew if it comes back.
  static constexpr std::size_t kMostStreams = 256;

  void restart();
  void set_participant(const ParticipantInfo &info) { info_ = info; }
  void set_caps(const GstCaps *caps);
  struct Options {
    bool all_datagrams = false;  // DTLS and STUN are not let through
    bool way_back = false;       // from the receiver: RTCP is feedback, and no caps say what a datagram is
    guint rtx_payload_type = 0;  // of retransmissions, which have an SSRC of their own; 0: there are none
  };
  void set_options(const Options &options) { options_ = options; }

  Reading read(GstBuffer *buffer);
  Reading read(GstBuffer *buffer, const RtpFrame &frame, guint packet);  // one of a frame's
  // From the event; else from the first header extension seen; else 0.
  std::uint32_t participant_id() const;
  std::uint64_t seed() const { return info_ ? info_->seed : 0; }

 private:
  struct Stream {
    std::uint32_t ssrc;
    net::Stream kind;
    rtp::SequenceExtender extender;
    std::int64_t first;
    std::uint64_t last_seen;  // in packets read
  };
  enum class Media : std::uint8_t { any, video, audio };

  // `front`: at least the fixed header. Leaves the number of the packet's bytes alone.
  void read_rtp(std::span<const std::uint8_t> front, GstBuffer *buffer, bool delta, Reading &reading);
  // `bytes`: as many of the packet's `size` as tell what it is.
  Reading read_datagram(std::span<const std::uint8_t> bytes, std::size_t size, GstBuffer *buffer);
  Stream &stream_of(std::uint32_t ssrc, std::uint16_t sequence, std::span<const std::uint8_t> front, GstBuffer *buffer);
  net::Stream kind_of(std::uint32_t ssrc, std::uint8_t payload_type) const;

  std::optional<ParticipantInfo> info_;
  std::optional<std::uint32_t> id_in_header_;
  Media media_ = Media::any;
  bool network_ = false;  // the caps say RTP, RTCP or DTLS: first bytes can be told apart (RFC 7983)
  Options options_;
  std::vector<Stream> streams_;
  std::size_t latest_ = 0;  // of streams_: the next packet is often its
  std::uint64_t read_ = 0, rtcp_ = 0, other_ = 0;
};

}  // namespace avc::degrader
