// A WHIP endpoint that does what a test tells it, on the test's own main context: each request takes the next reply of
// its script, and is kept to be looked at. A reply that is held comes when the test says so.
#pragma once

#include "tests/launcher/http_client.hpp"

namespace avc::test {

struct Scripted {
  unsigned status = 201;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body, type = "text/plain";
  bool held = false;
  std::function<std::string(const std::string &)> body_for;  // what was sent; in place of body
};

// A session made at /session/1.
inline Scripted created() {
  return {201, {{"Location", "/session/1"}, {"ETag", "\"one\""}}, "v=0\r\nanswer", "application/sdp"};
}

class FakeEndpoint {
 public:
  struct Seen {
    std::string method, path, body, type, authorization, if_match;
    std::string line() const { return method + " " + path; }
  };

  explicit FakeEndpoint(std::vector<Scripted> replies = {})
      : script(std::move(replies)), server_(soup_server_new("raw-paths", TRUE, nullptr)) {
    soup_server_add_handler(
        server_, nullptr,
        [](SoupServer *, SoupServerMessage *message, const char *path, GHashTable *, gpointer self) {
          static_cast<FakeEndpoint *>(self)->take(message, path);
        },
        this, nullptr);
    GSocketAddress *address = g_inet_socket_address_new_from_string("127.0.0.1", 0);
    ck_assert(soup_server_listen(server_, address, static_cast<SoupServerListenOptions>(0), nullptr) != FALSE);
    g_object_unref(address);
    GSList *uris = soup_server_get_uris(server_);
    port = g_uri_get_port(static_cast<GUri *>(uris->data));
    g_slist_free_full(uris, reinterpret_cast<GDestroyNotify>(g_uri_unref));
    base = "http://127.0.0.1:" + std::to_string(port);
  }
  ~FakeEndpoint() {
    vanish();
    g_object_unref(server_);
  }
  FakeEndpoint(const FakeEndpoint &) = delete;
  FakeEndpoint &operator=(const FakeEndpoint &) = delete;

  void vanish() {
    for (SoupServerMessage *message : std::exchange(held_, {})) g_object_unref(message);
    soup_server_disconnect(server_);
  }
  void let_go() {  // the replies that are held
    for (SoupServerMessage *message : std::exchange(held_, {})) {
      soup_server_message_unpause(message);
      g_object_unref(message);
    }
  }
  std::string lines() const {
    std::string all;
    for (const Seen &one : seen) all += (all.empty() ? "" : ", ") + one.line();
    return all;
  }

  std::vector<Scripted> script;  // what is left of it; none: 500
  std::vector<Seen> seen;
  Scripted options{.status = 405, .headers = {}, .body = ""};
  unsigned asked_options = 0;
  std::string base;
  int port = 0;

 private:
  void take(SoupServerMessage *message, const char *path) {
    SoupMessageHeaders *got = soup_server_message_get_request_headers(message);
    const auto header = [&](const char *name) {
      const char *value = soup_message_headers_get_one(got, name);
      return std::string(value != nullptr ? value : "");
    };
    SoupMessageBody *body = soup_server_message_get_request_body(message);
    if (g_str_equal(soup_server_message_get_method(message), "OPTIONS")) {
      ++asked_options;
      return answer(message, options);
    }
    seen.push_back({soup_server_message_get_method(message), path,
                    std::string(body->data != nullptr ? body->data : "", static_cast<std::size_t>(body->length)),
                    header("Content-Type"), header("Authorization"), header("If-Match")});
    Scripted reply{.status = 500, .headers = {}, .body = "the script has ended"};
    if (!script.empty()) {
      reply = script.front();
      script.erase(script.begin());
    }
    if (reply.body_for) reply.body = reply.body_for(seen.back().body);
    answer(message, reply);
  }

  void answer(SoupServerMessage *message, const Scripted &reply) {
    soup_server_message_set_status(message, reply.status, reply.status == 429 ? "Too Many Requests" : nullptr);
    SoupMessageHeaders *headers = soup_server_message_get_response_headers(message);
    for (const auto &[name, value] : reply.headers) soup_message_headers_append(headers, name.c_str(), value.c_str());
    if (!reply.body.empty()) {
      soup_server_message_set_response(message, reply.type.c_str(), SOUP_MEMORY_COPY, reply.body.data(),
                                       reply.body.size());
    }
    if (!reply.held) return;
    soup_server_message_pause(message);
    held_.push_back(SOUP_SERVER_MESSAGE(g_object_ref(message)));
  }

  SoupServer *server_;
  std::vector<SoupServerMessage *> held_;
};

}  // namespace avc::test
