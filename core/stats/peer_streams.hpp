// What arrives over one peer connection: every RTP stream of it, measured by a Receiver each. What a packet is, its
// payload type tells, as the other side's session description explains it.
//
// Packets sent again come with a payload type, an SSRC and numbers of their own (RFC 4588). They are put back where
// they belong and count there: what a stream has lost is what never came in any way. Its jitter, and what the network
// itself lost, are counted from first transmissions alone.
//
// Not thread-safe.
#pragma once

#include <array>
#include <map>
#include <optional>
#include <vector>

#include "core/rtp/missing.hpp"
#include "core/stats/receiver.hpp"

namespace avc::stats {

// The other side's description, as far as it explains packets.
struct PayloadMap {
  static constexpr std::size_t kTypes = 128;
  struct Type {
    net::Stream media = net::Stream::other;
    std::uint32_t clock_rate = 0;       // 0: nothing of this type is expected
    std::optional<std::uint8_t> again;  // carries packets of that type once more
  };
  std::array<Type, kTypes> types{};
  std::map<std::uint32_t, std::uint32_t> originals;  // SSRC of the stream that another one repeats, where it is told
  std::uint8_t participant_ext = 0;                  // header extension with a participant's id; 0: there is none
  bool nack = false;                                 // of video: it can be asked for again
};

struct PeerStream {
  std::uint32_t ssrc = 0;
  std::uint32_t participant_id = 0;  // 0: its packets carry none
  net::Stream media = net::Stream::other;
  std::uint8_t payload_type = 0;
  StreamStats stats;
  std::int64_t lost_first = 0;  // of first transmissions: what the network lost
  std::int64_t came_again = 0;  // packets that came as retransmissions
  std::int64_t repaired = 0;    // of them, those that were missing
  std::int64_t asked = 0;       // for packets again; each may be asked for several times
};

class PeerStreams {
 public:
  static constexpr std::size_t kMostStreams = 64;

  void explain(PayloadMap map) { map_ = std::move(map); }
  void receive(rtp::Bytes packet, Instant at);

  struct Wanted {
    std::uint32_t ssrc;
    std::uint16_t sequence;
  };
  // What is to be asked for again, by what came so far.
  void wanted(Instant now, std::vector<Wanted> &out);

  std::vector<PeerStream> snapshot() const;  // of those that are streams: two packets in sequence came
  std::optional<Instant> first_packet() const { return first_packet_; }
  std::optional<Instant> first_keyframe() const { return first_keyframe_; }  // the first whole one
  struct Video {
    std::uint32_t ssrc;
    std::uint8_t payload_type;
  };
  std::vector<Video> videos() const;
  std::uint64_t unexplained() const { return unexplained_; }  // packets of no type that was described, or no room

 private:
  struct Entry {
    Entry(net::Stream media, std::uint32_t clock_rate, std::uint8_t type)
        : payload_type(type), all(media, clock_rate), first(net::Stream::other, clock_rate) {}
    std::uint32_t participant_id = 0;
    std::uint8_t payload_type;
    Receiver all;    // with those sent again
    Receiver first;  // without them
    rtp::Missing missing;
    std::int64_t came_again = 0, repaired = 0, asked = 0;
    bool keyframe_begun = false;
  };

  Entry *entry_for(std::uint32_t ssrc, std::uint8_t payload_type);
  void take_again(const rtp::Header &header, std::uint8_t original_type, Instant at);
  void count(Entry &entry, const rtp::Header &header, std::size_t bytes, Instant at);

  PayloadMap map_;
  std::map<std::uint32_t, Entry> entries_;
  std::optional<Instant> first_packet_, first_keyframe_;
  std::uint64_t unexplained_ = 0;
  std::vector<std::uint16_t> numbers_;
};

}  // namespace avc::stats
