// Spikes that were announced and have not begun or ended yet, for whoever carries them out. Announcements come early,
// late, or twice, on any order of events that a scheduler sends; what they come to depends on their times alone.
//
// A spike is in force from the first packet at or after its start up to, and not at, its end. Its end is the one that
// was announced with the start, or the one told later (a cancelled spike ends before its time).
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/time.hpp"

namespace avc::spike {

template <class Effect>
class Changes {
 public:
  struct Change {
    Instant at;
    std::string id;
    std::optional<Effect> effect;  // none: the end
  };

  bool empty() const { return changes_.empty(); }

  void start(const std::string &id, Instant start, Instant end, Effect effect) {
    add({start, id, std::move(effect)});
    if (end != Instant::never()) add({end, id, std::nullopt});
  }

  void end(const std::string &id, Instant at) {
    std::erase_if(changes_, [&](const Change &c) { return c.id == id && (!c.effect || c.at >= at); });
    add({at, id, std::nullopt});
  }

  // The earliest change whose time has come.
  std::optional<Change> take_due(Instant now) {
    if (changes_.empty() || changes_.front().at > now) return std::nullopt;
    std::optional<Change> first = std::move(changes_.front());
    changes_.erase(changes_.begin());
    return first;
  }

 private:
  // In order of time, and for one moment in the order told: a spike that begins when another of its name ends does.
  void add(Change change) {
    const auto later = [](Instant at, const Change &c) { return at < c.at; };
    changes_.insert(std::upper_bound(changes_.begin(), changes_.end(), change.at, later), std::move(change));
  }

  std::vector<Change> changes_;
};

}  // namespace avc::spike
