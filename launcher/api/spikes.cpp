// Injecting, listing and cancelling spikes.
#include "core/net/profiles.hpp"
#include "core/net/settings.hpp"
#include "launcher/api/context.hpp"
#include "launcher/results/json.hpp"
#include "launcher/session/trace_file.hpp"

namespace avc::api {
namespace {

using session::TestSession;

std::string seconds_text(Nanos span) {
  std::string text = std::to_string(to_seconds(span));
  text.erase(text.find_last_not_of('0') + 1);
  if (text.ends_with('.')) text.pop_back();
  return text;
}

Reply inject(Context &context, const Request &request) {
  TestSession &session = context.test(request);
  const Settings &settings = context.settings();
  auto parsed = scenario::parse_spike(request.body, settings.conditions.with(session::remembering(settings.media)));
  if (const auto *errors = std::get_if<1>(&parsed)) refuse_all(*errors);
  auto &asked = std::get<0>(parsed);
  const auto duration = asked.spike.duration;
  const Nanos offset = asked.spike.offset;
  const auto done = session.inject(std::move(asked.spike));
  if (!done) refuse_session(done.error());
  auto warnings = asked.warnings;
  if (offset > Nanos(0)) warnings.push_back("start_offset_seconds has no effect here: an injected spike starts now");
  warnings.insert(warnings.end(), done->warnings.begin(), done->warnings.end());
  json::Writer out;
  out.begin_object().put("injected", done->participants > 0).put("spike_id", done->spike_id);
  out.put("message", "Spike " + done->spike_id + " on " + std::to_string(done->participants) + " participants " +
                         (duration ? "for " + seconds_text(*duration) + " s" : "until it is cancelled"));
  out.put("participants", done->participants).put("start_seconds", done->start_seconds);
  if (done->rendition_kbps) out.put("rendition_kbps", *done->rendition_kbps);
  return json_reply(out.put("warnings", warnings).end_object());
}

Reply list(Context &context, const Request &request) {
  json::Writer out;
  out.begin_object().begin_array("spikes");
  for (const session::SpikeEntry &entry : context.test(request).spikes().entries()) {
    write_spike(out.begin_object(), entry.planned);
    out.put("state", results::name(entry.state)).put("participants", entry.participants);
    out.put_unless_empty("reason", entry.reason).end_object();
  }
  return json_reply(out.end_array().end_object());
}

void write_settings(json::Writer &out, const spike::Params &settings) {
  out.begin_object("settings");
  for (const auto &[name, value] : settings) {
    if (const auto *number = std::get_if<double>(&value)) {
      out.put(name, *number);
    } else {
      out.put(name, std::get<std::string>(value));
    }
  }
  out.end_object();
}

Reply profiles(Context &context, const Request &) {
  json::Writer out;
  out.begin_object().begin_array("profiles");
  for (const net::Profile &profile : net::profiles()) {
    out.begin_object().put("name", profile.name).put("summary", profile.summary).put("source", profile.source);
    write_settings(out, net::settings_of(*net::profile(profile.name)));
    out.end_object();
  }
  for (const auto &[name, settings] : context.settings().conditions.profiles()) {
    out.begin_object().put("name", name).put("source", "this daemon's file");
    write_settings(out, settings);
    out.end_object();
  }
  return json_reply(out.end_array().end_object());
}

Reply cancel(Context &context, const Request &request) {
  const std::string &spike_id = request.args[1];
  if (auto done = context.test(request).cancel(spike_id); !done) refuse_session(done.error());
  json::Writer out;
  return json_reply(out.begin_object().put("cancelled", true).put("spike_id", spike_id).end_object());
}

}  // namespace

std::vector<Route> spike_routes(Context &c) {
  const auto with = [&c](auto handler) {
    return [&c, handler](const Request &request) { return handler(c, request); };
  };
  std::vector<Route> all;
  all.push_back({.method = "POST",
                 .pattern = "/api/v1/test/{test_id}/spike",
                 .summary = "Inject a spike now",
                 .handle = with(inject),
                 .body = {{"spike_id", "string", "required"},
                          {"type", "string", "required; GET /api/v1/test/{test_id}/spikes shows what is in force"},
                          {"participant_ids", "array", "empty: all"},
                          {"duration_seconds", "number", "0: until it is cancelled"},
                          {"params", "object", "numbers or decimal text, as docs/spikes.md lists them"}},
                 .replies = {{409, "the test is not running"}}});
  all.push_back({.method = "GET",
                 .pattern = "/api/v1/test/{test_id}/spikes",
                 .summary = "Every spike: planned, active, over",
                 .handle = with(list)});
  all.push_back({.method = "DELETE",
                 .pattern = "/api/v1/test/{test_id}/spike/{spike_id}",
                 .summary = "Cancel a spike that is planned or active",
                 .handle = with(cancel),
                 .replies = {{409, "it is over"}}});
  all.push_back({.method = "GET",
                 .pattern = "/api/v1/profiles",
                 .summary = "Network profiles by name, built in and from the daemon's file",
                 .handle = with(profiles)});
  return all;
}

}  // namespace avc::api
