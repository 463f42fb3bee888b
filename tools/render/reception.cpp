#include "tools/render/reception.hpp"

#include <algorithm>
#include <map>
#include <optional>

#include "tools/common/json.hpp"

namespace avc::tools::render {
namespace {

constexpr std::size_t kShownParticipants = 5;

// Sums over streams; means are over streams that had packets.
struct Total {
  stats::StreamStats stats;
  double jitter_sum = 0, mos_sum = 0;
  std::size_t streams = 0, with_packets = 0, with_audio = 0;
  std::int64_t video_packets = 0, audio_packets = 0;

  void add(const ReceivedStream &stream, const stats::StreamStats &counted) {
    stats += counted;
    ++streams;
    if (counted.packets_received <= 0) return;
    ++with_packets;
    jitter_sum += counted.mean_jitter_ms();
    if (stream.media == net::Stream::audio) {
      ++with_audio;
      mos_sum += counted.mos();
      audio_packets += counted.packets_received;
    } else if (stream.media == net::Stream::video) {
      video_packets += counted.packets_received;
    }
  }
  std::optional<double> jitter_ms() const {
    return with_packets ? std::optional(jitter_sum / static_cast<double>(with_packets)) : std::nullopt;
  }
  std::optional<double> mos() const {
    return with_audio ? std::optional(mos_sum / static_cast<double>(with_audio)) : std::nullopt;
  }
  std::optional<double> frames_complete_percent() const {
    return stats.frames() > 0 ? std::optional(stats.frames_complete_percent()) : std::nullopt;
  }
  std::optional<double> loss_percent() const {
    return stats.packets_expected > 0 ? std::optional(stats.loss_percent()) : std::nullopt;
  }
};

Total total_of(const Reception &all) {
  Total total;
  for (const auto &stream : all.streams) total.add(stream, stream.stats);
  return total;
}

std::map<std::uint32_t, Total> by_participant(const Reception &all) {
  std::map<std::uint32_t, Total> out;
  for (const auto &stream : all.streams) out[stream.participant].add(stream, stream.stats);
  return out;
}

double per_second(double count, double seconds) { return seconds > 0 ? count / seconds : 0; }
double kbps(double bytes, double seconds) { return per_second(bytes * 8 / 1000, seconds); }

std::string share(std::int64_t part, std::int64_t all) {
  return all > 0 ? fixed(100.0 * static_cast<double>(part) / static_cast<double>(all), 1) + " %" : "–";
}

std::string row(const char *name, const std::string &value) { return pad(name, 16) + value + "\n"; }

std::string connected_of(const Reception &now) {
  const auto connected = std::count_if(now.subscribers.begin(), now.subscribers.end(),
                                       [](const Subscriber &one) { return one.state == "connected"; });
  return std::to_string(connected) + " of " + std::to_string(now.subscribers.size());
}

// "12 ms, 40 ms at most", over those that have it.
std::string spread(const Reception &all, std::optional<double> Subscriber::*time) {
  double sum = 0, most = 0;
  std::size_t count = 0;
  for (const auto &one : all.subscribers) {
    if (!(one.*time)) continue;
    sum += *(one.*time);
    most = std::max(most, *(one.*time));
    ++count;
  }
  if (count == 0) return "–";
  return fixed(sum / static_cast<double>(count), 0) + " ms, " + fixed(most, 0) + " ms at most (" +
         counted(static_cast<double>(count), "subscriber") + ")";
}

std::string subscribers_rows(const Reception &all) {
  std::int64_t lost = 0, again = 0, repaired = 0, joined = 0;
  for (const auto &stream : all.streams) {
    lost += stream.lost_in_network;
    again += stream.retransmitted;
    repaired += stream.repaired;
  }
  for (const auto &one : all.subscribers) joined += one.join_ms.has_value();
  std::string out = row(
      "subscribers", std::to_string(all.subscribers.size()) + ", " + std::to_string(joined) + " have been connected");
  out += row("join", spread(all, &Subscriber::join_ms));
  out += row("first packet", spread(all, &Subscriber::first_packet_ms));
  out += row("first keyframe", spread(all, &Subscriber::first_keyframe_ms));
  return out + row("sent again", grouped(static_cast<double>(again)) + " packets, of which " +
                                     grouped(static_cast<double>(repaired)) + " had been missing; the network lost " +
                                     grouped(static_cast<double>(lost)));
}

std::string participants_table(const Reception &all, bool every, std::size_t columns, const Paint &paint) {
  const auto participants = by_participant(all);
  std::vector<std::vector<std::string>> rows;
  for (const auto &[id, total] : participants) {
    if (!every && rows.size() == kShownParticipants) break;
    rows.push_back({id == 0 ? "unknown" : std::to_string(id),
                    grouped(static_cast<double>(total.stats.packets_received)), fixed(total.loss_percent(), 2),
                    fixed(total.jitter_ms(), 1), fixed(total.mos(), 2),
                    grouped(static_cast<double>(total.stats.frames_complete)),
                    fixed(total.frames_complete_percent(), 1), grouped(static_cast<double>(total.stats.freeze_count))});
  }
  if (rows.empty()) return {};
  std::string out = "\n" + table({{"participant"},
                                  {"packets", true},
                                  {"loss %", true},
                                  {"jitter ms", true},
                                  {"MOS", true},
                                  {"frames", true},
                                  {"complete %", true},
                                  {"freezes", true}},
                                 rows, columns, paint);
  if (rows.size() < participants.size())
    out += "and " + std::to_string(participants.size() - rows.size()) + " more (--per-participant shows all)\n";
  return out;
}

void number(JsonBuilder *b, const char *name, std::optional<double> value) {
  json_builder_set_member_name(b, name);
  if (value)
    json_builder_add_double_value(b, *value);
  else
    json_builder_add_null_value(b);
}

void count(JsonBuilder *b, const char *name, std::int64_t value) {
  json_builder_set_member_name(b, name);
  json_builder_add_int_value(b, value);
}

void figures(JsonBuilder *b, const Total &total) {
  count(b, "packets", total.stats.packets_received);
  count(b, "bytes", total.stats.bytes_received);
  count(b, "video_packets", total.video_packets);
  count(b, "audio_packets", total.audio_packets);
  count(b, "packets_lost", total.stats.packets_lost);
  count(b, "packets_duplicated", total.stats.packets_duplicated);
  count(b, "packets_reordered", total.stats.packets_reordered);
  number(b, "loss_percent", total.loss_percent());
  number(b, "jitter_ms", total.jitter_ms());
  number(b, "mos_score", total.mos());
  count(b, "frames_complete", total.stats.frames_complete);
  count(b, "frames_broken", total.stats.frames_broken);
  count(b, "frames_lost", total.stats.frames_lost);
  number(b, "frames_complete_percent", total.frames_complete_percent());
  count(b, "freeze_count", total.stats.freeze_count);
  number(b, "freeze_seconds", to_seconds(total.stats.freeze_time));
}

void word(JsonBuilder *b, const char *name, const std::string &value) {
  json_builder_set_member_name(b, name);
  json_builder_add_string_value(b, value.c_str());
}

void streams_json(JsonBuilder *b, const Reception &all, const Subscriber &subscriber) {
  json_builder_set_member_name(b, "streams");
  json_builder_begin_array(b);
  for (const auto &stream : all.streams) {
    if (stream.subscriber != subscriber.id) continue;
    Total total;
    total.add(stream, stream.stats);
    json_builder_begin_object(b);
    count(b, "ssrc", stream.ssrc);
    count(b, "participant_id", stream.participant);
    word(b, "media", net::name(stream.media));
    figures(b, total);
    count(b, "packets_expected", stream.stats.packets_expected);
    count(b, "keyframes_complete", stream.stats.keyframes_complete);
    number(b, "burst_ratio", stream.stats.burst_ratio());
    count(b, "packets_lost_in_network", stream.lost_in_network);
    count(b, "packets_retransmitted", stream.retransmitted);
    count(b, "packets_repaired", stream.repaired);
    json_builder_end_object(b);
  }
  json_builder_end_array(b);
}

void subscribers_json(JsonBuilder *b, const Reception &all) {
  json_builder_set_member_name(b, "subscribers");
  json_builder_begin_array(b);
  for (const auto &one : all.subscribers) {
    json_builder_begin_object(b);
    count(b, "subscriber_id", one.id);
    word(b, "source", one.source);
    word(b, "state", one.state);
    word(b, "reason", one.reason);
    number(b, "join_time_ms", one.join_ms);
    number(b, "time_to_first_packet_ms", one.first_packet_ms);
    number(b, "time_to_first_keyframe_ms", one.first_keyframe_ms);
    streams_json(b, all, one);
    json_builder_end_object(b);
  }
  json_builder_end_array(b);
}

}  // namespace

std::string reception_line(const Reception &before, const Reception &now) {
  std::map<std::pair<std::uint32_t, std::uint32_t>, const ReceivedStream *> earlier;
  for (const auto &stream : before.streams) earlier[{stream.subscriber, stream.ssrc}] = &stream;
  Total total;
  for (const auto &stream : now.streams) {
    const auto found = earlier.find({stream.subscriber, stream.ssrc});
    total.add(stream, found == earlier.end() ? stream.stats : stream.stats - found->second->stats);
  }
  const double seconds = now.seconds - before.seconds;
  std::string line = clock(now.seconds) + "  " +
                     counted(static_cast<double>(by_participant(now).size()), "participant") + "  " +
                     grouped(per_second(static_cast<double>(total.stats.packets_received), seconds)) + " packets/s  " +
                     bit_rate(kbps(static_cast<double>(total.stats.bytes_received), seconds)) + "  loss " +
                     fixed(total.loss_percent(), 1) + " %  jitter " + fixed(total.jitter_ms(), 1) + " ms  MOS " +
                     fixed(total.mos(), 2) + "  frames complete " + fixed(total.frames_complete_percent(), 1) + " %";
  if (!now.subscribers.empty()) line += "  connected " + connected_of(now);
  if (now.kernel_drops > 0) line += "  kernel drops " + grouped(static_cast<double>(now.kernel_drops));
  return line;
}

std::string reception_block(const Reception &all, bool every_participant, std::size_t columns, const Paint &paint) {
  const Total total = total_of(all);
  const auto packets = total.stats.packets_received;
  const auto other = packets - total.video_packets - total.audio_packets;
  const auto whole = [](std::int64_t n) { return grouped(static_cast<double>(n)); };
  std::string out = "\n" + paint(Colour::bold, "Received in " + clock(all.seconds)) + "\n\n";
  out +=
      row("packets", whole(packets) + " (" + fixed(per_second(static_cast<double>(packets), all.seconds), 1) + "/s)");
  out += row("bytes", bytes(static_cast<double>(total.stats.bytes_received)) + " (" +
                          bit_rate(kbps(static_cast<double>(total.stats.bytes_received), all.seconds)) + ")");
  out += row("video", whole(total.video_packets) + " (" + share(total.video_packets, packets) + ")");
  out += row("audio", whole(total.audio_packets) + " (" + share(total.audio_packets, packets) + ")");
  out += row("other", whole(other) + " RTP, " + grouped(static_cast<double>(all.rtcp_packets)) + " RTCP, " +
                          grouped(static_cast<double>(all.not_rtp)) + " that are neither");
  out += row("streams", whole(static_cast<std::int64_t>(total.streams)) + " (SSRC) of " +
                            counted(static_cast<double>(by_participant(all).size()), "participant"));
  out += row("loss", fixed(total.loss_percent(), 2) + " % (" + whole(total.stats.packets_lost) + " packets), " +
                         whole(total.stats.packets_duplicated) + " duplicates, " +
                         whole(total.stats.packets_reordered) + " out of order");
  out += row("jitter", fixed(total.jitter_ms(), 1) + " ms");
  out += row("MOS", fixed(total.mos(), 2) + " (audio)");
  out += row("frames", whole(total.stats.frames_complete) + " complete, " + whole(total.stats.frames_broken) +
                           " broken, " + whole(total.stats.frames_lost) + " lost, " + whole(total.stats.freeze_count) +
                           " freezes (" + fixed(to_seconds(total.stats.freeze_time), 1) + " s)");
  if (!all.subscribers.empty())
    return out + subscribers_rows(all) + participants_table(all, every_participant, columns, paint);
  const std::string drops = grouped(static_cast<double>(all.kernel_drops));
  out += row("kernel drops",
             all.kernel_drops == 0 ? drops : paint(Colour::red, drops) + " in our own socket: not the network's loss");
  return out + participants_table(all, every_participant, columns, paint);
}

std::string reception_json(const Reception &all) {
  const auto builder = take(json_builder_new());
  JsonBuilder *b = builder.get();
  json_builder_begin_object(b);
  number(b, "duration_seconds", all.seconds);
  figures(b, total_of(all));
  count(b, "streams", static_cast<std::int64_t>(all.streams.size()));
  count(b, "rtcp_packets", static_cast<std::int64_t>(all.rtcp_packets));
  count(b, "not_rtp", static_cast<std::int64_t>(all.not_rtp));
  count(b, "kernel_drops", static_cast<std::int64_t>(all.kernel_drops));
  json_builder_set_member_name(b, "participants");
  json_builder_begin_array(b);
  for (const auto &[id, total] : by_participant(all)) {
    json_builder_begin_object(b);
    count(b, "participant_id", id);
    figures(b, total);
    json_builder_end_object(b);
  }
  json_builder_end_array(b);
  if (!all.subscribers.empty()) subscribers_json(b, all);
  json_builder_end_object(b);
  return to_text(take(json_builder_get_root(b)).get(), true) + "\n";
}

}  // namespace avc::tools::render
