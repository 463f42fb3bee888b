// Creating, describing, listing and forgetting tests.
#include <glib.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <system_error>

#include "core/spike/effect.hpp"
#include "launcher/api/context.hpp"
#include "launcher/session/media_load.hpp"
#include "launcher/session/rendition.hpp"
#include "launcher/session/trace_file.hpp"

namespace avc::api {
namespace {

using scenario::Scenario;
using session::SessionSetup;
using session::TestSession;

constexpr std::string_view kIdRule = "a test id may not be made of dots only";

std::string new_test_id() { return "test_" + std::to_string(g_get_real_time() * 1000); }

// A target of the scenario's own; without one, that of the environment and the old tool (127.0.0.1:5002), or, for a
// scenario that `avchaos run` brings (strict), the receiver that the daemon has.
session::Target choose_target(const Scenario &scenario, const session::TargetEnvironment &environment, bool strict) {
  if (scenario.target) {
    const bool own = scenario.target->transport == scenario::Target::Transport::loopback;
    return {scenario.target->host, scenario.target->port, "target.host", own};
  }
  const bool told = environment.port > 0 || environment.in_kubernetes;
  if (strict && !told) return {"127.0.0.1", 0, "target", true};
  return session::default_target(environment);
}

session::MediaFiles::File find_file(const Settings &settings, const std::string &path, const std::string &key) {
  if (path.empty()) return {};
  auto found = settings.media.find(path);
  if (!found) throw ApiError(400, found.error().message, key);
  return {*found, key};
}

// One file for both kinds comes before one for each; the scenario's own come before those of the environment.
session::MediaFiles find_media(const scenario::Media &named, const Settings &settings) {
  const bool own = !named.path.empty() || !named.video_path.empty() || !named.audio_path.empty();
  const auto &media = own ? named : settings.own_media;
  if (!media.path.empty()) return {find_file(settings, media.path, own ? "media_path" : "MEDIA_PATH"), {}};
  return {find_file(settings, media.video_path, own ? "media.video_path" : "MEDIA_VIDEO_PATH"),
          find_file(settings, media.audio_path, own ? "media.audio_path" : "MEDIA_AUDIO_PATH")};
}

std::vector<std::uint32_t> choose_renditions(const Scenario &scenario, const spike::Plan &plan, bool strict) {
  if (!scenario.renditions_kbps.empty()) return scenario.renditions_kbps;
  auto planned = scenario::renditions_of(scenario, plan);
  if (planned.size() > 1) return planned;
  // A scenario says all of its spikes; a test made over the API may get some later.
  return strict ? std::vector<std::uint32_t>() : session::default_ladder(scenario.video.bitrate_kbps);
}

SessionSetup prepare(Context &context, const Request &request, bool strict) {
  const Settings &settings = context.settings();
  auto parsed = scenario::parse(request.body, strict ? scenario::Source::file : scenario::Source::create_body,
                                settings.conditions.with(session::remembering(settings.media)));
  if (const auto *errors = std::get_if<1>(&parsed)) refuse_all(*errors);
  SessionSetup setup;
  setup.scenario = std::move(std::get<0>(parsed));
  Scenario &scenario = setup.scenario;
  setup.test_id = scenario.test_id.empty() ? new_test_id() : scenario.test_id;
  if (setup.test_id.find_first_not_of('.') == std::string::npos) throw ApiError(400, std::string(kIdRule), "test_id");
  setup.seed = scenario.seed ? *scenario.seed : g_random_int();
  setup.plan = scenario::plan_of(scenario, setup.seed);
  setup.participants =
      participant::owned_ids(settings.partition, scenario.first_participant, scenario.num_participants);
  setup.media = find_media(scenario.media, settings);
  setup.renditions = choose_renditions(scenario, setup.plan, strict);
  const double packets = session::packets_per_second(scenario) * static_cast<double>(setup.participants.size());
  setup.contexts = scenario.contexts > 0 ? session::first_contexts(scenario.contexts)
                                         : context.pool().least_used_contexts(packets, settings.contexts);
  if (scenario.decision_log) setup.decision_log = settings.state_dir + "/" + setup.test_id + ".decisions.jsonl";
  if (!scenario.replay_log.empty()) {
    auto found = settings.logs.find(scenario.replay_log);
    if (!found) throw ApiError(400, found.error().message, "replay_log");
    if (std::error_code fault; std::filesystem::equivalent(*found, setup.decision_log, fault))
      throw ApiError(400, "is the log that this test would overwrite; give it another test_id", "replay_log");
    setup.replay_log = *found;
  }
  setup.warnings = scenario.warnings;
  for (const auto &more : {setup.plan.warnings, scenario::ramp_warnings(scenario, setup.plan)})
    setup.warnings.insert(setup.warnings.end(), more.begin(), more.end());
  return setup;
}

void admit(Context &context, const SessionSetup &setup, bool received) {
  using Why = session::Refusal::Why;
  const auto refused = context.pool().admit(setup.test_id, static_cast<std::uint32_t>(setup.participants.size()),
                                            {session::packets_per_second(setup.scenario), received});
  if (!refused) return;
  const unsigned status = refused->why == Why::taken_id ? 409 : refused->why == Why::late ? 503 : 429;
  ApiError refusal(status, refused->error.message, refused->error.field);
  if (refused->retry_after > Nanos(0))
    refusal.retry_after_seconds = static_cast<int>(std::ceil(to_seconds(refused->retry_after)));
  throw refusal;
}

Reply created(Context &context, const TestSession &session) {
  const SessionSetup &setup = session.setup();
  const participant::Ports ports(context.settings().partition, setup.scenario.backend_rtp_base_port);
  json::Writer out;
  out.begin_object().put("test_id", session.id());
  if (!setup.participants.empty()) out.begin_array("participants");
  for (std::size_t i = 0; i < setup.participants.size(); ++i) {
    out.begin_object().put("participant_id", setup.participants[i]);
    out.put_unless_empty("backend_rtp_port", ports.of(static_cast<std::uint32_t>(i))).end_object();
  }
  if (!setup.participants.empty()) out.end_array();
  out.put_unless_empty("backend_port_start", ports.first());
  out.put_unless_empty("backend_port_end", ports.last(static_cast<std::uint32_t>(setup.participants.size())));
  out.put("seed", setup.seed).put("target", setup.target_text).put("warnings", setup.warnings);
  out.put_unless_empty("renditions_kbps", setup.renditions);
  return json_reply(out.end_object(), 201);
}

// The last half of create, when the target's address is known.
Reply build(Context &context, std::shared_ptr<SessionSetup> setup, const session::Target &target,
            const Result<std::string> &address) {
  if (!address) refuse(400, address.error());
  if (auto admitted = context.settings().targets.admit(*address); !admitted) {
    refuse(403, {target.field, admitted.error().message});
  }
  admit(context, *setup, target.embedded);  // again: the name may have taken a while to resolve
  setup->address = *address;
  setup->port = target.port;
  if (target.embedded) {
    auto receiver = receiver::Embedded::open(target.port);
    if (!receiver) refuse(409, receiver.error());
    setup->port = (*receiver)->port();
    setup->receiver = std::move(*receiver);
    setup->target_text = "loopback (embedded receiver, port " + std::to_string(setup->port) + ")";
  } else {
    setup->target_text = "udp " + target.host + ":" + std::to_string(target.port);
  }
  return created(context, context.pool().add(std::move(*setup)));
}

// What is asked about now is the first participant's URL; every connection is asked about again when it is made.
Reply create_publishing(Context &context, const std::shared_ptr<SessionSetup> &setup) {
  const scenario::Target &own = *setup->scenario.target;
  setup->viewers_only = true;
  setup->target_text = "whip " + own.url;
  setup->whip = {own.url, own.token, own.room, context.whip_exchange(), admits(context), resolver(context)};
  const auto host = webrtc::host_of_template(own.url);
  if (!host) throw ApiError(400, host.error().message, "target.url");
  admit(context, *setup, false);
  Reply reply;
  reply.later = [&context, setup, host = *host](const http::Finish &finish) {
    session::resolve({host, 0, "target.url"}, [&context, setup, finish](const Result<std::string> &address) {
      finish([&] {
        if (!address) refuse(400, address.error());
        if (auto admitted = context.settings().targets.admit(*address); !admitted)
          refuse(403, {"target.url", admitted.error().message});
        admit(context, *setup, false);
        return created(context, context.pool().add(std::move(*setup)));
      });
    });
  };
  return reply;
}

void prepare_subscribers(Context &context, SessionSetup &setup) {
  const scenario::Subscribers &wanted = setup.scenario.subscribers;
  if (wanted.count == 0) return;
  setup.subscribers_admit = admits(context);
  if (wanted.whep_url.empty()) return;
  const auto url = webrtc::whip_url(wanted.whep_url, {.id = "1", .room = wanted.room, .test = setup.test_id});
  if (!url) throw ApiError(400, url.error().message, "subscribers.whep_url");
  setup.subscribing = context.whip_exchange();
}

Reply create(Context &context, const Request &request) {
  const std::string strict_text = request.query_value("strict");
  const bool strict = strict_text == "1" || strict_text == "true";
  auto setup = std::make_shared<SessionSetup>(prepare(context, request, strict));
  setup->ice = context.settings().ice;
  setup->turn = context.settings().turn;
  setup->mounts = context.settings().mounts;
  prepare_subscribers(context, *setup);
  const auto &own = setup->scenario.target;
  if (own && own->transport == scenario::Target::Transport::webrtc) {
    admit(context, *setup, false);
    setup->viewers_only = true;
    setup->target_text = "webrtc (viewers)";
    return created(context, context.pool().add(std::move(*setup)));
  }
  if (own && own->transport == scenario::Target::Transport::whip) return create_publishing(context, setup);
  const auto target = choose_target(setup->scenario, context.settings().target_environment, strict);
  admit(context, *setup, target.embedded);
  if (target.embedded) {
    return build(context, setup, target, std::string("127.0.0.1"));
  }
  Reply reply;
  reply.later = [&context, setup, target](const http::Finish &finish) {
    session::resolve(target, [&context, setup, target, finish](Result<std::string> address) {
      finish([&] { return build(context, setup, target, address); });
    });
  };
  return reply;
}

void write_config(json::Writer &out, const SessionSetup &setup) {
  const Scenario &scenario = setup.scenario;
  out.begin_object("config").put("test_id", setup.test_id).put("num_participants", scenario.num_participants);
  out.begin_object("video").put("width", scenario.video.width).put("height", scenario.video.height);
  out.put("fps", scenario.video.fps).put("bitrate_kbps", scenario.video.bitrate_kbps);
  out.put("codec", scenario.video.codec).end_object();
  out.begin_object("audio").put("sample_rate", scenario.audio.sample_rate).put("channels", scenario.audio.channels);
  out.put("bitrate_kbps", scenario.audio.bitrate_kbps).put("codec", scenario.audio.codec).end_object();
  out.put_unless_empty("duration_seconds", to_seconds(scenario.duration));
  if (scenario.ramp > Nanos(0)) out.begin_object("ramp").put("seconds", to_seconds(scenario.ramp)).end_object();
  if (!scenario.spikes.empty()) {
    out.begin_array("spikes");
    for (const spike::Spike &spike : scenario.spikes) {
      out.begin_object();
      write_spike(out, {spike, Instant{spike.offset}, Instant::never()});
      out.put_unless_empty("start_offset_seconds", to_seconds(spike.offset));
      if (spike.duration) out.put("duration_seconds", to_seconds(*spike.duration));
      out.end_object();
    }
    out.end_array();
  }
  out.put("backend_rtp_base_port", std::to_string(scenario.backend_rtp_base_port));
  out.begin_object("spike_distribution").put("strategy", spike::name(scenario.distribution.strategy));
  out.put("min_spacing_seconds", to_seconds(scenario.distribution.min_spacing));
  out.put("jitter_percent", scenario.distribution.jitter_percent);
  out.put("respect_min_offset", scenario.distribution.respect_min_offset).end_object().end_object();
}

std::string rfc3339(std::int64_t unix_us) {
  GDateTime *time = g_date_time_new_from_unix_utc(unix_us / 1'000'000);
  char *text = g_date_time_format_iso8601(time);
  const std::string result = text;
  g_free(text);
  g_date_time_unref(time);
  return result;
}

Reply describe(Context &context, const Request &request) {
  const TestSession &session = context.test(request);
  json::Writer out;
  write_config(out.begin_object(), session.setup());
  if (session.started_unix_us()) out.put("elapsed_seconds", static_cast<std::int64_t>(session.elapsed_seconds()));
  out.put("num_participants", session.setup().participants.size());
  if (session.started_unix_us()) out.put("participants_joined", session.joined());
  if (session.started_unix_us()) out.put("start_time", rfc3339(*session.started_unix_us()));
  out.put("state", participant::name(session.state())).put("test_id", session.id());
  out.put("duration_seconds", to_seconds(session.setup().scenario.duration)).put("seed", session.setup().seed);
  out.put("target", session.setup().target_text).put_unless_empty("preparing", session.preparing());
  out.put_unless_empty("reason", session.reason()).put_unless_empty("warnings", session.setup().warnings);
  return json_reply(out.end_object());
}

Reply list(Context &context, const Request &) {
  json::Writer out;
  out.begin_object().begin_array("tests");
  for (const TestSession *session : context.pool().all()) {
    out.begin_object().put("test_id", session->id()).put("state", participant::name(session->state()));
    out.put("num_participants", session->setup().participants.size());
    out.put("elapsed_seconds", session->elapsed_seconds());
    out.put("duration_seconds", to_seconds(session->setup().scenario.duration));
    out.put("created_time", rfc3339(session->created_unix() * 1'000'000)).end_object();
  }
  return json_reply(out.end_array().end_object());
}

Reply forget(Context &context, const Request &request) {
  const TestSession &session = context.test(request);
  if (session.state() == participant::TestState::running) throw ApiError(409, "the test is running: stop it first");
  const std::string id = session.id();
  context.forget(id);
  json::Writer out;
  return json_reply(out.begin_object().put("deleted", true).put("test_id", id).end_object());
}

void write_load(json::Writer &out, const scenario::Load &load) {
  out.put("packets_per_second", load.packets_per_second).put("mbit_per_second", load.mbit_per_second);
}

void write_ramp(json::Writer &out, const Scenario &scenario, const scenario::MediaFacts &facts) {
  out.begin_object("ramp").put("seconds", to_seconds(scenario.ramp)).put("spawn_rate", scenario::spawn_rate(scenario));
  out.begin_array("load");
  for (const scenario::LoadAt &at : scenario::ramp_load(scenario, facts)) {
    out.begin_object().put("seconds", at.seconds).put("participants", at.participants);
    write_load(out, at.load);
    out.end_object();
  }
  out.end_array().end_object();
}

Reply plan_of(const SessionSetup &setup, const std::optional<scenario::MediaFacts> &media) {
  json::Writer out;
  out.begin_object().put("test_id", setup.test_id).put("seed", setup.seed);
  out.put("strategy", spike::name(setup.scenario.distribution.strategy));
  out.put("duration_seconds", to_seconds(setup.scenario.duration)).put("participants", setup.participants.size());
  out.begin_array("spikes");
  for (const spike::Planned &planned : setup.plan.spikes) {
    write_spike(out.begin_object(), planned);
    out.end_object();
  }
  const double pps = session::packets_per_second(setup.scenario);
  const double kbps = setup.scenario.video.bitrate_kbps + setup.scenario.audio.bitrate_kbps + pps * 20 * 8 / 1000;
  const auto facts = media.value_or(scenario::MediaFacts{pps, kbps});
  out.end_array();
  write_load(out.begin_object("load"), scenario::planned_load(setup.scenario, facts));
  out.put("estimated", !media).end_object();
  if (setup.scenario.ramp > Nanos(0)) write_ramp(out, setup.scenario, facts);
  return json_reply(out.put("warnings", setup.warnings).end_object());
}

// The load is that of the very media, so it is prepared first; a start later finds it ready.
Reply plan(Context &context, const Request &request) {
  const std::string id = context.test(request).id();
  Reply reply;
  reply.later = [&context, id](const http::Finish &finish) {
    session::MediaLoad::ask(context.pool().find(id)->setup(), [&context, alive = context.alive(), id, finish](
                                                                  const std::optional<scenario::MediaFacts> &media) {
      if (alive.expired()) return;
      finish([&] {
        const TestSession *session = context.pool().find(id);
        if (session == nullptr) throw ApiError(404, "the test was forgotten meanwhile", "test_id");
        return plan_of(session->setup(), media);
      });
    });
  };
  return reply;
}

}  // namespace

std::vector<Route> test_routes(Context &c) {
  const auto with = [&c](auto handler) {
    return [&c, handler](const Request &request) { return handler(c, request); };
  };
  std::vector<Route> all;
  all.push_back({.method = "POST",
                 .pattern = "/api/v1/test/create",
                 .summary = "Create a test from a scenario",
                 .handle = with(create),
                 .body = {{"test_id", "string", "letters, digits and . _ : -; made up when missing"},
                          {"num_participants", "integer", "5 when missing"},
                          {"duration_seconds", "number", "0: until it is stopped"},
                          {"ramp", "object", "seconds, or spawn_rate (participants a second): they join one by one"},
                          {"video", "object", "width, height, fps, bitrate_kbps"},
                          {"audio", "object", "sample_rate, channels, bitrate_kbps"},
                          {"media_path", "string", "a file in a media directory; generated media when missing"},
                          {"media", "object", "path, or video_path and audio_path; fps of bare H.264"},
                          {"target", "object", "transport (udp, loopback, webrtc, whip), host, port, url, token, room"},
                          {"subscribers", "object", "receive-only: count of each participant, whep_url, token, room"},
                          {"network_profile", "object", "the link under all spikes: settings, or a profile's name"},
                          {"replay_log", "string", "repeat the packets' fates of this decision log"},
                          {"decision_log", "boolean", "write the fate of every packet"},
                          {"adaptive", "boolean", "over WebRTC: send the rendition that the path carries (true)"},
                          {"spikes", "array", "spike events, or an object for random ones"},
                          {"spike_distribution", "object", "strategy, min_spacing_seconds, jitter_percent"},
                          {"renditions", "array", "bitrates to prepare, in kbps, for bitrate_reduce"},
                          {"seed", "integer", "the same seed gives the same plan and the same losses"}},
                 .replies = {{201, "the test, created"}, {409, "the id is taken"}, {429, "no capacity"}},
                 .query = {{"strict", "boolean", "1: unknown keys are errors, as in a scenario file"}}});
  all.push_back({.method = "GET", .pattern = "/api/v1/tests", .summary = "All tests", .handle = with(list)});
  all.push_back({.method = "GET",
                 .pattern = "/api/v1/test/{test_id}",
                 .summary = "One test and its settings",
                 .handle = with(describe)});
  all.push_back({.method = "DELETE",
                 .pattern = "/api/v1/test/{test_id}",
                 .summary = "Forget a test that does not run",
                 .handle = with(forget),
                 .replies = {{409, "it is running"}}});
  all.push_back({.method = "GET",
                 .pattern = "/api/v1/test/{test_id}/plan",
                 .summary = "The spike plan with times, and the load to expect",
                 .handle = with(plan)});
  return all;
}

}  // namespace avc::api
