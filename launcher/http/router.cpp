#include "launcher/http/router.hpp"

#include <glib.h>

#include <set>

#include "launcher/http/json_writer.hpp"

namespace avc::launcher::http {
namespace {

std::vector<std::string_view> segments(std::string_view path) {
  if (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);
  std::vector<std::string_view> parts;
  while (!path.empty()) {
    path.remove_prefix(1);  // the slash
    const auto end = path.find('/');
    parts.push_back(path.substr(0, end));
    path = end == std::string_view::npos ? std::string_view() : path.substr(end);
  }
  return parts;
}

std::optional<std::string> decoded(std::string_view segment) {
  char *plain = g_uri_unescape_segment(segment.data(), segment.data() + segment.size(), nullptr);
  if (plain == nullptr) return std::nullopt;
  std::string value = plain;
  g_free(plain);
  return value;
}

std::string allowed(const std::set<std::string_view> &methods) {
  std::string list;
  for (const auto method : methods) list.append(list.empty() ? "" : ", ").append(method);
  return list;
}

}  // namespace

std::optional<std::vector<std::string>> match(std::string_view pattern, std::string_view path) {
  if (!path.starts_with('/')) return std::nullopt;
  const auto wanted = segments(pattern), given = segments(path);
  if (wanted.size() != given.size()) return std::nullopt;
  std::vector<std::string> args;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    auto value = decoded(given[i]);
    if (!value) return std::nullopt;
    if (wanted[i].starts_with('{')) {
      if (value->empty()) return std::nullopt;
      args.push_back(std::move(*value));
    } else if (*value != wanted[i]) {
      return std::nullopt;
    }
  }
  return args;
}

std::string_view status_title(unsigned status) {
  switch (status) {
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 409:
      return "Conflict";
    case 411:
      return "Length Required";
    case 413:
      return "Content Too Large";
    case 415:
      return "Unsupported Media Type";
    case 422:
      return "Unprocessable Content";
    case 429:
      return "Too Many Requests";
    case 500:
      return "Internal Server Error";
    case 501:
      return "Not Implemented";
    case 503:
      return "Service Unavailable";
    default:
      return "Error";
  }
}

Reply error_reply(const Request &request, const ApiError &error) {
  Reply reply;
  reply.status = error.status;
  if (request.prefers_text) {
    reply.type = "text/plain; charset=utf-8";
    reply.body = (error.field.empty() ? "" : error.field + ": ") + error.what();
    if (error.all.size() > 1) reply.body += " (and " + std::to_string(error.all.size() - 1) + " more)";
    reply.body += "\n";
  } else {
    reply.type = "application/problem+json";
    json::Writer json;
    json.begin_object().put("type", "about:blank").put("title", status_title(error.status));
    json.put("status", error.status).put("detail", std::string_view(error.what()));
    json.put_unless_empty("field", error.field);
    if (error.all.size() > 1) {
      json.begin_array("errors");
      for (const auto &[field, text] : error.all) {
        json.begin_object().put_unless_empty("field", field).put("detail", text).end_object();
      }
      json.end_array();
    }
    reply.body = json.end_object().take();
  }
  if (error.retry_after_seconds > 0)
    reply.headers.emplace_back("Retry-After", std::to_string(error.retry_after_seconds));
  if (error.status == 401) reply.headers.emplace_back("WWW-Authenticate", "Bearer");
  return reply;
}

Reply Router::guarded(const Request &request, std::string_view where, const std::function<Reply()> &handler) noexcept
    try {
  return handler();
} catch (const ApiError &error) {
  return error_reply(request, error);
} catch (const std::exception &error) {
  g_warning("%s: %s", std::string(where).c_str(), error.what());
  return error_reply(request, ApiError(500, "internal error"));
}

void Router::add(std::vector<Route> routes) {
  for (Route &route : routes) routes_.push_back(std::move(route));
}

Reply Router::dispatch(Request &request) const noexcept {
  return guarded(request, request.path, [&] { return route_and_call(request); });
}

Reply Router::route_and_call(Request &request) const {
  const bool head = request.method == "HEAD";
  const std::string_view method = head ? "GET" : std::string_view(request.method);
  if (method == "OPTIONS") return {.status = 200, .body = "", .type = "text/plain; charset=utf-8"};

  std::set<std::string_view> methods;
  for (const Route &route : routes_) {
    auto args = match(route.pattern, request.path);
    if (!args) continue;
    methods.insert(route.method);
    if (route.method != method) continue;
    if (!gate_.admits(route.access, request.authorization)) {
      throw ApiError(401, "this daemon asks for a bearer token (header Authorization: Bearer …)");
    }
    request.args = std::move(*args);
    return route.handle(request);
  }
  // What exists is nobody's business without the token.
  if (!gate_.admits(Access::token, request.authorization)) {
    throw ApiError(401, "this daemon asks for a bearer token (header Authorization: Bearer …)");
  }
  if (methods.empty()) throw ApiError(404, "there is nothing at " + request.path + "; GET /openapi.json lists the API");
  Reply reply = error_reply(request, ApiError(405, request.method + " is not possible here, only " + allowed(methods)));
  reply.headers.emplace_back("Allow", allowed(methods));
  return reply;
}

}  // namespace avc::launcher::http
