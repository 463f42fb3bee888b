// One piece of media, ready to send: access units in one or more renditions, Opus packets, and for each access unit
// its RTP payloads. Read only and shared by all participants of the process that play it; its memory is one block
// of large pages, or a mapped file where it is too long for that.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/media/timeline.hpp"
#include "core/result.hpp"
#include "elements/media/coded.hpp"
#include "elements/support/rtp_frame.hpp"

namespace avc::media {

struct AccessUnit {
  Ptr<GstMemory> coded;  // byte-stream
  std::uint32_t first_payload = 0;
  std::uint32_t payloads = 0;
  Nanos duration{};
  bool keyframe = false;
  bool headers = false;
};

struct Rendition {
  double kbps = 0;          // as asked for; the average where nothing was asked
  double average_kbps = 0;  // of the access units' bytes
  Ptr<GstCaps> caps;        // video/x-h264
  std::vector<AccessUnit> units;
  std::vector<FramePayload> payloads;
};

struct Clip {
  ClipTiming timing;                  // the same for all renditions
  std::vector<Rendition> renditions;  // the best first; never empty
  std::vector<double> kbps;           // of the renditions
  double packets_per_second = 0;      // of the best rendition and the sound, over the whole clip
  double payload_kbps = 0;            // of those packets, without any header
  std::vector<double> rtp_kbps;       // of each rendition and the sound, with RTP headers of 12 bytes
  std::vector<FramePayload> audio;    // Opus packets of 20 ms, timing.audio_frames() of them
  FramePayload silence;               // an Opus packet of 20 ms of it
  Ptr<GstCaps> audio_caps;            // audio/x-opus
  std::string profile_level_id;       // of the first sequence parameter set, as SDP has it
};

// Everything for one clip, before it is packed. All renditions have the same units.
struct Prepared {
  struct Video {
    double kbps = 0;
    std::string caps;
    struct Unit {
      Nanos pts{}, duration{};
      bool keyframe = false;
      std::string coded;
      std::vector<std::string> payloads;
    };
    std::vector<Unit> units;
  };
  Nanos length{};
  std::vector<Video> renditions;
  std::string audio_caps;
  std::vector<std::string> audio;
};

// The form a clip has on disk and in memory.
Ptr<GBytes> pack(const Prepared &prepared);
// Checks everything it relies on: the bytes may come from a file that was cut short or is not ours.
Result<std::shared_ptr<const Clip>> open_clip(GBytes *packed);

// 20 ms of silence as every Opus decoder knows it, with the channels and bandwidth of a music stream.
std::string opus_silence(unsigned channels);

}  // namespace avc::media
