#include "core/spike/schedule.hpp"

#include <algorithm>
#include <array>
#include <unordered_set>

namespace avc::spike {
namespace {

constexpr std::array<std::string_view, 4> kStates{"planned", "active", "ended", "cancelled"};

bool open(const Schedule::Entry &entry) { return entry.state == State::planned || entry.state == State::active; }

// When an open entry changes next.
Instant due(const Schedule::Entry &entry) {
  return entry.state == State::planned ? entry.planned.start : entry.planned.end;
}

bool changes_before(const Schedule::Entry &a, const Schedule::Entry &b) {
  if (due(a) != due(b)) return due(a) < due(b);
  return a.state == State::active && b.state == State::planned;
}

}  // namespace

bool addresses(const Spike &spike, std::uint32_t participant) {
  const auto &whom = spike.participants;
  return whom.empty() || std::find(whom.begin(), whom.end(), participant) != whom.end();
}

std::string_view name(State state) { return kStates[static_cast<std::size_t>(state)]; }

Schedule::Schedule(std::vector<Planned> spikes) {
  std::unordered_set<std::string> ids;
  for (Planned &spike : spikes) {
    if (spike.end > spike.start && ids.insert(spike.spike.id).second) entries_.push_back({std::move(spike)});
  }
  find_next_change();
}

bool Schedule::inject(Planned &&spike) {
  if (spike.end <= spike.start) return false;
  for (const Entry &entry : entries_) {
    if (open(entry) && entry.planned.spike.id == spike.spike.id) return false;
  }
  entries_.push_back({std::move(spike)});
  find_next_change();
  return true;
}

std::vector<Change> Schedule::cancel(std::string_view id, Instant now) {
  std::vector<Change> changes;
  for (Entry &entry : entries_) {
    if (!open(entry) || entry.planned.spike.id != id) continue;
    // Cut short, so that in_force() of any instant stays true.
    entry.planned.end =
        entry.state == State::active ? std::clamp(now, entry.planned.start, entry.planned.end) : entry.planned.start;
    entry.state = State::cancelled;
    changes.push_back({Change::Kind::cancelled, entry.planned, now});
  }
  find_next_change();
  return changes;
}

std::vector<Planned> Schedule::skip_to(Instant now) {
  std::vector<Planned> skipped;
  for (Entry &entry : entries_) {
    if (!open(entry) || entry.planned.end > now) continue;
    entry.state = State::ended;
    skipped.push_back(entry.planned);
  }
  find_next_change();
  return skipped;
}

std::vector<Change> Schedule::advance(Instant now) {
  std::vector<Change> changes;
  while (next_change_ <= now && next_change_ != Instant::never()) {
    Entry *next = nullptr;
    for (Entry &entry : entries_) {
      if (open(entry) && (!next || changes_before(entry, *next))) next = &entry;
    }
    const bool starts = next->state == State::planned;
    changes.push_back({starts ? Change::Kind::started : Change::Kind::ended, next->planned, due(*next)});
    next->state = starts ? State::active : State::ended;
    find_next_change();
  }
  return changes;
}

void Schedule::forget_over() {
  std::erase_if(entries_, [](const Entry &entry) { return !open(entry); });
}

std::vector<Planned> Schedule::in_force(Instant at, std::uint32_t participant) const {
  std::vector<Planned> found;
  for (const Entry &entry : entries_) {
    const Planned &planned = entry.planned;
    if (planned.start <= at && at < planned.end && addresses(planned.spike, participant)) found.push_back(planned);
  }
  return found;
}

void Schedule::find_next_change() {
  next_change_ = Instant::never();
  for (const Entry &entry : entries_) {
    if (open(entry)) next_change_ = std::min(next_change_, due(entry));
  }
}

}  // namespace avc::spike
