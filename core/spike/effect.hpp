// What each type of spike does, with the names, ranges and defaults of its parameters: the only place that knows.
//
// A type acts on the link (chaosdegrader), on the source (avchaossrc), on headers (participanttagger), or on several;
// or on the peer connection, which whoever owns it replaces. Parameter names are accepted with
// '-' or '_', and loss_percentage, loss_percent and loss-percent are the same; values are numbers or decimal text.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/net/impairment.hpp"
#include "core/result.hpp"
#include "core/spike/spike.hpp"

namespace avc::spike {

// Settings of the simulated encoder while a spike lasts.
struct SourceEffect {
  std::optional<double> max_bitrate_kbps;  // pick the highest rendition not above this
  Nanos transition{};                      // step down through the renditions over this time
  double frame_drop_percent = 0;           // whole video frames never sent, without a sequence hole
  bool audio_silence = false;
  bool absent = false;  // nothing is sent; frames pass unsent, so numbers and times go on

  friend bool operator==(const SourceEffect &, const SourceEffect &) = default;
};

enum class Media : std::uint8_t { both, video, audio };

inline constexpr double kLongestJumpMs = 3'600'000;

// What is done to RTP headers, and to the set of packets, before the link. Never behind SRTP, which these would break.
struct TaggerEffect {
  Media media = Media::both;        // for the three below
  bool new_ssrc = false;            // sent under another SSRC
  Nanos timestamp_jump{};           // added to timestamps, may be below 0
  std::uint16_t sequence_jump = 0;  // added to sequence numbers
  bool absent = false;              // no packet passes
  bool bye = true;                  // with absent: RTCP BYE when it begins
  double flood_per_second = 0;      // packets of the participant's own making
  std::uint32_t flood_bytes = 0;    // of each

  friend bool operator==(const TaggerEffect &, const TaggerEffect &) = default;
};

struct Effect {
  net::Impairment link;
  std::string trace_location;  // a trace file to be read for link.link_trace by whoever applies it; empty: none
  SourceEffect source;
  TaggerEffect tagger;
  bool new_connection = false;  // the peer connection is replaced, once, when it begins
};

struct ParamInfo {
  std::string_view name;                            // as the documentation and error texts spell it
  std::string_view unit, meaning, range, fallback;  // fallback "" means required
};
struct TypeInfo {
  std::string_view name, summary;
  std::span<const ParamInfo> params;
};

std::span<const TypeInfo> types();

// The error's field is "type" or "params.NAME", its text states the accepted range.
Result<Effect> effect_of(std::string_view type, const Params &params);

// Types with Effect::new_connection are for participants that make their peer connection themselves. The refusal is
// that of all others.
bool needs_connection(std::string_view type);
Error refused_without_connection(std::string_view type);

}  // namespace avc::spike
