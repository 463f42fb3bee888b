#include "launcher/api/subscriber_json.hpp"

namespace avc::api {
namespace {

void put(json::Writer &out, const char *key, std::optional<double> value) {
  if (value) {
    out.put(key, *value);
  } else {
    out.null(key);
  }
}

void write_stream(json::Writer &out, const stats::PeerStream &stream, std::uint32_t participant) {
  const stats::StreamStats &s = stream.stats;
  out.begin_object().put("ssrc", stream.ssrc).put("media", std::string(net::name(stream.media)));
  out.put("participant_id", stream.participant_id != 0 ? stream.participant_id : participant);
  out.put("payload_type", static_cast<unsigned>(stream.payload_type));
  out.put("packets_received", s.packets_received).put("packets_expected", s.packets_expected);
  out.put("packets_lost", s.packets_lost).put("packets_duplicated", s.packets_duplicated);
  out.put("packets_reordered", s.packets_reordered).put("bytes_received", s.bytes_received);
  out.put("payload_bytes", s.payload_bytes).put("restarts", s.restarts).put("loss_runs", s.loss_runs);
  out.put("loss_run_lengths", std::vector(s.loss_run_lengths.begin(), s.loss_run_lengths.end()));
  out.put("loss_percent", s.loss_percent()).put("burst_ratio", s.burst_ratio());
  out.put("jitter_ms", s.mean_jitter_ms()).put("jitter_samples", s.jitter_samples);
  if (stream.media == net::Stream::video) {
    out.put("frames_complete", s.frames_complete).put("frames_broken", s.frames_broken);
    out.put("frames_lost", s.frames_lost).put("keyframes_complete", s.keyframes_complete);
    out.put("freeze_count", s.freeze_count).put("freeze_seconds", to_seconds(s.freeze_time));
  } else if (stream.media == net::Stream::audio) {
    out.put("mos_score", s.mos());
  }
  out.put("packets_lost_in_network", stream.lost_first).put("packets_asked_for", stream.asked);
  out.put("packets_retransmitted", stream.came_again).put("packets_repaired", stream.repaired).end_object();
}

}  // namespace

void write_subscriber(json::Writer &out, const webrtc::SubscriberSnapshot &subscriber) {
  out.begin_object().put("subscriber_id", subscriber.id).put("source", subscriber.source);
  out.put_unless_empty("participant_id", subscriber.participant);
  out.put("state", webrtc::name(subscriber.state)).put_unless_empty("reason", subscriber.reason);
  put(out, "join_time_ms", subscriber.join_ms);
  put(out, "time_to_first_packet_ms", subscriber.first_packet_ms);
  put(out, "time_to_first_keyframe_ms", subscriber.first_keyframe_ms);
  out.put("packets_unexplained", subscriber.unexplained).begin_array("streams");
  for (const auto &stream : subscriber.streams) write_stream(out, stream, subscriber.participant);
  out.end_array().end_object();
}

}  // namespace avc::api
