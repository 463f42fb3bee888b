// One stream of server-sent events: numbered, the last ones kept, so that a client that lost its connection goes on
// with Last-Event-ID where it was. Knows no sockets: who listens is behind an interface.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace avc::launcher::http {

class EventListener {
 public:
  virtual ~EventListener() = default;
  virtual bool send(const std::string &text) = 0;  // a whole event, ready for the wire; false: forget me
  virtual void ended() = 0;                        // nothing comes after this; the listener is forgotten
};

class EventChannel {
 public:
  explicit EventChannel(std::size_t kept = 1024) : kept_(kept) {}
  ~EventChannel() { close(); }

  // `data` is one line. A `sticky` event is what a client without Last-Event-ID is told first: the state of things.
  void publish(std::string_view event, std::string_view data, bool sticky = false);
  void close();
  bool closed() const { return closed_; }

  // Sends what was missed (or the sticky event), then everything to come. A listener detaches before it is destroyed.
  void attach(EventListener &listener, std::optional<std::uint64_t> last_id);
  void detach(EventListener &listener);

  std::uint64_t newest() const { return next_ - 1; }  // 0 before the first event

 private:
  struct Event {
    std::uint64_t id;
    std::string text;
  };

  std::size_t kept_;
  std::uint64_t next_ = 1;
  std::deque<Event> ring_;
  std::string sticky_;
  std::vector<EventListener *> listeners_;
  bool closed_ = false;
};

std::optional<std::uint64_t> parse_event_id(std::string_view text);

}  // namespace avc::launcher::http
