// Finds the route of a request, asks the gate, calls the handler, and turns what went wrong into a reply.
// The only catch of the launcher is here. Knows no sockets, so tests call it directly.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "launcher/http/gate.hpp"
#include "launcher/http/route.hpp"

namespace avc::launcher::http {

class Router {
 public:
  explicit Router(Gate gate = {}) : gate_(std::move(gate)) {}

  void add(std::vector<Route> routes);
  Reply dispatch(Request &request) const noexcept;

  // What a handler or its later half throws becomes a reply; `where` is only for the log.
  static Reply guarded(const Request &request, std::string_view where, const std::function<Reply()> &handler) noexcept;

  const std::vector<Route> &routes() const { return routes_; }

 private:
  Reply route_and_call(Request &request) const;

  Gate gate_;
  std::vector<Route> routes_;
};

// The values of the pattern's {names}, in order, or nothing where the path does not fit. One trailing slash of the
// path is ignored.
std::optional<std::vector<std::string>> match(std::string_view pattern, std::string_view path);

Reply error_reply(const Request &request, const ApiError &error);
std::string_view status_title(unsigned status);

}  // namespace avc::launcher::http
