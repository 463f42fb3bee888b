#include "launcher/webrtc/http_exchange.hpp"

#include <libsoup/soup.h>

#include <algorithm>
#include <charconv>

namespace avc::webrtc {
namespace {

constexpr guint kMostConnections = 1000, kIdleSeconds = 10;

struct Unref {
  void operator()(gpointer object) const noexcept { g_object_unref(object); }
};
template <class T>
using Ref = std::unique_ptr<T, Unref>;

// Of one request, from send() to its reply; ends itself.
struct Exchange {
  HttpExchange::Admit admit;
  HttpExchange::Answered answered;
  Ref<SoupMessage> message;
  Ref<GCancellable> cancel{g_cancellable_new()};
  Ref<GInputStream> stream;
  std::string body;
  std::string why;       // it was cancelled
  bool refused = false;  // by admit
  unsigned patience_ms = 0;
  std::shared_ptr<unsigned> under_way;  // counted there
  guint deadline = 0;

  ~Exchange() {
    if (deadline != 0) g_source_remove(deadline);
    if (message) g_signal_handlers_disconnect_by_data(message.get(), this);
  }

  void end(const HttpReply *reply, const HttpFault &fault) {
    const std::unique_ptr<Exchange> self(this);
    answered(reply, fault);
    --*under_way;
  }

  void fail(GError *error) {
    HttpFault fault{why.empty() ? error->message : why, refused || error->domain == G_TLS_ERROR};
    g_error_free(error);
    end(nullptr, fault);
  }
};

std::string header(SoupMessageHeaders *headers, const char *name) {
  const char *value = soup_message_headers_get_one(headers, name);
  return value != nullptr ? value : "";
}

// Seconds, or a date (RFC 9110 section 10.2.3).
std::optional<unsigned> retry_after(SoupMessageHeaders *headers) {
  const std::string text = header(headers, "Retry-After");
  unsigned seconds = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (fault == std::errc() && end == text.data() + text.size()) return seconds;
  GDateTime *then = text.empty() ? nullptr : soup_date_time_new_from_http_string(text.c_str());
  if (then == nullptr) return std::nullopt;
  const gint64 left = g_date_time_to_unix(then) - g_get_real_time() / G_USEC_PER_SEC;
  g_date_time_unref(then);
  return left > 0 ? static_cast<unsigned>(std::min<gint64>(left, G_MAXINT)) : 0u;
}

HttpReply read_reply(SoupMessage *message) {
  SoupMessageHeaders *headers = soup_message_get_response_headers(message);
  HttpReply reply;
  reply.status = soup_message_get_status(message);
  if (const char *phrase = soup_message_get_reason_phrase(message)) reply.phrase = phrase;
  if (const char *type = soup_message_headers_get_content_type(headers, nullptr)) reply.type = type;
  reply.location = header(headers, "Location");
  reply.etag = header(headers, "ETag");
  reply.retry_after_s = retry_after(headers);
  SoupMessageHeadersIter each;
  soup_message_headers_iter_init(&each, headers);
  const char *name = nullptr, *value = nullptr;
  while (soup_message_headers_iter_next(&each, &name, &value)) {
    if (g_ascii_strcasecmp(name, "Link") == 0) reply.links.emplace_back(value);
  }
  return reply;
}

void have_body(GObject *stream, GAsyncResult *result, gpointer data) noexcept {
  auto *self = static_cast<Exchange *>(data);
  gsize size = 0;
  GError *error = nullptr;
  if (g_input_stream_read_all_finish(G_INPUT_STREAM(stream), result, &size, &error) == FALSE) return self->fail(error);
  if (size > HttpExchange::kMostBytes) return self->end(nullptr, {"the reply is too long", true});
  self->body.resize(size);
  HttpReply reply = read_reply(self->message.get());
  reply.body = std::move(self->body);
  self->end(&reply, {});
}

void have_headers(GObject *session, GAsyncResult *result, gpointer data) noexcept {
  auto *self = static_cast<Exchange *>(data);
  GError *error = nullptr;
  self->stream.reset(soup_session_send_finish(SOUP_SESSION(session), result, &error));
  if (!self->stream) return self->fail(error);
  self->body.resize(HttpExchange::kMostBytes + 1);
  g_input_stream_read_all_async(self->stream.get(), self->body.data(), self->body.size(), G_PRIORITY_DEFAULT,
                                self->cancel.get(), have_body, self);
}

// Before a connection is tried: to which address?
void look_at_address(SoupMessage *, GSocketClientEvent event, GIOStream *connection, gpointer data) noexcept {
  auto *self = static_cast<Exchange *>(data);
  if (event != G_SOCKET_CLIENT_CONNECTING || !G_IS_SOCKET_CONNECTION(connection)) return;
  const Ref<GSocketAddress> to(g_socket_connection_get_remote_address(G_SOCKET_CONNECTION(connection), nullptr));
  if (!to || !G_IS_INET_SOCKET_ADDRESS(to.get())) return;
  char *text = g_inet_address_to_string(g_inet_socket_address_get_address(G_INET_SOCKET_ADDRESS(to.get())));
  const auto admitted = self->admit(text);
  g_free(text);
  if (admitted) return;
  self->why = admitted.error().message;
  self->refused = true;
  g_cancellable_cancel(self->cancel.get());
}

void fill_in(SoupMessage *message, const HttpRequest &request) {
  soup_message_add_flags(message, SOUP_MESSAGE_NO_REDIRECT);
  SoupMessageHeaders *headers = soup_message_get_request_headers(message);
  for (const auto &[name, value] : request.headers) soup_message_headers_append(headers, name.c_str(), value.c_str());
  if (request.type.empty()) return;
  GBytes *body = g_bytes_new(request.body.data(), request.body.size());
  soup_message_set_request_body_from_bytes(message, request.type.c_str(), body);
  g_bytes_unref(body);
}

void set_deadline(Exchange &exchange, unsigned patience_ms) {
  exchange.patience_ms = patience_ms;
  exchange.deadline = g_timeout_add(
      patience_ms,
      [](gpointer data) noexcept -> gboolean {
        auto *self = static_cast<Exchange *>(data);
        self->deadline = 0;
        self->why = "no answer within " + std::to_string(self->patience_ms) + " ms";
        g_cancellable_cancel(self->cancel.get());
        return G_SOURCE_REMOVE;
      },
      &exchange);
}

}  // namespace

void HttpExchange::SessionEnd::operator()(_SoupSession *session) const noexcept {
  soup_session_abort(session);
  g_object_unref(session);
}

HttpExchange::HttpExchange(Admit admit, unsigned patience_ms)
    : admit_(std::move(admit)),
      patience_ms_(patience_ms),
      session_(soup_session_new_with_options("max-conns", kMostConnections, "max-conns-per-host", kMostConnections,
                                             "idle-timeout", kIdleSeconds, "user-agent", "avchaos", nullptr)) {
  soup_session_set_proxy_resolver(session_.get(), nullptr);
}

HttpExchange::~HttpExchange() = default;

void HttpExchange::send(const HttpRequest &request, Answered answered) {
  auto *exchange = new Exchange;
  exchange->admit = admit_;
  exchange->answered = std::move(answered);
  exchange->under_way = under_way_;
  ++*under_way_;
  exchange->message.reset(soup_message_new(request.method.c_str(), request.url.c_str()));
  if (!exchange->message) {
    g_idle_add_once(
        [](gpointer data) noexcept {
          static_cast<Exchange *>(data)->end(nullptr, {"is not a URL", true});
        },
        exchange);
    return;
  }
  fill_in(exchange->message.get(), request);
  g_signal_connect(exchange->message.get(), "network-event", G_CALLBACK(look_at_address), exchange);
  set_deadline(*exchange, patience_ms_);
  soup_session_send_async(session_.get(), exchange->message.get(), G_PRIORITY_DEFAULT, exchange->cancel.get(),
                          have_headers, exchange);
}

void HttpExchange::settle(unsigned at_most_ms) {
  const gint64 end_us = g_get_monotonic_time() + gint64{at_most_ms} * 1000;
  const guint wake = g_timeout_add(
      at_most_ms, [](gpointer) noexcept -> gboolean { return G_SOURCE_CONTINUE; }, nullptr);
  while (*under_way_ > 0 && g_get_monotonic_time() < end_us) g_main_context_iteration(nullptr, TRUE);
  g_source_remove(wake);
}

}  // namespace avc::webrtc
