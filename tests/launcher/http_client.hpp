// An HTTP client on the main context of a test, beside the server under test: each call iterates that context until
// the answer is there, so there are no threads and nothing sleeps.
#pragma once

#include <libsoup/soup.h>

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "tests/check.hpp"

namespace avc::test {

struct Answer {
  unsigned status = 0;
  std::string body, type, allow, retry_after, cors, location, policy;
};

// Iterates the main context until `done` or, failing the test, for too long.
inline void iterate_until(const std::function<bool()> &done, int seconds = 20) {
  bool late = false;
  const guint timer = g_timeout_add_seconds(
      static_cast<guint>(seconds), [](gpointer flag) -> gboolean { return *static_cast<bool *>(flag) = true; }, &late);
  while (!done() && !late) g_main_context_iteration(nullptr, TRUE);
  g_source_remove(timer);
  ck_assert_msg(!late || done(), "nothing happened for %d seconds", seconds);
}

class Client {
 public:
  explicit Client(std::string base) : base_(std::move(base)), session_(soup_session_new()) {}
  ~Client() { g_object_unref(session_); }
  Client(const Client &) = delete;
  Client &operator=(const Client &) = delete;

  std::vector<std::pair<std::string, std::string>> headers;  // sent with every request

  Answer call(const char *method, const std::string &path, const std::string &body = "",
              const char *type = "application/json") {
    SoupMessage *message = soup_message_new(method, (base_ + path).c_str());
    ck_assert_ptr_nonnull(message);
    SoupMessageHeaders *sent = soup_message_get_request_headers(message);
    for (const auto &[name, value] : headers) soup_message_headers_replace(sent, name.c_str(), value.c_str());
    if (!body.empty()) {
      GBytes *bytes = g_bytes_new(body.data(), body.size());
      soup_message_set_request_body_from_bytes(message, type, bytes);
      g_bytes_unref(bytes);
    }
    struct Waiting {
      bool done = false;
      std::string body, error;
    } waiting;
    soup_session_send_and_read_async(
        session_, message, G_PRIORITY_DEFAULT, nullptr,
        [](GObject *session, GAsyncResult *result, gpointer data) {
          auto *to = static_cast<Waiting *>(data);
          GError *error = nullptr;
          GBytes *bytes = soup_session_send_and_read_finish(SOUP_SESSION(session), result, &error);
          if (bytes != nullptr) {
            gsize size = 0;
            const auto *text = static_cast<const char *>(g_bytes_get_data(bytes, &size));
            if (size > 0) to->body.assign(text, size);
            g_bytes_unref(bytes);
          } else {
            to->error = error->message;
            g_error_free(error);
          }
          to->done = true;
        },
        &waiting);
    iterate_until([&] { return waiting.done; });
    Answer answer;
    answer.status = waiting.error.empty() ? soup_message_get_status(message) : 0;
    answer.body = waiting.error.empty() ? waiting.body : waiting.error;
    SoupMessageHeaders *got = soup_message_get_response_headers(message);
    const auto header = [&](const char *name) {
      const char *value = soup_message_headers_get_one(got, name);
      return std::string(value != nullptr ? value : "");
    };
    answer.type = header("Content-Type");
    answer.allow = header("Allow");
    answer.retry_after = header("Retry-After");
    answer.location = header("Location");
    answer.policy = header("Content-Security-Policy");
    answer.cors = header("Access-Control-Allow-Origin");
    g_object_unref(message);
    return answer;
  }

 private:
  std::string base_;
  SoupSession *session_;
};

// A bare connection, for what a polite client does not do.
class RawConnection {
 public:
  explicit RawConnection(const std::string &base) {
    GUri *uri = g_uri_parse(base.c_str(), G_URI_FLAGS_NONE, nullptr);
    GSocketClient *client = g_socket_client_new();
    connection_ = g_socket_client_connect_to_host(client, g_uri_get_host(uri),
                                                  static_cast<guint16>(g_uri_get_port(uri)), nullptr, nullptr);
    g_object_unref(client);
    g_uri_unref(uri);
    ck_assert_ptr_nonnull(connection_);
    g_socket_set_blocking(g_socket_connection_get_socket(connection_), FALSE);
  }
  ~RawConnection() { g_object_unref(connection_); }
  RawConnection(const RawConnection &) = delete;
  RawConnection &operator=(const RawConnection &) = delete;

  void write(std::string_view text) {
    while (!text.empty()) {
      const gssize n = g_socket_send(socket(), text.data(), text.size(), nullptr, nullptr);
      if (n > 0) text.remove_prefix(static_cast<std::size_t>(n));
      if (n < 0 && closed_by_peer()) return;
      g_main_context_iteration(nullptr, FALSE);
    }
  }
  // Reads what is there; false once the other side has closed.
  bool read() {
    char part[4096];
    for (;;) {
      GError *error = nullptr;
      const gssize n = g_socket_receive(socket(), part, sizeof part, nullptr, &error);
      if (n > 0) {
        got.append(part, static_cast<std::size_t>(n));
        continue;
      }
      const bool waiting = error != nullptr && g_error_matches(error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK);
      g_clear_error(&error);
      return waiting;
    }
  }
  bool wait_for(std::string_view text) {
    tick();
    iterate_until([&] { return !read() || got.find(text) != std::string::npos; });
    untick();
    return got.find(text) != std::string::npos;
  }
  void wait_for_close() {
    tick();
    iterate_until([&] { return !read(); });
    untick();
  }

  std::string got;

 private:
  GSocket *socket() { return g_socket_connection_get_socket(connection_); }
  bool closed_by_peer() { return (g_socket_condition_check(socket(), G_IO_HUP) & (G_IO_HUP | G_IO_ERR)) != 0; }
  // The socket is polled from the test, so the main context has to turn now and then.
  void tick() {
    tick_ = g_timeout_add(
        2, [](gpointer) -> gboolean { return G_SOURCE_CONTINUE; }, nullptr);
  }
  void untick() { g_source_remove(tick_); }

  GSocketConnection *connection_;
  guint tick_ = 0;
};

}  // namespace avc::test
