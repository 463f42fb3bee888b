#include "launcher/session/chain.hpp"

#include "elements/support/chaos_events.hpp"
#include "elements/support/counters.hpp"
#include "launcher/http/json_writer.hpp"
#include "launcher/session/setter.hpp"

namespace avc::session {
namespace {

using results::Media;

results::SenderCounters sent(const LinkCounters::Stream &link, std::uint64_t frames, std::uint64_t frames_dropped) {
  return {.packets = link.in,
          .bytes = link.bytes_in,
          .lost = link.lost + link.frame_dropped,
          .queue_dropped = link.queue_dropped,
          .frames = frames,
          .frames_dropped = frames_dropped,
          .duplicated = link.duplicated,
          .corrupted = link.corrupted};
}

}  // namespace

void set_media(Setter &source, const MediaSettings &media) {
  source("width", std::uint64_t{media.width})("height", std::uint64_t{media.height})("fps", media.fps);
  if (!media.location.empty()) source("location", media.location);
  if (!media.audio_location.empty()) source("audio-location", media.audio_location);
  if (media.file_fps > 0) source("file-fps", media.file_fps);
  if (!media.renditions.empty()) source("renditions", media.renditions);
}

std::string schedule_json(const std::vector<spike::Planned> &planned) {
  json::Writer out;
  out.begin_array();
  for (const auto &[spike, start, end] : planned) {
    out.begin_object().put("spike_id", spike.id).put("type", spike.type);
    out.put("start_seconds", to_seconds(start.since_origin));
    if (end != Instant::never()) out.put("duration_seconds", to_seconds(end - start));
    out.begin_object("params");
    for (const auto &[name, value] : spike.effective()) {
      if (const auto *number = std::get_if<double>(&value)) {
        out.put(name, *number);
      } else {
        out.put(name, std::get<std::string>(value));
      }
    }
    out.end_object().end_object();
  }
  return out.end_array().take();
}

bool inject_into(GstElement *scheduler, const spike::Planned &planned) {
  const auto params = params_structure(planned.spike.effective());
  const guint64 end =
      planned.end == Instant::never() ? GST_CLOCK_TIME_NONE : static_cast<guint64>(planned.end.since_origin.count());
  const auto structure = take(gst_structure_new(
      "spike", "spike-id", G_TYPE_STRING, planned.spike.id.c_str(), "type", G_TYPE_STRING, planned.spike.type.c_str(),
      "start", G_TYPE_UINT64, static_cast<guint64>(planned.start.since_origin.count()), "end", G_TYPE_UINT64, end,
      "params", GST_TYPE_STRUCTURE, params.get(), nullptr));
  gboolean accepted = FALSE;
  g_signal_emit_by_name(scheduler, "inject-spike", structure.get(), &accepted);
  return accepted != FALSE;
}

bool cancel_in(GstElement *scheduler, const std::string &spike_id) {
  gboolean known = FALSE;
  g_signal_emit_by_name(scheduler, "cancel-spike", spike_id.c_str(), &known);
  return known != FALSE;
}

void read_link(GstElement *source_element, GstElement *degrader, results::ParticipantSnapshot &snapshot) {
  const auto source = counters_of<SourceCounters>(source_element);
  const auto link = counters_of<LinkCounters>(degrader);
  snapshot.sent_of(Media::video) = sent(link.video, source.frames_sent, source.frames_dropped);
  snapshot.sent_of(Media::audio) = sent(link.audio, source.audio_frames_sent, 0);
  snapshot.sent_ahead = link.reordered;
  snapshot.rtcp_packets = link.rtcp_in;
  snapshot.rtcp_lost = link.rtcp_lost;
  snapshot.flood_packets = link.other_in;
  snapshot.delay = {link.delay_count, link.delay_sum_ms, link.delay_max_ms};
  snapshot.queue_ms = link.queue_ms;
  snapshot.queue_peak_ms = link.queue_peak_ms;
  snapshot.rendition_kbps = source.bitrate_kbps;
}

}  // namespace avc::session
