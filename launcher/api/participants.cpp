// The participants of a test, and its metrics as JSON and for Prometheus.
#include <glib.h>

#include <algorithm>

#include "launcher/api/context.hpp"
#include "launcher/metrics/test_metrics.hpp"
#include "launcher/results/json.hpp"

namespace avc::api {
namespace {

using results::Media;
using results::ParticipantSnapshot;
using session::ParticipantRates;
using session::TestSession;

constexpr std::int64_t kEndedShownUs = 300'000'000;  // an ended test leaves /metrics after 5 minutes
constexpr std::size_t kMostNamed = 200;              // participants one scrape may name

std::uint64_t packets_of(const ParticipantSnapshot &one) {
  return one.sent_of(Media::video).packets + one.sent_of(Media::audio).packets;
}
std::uint64_t bytes_of(const ParticipantSnapshot &one) {
  return one.sent_of(Media::video).bytes + one.sent_of(Media::audio).bytes;
}
std::uint64_t lost_of(const ParticipantSnapshot &one) {
  std::uint64_t sum = 0;
  for (const Media media : results::kAllMedia) sum += one.sent_of(media).lost + one.sent_of(media).queue_dropped;
  return sum;
}

ParticipantRates rates_of(const TestSession &session, std::size_t index) {
  return index < session.rates().size() ? session.rates()[index] : ParticipantRates();
}

// What somebody else said, and what was done about it; nothing here was measured by us.
void write_far_side(json::Writer &out, const ParticipantSnapshot &one) {
  if (one.far_side.empty()) return;
  const results::FarSide &far = one.far_side.front();
  out.begin_object("reported_by_far_side");
  for (const Media media : results::kAllMedia) {
    const results::ReportedStream &stream = far.streams[static_cast<std::size_t>(media)];
    if (stream.reports == 0) continue;
    out.begin_object(results::name(media)).put("reports", stream.reports).put("loss_percent", stream.loss_percent);
    out.put("packets_lost", stream.packets_lost).put("jitter_ms", stream.jitter_ms);
    if (stream.round_trip_ms) out.put("round_trip_ms", *stream.round_trip_ms);
    if (stream.duplicates) out.put("duplicates", *stream.duplicates);
    out.end_object();
  }
  out.put("nacks", far.nacks).put("plis", far.plis).put("firs", far.firs).put("rembs", far.rembs);
  out.put("transport_feedbacks", far.transport_feedbacks).put("extended_reports", far.extended_reports);
  out.end_object().begin_object("reaction").put("retransmitted", far.retransmitted);
  out.put("repairs_withheld", far.repairs_withheld);
  out.put("retransmitted_lost_on_purpose", far.retransmitted_lost).put("key_unit_jumps", far.key_unit_jumps);
  if (far.estimate_kbps) out.put("estimate_kbps", *far.estimate_kbps);
  out.put("rendition_switches", far.rendition_switches).put("feedback_packets", far.feedback_packets);
  out.put("feedback_lost_on_purpose", far.feedback_lost).end_object();
}

void write_participant(json::Writer &out, const ParticipantSnapshot &one, const ParticipantRates &rates) {
  out.put_unless_empty("participant_id", one.id).put_unless_empty("frames_sent", one.sent_of(Media::video).frames);
  out.put_unless_empty("bytes_sent", bytes_of(one)).put_unless_empty("packets_sent", packets_of(one));
  const results::FarSide far = one.far_side.empty() ? results::FarSide() : one.far_side.front();
  out.put_unless_empty("packets_retransmitted", far.retransmitted);
  out.put_unless_empty("jitter_ms", rates.jitter_ms).put_unless_empty("packet_loss_percent", rates.loss_percent);
  out.put_unless_empty("nack_count", far.nacks).put_unless_empty("pli_count", far.plis);
  out.put_unless_empty("mos_score", rates.mos_score);
  out.put_unless_empty("current_bitrate_kbps", static_cast<std::int64_t>(rates.kbps + 0.5));
  out.put_unless_empty("active_spike_count", one.active_spikes);
}

void write_viewers(json::Writer &out, const webrtc::Viewers &viewers, std::uint32_t participant) {
  const auto all = viewers.of(participant);
  if (all.empty()) return;
  out.begin_array("viewers");
  for (const webrtc::Viewer *one : all) {
    ParticipantSnapshot sent;
    one->peer->read(sent);
    out.begin_object().put("viewer_id", one->id).put("by", one->by).put("state", webrtc::name(one->peer->state()));
    out.put("ice_state", one->peer->ice_state()).put_unless_empty("reason", one->peer->reason());
    out.put("packets_sent", packets_of(sent)).put("packets_lost_on_purpose", lost_of(sent));
    out.put("rendition_kbps", sent.rendition_kbps);
    write_far_side(out, sent);
    out.end_object();
  }
  out.end_array();
}

void write_full(json::Writer &out, const TestSession &session, std::size_t index, const ParticipantSnapshot &one) {
  const auto &participant = *session.participants()[index];
  write_participant(out, one, rates_of(session, index));
  out.put("state", participant::name(participant.state())).put_unless_empty("reason", participant.reason());
  out.put_unless_empty("rendition_kbps", one.rendition_kbps).put_unless_empty("packets_lost_on_purpose", lost_of(one));
  write_far_side(out, one);
  if (session.viewers() != nullptr) write_viewers(out, *session.viewers(), one.id);
  if (!session.has_receiver()) return;
  out.begin_object("received");
  for (const Media media : results::kAllMedia) {
    results::write_fields(out.begin_object(results::name(media)), one.received_of(media), media);
    out.end_object();
  }
  out.end_object();
}

Reply list(Context &context, const Request &request) {
  TestSession &session = context.test(request);
  const auto query = [&](const char *name, std::uint32_t fallback, std::uint32_t low, std::uint32_t high) {
    const std::string text = request.query_value(name);
    return text.empty() ? fallback : number_or_refuse(text, name, low, high);
  };
  const std::uint32_t limit = query("limit", 100000, 1, 100000), after = query("after", 0, 0, UINT32_MAX);
  const auto &all = session.snapshots();
  json::Writer out;
  out.begin_object().begin_array("participants");
  std::uint32_t written = 0, last = 0;
  bool more = false;
  if (all.empty()) {  // not started: nobody has sent anything
    for (const std::uint32_t id : session.setup().participants) {
      if (id <= after) continue;
      more = written == limit;
      if (more) break;
      out.begin_object().put("participant_id", id).put("state", "created").end_object();
      ++written;
      last = id;
    }
  }
  for (std::size_t i = 0; i < all.size() && !more; ++i) {
    if (all[i].id <= after) continue;
    more = written == limit;
    if (more) break;
    write_full(out.begin_object(), session, i, all[i]);
    out.end_object();
    ++written;
    last = all[i].id;
  }
  out.end_array();
  if (more) {
    out.put("next", last);
  } else {
    out.null("next");
  }
  return json_reply(out.end_object());
}

Reply one(Context &context, const Request &request) {
  TestSession &session = context.test(request);
  const std::uint32_t id = number_or_refuse(request.args[1], "participant_id", 0, UINT32_MAX);
  json::Writer out;
  if (const auto one = session.snapshot_of(id)) {
    write_full(out.begin_object(), session, *session.index_of(id), *one);
    return json_reply(out.end_object());
  }
  const auto &owned = session.setup().participants;
  if (std::find(owned.begin(), owned.end(), id) != owned.end()) {
    return json_reply(out.begin_object().put("participant_id", id).put("state", "created").end_object());
  }
  throw ApiError(404, "participant " + std::to_string(id) + " is not in this test", "participant_id");
}

Reply subscribers(Context &context, const Request &request) {
  const auto all = context.test(request).subscribers();
  json::Writer out;
  out.begin_object().begin_array("subscribers");
  for (const auto &one : all) {
    results::write_fields(out.begin_object(), one);
    out.end_object();
  }
  return json_reply(out.end_array().end_object());
}

metrics::TestState metrics_state(participant::TestState state) {
  switch (state) {
    case participant::TestState::created:
      return metrics::TestState::created;
    case participant::TestState::running:
      return metrics::TestState::running;
    case participant::TestState::stopping:
      return metrics::TestState::stopping;
    case participant::TestState::stopped:
      return metrics::TestState::stopped;
    case participant::TestState::failed:
      return metrics::TestState::failed;
  }
  return metrics::TestState::failed;
}

metrics::TestNumbers numbers_of(TestSession &session) {
  metrics::TestNumbers test;
  test.test_id = session.id();
  test.state = metrics_state(session.state());
  test.elapsed_seconds = session.elapsed_seconds();
  test.participants = session.sending();
  test.joined = session.joined();
  test.spikes_active = static_cast<std::uint32_t>(session.spikes().active().size());
  for (const ParticipantSnapshot &one : session.snapshots()) {
    test.frames += one.sent_of(Media::video).frames;
    test.packets += packets_of(one);
    test.bytes += bytes_of(one);
    test.lost += lost_of(one);
    for (const results::FarSide &far : one.far_side) {
      test.reported_nacks += far.nacks;
      test.reported_keyframe_requests += far.plis + far.firs;
      test.retransmitted += far.retransmitted;
      test.rendition_switches += far.rendition_switches;
    }
  }
  const ParticipantRates mean = session::summary(session.rates());
  test.jitter_ms = mean.jitter_ms;
  test.loss_percent = mean.loss_percent;
  test.mos_score = mean.mos_score;
  test.bitrate_kbps = participant::is_over(session.state()) ? 0 : mean.kbps;
  for (const auto &one : session.subscribers()) {
    ++test.subscribers;
    test.subscribers_connected += one.connected && !participant::is_over(session.state());
  }
  test.send_errors = session.generator().send_errors;
  test.late_p99_ms = session.generator().late_p99_ms;
  test.late_counts = session.generator().late_counts;
  test.late_sum_ms = session.generator().late_avg_ms * static_cast<double>(session.generator().late_count);
  return test;
}

// ?participants=1001,1002 names those that are wanted; without it nobody is named.
std::vector<std::uint32_t> wanted_participants(const Request &request) {
  std::vector<std::uint32_t> ids;
  std::string list = request.query_value("participants");
  while (!list.empty()) {
    const auto comma = list.find(',');
    ids.push_back(number_or_refuse(list.substr(0, comma), "participants", 0, UINT32_MAX));
    list = comma == std::string::npos ? "" : list.substr(comma + 1);
    if (ids.size() > kMostNamed) throw ApiError(400, "at most 200 participants can be named", "participants");
  }
  return ids;
}

Reply test_metrics(Context &context, const Request &request) {
  TestSession &session = context.test(request);
  if (request.query_value("format") != "prometheus") {
    json::Writer out;
    write_metrics(out.begin_object(), session);
    return json_reply(out.end_object());
  }
  metrics::TestNumbers test = numbers_of(session);
  const auto ids = wanted_participants(request);
  const auto &all = session.snapshots();
  for (std::size_t i = 0; i < all.size(); ++i) {
    // The old tool named a changing sample of them; the first ones are at least always the same.
    const bool named = ids.empty() ? i < 100 : std::find(ids.begin(), ids.end(), all[i].id) != ids.end();
    if (!named) continue;
    const ParticipantRates rates = rates_of(session, i);
    test.per_participant.push_back({all[i].id, all[i].sent_of(Media::video).frames, packets_of(all[i]),
                                    bytes_of(all[i]), rates.jitter_ms, rates.loss_percent, rates.mos_score,
                                    rates.kbps});
  }
  Reply reply;
  reply.type = "text/plain; version=0.0.4";
  reply.body = metrics::test_text(test);
  return reply;
}

Reply process_metrics(Context &context, const Request &) {
  std::vector<metrics::TestNumbers> tests;
  const std::int64_t now = g_get_monotonic_time();
  for (TestSession *session : context.pool().all()) {
    const auto ended = session->ended_monotonic_us();
    if (!ended || now - *ended < kEndedShownUs) tests.push_back(numbers_of(*session));
  }
  Reply reply;
  reply.type = "text/plain; version=0.0.4";
  const auto machine = session::read_machine(0);
  const metrics::ProcessNumbers process{.partition = context.settings().partition.id,
                                        .rejected = context.pool().rejected(),
                                        .start_time_seconds = context.settings().process_start_unix,
                                        .cpu_seconds = machine.own_cpu_seconds,
                                        .steal_seconds = machine.steal_seconds,
                                        .involuntary_switches = machine.involuntary_switches,
                                        .circuit = static_cast<int>(context.pool().circuit()),
                                        .packets_per_second_room = context.pool().capacity().room(false)};
  reply.body = (tests.empty() ? "# No tests yet.\n" : "") + metrics::process_text(process, tests);
  return reply;
}

}  // namespace

void write_metrics(json::Writer &out, TestSession &session) {
  const auto &all = session.snapshots();
  out.put("test_id", session.id());
  out.put_unless_empty("elapsed_seconds", static_cast<std::int64_t>(session.elapsed_seconds()));
  if (!all.empty()) {
    out.begin_array("participants");
    for (std::size_t i = 0; i < all.size(); ++i) {
      write_participant(out.begin_object(), all[i], rates_of(session, i));
      out.end_object();
    }
    out.end_array();
  }
  const metrics::TestNumbers test = numbers_of(session);
  const ParticipantRates mean = session::summary(session.rates());
  out.begin_object("aggregate").put_unless_empty("total_frames_sent", test.frames);
  out.put_unless_empty("total_packets_sent", test.packets).put_unless_empty("avg_jitter_ms", mean.jitter_ms);
  out.put_unless_empty("avg_packet_loss", mean.loss_percent).put_unless_empty("avg_mos_score", mean.mos_score);
  out.put_unless_empty("total_bitrate_kbps", static_cast<std::int64_t>(mean.kbps + 0.5)).end_object();
}

std::vector<Route> participant_routes(Context &c) {
  const auto with = [&c](auto handler) {
    return [&c, handler](const Request &request) { return handler(c, request); };
  };
  std::vector<Route> all;
  all.push_back({.method = "GET",
                 .pattern = "/api/v1/test/{test_id}/participants",
                 .summary = "All participants: state, what they sent, what was received",
                 .handle = with(list),
                 .query = {{"limit", "integer", "at most so many"}, {"after", "integer", "only ids above this one"}}});
  all.push_back({.method = "GET",
                 .pattern = "/api/v1/test/{test_id}/participants/{participant_id}",
                 .summary = "One participant",
                 .handle = with(one)});
  all.push_back({.method = "GET",
                 .pattern = "/api/v1/test/{test_id}/subscribers",
                 .summary = "The receive-only participants: connection, times, what each has received",
                 .handle = with(subscribers)});
  all.push_back({.method = "GET",
                 .pattern = "/api/v1/test/{test_id}/metrics",
                 .summary = "Metrics of a test; ?format=prometheus as text",
                 .handle = with(test_metrics),
                 .query = {{"format", "string", "prometheus, or anything else for JSON"},
                           {"participants", "string", "with prometheus: ids to name, at most 200"}}});
  all.push_back({.method = "GET",
                 .pattern = "/metrics",
                 .summary = "Prometheus metrics of all tests",
                 .access = http::Access::metrics,
                 .handle = with(process_metrics),
                 .answer_type = "text/plain"});
  return all;
}

}  // namespace avc::api
