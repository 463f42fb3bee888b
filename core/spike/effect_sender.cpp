// Spikes that act where packets are made: in the simulated encoder (avchaossrc) and in the packets' headers
// (participanttagger); and those of the peer connection.
#include "core/spike/effect_table.hpp"

namespace avc::spike {
namespace {

constexpr Rule kBitrate[] = {
    {"new_bitrate_kbps",
     "kbit/s",
     "the highest video rendition not above this is sent",
     "",
     1,
     1e6,
     {},
     [](Effect &e, double v) { e.source.max_bitrate_kbps = v; }},
    {"transition_seconds",
     "s",
     "time over which renditions are stepped down",
     "0",
     0,
     3600,
     {},
     [](Effect &e, double v) { e.source.transition = from_seconds(v); }},
};

constexpr Rule kFrameDrop[] = {
    {"drop_percentage",
     "percent",
     "share of video frames never sent; sequence numbers show no hole",
     "",
     0,
     100,
     {},
     [](Effect &e, double v) { e.source.frame_drop_percent = v; }},
};

constexpr std::array<std::string_view, 3> kMedia{"both", "video", "audio"};

constexpr Rule kMediaRule{
    "media", "", "which of the participant's streams", "both", 0, 0, kMedia, [](Effect &e, double v) {
      e.tagger.media = static_cast<Media>(v);
    }};

constexpr Rule kSsrcChange[] = {kMediaRule};

constexpr Rule kTimestampJump[] = {
    {"jump_ms",
     "ms",
     "how far RTP timestamps are ahead, or below 0 behind, while it lasts",
     "1000",
     -kLongestJumpMs,
     kLongestJumpMs,
     {},
     [](Effect &e, double v) { e.tagger.timestamp_jump = from_ms(v); }},
    kMediaRule,
};

constexpr Rule kSequenceJump[] = {
    {"packets",
     "packets",
     "how far sequence numbers are ahead while it lasts, modulo 65536",
     "1000",
     1,
     65535,
     {},
     [](Effect &e, double v) { e.tagger.sequence_jump = static_cast<std::uint16_t>(v); },
     nullptr,
     true},
    kMediaRule,
};

constexpr Rule kLeave[] = {
    {"bye", "", "say goodbye with RTCP BYE, as RFC 3550 has it; false: fall silent", "true", 0, 0, kBools,
     [](Effect &e, double v) { e.tagger.bye = v != 0; }},
};

constexpr Rule kFlood[] = {
    {"packets_per_second",
     "1/s",
     "extra packets",
     "500",
     1,
     10000,
     {},
     [](Effect &e, double v) { e.tagger.flood_per_second = v; }},
    {"packet_bytes",
     "bytes",
     "size of each, with its RTP header",
     "1000",
     64,
     1200,
     {},
     [](Effect &e, double v) { e.tagger.flood_bytes = static_cast<std::uint32_t>(v); },
     nullptr,
     true},
};

constexpr auto new_connection = [](Effect &e) { e.new_connection = true; };

constexpr Type kSenderTypes[] = {
    {"bitrate_reduce", "sends a smaller rendition of the video", kBitrate},
    {"frame_drop", "leaves out whole video frames at the source", kFrameDrop},
    {"audio_silence", "sends silent audio frames", {}, [](Effect &e) { e.source.audio_silence = true; }},
    {"participant_leave", "leaves, and comes back with a keyframe", kLeave,
     [](Effect &e) { e.source.absent = e.tagger.absent = true; }},
    {"packet_flood", "sends RTP packets that nobody asked for, on an SSRC of their own", kFlood},
    {"ssrc_change", "sends under another SSRC", kSsrcChange, [](Effect &e) { e.tagger.new_ssrc = true; }},
    {"timestamp_jump", "moves RTP timestamps", kTimestampJump},
    {"sequence_jump", "moves RTP sequence numbers", kSequenceJump},
    {"srtp_rekey", "replaces the peer connection, and with it the SRTP keys", {}, new_connection},
    {"ice_restart", "replaces the peer connection, and with it ICE", {}, new_connection},
};

}  // namespace

std::span<const Type> sender_types() { return kSenderTypes; }

}  // namespace avc::spike
