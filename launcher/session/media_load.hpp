// What one participant of a test will send, before it sends: a source of the test's media is prepared, which starting
// the test needs anyway, and asked what it holds.
#pragma once

#include <gst/gst.h>

#include <functional>
#include <memory>
#include <optional>

#include "launcher/scenario/scenario.hpp"
#include "launcher/session/source_id.hpp"
#include "launcher/session/test_session.hpp"

namespace avc::session {

class MediaLoad {
 public:
  // Nothing: the media cannot be prepared, or not in time.
  using Done = std::function<void(std::optional<scenario::MediaFacts>)>;

  // Calls back once, now or later, on the main context.
  static void ask(const SessionSetup &setup, Done done);

  ~MediaLoad();
  MediaLoad(const MediaLoad &) = delete;
  MediaLoad &operator=(const MediaLoad &) = delete;

 private:
  explicit MediaLoad(Done done) : done_(std::move(done)) {}
  bool prepare(const SessionSetup &setup);
  bool look();  // false: it is over
  void over(std::optional<scenario::MediaFacts> facts);

  Done done_;
  GstElement *source_ = nullptr;
  int looks_ = 0;
};

}  // namespace avc::session
