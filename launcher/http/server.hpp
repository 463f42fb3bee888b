// HTTP in and out over libsoup: turns messages into Requests for the router and its Replies into messages, with the
// limits a daemon needs (body size, request rate, slow readers of event streams). Knows no route. Main context only.
#pragma once

#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <string>

#include <libsoup/soup.h>

#include "core/result.hpp"
#include "launcher/http/events.hpp"
#include "launcher/http/gptr.hpp"
#include "launcher/http/rate_limit.hpp"
#include "launcher/http/router.hpp"

namespace avc::launcher::http {

struct ServerLimits {
  std::size_t body_bytes = 1 << 20;
  double requests_per_second = 200;  // and client
  double burst = 400;
  std::size_t unfinished = 256;                // connections whose request is not complete; then the oldest goes
  std::size_t event_streams = 64;              // open at the same time
  std::size_t stream_backlog_bytes = 1 << 18;  // unread; a client further behind is dropped
  unsigned heartbeat_seconds = 15;
  unsigned socket_timeout_seconds = 60;  // a client that stalls half-way through a request or a reply
};

class Server {
 public:
  explicit Server(const Router &router, ServerLimits limits = {});
  ~Server();
  Server(const Server &) = delete;
  Server &operator=(const Server &) = delete;

  // Port 0 takes any free one; host "" or "*" all interfaces. The answer is the base URL.
  Result<std::string> listen(const std::string &host, std::uint16_t port);
  void close();

  std::uint64_t refused() const { return refused_; }  // by rate, size or number of streams
  std::size_t event_streams() const { return streams_.size(); }

 private:
  class Stream;
  struct Pending;

  void on_started(SoupServerMessage *message);
  void forget_unfinished(SoupServerMessage *message) { unfinished_.remove(message); }
  void on_headers(SoupServerMessage *message);
  void on_chunk(SoupServerMessage *message, std::size_t size);
  void on_request(SoupServerMessage *message, const char *path, GHashTable *query);
  void answer(SoupServerMessage *message, const Request &request, const Reply &reply);
  void answer_later(SoupServerMessage *message, const Request &request, const Reply &reply);
  void open_stream(SoupServerMessage *message, const Request &request, const Reply &reply);
  void refuse(SoupServerMessage *message, unsigned status, const std::string &detail, int retry_after = 0);

  const Router &router_;
  ServerLimits limits_;
  RateLimit rate_;
  ObjectPtr<SoupServer> soup_;
  std::map<SoupServerMessage *, std::unique_ptr<Stream>> streams_;
  std::list<SoupServerMessage *> unfinished_;  // oldest first
  SourceId heartbeat_;
  std::uint64_t refused_ = 0;
};

}  // namespace avc::launcher::http
