#include "launcher/api/openapi.hpp"

#include <algorithm>
#include <cctype>
#include <map>
#include <vector>

#include "launcher/http/json_writer.hpp"

namespace avc::api {
namespace {

using http::Field;
using http::Route;

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

std::string operation_id(const Route &route) {
  std::string id = lower(route.method);
  for (const char c : route.pattern) id += std::isalnum(static_cast<unsigned char>(c)) ? c : '_';
  return id;
}

std::vector<std::string> path_names(std::string_view pattern) {
  std::vector<std::string> names;
  for (auto at = pattern.find('{'); at != std::string_view::npos; at = pattern.find('{', at + 1)) {
    names.emplace_back(pattern.substr(at + 1, pattern.find('}', at) - at - 1));
  }
  return names;
}

void write_parameters(json::Writer &out, const Route &route) {
  out.begin_array("parameters");
  for (const std::string &name : path_names(route.pattern)) {
    out.begin_object().put("name", name).put("in", "path").put("required", true);
    out.begin_object("schema").put("type", "string").end_object().end_object();
  }
  for (const Field &field : route.query) {
    out.begin_object().put("name", field.name).put("in", "query").put("description", field.meaning);
    out.begin_object("schema").put("type", field.type).end_object().end_object();
  }
  out.end_array();
}

void write_body(json::Writer &out, const Route &route) {
  if (route.body.empty()) return;
  out.begin_object("requestBody").begin_object("content").begin_object("application/json").begin_object("schema");
  out.put("type", "object").begin_object("properties");
  for (const Field &field : route.body) {
    out.begin_object(field.name).put("type", field.type).put("description", field.meaning).end_object();
  }
  out.end_object().end_object().end_object().end_object().end_object();
}

void write_replies(json::Writer &out, const Route &route) {
  out.begin_object("responses");
  const bool has_success = std::any_of(route.replies.begin(), route.replies.end(),
                                       [](const auto &r) { return r.first / 100 == 2 && r.first != 204; });
  if (!has_success) {
    out.begin_object("200").put("description", route.summary).begin_object("content");
    out.begin_object(route.answer_type).end_object().end_object().end_object();
  }
  for (const auto &[status, meaning] : route.replies) {
    out.begin_object(std::to_string(status)).put("description", meaning).end_object();
  }
  out.begin_object("default").put("description", "A problem document (RFC 9457), with `field` where one is at fault");
  out.begin_object("content")
      .begin_object("application/problem+json")
      .end_object()
      .end_object()
      .end_object()
      .end_object();
}

void write_operation(json::Writer &out, const Route &route) {
  out.begin_object(lower(route.method)).put("summary", route.summary).put("operationId", operation_id(route));
  write_parameters(out, route);
  write_body(out, route);
  write_replies(out, route);
  if (route.access == http::Access::open) out.begin_array("security").end_array();
  out.end_object();
}

}  // namespace

std::string openapi(std::span<const Route> routes) {
  std::map<std::string_view, std::vector<const Route *>> paths;
  for (const Route &route : routes) paths[route.pattern].push_back(&route);
  json::Writer out;
  out.begin_object().put("openapi", "3.1.0").begin_object("info").put("title", "gst-avchaos");
  out.put("version", AVC_VERSION).end_object().begin_object("paths");
  for (const auto &[pattern, operations] : paths) {
    out.begin_object(pattern);
    for (const Route *route : operations) write_operation(out, *route);
    out.end_object();
  }
  out.end_object().begin_object("components").begin_object("securitySchemes").begin_object("token");
  out.put("type", "http").put("scheme", "bearer").end_object().end_object().end_object();
  out.begin_array("security").begin_object().begin_array("token").end_array().end_object().end_array();
  return out.end_object().take();
}

}  // namespace avc::api
