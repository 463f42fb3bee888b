#include "tools/common/sse.hpp"

#include <algorithm>
#include <array>

#include "tools/common/http_client.hpp"
#include "tools/common/ptr.hpp"

namespace avc::tools {
namespace {

constexpr std::size_t kLongest = 4U << 20;
constexpr guint kIdleSeconds = 20;  // a running test sends a sample a second

guint retry_delay_ms(int failures) { return std::min(2000U, 100U << std::min(failures, 5)); }

}  // namespace

std::vector<ServerEvent> EventParser::feed(std::string_view bytes) {
  std::vector<ServerEvent> out;
  for (const char c : bytes) {
    const bool second_half = after_cr_ && c == '\n';  // CR LF is one end of line
    after_cr_ = c == '\r';
    if (second_half) continue;
    if (c != '\n' && c != '\r') {
      if (partial_.size() < kLongest) partial_.push_back(c);
      continue;
    }
    line(partial_, out);
    partial_.clear();
  }
  return out;
}

void EventParser::disconnected() {
  partial_.clear();
  type_.clear();
  data_.clear();
  has_data_ = after_cr_ = false;
}

void EventParser::line(std::string_view text, std::vector<ServerEvent> &out) {
  if (text.empty()) {
    if (has_data_) out.push_back({type_.empty() ? "message" : type_, data_, last_id_});
    type_.clear();
    data_.clear();
    has_data_ = false;
    return;
  }
  const auto colon = text.find(':');
  if (colon == 0) return;  // a comment, sent to keep the connection open
  const auto field = text.substr(0, colon);
  auto value = colon == std::string_view::npos ? std::string_view() : text.substr(colon + 1);
  if (value.starts_with(' ')) value.remove_prefix(1);
  if (field == "event") {
    type_ = value;
  } else if (field == "data") {
    if (has_data_) data_ += '\n';
    if (data_.size() + value.size() < kLongest) data_ += value;
    has_data_ = true;
  } else if (field == "id" && value.find('\0') == std::string_view::npos) {
    last_id_ = value;
  }
}

struct EventStream::State : std::enable_shared_from_this<State> {
  std::string url, token;
  std::function<void(const ServerEvent &)> on_event;
  Ptr<SoupSession> session = take(soup_session_new());
  Ptr<GCancellable> cancel = take(g_cancellable_new());
  Ptr<GInputStream> body;
  EventParser parser;
  std::array<char, 16384> chunk{};
  bool stopped = false, connected = false;
  int failures = 0;
  guint retry = 0;

  // Every pending call holds the state; a stopped one only lets go of it.
  using Hold = std::shared_ptr<State>;

  void connect() {
    const auto message = make_message("GET", url, token);
    if (!message) return;
    SoupMessageHeaders *headers = soup_message_get_request_headers(message.get());
    soup_message_headers_append(headers, "Accept", "text/event-stream");
    if (!parser.last_id().empty()) soup_message_headers_append(headers, "Last-Event-ID", parser.last_id().c_str());
    soup_session_send_async(
        session.get(), message.get(), G_PRIORITY_DEFAULT, cancel.get(),
        [](GObject *source, GAsyncResult *result, gpointer data) noexcept {
          const std::unique_ptr<Hold> hold(static_cast<Hold *>(data));
          auto stream = take(soup_session_send_finish(SOUP_SESSION(source), result, nullptr));
          SoupMessage *asked = soup_session_get_async_result_message(SOUP_SESSION(source), result);
          const bool good = stream && asked && soup_message_get_status(asked) == 200;
          State &self = **hold;
          if (self.stopped) return;
          if (!good) return self.lost();
          self.body = std::move(stream);
          self.connected = true;
          self.read();
        },
        new Hold(shared_from_this()));
  }

  void read() {
    g_input_stream_read_async(
        body.get(), chunk.data(), chunk.size(), G_PRIORITY_DEFAULT, cancel.get(),
        [](GObject *source, GAsyncResult *result, gpointer data) noexcept {
          const std::unique_ptr<Hold> hold(static_cast<Hold *>(data));
          const gssize got = g_input_stream_read_finish(G_INPUT_STREAM(source), result, nullptr);
          State &self = **hold;
          if (self.stopped) return;
          if (got <= 0) return self.lost();
          self.failures = 0;
          for (const auto &event : self.parser.feed({self.chunk.data(), static_cast<std::size_t>(got)})) {
            if (self.stopped) return;
            self.on_event(event);
          }
          if (!self.stopped) self.read();
        },
        new Hold(shared_from_this()));
  }

  void lost() {
    connected = false;
    body.reset();
    parser.disconnected();
    retry = g_timeout_add_full(
        G_PRIORITY_DEFAULT, retry_delay_ms(failures++),
        [](gpointer data) noexcept -> gboolean {
          State &self = **static_cast<Hold *>(data);
          self.retry = 0;
          self.connect();
          return G_SOURCE_REMOVE;
        },
        new Hold(shared_from_this()), [](gpointer data) { delete static_cast<Hold *>(data); });
  }
};

EventStream::EventStream(std::string url, std::string token, std::function<void(const ServerEvent &)> on_event)
    : state_(std::make_shared<State>()) {
  state_->url = std::move(url);
  state_->token = std::move(token);
  state_->on_event = std::move(on_event);
  soup_session_set_proxy_resolver(state_->session.get(), nullptr);
  soup_session_set_timeout(state_->session.get(), kIdleSeconds);
  state_->connect();
}

EventStream::~EventStream() {
  state_->stopped = true;
  if (state_->retry) g_source_remove(state_->retry);
  g_cancellable_cancel(state_->cancel.get());
}

bool EventStream::connected() const { return state_->connected; }
int EventStream::failures_in_a_row() const { return state_->failures; }

}  // namespace avc::tools
