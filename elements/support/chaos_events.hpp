// The events and messages that our elements exchange: building and reading them is done here and nowhere else.
//
// avchaos-participant   sticky, downstream: who this stream is
// avchaos-spike-start   serialized downstream, and the same structure upstream: a spike begins
// avchaos-spike-end     likewise: it is over
// avchaos-spike         element message of spikescheduler: what became of a spike
// Times are running time in nanoseconds; GST_CLOCK_TIME_NONE as an end means "until told".
#pragma once

#include <gst/gst.h>

#include <optional>
#include <string>

#include "core/result.hpp"
#include "core/spike/spike.hpp"
#include "elements/support/ptr.hpp"

namespace avc {

inline constexpr const char *kParticipantEvent = "avchaos-participant";
inline constexpr const char *kSpikeStartEvent = "avchaos-spike-start";
inline constexpr const char *kSpikeEndEvent = "avchaos-spike-end";
inline constexpr const char *kSpikeMessage = "avchaos-spike";

struct ParticipantInfo {
  guint participant_id = 0;
  guint video_ssrc = 0, audio_ssrc = 0;
  guint video_pt = 96, audio_pt = 111;
  guint64 seed = 0;

  friend bool operator==(const ParticipantInfo &, const ParticipantInfo &) = default;
};

struct SpikeStart {
  std::string id, type;
  GstClockTime start = GST_CLOCK_TIME_NONE;  // the planned one, also where the event comes later
  GstClockTime end = GST_CLOCK_TIME_NONE;
  spike::Params params;
};

struct SpikeEnd {
  std::string id;
  GstClockTime at = GST_CLOCK_TIME_NONE;
};

enum class SpikeState { started, ended, refused, cancelled };
const char *name(SpikeState state);

struct SpikeReport {
  std::string id, type;
  SpikeState state = SpikeState::started;
  std::string reason;
  GstClockTime running_time = GST_CLOCK_TIME_NONE;
  guint participant_id = 0;
};

enum class Direction { downstream, upstream };

// Events. The parsers give nothing for an event of another name or one that lacks a field it cannot do without.
[[nodiscard]] Ptr<GstEvent> make_event(const ParticipantInfo &info);
[[nodiscard]] Ptr<GstEvent> make_event(const SpikeStart &start, Direction direction);
[[nodiscard]] Ptr<GstEvent> make_event(const SpikeEnd &end, Direction direction);
std::optional<ParticipantInfo> parse_participant(GstEvent *event);
std::optional<SpikeStart> parse_spike_start(GstEvent *event);
std::optional<SpikeEnd> parse_spike_end(GstEvent *event);

// A spike as a structure of any name, with the fields of avchaos-spike-start: what inject-spike takes. start, end and
// `duration` (uint64 ns, in place of end) may be missing; numbers may be of any numeric type. The structure `params`
// may be missing too.
Result<SpikeStart> spike_from_structure(const GstStructure *structure, GstClockTime default_start);

[[nodiscard]] Ptr<GstStructure> params_structure(const spike::Params &params);
Result<spike::Params> params_from_structure(const GstStructure *structure);

// Message
[[nodiscard]] Ptr<GstMessage> make_message(GstObject *source, const SpikeReport &report);
std::optional<SpikeReport> parse_spike_report(GstMessage *message);

}  // namespace avc
