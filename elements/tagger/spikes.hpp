// The spikes that participanttagger carries out: told on any thread, in force by the media's own time. While there are
// none, a packet asks one question.
#pragma once

#include <gst/gst.h>

#include <array>
#include <atomic>
#include <optional>
#include <string>
#include <vector>

#include "core/runtime/guarded.hpp"
#include "core/spike/changes.hpp"
#include "core/spike/tagger_effects.hpp"
#include "elements/support/chaos_events.hpp"

namespace avc::tagger {

// What is added to a stream's headers, in the units of their fields.
struct Shift {
  std::uint32_t ssrc = 0, timestamp = 0;
  std::uint16_t sequence = 0;
};

class Spikes {
 public:
  using Change = spike::Changes<spike::TaggerEffect>::Change;

  // Any thread. Spikes that leave headers and packets alone are ignored.
  void tell(const SpikeStart &start);
  void tell(const SpikeEnd &end);

  // All below: streaming thread only.
  void restart();
  // Whether there is anything to look at: told, to come, or in force.
  bool busy() const { return told_ || !changes_.empty() || !effects_.empty(); }
  std::optional<Change> take_due(Instant now);
  void carry_out(const Change &change, Instant now);

  const spike::TaggerEffects &effects() const { return effects_; }
  Shift shift(net::Stream stream, std::uint32_t clock_rate) const;
  template <class Make>
  std::uint64_t flood(Instant now, Make make) {
    return effects_.flood(now, make);
  }

 private:
  struct Word {
    std::string id;
    Instant at;
    Instant end = Instant::never();
    std::optional<spike::TaggerEffect> effect{};  // none: the end
  };

  void tell(Word word);

  Guarded<std::vector<Word>> words_;
  std::atomic<bool> told_{false};  // words_ has some
  spike::Changes<spike::TaggerEffect> changes_;
  spike::TaggerEffects effects_;
};

}  // namespace avc::tagger
