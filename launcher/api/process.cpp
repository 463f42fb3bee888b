// Health, readiness, the API's own description, results, and what is not there yet.
#include <algorithm>

#include "launcher/api/context.hpp"
#include "launcher/api/openapi.hpp"
#include "launcher/results/csv.hpp"
#include "launcher/results/html.hpp"
#include "launcher/results/json.hpp"

namespace avc::api {
namespace {

using session::TestSession;

Reply healthz(Context &context, const Request &) {
  json::Writer out;
  out.begin_object().put("partition_id", context.settings().partition.id).put("status", "healthy");
  return json_reply(out.put("total_partitions", context.settings().partition.total).end_object());
}

Reply readyz(Context &context, const Request &) {
  const auto checks = context.settings().readiness ? context.settings().readiness() : std::vector<Check>();
  const bool ready = std::all_of(checks.begin(), checks.end(), [](const Check &check) { return check.ok; });
  json::Writer out;
  out.begin_object().put("ready", ready).begin_array("checks");
  for (const Check &check : checks) {
    out.begin_object().put("name", check.name).put("ok", check.ok).put("detail", check.detail);
    out.put_unless_empty("advice", check.advice).end_object();
  }
  return json_reply(out.end_array().end_object(), ready ? 200 : 503);
}

// The finished report, of a test that is known or of an earlier life of the daemon.
std::string finished_report(Context &context, const Request &request) {
  const std::string &id = request.args.front();
  const TestSession *session = context.pool().find(id);
  if (session == nullptr) {
    if (context.history() != nullptr) {
      if (auto kept = context.history()->report_json(id)) return *kept;
    }
    context.test(request);  // throws 404
  }
  if (!participant::is_over(session->state())) throw ApiError(409, "there is no report before the test is over");
  if (!session->started_unix_us()) throw ApiError(409, "the test never ran: " + session->reason());
  return results::report_json(session->result());
}

Reply report_json(Context &context, const Request &request) {
  Reply reply;
  reply.body = finished_report(context, request);
  return reply;
}

Reply report_html(Context &context, const Request &request) {
  Reply reply;
  reply.body = results::report_html(finished_report(context, request));
  reply.type = "text/html; charset=utf-8";
  // The page needs nothing but itself, and nothing else shall get into it.
  reply.headers.emplace_back("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; img-src data:");
  return reply;
}

Reply report_csv(Context &context, const Request &request) {
  Reply reply;
  reply.body = results::samples_csv(finished_report(context, request));
  reply.type = "text/csv; charset=utf-8";
  return reply;
}

}  // namespace

std::vector<Route> process_routes(Context &c) {
  const auto with = [&c](auto handler) {
    return [&c, handler](const Request &request) { return handler(c, request); };
  };
  std::vector<Route> all;
  all.push_back({.method = "GET",
                 .pattern = "/healthz",
                 .summary = "Alive",
                 .access = http::Access::open,
                 .handle = with(healthz)});
  all.push_back({.method = "GET",
                 .pattern = "/readyz",
                 .summary = "Able to run tests: plugin, elements, state directory",
                 .access = http::Access::open,
                 .handle = with(readyz),
                 .replies = {{503, "what is missing"}}});
  all.push_back({.method = "GET",
                 .pattern = "/openapi.json",
                 .summary = "This API, as OpenAPI 3.1",
                 .handle = [&c](const Request &) {
                   Reply reply;
                   reply.body = openapi(routes(c));
                   return reply;
                 }});
  return all;
}

std::vector<Route> report_routes(Context &c) {
  const auto with = [&c](auto handler) {
    return [&c, handler](const Request &request) { return handler(c, request); };
  };
  std::vector<Route> all;
  all.push_back({.method = "GET",
                 .pattern = "/api/v1/test/{test_id}/report.json",
                 .summary = "The results, when the test is over",
                 .handle = with(report_json),
                 .replies = {{409, "it is not over"}}});
  all.push_back({.method = "GET",
                 .pattern = "/api/v1/test/{test_id}/report.html",
                 .summary = "The results as a page of its own",
                 .handle = with(report_html),
                 .replies = {{409, "it is not over"}},
                 .answer_type = "text/html"});
  all.push_back({.method = "GET",
                 .pattern = "/api/v1/test/{test_id}/report.csv",
                 .summary = "The seconds of a test as a table",
                 .handle = with(report_csv),
                 .replies = {{409, "it is not over"}},
                 .answer_type = "text/csv"});
  return all;
}

}  // namespace avc::api
