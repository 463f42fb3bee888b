// A server that says what a test wants it to say, on the default main context: the client under test iterates that
// while it waits, so no thread is needed. It stands for replies a healthy daemon never gives; what a real one says is
// tested end to end.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "tests/tools/same.hpp"
#include "tools/common/ptr.hpp"

namespace avc::test {

struct FakeReply {
  unsigned status = 200;
  std::string body = "{}";
  std::string type = "application/json";
};

struct Seen {
  std::string call;  // "POST /api/v1/test/create"
  std::string body, last_event_id, authorization;
};

class FakeServer {
 public:
  FakeServer() : server_(soup_server_new(nullptr, nullptr)) {
    ck_assert(soup_server_listen_local(server_, 0, SOUP_SERVER_LISTEN_IPV4_ONLY, nullptr));
    GSList *uris = soup_server_get_uris(server_);
    url = "http://127.0.0.1:" + std::to_string(g_uri_get_port(static_cast<GUri *>(uris->data)));
    g_slist_free_full(uris, reinterpret_cast<GDestroyNotify>(g_uri_unref));
    soup_server_add_handler(server_, nullptr, handle, this, nullptr);
    replies["GET /healthz"] = {{200, R"({"status":"healthy","partition_id":0,"total_partitions":1})"}};
  }
  ~FakeServer() {
    soup_server_disconnect(server_);
    g_object_unref(server_);
  }
  FakeServer(const FakeServer &) = delete;
  FakeServer &operator=(const FakeServer &) = delete;

  std::size_t count(const std::string &call) const {
    std::size_t n = 0;
    for (const auto &one : seen) n += one.call == call;
    return n;
  }
  std::vector<Seen> of(const std::string &call) const {
    std::vector<Seen> found;
    for (const auto &one : seen)
      if (one.call == call) found.push_back(one);
    return found;
  }

  std::string url;
  std::map<std::string, std::deque<FakeReply>> replies;  // by call, in order; the last one stays
  std::map<std::string, std::function<void()>> when;     // called before the reply
  std::vector<Seen> seen;

 private:
  static void handle(SoupServer *, SoupServerMessage *message, const char *path, GHashTable *, gpointer data) noexcept {
    auto *self = static_cast<FakeServer *>(data);
    const std::string call = std::string(soup_server_message_get_method(message)) + " " + path;
    SoupMessageHeaders *headers = soup_server_message_get_request_headers(message);
    const auto header = [headers](const char *name) {
      const char *value = soup_message_headers_get_one(headers, name);
      return std::string(value ? value : "");
    };
    SoupMessageBody *body = soup_server_message_get_request_body(message);
    self->seen.push_back({call, std::string(body->data ? body->data : "", static_cast<std::size_t>(body->length)),
                          header("Last-Event-ID"), header("Authorization")});
    if (const auto hook = self->when.find(call); hook != self->when.end()) hook->second();
    FakeReply reply{404, R"({"title":"Not Found"})", "application/problem+json"};
    if (auto found = self->replies.find(call); found != self->replies.end()) {
      reply = found->second.front();
      if (found->second.size() > 1) found->second.pop_front();
    }
    soup_server_message_set_status(message, reply.status, nullptr);
    soup_server_message_set_response(message, reply.type.c_str(), SOUP_MEMORY_COPY, reply.body.data(),
                                     reply.body.size());
  }

  SoupServer *server_;
};

}  // namespace avc::test
