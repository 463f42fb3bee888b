// One HTTP request and its reply, for signalling that we begin: libsoup in, plain values out. Follows no redirect,
// repeats nothing and asks no proxy: what a status means is the caller's business. Every address that a connection
// would go to is asked about first, also one that a name was resolved to.
//
// Main context only. Replies come there, never before send() has returned.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/result.hpp"

struct _SoupSession;

namespace avc::webrtc {

struct HttpRequest {
  std::string method, url;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string type, body;  // no type: no body
};

struct HttpReply {
  unsigned status = 0;
  std::string phrase;              // of the status line
  std::string type;                // Content-Type without its parameters
  std::string location, etag;      // as sent
  std::vector<std::string> links;  // Link headers, in order
  std::optional<unsigned> retry_after_s;
  std::string body;
};

// Why there is no reply.
struct HttpFault {
  std::string message;
  bool final = false;  // another attempt would meet the same: no URL, a refused address, a certificate
};

class HttpExchange {
 public:
  static constexpr unsigned kMostBytes = 256 * 1024;  // of a reply's body

  // May we connect to this address? The error says why not.
  using Admit = std::function<Result<std::string>(const std::string &address)>;
  using Answered = std::function<void(const HttpReply *, const HttpFault &)>;  // no reply: the fault

  explicit HttpExchange(Admit admit, unsigned patience_ms = 10'000);
  ~HttpExchange();  // requests that are under way end with a fault
  HttpExchange(const HttpExchange &) = delete;
  HttpExchange &operator=(const HttpExchange &) = delete;

  void send(const HttpRequest &request, Answered answered);

  // Lets the main context run until nothing is under way any more, or so long: for a process that is about to end.
  void settle(unsigned at_most_ms);

 private:
  struct SessionEnd {
    void operator()(_SoupSession *session) const noexcept;
  };
  const Admit admit_;
  const unsigned patience_ms_;
  std::unique_ptr<_SoupSession, SessionEnd> session_;
  std::shared_ptr<unsigned> under_way_ = std::make_shared<unsigned>(0);
};

}  // namespace avc::webrtc
