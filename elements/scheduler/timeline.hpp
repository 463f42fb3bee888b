// One participant's spikes as its stream goes by: which concern it, which are in force, what has to be said next.
// Times are running times. No pads, no threads; who calls must hold the lock it is in.
#pragma once

#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"
#include "core/spike/plan.hpp"
#include "core/spike/schedule.hpp"
#include "elements/support/chaos_events.hpp"

namespace avc::scheduler {

// Longer than a frame lasts or a source is late; the source carries spikes out at the times that they name.
inline constexpr Nanos kForetold = std::chrono::seconds(1);

// What an element has to tell the others, in order.
struct Notice {
  enum class Kind : std::uint8_t { start, end, none } event = Kind::none;  // the event to send, if any
  SpikeState state = SpikeState::started;                                  // for the bus
  bool silent = false;  // send the event, post nothing: said before, or not true yet
  spike::Planned spike;
  Instant at;
  std::string reason;
  bool downstream = true, upstream = true;  // where the event goes
};

class Timeline {
 public:
  struct Plan {
    std::vector<spike::Spike> spikes;
    bool spread = false;       // by `distribution` over `length`; otherwise each at its own offset
    bool connections = false;  // somebody listens who replaces peer connections
    spike::Distribution distribution;
    Nanos length{};
  };
  struct Counts {
    std::uint64_t planned = 0, active = 0, started = 0, ended = 0, refused = 0;
  };

  void restart(Plan plan);
  // Once participant and seed are known: what cannot be done is refused. Gives the plan's warnings.
  std::vector<std::string> begin(std::uint32_t participant, std::uint64_t seed);
  bool begun() const { return begun_; }
  bool arrived() const { return arrived_; }  // advance() was called

  // The error says why a spike is refused; it is untouched then.
  Result<bool> inject(spike::Planned &&planned);
  void count_refused() { counts_.refused++; }
  bool cancel(std::string_view id, Instant now);
  void repeat_active() { repeat_ = arrived_; }  // somebody new is listening

  // What is to be said when time has come to `now`; what was over before the first call is left out. What was cancelled
  // or refused is said whatever the time. Upstream hears of a start kForetold before it, since the packet that the time
  // comes with has passed there already.
  std::vector<Notice> advance(Instant now);
  // What upstream has to know at `now` or soon, said to one who has heard nothing yet.
  std::vector<Notice> foretell(Instant now);
  bool urgent() const { return repeat_ || !waiting_.empty(); }  // something to say that waits for no time
  Instant next_change() const { return schedule_.next_change(); }
  Instant next_look() const;  // when advance() has something to say next

  std::vector<std::string> active() const;
  Counts counts() const;

 private:
  Plan plan_;  // until begin()
  bool connections_ = false, begun_ = false, arrived_ = false, repeat_ = false;
  std::uint32_t participant_ = 0;
  void leave_out_what_is_over(Instant now);
  void foretell(Instant now, std::vector<Notice> &notices);

  spike::Schedule schedule_;
  std::vector<Notice> waiting_;
  std::set<std::string, std::less<>> foretold_;  // upstream knows their start
  Counts counts_;                                // planned and active are counted anew when asked for
};

}  // namespace avc::scheduler
