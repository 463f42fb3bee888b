// One pass of a preparation pipeline: runs it as fast as it goes, collects what arrives at its app sinks, and ends at
// end of stream, at the first error, or when the work is no longer wanted.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "core/result.hpp"
#include "elements/media/coded.hpp"

namespace avc::media {

// Ends the pass under way and all later ones of the same preparation; any thread.
class Stop {
 public:
  void request();
  bool requested() const { return requested_; }

 private:
  friend class Pass;
  std::atomic<bool> requested_ = false;
  std::mutex mutex_;
  GstBus *bus_ = nullptr;  // of the pass under way
};

// What came out of one app sink. Read it only when the pass is over.
struct Collected {
  Ptr<GstCaps> caps;
  std::vector<CodedUnit> units;
  bool timed = true;  // every unit had a timestamp
};

class Pass {
 public:
  Pass();
  ~Pass();
  Pass(const Pass &) = delete;

  GstBin *bin() const { return GST_BIN(pipeline_.get()); }
  // Makes an element and adds it; null, remembered as an error, when its plugin is missing.
  GstElement *add(const char *factory);
  // Adds a piece in gst-launch syntax whose open ends become pads; in a running pass it is started at once.
  GstElement *add_text(const std::string &text);
  std::shared_ptr<Collected> collect(GstElement *piece, const std::string &app_sink);

  // Ends the pass without an error, from any of its threads.
  void finish();
  void fail(std::string message);  // the first failure stays

  using Progress = std::function<void(double percent)>;
  std::optional<Error> run(Stop &stop, const Progress &progress);

 private:
  std::optional<Error> wait(GstBus *bus, Stop &stop, const Progress &progress);
  void report(const Progress &progress);

  Ptr<GstElement> pipeline_;
  std::mutex mutex_;
  std::optional<std::string> failure_;
};

// gst_parse_launch values: quotes and escapes so that any path survives.
std::string quoted(const std::string &value);

}  // namespace avc::media
