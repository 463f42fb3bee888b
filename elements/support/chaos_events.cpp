#include "elements/support/chaos_events.hpp"

#include <array>
#include <cmath>

namespace avc {
namespace {

constexpr std::array kStateNames = {"started", "ended", "refused", "cancelled"};

GstEventType event_type(Direction direction) {
  return direction == Direction::downstream ? GST_EVENT_CUSTOM_DOWNSTREAM : GST_EVENT_CUSTOM_UPSTREAM;
}

std::string text_of(const GstStructure *structure, const char *field) {
  const char *text = gst_structure_get_string(structure, field);
  return text ? text : "";
}

std::optional<double> number_of(const GValue *value) {
  GValue number = G_VALUE_INIT;
  g_value_init(&number, G_TYPE_DOUBLE);
  // Text is not a number here: GValue would not turn it into one, and effect_of() reads decimal text itself.
  if (!g_value_type_transformable(G_VALUE_TYPE(value), G_TYPE_DOUBLE) || !g_value_transform(value, &number)) {
    return std::nullopt;
  }
  return g_value_get_double(&number);
}

// A time in nanoseconds of any numeric type; NONE where the field is missing; nothing where it is no time.
std::optional<GstClockTime> time_of(const GstStructure *structure, const char *field) {
  const GValue *value = gst_structure_get_value(structure, field);
  if (!value) return GST_CLOCK_TIME_NONE;
  if (G_VALUE_HOLDS_UINT64(value)) return g_value_get_uint64(value);
  const auto number = number_of(value);
  if (!number || !(*number >= 0) || *number > 9e18) return std::nullopt;
  return static_cast<GstClockTime>(*number);
}

const GstStructure *custom_structure(GstEvent *event, const char *wanted) {
  const GstStructure *structure = gst_event_get_structure(event);
  return structure && gst_structure_has_name(structure, wanted) ? structure : nullptr;
}

gboolean add_param(GQuark field, const GValue *value, gpointer user) {
  auto &result = *static_cast<Result<spike::Params> *>(user);
  const std::string key = g_quark_to_string(field);
  if (G_VALUE_HOLDS_STRING(value)) {
    const char *text = g_value_get_string(value);
    result->insert_or_assign(key, std::string(text ? text : ""));
    return TRUE;
  }
  const auto number = number_of(value);
  if (!number) {
    result = Error{"params." + key, "is neither a number nor text"};
    return FALSE;
  }
  result->insert_or_assign(key, *number);
  return TRUE;
}

}  // namespace

const char *name(SpikeState state) { return kStateNames[static_cast<std::size_t>(state)]; }

Ptr<GstEvent> make_event(const ParticipantInfo &info) {
  return take(
      gst_event_new_custom(GST_EVENT_CUSTOM_DOWNSTREAM_STICKY,
                           gst_structure_new(kParticipantEvent, "participant-id", G_TYPE_UINT, info.participant_id,
                                             "video-ssrc", G_TYPE_UINT, info.video_ssrc, "audio-ssrc", G_TYPE_UINT,
                                             info.audio_ssrc, "video-pt", G_TYPE_UINT, info.video_pt, "audio-pt",
                                             G_TYPE_UINT, info.audio_pt, "seed", G_TYPE_UINT64, info.seed, nullptr)));
}

Ptr<GstEvent> make_event(const SpikeStart &start, Direction direction) {
  const auto params = params_structure(start.params);
  return take(gst_event_new_custom(
      event_type(direction),
      gst_structure_new(kSpikeStartEvent, "spike-id", G_TYPE_STRING, start.id.c_str(), "type", G_TYPE_STRING,
                        start.type.c_str(), "start", G_TYPE_UINT64, start.start, "end", G_TYPE_UINT64, start.end,
                        "params", GST_TYPE_STRUCTURE, params.get(), nullptr)));
}

Ptr<GstEvent> make_event(const SpikeEnd &end, Direction direction) {
  return take(gst_event_new_custom(event_type(direction),
                                   gst_structure_new(kSpikeEndEvent, "spike-id", G_TYPE_STRING, end.id.c_str(), "at",
                                                     G_TYPE_UINT64, end.at, nullptr)));
}

std::optional<ParticipantInfo> parse_participant(GstEvent *event) {
  const GstStructure *structure = custom_structure(event, kParticipantEvent);
  ParticipantInfo info;
  if (!structure || !gst_structure_get_uint(structure, "participant-id", &info.participant_id)) return std::nullopt;
  gst_structure_get_uint(structure, "video-ssrc", &info.video_ssrc);
  gst_structure_get_uint(structure, "audio-ssrc", &info.audio_ssrc);
  gst_structure_get_uint(structure, "video-pt", &info.video_pt);
  gst_structure_get_uint(structure, "audio-pt", &info.audio_pt);
  gst_structure_get_uint64(structure, "seed", &info.seed);
  return info;
}

std::optional<SpikeStart> parse_spike_start(GstEvent *event) {
  const GstStructure *structure = custom_structure(event, kSpikeStartEvent);
  if (!structure) return std::nullopt;
  auto start = spike_from_structure(structure, GST_CLOCK_TIME_NONE);
  if (!start) return std::nullopt;
  return *std::move(start);
}

std::optional<SpikeEnd> parse_spike_end(GstEvent *event) {
  const GstStructure *structure = custom_structure(event, kSpikeEndEvent);
  if (!structure) return std::nullopt;
  SpikeEnd end{text_of(structure, "spike-id")};
  gst_structure_get_uint64(structure, "at", &end.at);
  if (end.id.empty()) return std::nullopt;
  return end;
}

Result<SpikeStart> spike_from_structure(const GstStructure *structure, GstClockTime default_start) {
  SpikeStart spike{text_of(structure, "spike-id"), text_of(structure, "type")};
  if (spike.id.empty()) return Error{"spike-id", "is missing or empty"};
  if (spike.type.empty()) return Error{"type", "is missing or empty"};
  const auto start = time_of(structure, "start"), end = time_of(structure, "end");
  const auto duration = time_of(structure, "duration");
  if (!start) return Error{"start", "is not a running time in nanoseconds"};
  if (!end) return Error{"end", "is not a running time in nanoseconds"};
  if (!duration) return Error{"duration", "is not a number of nanoseconds"};
  spike.start = GST_CLOCK_TIME_IS_VALID(*start) ? *start : default_start;
  spike.end = *end;
  if (GST_CLOCK_TIME_IS_VALID(*duration) && GST_CLOCK_TIME_IS_VALID(spike.start)) spike.end = spike.start + *duration;
  if (const GValue *params = gst_structure_get_value(structure, "params")) {
    if (!GST_VALUE_HOLDS_STRUCTURE(params)) return Error{"params", "is not a structure"};
    auto read = params_from_structure(gst_value_get_structure(params));
    if (!read) return read.error();
    spike.params = *std::move(read);
  }
  return spike;
}

Ptr<GstStructure> params_structure(const spike::Params &params) {
  auto structure = take(gst_structure_new_empty("params"));
  for (const auto &[key, value] : params) {
    if (const auto *number = std::get_if<double>(&value)) {
      gst_structure_set(structure.get(), key.c_str(), G_TYPE_DOUBLE, *number, nullptr);
    } else {
      gst_structure_set(structure.get(), key.c_str(), G_TYPE_STRING, std::get<std::string>(value).c_str(), nullptr);
    }
  }
  return structure;
}

Result<spike::Params> params_from_structure(const GstStructure *structure) {
  Result<spike::Params> result = spike::Params{};
  if (structure) gst_structure_foreach(structure, add_param, &result);
  return result;
}

Ptr<GstMessage> make_message(GstObject *source, const SpikeReport &report) {
  return take(gst_message_new_element(
      source, gst_structure_new(kSpikeMessage, "spike-id", G_TYPE_STRING, report.id.c_str(), "type", G_TYPE_STRING,
                                report.type.c_str(), "state", G_TYPE_STRING, name(report.state), "reason",
                                G_TYPE_STRING, report.reason.c_str(), "running-time", G_TYPE_UINT64,
                                report.running_time, "participant-id", G_TYPE_UINT, report.participant_id, nullptr)));
}

std::optional<SpikeReport> parse_spike_report(GstMessage *message) {
  const GstStructure *structure = gst_message_get_structure(message);
  if (!structure || !gst_structure_has_name(structure, kSpikeMessage)) return std::nullopt;
  SpikeReport report{text_of(structure, "spike-id"), text_of(structure, "type"), SpikeState::started,
                     text_of(structure, "reason")};
  const std::string state = text_of(structure, "state");
  std::size_t i = 0;
  while (i < kStateNames.size() && state != kStateNames[i]) i++;
  if (i == kStateNames.size()) return std::nullopt;
  report.state = static_cast<SpikeState>(i);
  gst_structure_get_uint64(structure, "running-time", &report.running_time);
  gst_structure_get_uint(structure, "participant-id", &report.participant_id);
  return report;
}

}  // namespace avc
