// Server-sent events (the WHATWG rules): a parser of bytes, and a stream that keeps itself connected on the main
// context, resuming with Last-Event-ID.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace avc::tools {

struct ServerEvent {
  std::string type;  // "message" when the server names none
  std::string data;
  std::string id;  // the last id seen, also from earlier events
};

// Feed it what arrives, in pieces of any size. A line longer than 4 MiB, or as much in one event, is thrown away.
class EventParser {
 public:
  std::vector<ServerEvent> feed(std::string_view bytes);
  const std::string &last_id() const { return last_id_; }
  void disconnected();  // an unfinished event is dropped, the id stays

 private:
  void line(std::string_view text, std::vector<ServerEvent> &out);

  std::string partial_, type_, data_, last_id_;
  bool has_data_ = false, after_cr_ = false;
};

class EventStream {
 public:
  // `on_event` is called on the main context. `url` is the whole address of the stream.
  EventStream(std::string url, std::string token, std::function<void(const ServerEvent &)> on_event);
  ~EventStream();  // no call comes after this
  EventStream(const EventStream &) = delete;
  EventStream &operator=(const EventStream &) = delete;

  bool connected() const;
  int failures_in_a_row() const;  // attempts since the last one that brought bytes

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace avc::tools
