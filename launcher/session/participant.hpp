// One simulated UDP participant: a GstBin of our elements, made from factories and properties as any GStreamer user
// would make it. Reads their `counters` and `stats` and reaches their action signals; knows nothing of their classes.
//
//   avchaossrc.rtp ! participanttagger ! spikescheduler ! chaosdegrader ! avchaosudpsink
//
// One that sends to nobody but its viewers (launcher/webrtc) is there all the same: its sound, which costs next to
// nothing and goes nowhere, keeps the participant's time, its plan and its state.
//
//   avchaossrc.audio_0 ! participanttagger ! spikescheduler ! fakesink
//
// Main context only: elements write their counters on streaming threads, `stats` gives a snapshot.
#pragma once

#include <gst/gst.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/json/conditions.hpp"
#include "core/participant/participant.hpp"
#include "core/result.hpp"
#include "core/spike/spike.hpp"
#include "launcher/results/samples.hpp"
#include "launcher/session/chain.hpp"

namespace avc::session {

struct ParticipantSettings {
  std::uint32_t id = 0;
  std::uint64_t seed = 0;
  Nanos duration{};           // 0: until it is stopped
  std::string context;        // the thread it shares
  Nanos ahead{};              // media that is handed on together, before its time
  bool viewers_only = false;  // nothing is sent from here; address and ports are of no use
  bool connections = false;   // it publishes: spikes may replace its peer connection
  std::string address;
  std::uint16_t port = 0;
  std::uint16_t rtcp_port = 0;  // for sender reports; 0: the one after port
  MediaSettings media;
  std::optional<Nanos> joins;  // running time at which it begins; none: when the test does

  json::Network network;                // without spikes
  std::vector<spike::Planned> planned;  // those that address it
  std::string decision_log;             // file; empty: none
  std::string replay_log;               // a decision log whose fates are repeated; empty: none
};

// What the generator itself did; a context is shared, so its lateness is kept by its name.
struct GeneratorTotals {
  struct Lateness {
    std::uint64_t count = 0;
    double avg_ms = 0, p50_ms = 0, p95_ms = 0, p99_ms = 0, max_ms = 0;
    stats::LateCounts counts;
  };
  std::map<std::string, Lateness> contexts;
  std::map<std::string, std::string> stuck;  // contexts that serve nobody for a second or more, and in which element
  std::uint64_t packets = 0, bytes = 0, errors = 0;
  std::map<std::string, std::uint64_t> errors_by_name;  // of errno
};

class Participant {
 public:
  static Result<std::unique_ptr<Participant>> make(const ParticipantSettings &settings);
  ~Participant();
  Participant(const Participant &) = delete;
  Participant &operator=(const Participant &) = delete;

  GstElement *bin() const { return bin_; }  // owned here too: outlives the pipeline's reference
  void let_go();  // of the elements, when the test is over: after it only id, state and reason are there
  std::uint32_t id() const { return id_; }

  participant::State state() const { return state_; }
  void set_state(participant::State state);  // ignored where the rules of core/participant say it cannot follow
  void fail(std::string reason);
  void explain(std::string reason);                      // why it is not more than it is; empty: nothing is amiss
  const std::string &reason() const { return reason_; }  // that, or of its failure

  // What the source says of its media: preparing, running or failed.
  enum class Source { preparing, ready, failed };
  Source source() const;

  // Its source makes no more frames; those on their way go on. Waits for nobody.
  void fall_silent();

  bool inject(const spike::Planned &spike);  // false: spikescheduler refused
  bool cancel(const std::string &spike_id);

  void read(results::ParticipantSnapshot &snapshot) const;
  void add_to(GeneratorTotals &totals) const;
  std::vector<double> renditions_kbps() const;  // highest first; empty while preparing

 private:
  Participant(std::uint32_t id, std::string context) : id_(id), context_(std::move(context)) {}
  Result<bool> build(const ParticipantSettings &settings);
  Result<bool> build_link(const ParticipantSettings &settings);
  Result<bool> check_counters() const;
  Result<GstElement *> add(const char *factory);

  std::uint32_t id_;
  std::string context_;
  GstElement *bin_ = nullptr;
  // In the bin, and owned by it; degrader and sink only of one that sends.
  GstElement *source_ = nullptr, *scheduler_ = nullptr, *degrader_ = nullptr, *sink_ = nullptr;
  participant::State state_ = participant::State::created;
  std::string reason_;
};

}  // namespace avc::session
