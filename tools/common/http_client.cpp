#include "tools/common/http_client.hpp"

#include <algorithm>

#include "tools/common/json.hpp"

namespace avc::tools {
namespace {

struct Pending {
  bool done = false;
  GBytes *bytes = nullptr;
  GError *fault = nullptr;
};

// A whole-request limit, which libsoup's own timeout (idle time on the socket) is not.
struct Deadline {
  Deadline(std::chrono::seconds patience, GCancellable *cancelled)
      : source(g_timeout_add_seconds(
            static_cast<guint>(patience.count()),
            [](gpointer data) noexcept -> gboolean {
              auto *self = static_cast<Deadline *>(data);
              self->source = 0;
              g_cancellable_cancel(self->cancel);
              return G_SOURCE_REMOVE;
            },
            this)),
        cancel(cancelled) {}
  ~Deadline() {
    if (source) g_source_remove(source);
  }
  Deadline(const Deadline &) = delete;
  Deadline &operator=(const Deadline &) = delete;
  guint source;
  GCancellable *cancel;
};

std::string one_line(std::string text) {
  std::replace(text.begin(), text.end(), '\n', ' ');
  while (!text.empty() && text.back() == ' ') text.pop_back();
  if (text.size() > 400) text = text.substr(0, 400) + "...";
  return text;
}

}  // namespace

Ptr<SoupMessage> make_message(const char *method, const std::string &url, const std::string &token) {
  auto message = take(soup_message_new(method, url.c_str()));
  if (!message) return message;
  SoupMessageHeaders *headers = soup_message_get_request_headers(message.get());
  soup_message_headers_append(headers, "User-Agent", "avchaos/" AVC_VERSION);
  if (!token.empty()) soup_message_headers_append(headers, "Authorization", ("Bearer " + token).c_str());
  return message;
}

HttpClient::HttpClient(std::string base_url, std::string token)
    : base_url_(std::move(base_url)), token_(std::move(token)), session_(take(soup_session_new())) {
  soup_session_set_proxy_resolver(session_.get(), nullptr);  // a daemon is never reached through a proxy
}

Result<Reply> HttpClient::request(const char *method, const std::string &path, std::string_view json,
                                  std::chrono::seconds patience) {
  const std::string url = base_url_ + path;
  const auto message = make_message(method, url, token_);
  if (!message) return Error{url, "is not a URL"};
  if (!json.empty()) {
    const auto body = take(g_bytes_new(json.data(), json.size()));
    soup_message_set_request_body_from_bytes(message.get(), "application/json", body.get());
  }
  const auto cancel = take(g_cancellable_new());
  const Deadline deadline(patience, cancel.get());
  Pending pending;
  soup_session_send_and_read_async(
      session_.get(), message.get(), G_PRIORITY_DEFAULT, cancel.get(),
      [](GObject *session, GAsyncResult *result, gpointer data) noexcept {
        auto *p = static_cast<Pending *>(data);
        p->bytes = soup_session_send_and_read_finish(SOUP_SESSION(session), result, &p->fault);
        p->done = true;
      },
      &pending);
  while (!pending.done) g_main_context_iteration(nullptr, TRUE);
  if (pending.fault) {
    const auto fault = take(pending.fault);
    const bool late = g_error_matches(fault.get(), G_IO_ERROR, G_IO_ERROR_CANCELLED);
    return Error{url, late ? "no answer within " + std::to_string(patience.count()) + " s" : one_line(fault->message)};
  }
  const auto bytes = take(pending.bytes);
  gsize size = 0;
  const auto *data = static_cast<const char *>(g_bytes_get_data(bytes.get(), &size));
  return Reply{soup_message_get_status(message.get()), std::string(data ? data : "", size)};
}

Reply HttpClient::expect(const char *method, const std::string &path, std::string_view json, Exit unreachable) {
  auto reply = request(method, path, json);
  if (!reply) throw Failure(unreachable, reply.error().text());
  if (!reply->ok()) throw Failure(exit_of_status(reply->status), problem_line(*reply));
  return std::move(*reply);
}

std::string problem_line(const Reply &reply) {
  const std::string status = "HTTP " + std::to_string(reply.status);
  const auto parsed = parse_json(reply.body);
  const Json problem(parsed ? parsed->get() : nullptr);
  if (!problem.is_object()) return reply.body.empty() ? status : one_line(reply.body) + " (" + status + ")";
  const std::string field = problem["field"].text_or("");
  std::string detail = problem["detail"].text_or(problem["title"].text_or(status));
  if (!field.empty() && !detail.starts_with(field)) detail = field + ": " + detail;
  const std::size_t faults = problem["errors"].size();
  if (faults > 1) detail += " (and " + std::to_string(faults - 1) + " more)";
  return one_line(detail);
}

Exit exit_of_status(unsigned status) {
  switch (status) {
    case 400:
    case 404:
    case 413:
    case 422:
      return Exit::bad_input;
    case 401:
    case 403:
    case 409:
    case 429:
    case 503:
      return Exit::no_start;
    default:
      return Exit::other;
  }
}

Result<std::string> normal_base_url(const std::string &text) {
  std::string url = text.find("://") == std::string::npos ? "http://" + text : text;
  while (url.ends_with('/')) url.pop_back();
  const bool blank = url.find_first_of(" \t\r\n") != std::string::npos;
  const auto uri = take(blank ? nullptr : g_uri_parse(url.c_str(), G_URI_FLAGS_SCHEME_NORMALIZE, nullptr));
  const std::string scheme = uri ? g_uri_get_scheme(uri.get()) : "";
  const char *host = uri ? g_uri_get_host(uri.get()) : nullptr;
  if ((scheme != "http" && scheme != "https") || !host || !*host)
    return Error{"base_url", "\"" + text + "\" is not a URL such as http://127.0.0.1:8080"};
  return url;
}

}  // namespace avc::tools
