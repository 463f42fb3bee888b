// Collects the samples that a test's thresholds ask for, while the run goes on, and says at the end which held.
//
// A sample is what one stream (a participant's video or audio) did in one second. With `per: participant` the
// seconds of a participant are put together to one value, with `per: second` the streams of a second are. Shares are
// averaged by weight (packets, frames). A scope keeps the seconds of one phase, told for each participant apart:
// before any spike acted on it, during one, after one while none acts; the selector spike_type looks at spikes of that
// type only and, without a scope, means during. No sample at all is a failure unless allow_no_data.
//
// A threshold is judged at the end by all of its samples. With abort_on_fail or for_seconds it is looked at each second
// by those so far: it is broken from the moment it has not held for for_seconds on end, and stays so. A shorter time
// under for_seconds is none. Without samples it neither holds nor breaks before the end.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "core/stats/stream_stats.hpp"
#include "launcher/results/distribution.hpp"
#include "launcher/results/samples.hpp"
#include "launcher/scenario/threshold.hpp"

namespace avc::results {

// Spikes that acted on a participant, as far as phases need them.
struct SpikeTouch {
  std::string_view type;
  bool acting = false;  // at some moment of this second
};

// One stream in one second. `sent` and `received` are differences over the second.
struct StreamSecond {
  std::uint32_t participant = 0;
  Media media = Media::video;
  double t = 0;        // its end, seconds since the start
  double seconds = 1;  // its length
  SenderCounters sent;
  ReceiverCounters received;
  bool observed = false;  // there is a receiver
  // Received by a subscriber, which knows nothing of what was sent: a second without a packet has delivered nothing.
  bool subscribed = false;
  bool seen = false;  // the receiver has had a packet of this stream, now or earlier
  std::optional<double> mos_score;
  std::optional<double> delay_ms;       // mean the link added
  double queue_ms = 0;                  // in the link's queue at the end of the second
  std::span<const SpikeTouch> touches;  // that acted so far on the participant
};

class Thresholds {
 public:
  explicit Thresholds(std::vector<scenario::Threshold> thresholds = {});

  // Each stream of a second, then the second itself.
  void stream(const StreamSecond &stream);
  void event(std::string_view metric, double t, double value);  // of a subscriber
  void second(double t, double seconds, std::uint32_t participants_active, const GeneratorHealth &generator);

  // The first broken one of those that end the run, in words; none: it goes on.
  const std::optional<std::string> &must_end() const { return must_end_; }

  bool empty() const { return watches_.empty(); }
  std::vector<ThresholdResult> results() const;

 private:
  // What samples are made of: a part and what it is a part of. Several may be put together to one sample.
  struct Sum {
    double part = 0, whole = 0;
    double time = -1;  // the second that is in `whole` already, where `whole` is time
  };
  struct Watch {
    scenario::Threshold threshold;
    scenario::MetricKind kind;
    Distribution samples;
    Sum total;
    double seconds = 0;                         // in which there was something to count
    double last_time = -1;                      // the last of them
    std::optional<Sum> second;                  // per: second, the one under way
    std::map<std::uint32_t, Sum> participants;  // per: participant
    std::optional<double> failing_since;        // without a break; of those looked at each second
    std::optional<double> broken_at;
  };
  struct Piece {
    double part, whole;
    bool whole_is_time = false;  // then streams side by side do not make it longer
  };

  static std::optional<Piece> piece_of(std::string_view metric, const StreamSecond &stream);
  static bool wanted(const scenario::Threshold &threshold, const StreamSecond &stream);
  static double sample(const Watch &watch, const Sum &sum);
  static void add(Watch &watch, const StreamSecond &stream, const Piece &piece);
  static std::optional<double> value(const Watch &watch, const Distribution &samples);
  std::optional<double> value(const Watch &watch) const;
  void look_at(Watch &watch, double t, double seconds);
  ThresholdResult result_of(const Watch &watch) const;
  static std::optional<double> lateness(const scenario::Threshold &threshold, const GeneratorHealth &generator);

  std::vector<Watch> watches_;
  GeneratorHealth generator_;  // the last one seen
  std::optional<std::string> must_end_;
};

}  // namespace avc::results
