// Adds up what all participants did in one second and turns it into the second's Sample.
#pragma once

#include "launcher/results/samples.hpp"

namespace avc::results {

class SecondSums {
 public:
  // One participant, at the second's two ends.
  void add(const ParticipantSnapshot &before, const ParticipantSnapshot &now);

  // `previous`: the sample before this one, whose totals go on. `seconds`: the length of the second.
  Sample sample(const Sample &previous, double t, double seconds, bool has_receiver,
                const GeneratorHealth &generator) const;

 private:
  void add_scores(const ParticipantSnapshot &before, const ParticipantSnapshot &now);
  Sample::Received received(const Sample &previous, double seconds) const;

  SenderCounters sent_;
  ReceiverCounters received_, video_;
  DelayCounters delay_;
  double queue_ms_ = 0;
  double scores_ = 0, scored_ = 0;            // of the audio received
  double sent_scores_ = 0, sent_scored_ = 0;  // of the audio as the link let it through
  std::uint32_t running_ = 0, seen_ = 0;
};

}  // namespace avc::results
