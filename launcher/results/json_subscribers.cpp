#include <algorithm>

#include "launcher/results/distribution.hpp"
#include "launcher/results/json.hpp"

namespace avc::results {
namespace {

// Of what was sent of a stream while it came, by its sequence numbers; of one that never came nothing.
double delivery_percent(const ReceiverCounters &received) {
  return received.packets_received > 0 ? 100 - received.loss_percent() : 0;
}

double delivery_percent(const SubscriberSnapshot &subscriber) {
  double sum = 0;
  for (const auto &received : subscriber.received) sum += delivery_percent(received);
  return sum / static_cast<double>(kMediaCount);
}

void write_times(json::Writer &out, const char *key, const Distribution &times) {
  if (times.count() == 0) {
    out.null(key);
    return;
  }
  out.begin_object(key).put("count", times.count()).put("p50", times.percentile(50));
  out.put("p95", times.percentile(95)).put("max", times.max()).end_object();
}

// All of them together. Those that there were to be count, also the ones that never began: they have got nothing.
void write_summary(json::Writer &out, std::size_t expected, const std::vector<SubscriberSnapshot> &subscribers) {
  std::uint64_t joined = 0, streams = 0;
  double delivered = 0;
  Distribution join, keyframe;
  for (const auto &one : subscribers) {
    joined += one.join_ms.has_value();
    for (const auto &received : one.received) streams += received.packets_received > 0;
    delivered += delivery_percent(one);
    if (one.join_ms) join.add(*one.join_ms);
    if (one.first_keyframe_ms) keyframe.add(*one.first_keyframe_ms);
  }
  out.begin_object("subscribed").put("subscribers", expected).put("joined", joined);
  out.put("streams", expected * kMediaCount).put("streams_received", streams);
  out.put("delivery_percent", delivered / static_cast<double>(expected));
  write_times(out, "join_time_ms", join);
  write_times(out, "time_to_first_keyframe_ms", keyframe);
  out.end_object();
}

}  // namespace

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
  out.end_object().put("delivery_percent", delivery_percent(subscriber));
  out.put("packets_lost_in_network", subscriber.lost_in_network);
  out.put("packets_retransmitted", subscriber.came_again).put("packets_repaired", subscriber.repaired);
}

void write_subscribers(json::Writer &out, const RunResult &run) {
  const auto &subscribers = run.subscribers;
  const std::size_t expected = std::max<std::size_t>(run.facts.subscribers, subscribers.size());
  if (expected == 0) return;
  write_summary(out, expected, subscribers);
  out.begin_array("subscribers");
  for (const auto &subscriber : subscribers) {
    write_fields(out.begin_object(), subscriber);
    out.end_object();
  }
  out.end_array();
}

}  // namespace avc::results
