// Turns a run's snapshots into its result: one Sample a second, before / during / after windows for every spike,
// threshold samples as they come, and the verdict at the end. It is fed by the session and never asks anybody;
// times are on the test's time line. Main context only.
//
//   recorder.begin(facts, plan, thresholds);
//   each second:          const Sample &s = recorder.second(elapsed, snapshots, health);
//   on a spike message:   recorder.spike_changed(planned, SpikeState::active, at, its participants' snapshots);
//   at the end:           const RunResult &r = recorder.finish(EndReason::completed, "", elapsed);
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/spike/spike.hpp"
#include "core/time.hpp"
#include "launcher/results/samples.hpp"
#include "launcher/scenario/threshold.hpp"

namespace avc::results {

class Recorder {
 public:
  Recorder();
  ~Recorder();
  Recorder(Recorder &&) noexcept;
  Recorder &operator=(Recorder &&) noexcept;

  void begin(RunFacts facts, std::span<const spike::Planned> plan, std::vector<scenario::Threshold> thresholds);

  // Snapshots of every participant, in any order; a participant absent from them has left. Call about once a second,
  // and once more just before finish().
  const Sample &second(Instant elapsed, std::span<const ParticipantSnapshot> participants,
                       const GeneratorHealth &generator);

  // All subscribers, in the order of their ids; just before second(). Without a receiver the thresholds' streams are
  // what they receive, of each from the first whole second in which it is connected; join times are theirs in any case.
  void subscribers(Instant elapsed, std::span<const SubscriberSnapshot> subscribers);

  // One participant's connection has been replaced because of a spike, which may be over.
  void connection_replaced(const std::string &spike_id, double ms);

  // A spike that is not in the plan is added to it. Snapshots: of the participants it acts on, taken now; empty for
  // one that is refused. The first call with `active` opens the spike's window, `ended` or `cancelled` closes it.
  void spike_changed(const spike::Planned &spike, SpikeState state, Instant at,
                     std::span<const ParticipantSnapshot> participants, std::string reason = {});

  void warn(std::string text);  // something the run's reader should know; after begin()
  const RunResult &finish(EndReason reason, std::string detail, Instant elapsed);

  // Why the run is to be ended before its time: a threshold that says so is broken. None: it goes on.
  const std::optional<std::string> &must_end() const;

  // What is known so far; complete after finish().
  const RunResult &result() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace avc::results
