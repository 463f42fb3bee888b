#include "launcher/http/server.hpp"

#include <sys/socket.h>

#include <cstring>

namespace avc::launcher::http {
namespace {

constexpr int kWaitingClients = 256;
constexpr char kReadBytes[] = "avc-read-bytes";  // of a request without Content-Length, kept on its message

Request request_of(SoupServerMessage *message, const char *path, GHashTable *query) {
  Request request;
  request.method = soup_server_message_get_method(message);
  request.path = path != nullptr ? path : "/";
  if (const char *host = soup_server_message_get_remote_host(message)) request.client = host;
  SoupMessageHeaders *headers = soup_server_message_get_request_headers(message);
  if (const char *text = soup_message_headers_get_one(headers, "Authorization")) request.authorization = text;
  if (const char *text = soup_message_headers_get_one(headers, "Last-Event-ID")) request.last_event_id = text;
  if (const char *type = soup_message_headers_get_content_type(headers, nullptr)) request.content_type = type;
  if (const char *accept = soup_message_headers_get_list(headers, "Accept")) {
    GSList *types = soup_header_parse_quality_list(accept, nullptr);  // best first
    request.prefers_text = types != nullptr && g_ascii_strcasecmp(static_cast<char *>(types->data), "text/plain") == 0;
    soup_header_free_list(types);
  }
  if (query != nullptr) {
    GHashTableIter each;
    gpointer key, value;
    g_hash_table_iter_init(&each, query);
    while (g_hash_table_iter_next(&each, &key, &value)) {
      request.query[static_cast<char *>(key)] = value != nullptr ? static_cast<char *>(value) : "";
    }
  }
  SoupMessageBody *body = soup_server_message_get_request_body(message);
  if (soup_message_body_get_accumulate(body)) {
    const BytesPtr bytes(soup_message_body_flatten(body));
    gsize size = 0;
    const auto *data = static_cast<const char *>(g_bytes_get_data(bytes.get(), &size));
    if (size > 0) request.body.assign(data, size);
  }
  return request;
}

// The old tool's headers for browsers. No credentials are allowed, so a page of another origin can send no cookie
// and knows no token. Each connection carries one request: libsoup before 3.3 never gives back one that its client
// closes between two.
void put_common_headers(SoupServerMessage *message) {
  SoupMessageHeaders *headers = soup_server_message_get_response_headers(message);
  soup_message_headers_replace(headers, "Access-Control-Allow-Origin", "*");
  soup_message_headers_replace(headers, "Access-Control-Allow-Methods", "GET, POST, PUT, PATCH, DELETE, OPTIONS");
  soup_message_headers_replace(headers, "Access-Control-Allow-Headers",
                               "Content-Type, Authorization, Last-Event-ID, If-Match");
  soup_message_headers_replace(headers, "Access-Control-Expose-Headers", "Location, ETag, Accept-Patch");
  soup_message_headers_replace(headers, "X-Content-Type-Options", "nosniff");
  soup_message_headers_replace(headers, "Connection", "close");
}

void put_reply(SoupServerMessage *message, const Reply &reply) {
  put_common_headers(message);
  SoupMessageHeaders *headers = soup_server_message_get_response_headers(message);
  for (const auto &[name, value] : reply.headers) soup_message_headers_replace(headers, name.c_str(), value.c_str());
  soup_server_message_set_status(message, reply.status, nullptr);
  soup_server_message_set_response(message, reply.type.c_str(), SOUP_MEMORY_COPY, reply.body.data(), reply.body.size());
}

std::string too_long(const ServerLimits &limits) {
  return "a request body may have " + std::to_string(limits.body_bytes) + " bytes";
}

void hang_up(SoupServerMessage *message) {
  if (GSocket *socket = soup_server_message_get_socket(message)) g_socket_shutdown(socket, TRUE, TRUE, nullptr);
}

// libsoup would read a request to its end before it answers. This takes the connection from it, answers at once, and
// keeps the connection a moment longer, so that the answer is not lost in the reset that unread data causes.
void answer_unread(SoupServerMessage *message, const Reply &reply) {
  std::string text = "HTTP/1.1 " + std::to_string(reply.status) + " " + std::string(status_title(reply.status)) +
                     "\r\nConnection: close\r\nAccess-Control-Allow-Origin: *\r\nContent-Type: " + reply.type +
                     "\r\nContent-Length: " + std::to_string(reply.body.size()) + "\r\n\r\n" + reply.body;
  GSocket *socket = soup_server_message_get_socket(message);
  GIOStream *connection = soup_server_message_steal_connection(message);
  if (connection == nullptr) return;
  if (socket != nullptr) {
    g_socket_send(socket, text.data(), text.size(), nullptr, nullptr);  // a page at most: it fits the socket's buffer
    g_socket_shutdown(socket, FALSE, TRUE, nullptr);
  }
  g_timeout_add_full(
      G_PRIORITY_DEFAULT, 1000, [](gpointer) -> gboolean { return G_SOURCE_REMOVE; }, connection,
      [](gpointer kept) { g_object_unref(kept); });
}

}  // namespace

// One client of an event channel. What it has not read yet is counted: beyond the limit it is cut off, for a slow
// reader must cost neither memory nor the others' time.
class Server::Stream final : public EventListener {
 public:
  Stream(SoupServerMessage *message, std::shared_ptr<EventChannel> channel, std::size_t backlog)
      : message_(message), channel_(std::move(channel)), backlog_(backlog) {}
  ~Stream() override { channel_->detach(*this); }

  void attach(std::optional<std::uint64_t> last_id) { channel_->attach(*this, last_id); }

  bool send(const std::string &text) override {
    if (unread_ + text.size() > backlog_) {
      hang_up(message_);
      return false;
    }
    unread_ += text.size();
    soup_message_body_append(soup_server_message_get_response_body(message_), SOUP_MEMORY_COPY, text.data(),
                             text.size());
    soup_server_message_unpause(message_);
    return true;
  }
  void ended() override {
    soup_message_body_complete(soup_server_message_get_response_body(message_));
    soup_server_message_unpause(message_);
  }
  void wrote(std::size_t size) { unread_ -= std::min(unread_, size); }

 private:
  SoupServerMessage *message_;
  std::shared_ptr<EventChannel> channel_;
  std::size_t backlog_, unread_ = 0;
};

// A reply that is still being worked out. The client may have gone before it is there.
struct Server::Pending {
  explicit Pending(SoupServerMessage *m) : message(static_cast<SoupServerMessage *>(g_object_ref(m))) {
    finished = g_signal_connect_swapped(m, "finished", G_CALLBACK(+[](Pending *self) { self->gone = true; }), this);
  }
  ~Pending() { g_signal_handler_disconnect(message.get(), finished); }

  ObjectPtr<SoupServerMessage> message;
  gulong finished = 0;
  bool gone = false;
};

Server::Server(const Router &router, ServerLimits limits)
    : router_(router),
      limits_(limits),
      rate_(limits.requests_per_second, limits.burst),
      soup_(soup_server_new("server-header", "avchaosd", "raw-paths", TRUE, nullptr)) {
  g_signal_connect(
      soup_.get(), "request-started",
      G_CALLBACK(+[](SoupServer *, SoupServerMessage *message, Server *self) { self->on_started(message); }), this);
  soup_server_add_early_handler(
      soup_.get(), nullptr,
      [](SoupServer *, SoupServerMessage *message, const char *, GHashTable *, gpointer self) {
        static_cast<Server *>(self)->on_headers(message);
      },
      this, nullptr);
  soup_server_add_handler(
      soup_.get(), nullptr,
      [](SoupServer *, SoupServerMessage *message, const char *path, GHashTable *query, gpointer self) {
        static_cast<Server *>(self)->on_request(message, path, query);
      },
      this, nullptr);
  heartbeat_ = SourceId(g_timeout_add_seconds(
      limits_.heartbeat_seconds,
      [](gpointer self) -> gboolean {
        for (auto &entry : static_cast<Server *>(self)->streams_) entry.second->send(": still here\n\n");
        return G_SOURCE_CONTINUE;
      },
      this));
}

Server::~Server() {
  close();
  g_signal_handlers_disconnect_by_data(soup_.get(), this);
}

Result<std::string> Server::listen(const std::string &host, std::uint16_t port) {
  GError *raw = nullptr;
  gboolean listening = FALSE;
  if (host.empty() || host == "*") {
    listening = soup_server_listen_all(soup_.get(), port, static_cast<SoupServerListenOptions>(0), &raw);
  } else {
    const ObjectPtr<GResolver> resolver(g_resolver_get_default());
    GList *addresses = g_resolver_lookup_by_name(resolver.get(), host.c_str(), nullptr, &raw);
    if (addresses != nullptr) {
      const ObjectPtr<GSocketAddress> address(g_inet_socket_address_new(G_INET_ADDRESS(addresses->data), port));
      listening = soup_server_listen(soup_.get(), address.get(), static_cast<SoupServerListenOptions>(0), &raw);
      g_resolver_free_addresses(addresses);
    }
  }
  const ErrorPtr error(raw);
  if (!listening) {
    return Error{"listen", host + ":" + std::to_string(port) + ": " + (error ? error->message : "cannot listen")};
  }
  // GLib lets ten wait to be accepted; the eleventh would come back a second later.
  GSList *listeners = soup_server_get_listeners(soup_.get());
  for (GSList *each = listeners; each != nullptr; each = each->next) {
    ::listen(g_socket_get_fd(G_SOCKET(each->data)), kWaitingClients);
  }
  g_slist_free(listeners);
  GSList *uris = soup_server_get_uris(soup_.get());
  const CharPtr text(g_uri_to_string(static_cast<GUri *>(uris->data)));
  g_slist_free_full(uris, reinterpret_cast<GDestroyNotify>(g_uri_unref));
  std::string url = text.get();
  if (url.ends_with('/')) url.pop_back();
  return url;
}

void Server::close() {
  heartbeat_.reset();
  soup_server_disconnect(soup_.get());
  streams_.clear();
}

// libsoup says this as soon as a connection is accepted. It stops accepting for good when descriptors run out, so the
// silent ones are bounded: the oldest gives way.
void Server::on_started(SoupServerMessage *message) {
  unfinished_.push_back(message);
  if (unfinished_.size() > limits_.unfinished) {
    hang_up(unfinished_.front());
    unfinished_.pop_front();
    ++refused_;
  }
  g_signal_connect(message, "disconnected",
                   G_CALLBACK(+[](SoupServerMessage *m, Server *self) { self->forget_unfinished(m); }), this);
  if (GSocket *socket = soup_server_message_get_socket(message)) {
    g_socket_set_timeout(socket, limits_.socket_timeout_seconds);
  }
  g_signal_connect(message, "got-chunk", G_CALLBACK(+[](SoupServerMessage *m, GBytes *chunk, Server *self) {
                     self->on_chunk(m, g_bytes_get_size(chunk));
                   }),
                   this);
  g_signal_connect(message, "wrote-body-data", G_CALLBACK(+[](SoupServerMessage *m, guint size, Server *self) {
                     if (auto found = self->streams_.find(m); found != self->streams_.end()) found->second->wrote(size);
                   }),
                   this);
  g_signal_connect(message, "finished", G_CALLBACK(+[](SoupServerMessage *m, Server *self) {
                     self->forget_unfinished(m);
                     g_signal_handlers_disconnect_by_data(m, self);
                     self->streams_.erase(m);
                   }),
                   this);
}

// After the headers and before the body: what is too much is not even read.
void Server::on_headers(SoupServerMessage *message) {
  SoupMessageHeaders *headers = soup_server_message_get_request_headers(message);
  const char *host = soup_server_message_get_remote_host(message);
  if (!rate_.admit(host != nullptr ? host : "", static_cast<double>(g_get_monotonic_time()) / 1e6)) {
    refuse(message, 429, "too many requests a second from this address", 1);
    return;
  }
  const goffset length = soup_message_headers_get_content_length(headers);
  if (length > static_cast<goffset>(limits_.body_bytes)) {
    ++refused_;
    forget_unfinished(message);
    answer_unread(message, error_reply(request_of(message, nullptr, nullptr),
                                       ApiError(413, too_long(limits_) + ", not " + std::to_string(length))));
  }
}

// A body that comes in chunks says its size only as it comes.
void Server::on_chunk(SoupServerMessage *message, std::size_t size) {
  auto *object = G_OBJECT(message);
  const std::size_t so_far = GPOINTER_TO_SIZE(g_object_get_data(object, kReadBytes)) + size;
  g_object_set_data(object, kReadBytes, GSIZE_TO_POINTER(so_far));
  if (so_far <= limits_.body_bytes) return;
  SoupMessageBody *body = soup_server_message_get_request_body(message);
  soup_message_body_set_accumulate(body, FALSE);
  soup_message_body_truncate(body);
  if (so_far > 8 * limits_.body_bytes) hang_up(message);
}

void Server::refuse(SoupServerMessage *message, unsigned status, const std::string &detail, int retry_after) {
  ++refused_;
  ApiError error(status, detail);
  error.retry_after_seconds = retry_after;
  const Request request = request_of(message, nullptr, nullptr);
  put_reply(message, error_reply(request, error));
}

void Server::on_request(SoupServerMessage *message, const char *path, GHashTable *query) {
  forget_unfinished(message);
  const auto read = GPOINTER_TO_SIZE(g_object_get_data(G_OBJECT(message), kReadBytes));
  if (read > limits_.body_bytes) {
    refuse(message, 413, too_long(limits_));
    return;
  }
  Request request = request_of(message, path, query);
  const Reply reply = router_.dispatch(request);
  answer(message, request, reply);
  g_log("avcd-http", G_LOG_LEVEL_DEBUG, "%s %s %u", request.method.c_str(), request.path.c_str(),
        soup_server_message_get_status(message));
}

void Server::answer(SoupServerMessage *message, const Request &request, const Reply &reply) {
  if (reply.later) {
    answer_later(message, request, reply);
  } else if (reply.events != nullptr) {
    open_stream(message, request, reply);
  } else {
    put_reply(message, reply);
  }
}

void Server::answer_later(SoupServerMessage *message, const Request &request, const Reply &reply) {
  auto pending = std::make_shared<Pending>(message);
  soup_server_message_pause(message);
  reply.later([pending, request](const std::function<Reply()> &outcome) {
    const Reply late = Router::guarded(request, request.path, outcome);
    if (pending->gone) return;
    put_reply(pending->message.get(), late);
    soup_server_message_unpause(pending->message.get());
  });
}

void Server::open_stream(SoupServerMessage *message, const Request &request, const Reply &reply) {
  const auto last_id = parse_event_id(request.last_event_id);
  if (reply.events->closed() && last_id && *last_id == reply.events->newest()) {
    put_reply(message, {.status = 204, .body = "", .type = "text/plain"});  // tells EventSource not to come back
    return;
  }
  if (streams_.size() >= limits_.event_streams) {
    refuse(message, 429, "all " + std::to_string(limits_.event_streams) + " event streams are taken", 5);
    return;
  }
  put_common_headers(message);
  SoupMessageHeaders *headers = soup_server_message_get_response_headers(message);
  soup_message_headers_set_encoding(headers, SOUP_ENCODING_CHUNKED);
  soup_message_headers_set_content_type(headers, "text/event-stream", nullptr);
  soup_message_headers_replace(headers, "Cache-Control", "no-store");
  soup_message_body_set_accumulate(soup_server_message_get_response_body(message), FALSE);
  soup_server_message_set_status(message, 200, nullptr);
  auto &stream = streams_[message];
  stream = std::make_unique<Stream>(message, reply.events, limits_.stream_backlog_bytes);
  stream->send(": avchaosd\n\n");
  stream->attach(last_id);
}

}  // namespace avc::launcher::http
