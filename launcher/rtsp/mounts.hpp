// What can be watched over RTSP at this moment: the participants of tests that run. The main context tells of tests and
// their spikes, the threads of RTSP clients ask and have chains of their own made. One lock, held for a look or a
// change and never while anything is built, injected or ended, so nobody here waits for anybody.
#pragma once

#include <gst/gst.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/json/conditions.hpp"
#include "core/runtime/guarded.hpp"
#include "core/spike/spike.hpp"
#include "launcher/session/chain.hpp"

namespace avc::rtsp {

class Chain;

// All that a chain of a participant is made of, but its spikes.
struct Watched {
  std::string test;
  std::uint32_t participant = 0;
  std::uint64_t seed = 0;
  GstClockTime base_time = 0;
  session::MediaSettings media;
  json::Network network;
  std::string decision_log;  // file; empty: none
  std::string context;       // a thread of its own: what blocks there keeps nobody else waiting
};

// One test, when it begins to play.
struct Test {
  std::uint64_t seed = 0;
  GstClockTime base_time = 0;
  session::MediaSettings media;
  json::Network network;
  std::string decision_log;              // of its participants; those of chains lie beside it
  std::map<std::uint32_t, Nanos> joins;  // participants, and the running time at which each is there
  std::vector<spike::Planned> spikes;
};

// "/TEST/PARTICIPANT", and whatever follows it.
struct Path {
  std::string test;
  std::uint32_t participant = 0;
  std::string mount() const { return "/" + test + "/" + std::to_string(participant); }
};
std::optional<Path> parse_path(std::string_view path);

class Mounts {
 public:
  // Main context.
  void publish(const std::string &id, Test test);
  void withdraw(const std::string &id);
  void inject(const std::string &id, const spike::Planned &planned);
  void cancel(const std::string &id, const std::string &spike_id);
  // Who is told that a test can be watched no more; on the main context. Nobody: none.
  void on_withdrawn(std::function<void(const std::string &id)> told) { withdrawn_ = std::move(told); }

  // Any thread.
  bool has(const Path &path);                      // the participant has joined and its test runs
  std::optional<Watched> watch(const Path &path);  // for one more chain; none: has() no more
  // A new chain, which from here on hears of what is injected and cancelled. Gives the spikes that it is to begin with.
  std::vector<spike::Planned> add(const Watched &watched, const std::shared_ptr<Chain> &chain);

 private:
  struct Entry {
    Test test;
    std::vector<std::weak_ptr<Chain>> chains;
    std::uint32_t made = 0;
  };
  static std::vector<std::shared_ptr<Chain>> chains_of(Entry &entry);

  Guarded<std::map<std::string, Entry>> tests_;
  std::function<void(const std::string &)> withdrawn_;
};

}  // namespace avc::rtsp
