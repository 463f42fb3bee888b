// A route as a value: what it matches, who may call it, what it takes and answers, and the function behind it.
// The same table drives dispatch, the OpenAPI document and the test that docs/rest-api.md names every route.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace avc::launcher::http {

class EventChannel;

// A refusal. Handlers throw it, Router turns it into a problem document (RFC 9457).
struct ApiError : std::runtime_error {
  ApiError(unsigned code, const std::string &detail, std::string at_fault = {})
      : std::runtime_error(detail), status(code), field(std::move(at_fault)) {}

  unsigned status;
  std::string field;  // the key, flag or parameter at fault; empty when there is none
  std::vector<std::pair<std::string, std::string>> all;  // field and text of each, where there are several
  int retry_after_seconds = 0;                           // with 429 and 503: when it may work; 0 for no such header
};

struct Request {
  std::string method = "GET";
  std::string path;               // as sent, still percent-encoded
  std::vector<std::string> args;  // what the pattern's {names} stood for, decoded
  std::map<std::string, std::string, std::less<>> query;
  std::string body;
  std::string authorization;
  std::string last_event_id;
  std::string content_type;   // without parameters, as sent
  std::string client;         // address without port, for the rate limit
  bool prefers_text = false;  // the client would rather read a line than a problem document

  std::string query_value(std::string_view name) const {
    const auto found = query.find(name);
    return found == query.end() ? std::string() : found->second;
  }
};

struct Reply;
// Runs the function given to it inside the router's catch and sends what it returns; may be called once, later, on
// the main context.
using Finish = std::function<void(const std::function<Reply()> &)>;

struct Reply {
  unsigned status = 200;
  std::string body;
  std::string type = "application/json";
  std::vector<std::pair<std::string, std::string>> headers;
  std::shared_ptr<EventChannel> events;       // set: the reply is a stream of server-sent events
  std::function<void(const Finish &)> later;  // set: the reply comes when this calls back, the rest is ignored
};

enum class Access {
  open,     // liveness and readiness: never asks for a token
  metrics,  // open unless a token for metrics is set
  token,    // asks for the token where one is set
};

struct Field {
  std::string_view name, type, meaning;  // type as in JSON Schema: string, integer, number, boolean, array, object
};

struct Route {
  std::string_view method, pattern, summary;
  Access access = Access::token;
  std::function<Reply(const Request &)> handle;
  std::vector<Field> body = {};                                     // of the request; empty: none is read
  std::vector<std::pair<unsigned, std::string_view>> replies = {};  // beside the common errors
  std::vector<Field> query = {};
  std::string_view answer_type = "application/json";
};

}  // namespace avc::launcher::http
