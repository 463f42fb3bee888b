// A number of subscribers that belong together: of a test, or of whoever asked for them. They begin one after the
// other, kPerSecond at most, so that a thousand pipelines are not made in one turn of the main context; none waits for
// another's answer.
//
// Main context only.
#pragma once

#include <memory>
#include <vector>

#include "launcher/webrtc/subscriber.hpp"

namespace avc::webrtc {

class Subscribers {
 public:
  static constexpr std::size_t kMost = 500;
  static constexpr unsigned kPerSecond = 50;

  Subscribers() = default;
  ~Subscribers() { leave_all(); }
  Subscribers(const Subscribers &) = delete;
  Subscribers &operator=(const Subscribers &) = delete;

  void add(SubscriberSettings settings, std::unique_ptr<Signalling> signalling);
  void begin();
  void leave_all();

  std::size_t size() const { return all_.size(); }
  std::vector<SubscriberSnapshot> snapshot() const;

 private:
  bool begin_next();

  std::vector<std::shared_ptr<Subscriber>> all_;
  std::size_t next_ = 0;
  session::SourceId pace_;
};

}  // namespace avc::webrtc
