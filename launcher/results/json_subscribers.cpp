#include "launcher/results/json.hpp"

namespace avc::results {

void write_fields(json::Writer &out, const SubscriberSnapshot &subscriber) {
  const auto time = [&out](const char *key, std::optional<double> ms) {
    if (ms) {
      out.put(key, *ms);
    } else {
      out.null(key);
    }
  };
  out.put("subscriber_id", subscriber.id).put("participant_id", subscriber.participant);
  out.put("source", subscriber.source).put("state", subscriber.state).put_unless_empty("reason", subscriber.reason);
  time("join_time_ms", subscriber.join_ms);
  time("time_to_first_packet_ms", subscriber.first_packet_ms);
  time("time_to_first_keyframe_ms", subscriber.first_keyframe_ms);
  out.begin_object("received");
  for (const Media media : kAllMedia) {
    write_fields(out.begin_object(name(media)), subscriber.received[static_cast<std::size_t>(media)], media);
    out.end_object();
  }
  out.end_object().put("packets_lost_in_network", subscriber.lost_in_network);
  out.put("packets_retransmitted", subscriber.came_again).put("packets_repaired", subscriber.repaired);
}

void write_subscribers(json::Writer &out, const std::vector<SubscriberSnapshot> &subscribers) {
  if (subscribers.empty()) return;
  out.begin_array("subscribers");
  for (const auto &subscriber : subscribers) {
    write_fields(out.begin_object(), subscriber);
    out.end_object();
  }
  out.end_array();
}

}  // namespace avc::results
