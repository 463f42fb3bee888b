#include "launcher/http/events.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

namespace avc::launcher::http {

std::optional<std::uint64_t> parse_event_id(std::string_view text) {
  std::uint64_t id = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), id);
  if (text.empty() || fault != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return id;
}

void EventChannel::publish(std::string_view event, std::string_view data, bool sticky) {
  if (closed_) return;
  const std::uint64_t id = next_++;
  std::string text = "id: " + std::to_string(id) + "\nevent: ";
  text.append(event).append("\ndata: ").append(data).append("\n\n");
  if (sticky) sticky_ = text;
  ring_.push_back({id, text});
  if (ring_.size() > kept_) ring_.pop_front();
  std::erase_if(listeners_, [&](EventListener *listener) { return !listener->send(text); });
}

void EventChannel::close() {
  closed_ = true;
  for (EventListener *listener : std::exchange(listeners_, {})) listener->ended();
}

void EventChannel::attach(EventListener &listener, std::optional<std::uint64_t> last_id) {
  bool keeps_up = true;
  if (!last_id || *last_id > newest()) {  // a number from before a restart says nothing
    if (!sticky_.empty()) keeps_up = listener.send(sticky_);
  } else if (*last_id < newest()) {
    const std::uint64_t oldest = ring_.front().id;
    if (*last_id + 1 < oldest) {
      listener.send("event: gap\ndata: {\"missed\":" + std::to_string(oldest - *last_id - 1) + "}\n\n");
    }
    for (const Event &event : ring_) {
      if (event.id > *last_id) keeps_up = listener.send(event.text);
    }
  }
  if (closed_) {
    listener.ended();
  } else if (keeps_up) {
    listeners_.push_back(&listener);
  }
}

void EventChannel::detach(EventListener &listener) { std::erase(listeners_, &listener); }

}  // namespace avc::launcher::http
