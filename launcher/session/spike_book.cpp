#include "launcher/session/spike_book.hpp"

#include <algorithm>

namespace avc::session {

using results::SpikeState;

SpikeBook::SpikeBook(const std::vector<spike::Planned> &plan) {
  for (const auto &planned : plan) add(planned);
}

const SpikeEntry *SpikeBook::find(std::string_view id) const {
  const auto found =
      std::find_if(entries_.rbegin(), entries_.rend(), [&](const SpikeEntry &e) { return e.planned.spike.id == id; });
  return found == entries_.rend() ? nullptr : &*found;
}

SpikeEntry *SpikeBook::entry(std::string_view id) { return const_cast<SpikeEntry *>(find(id)); }

std::vector<std::string> SpikeBook::active() const {
  std::vector<std::string> ids;
  for (const SpikeEntry &e : entries_) {
    if (e.state == SpikeState::active) ids.push_back(e.planned.spike.id);
  }
  return ids;
}

std::string SpikeBook::free_id(const std::string &wanted) {
  std::string id = wanted;
  for (int &n = suffix_.try_emplace(wanted, 2).first->second; find(id) != nullptr; ++n)
    id = wanted + "#" + std::to_string(n);
  return id;
}

void SpikeBook::add(spike::Planned planned) { entries_.push_back({std::move(planned), {}, 0, {}, {}}); }

void SpikeBook::drop(std::string_view id) {
  std::erase_if(entries_, [&](const SpikeEntry &e) { return e.planned.spike.id == id; });
}

const SpikeEntry *SpikeBook::take(std::string_view id, std::uint32_t participant, Report report,
                                  const std::string &reason) {
  SpikeEntry *e = entry(id);
  if (e == nullptr) return nullptr;
  const SpikeState before = e->state;
  switch (report) {
    case Report::started:
      // One participant may be too late for what others still meet.
      if (e->state == SpikeState::refused) e->reason.clear();
      if (e->state != SpikeState::planned && e->state != SpikeState::active && e->state != SpikeState::refused)
        return nullptr;
      if (e->in_force.insert(participant).second) ++e->participants;
      e->state = SpikeState::active;
      break;
    case Report::ended:
    case Report::cancelled:
      e->in_force.erase(participant);
      if (e->state == SpikeState::active && e->in_force.empty()) {
        e->state = report == Report::ended ? SpikeState::ended : SpikeState::cancelled;
        if (!reason.empty()) e->reason = reason;
      }
      break;
    case Report::refused:
      if (e->state == SpikeState::planned) {
        e->state = SpikeState::refused;
        e->reason = reason;
      }
      break;
  }
  return e->state == before ? nullptr : e;
}

std::vector<const SpikeEntry *> SpikeBook::participant_gone(std::uint32_t participant) {
  std::vector<const SpikeEntry *> changed;
  for (SpikeEntry &e : entries_) {
    if (e.in_force.erase(participant) == 0 || !e.in_force.empty() || e.state != SpikeState::active) continue;
    e.state = SpikeState::ended;
    e.reason = "its last participant is gone";
    changed.push_back(&e);
  }
  return changed;
}

std::vector<const SpikeEntry *> SpikeBook::test_over(const std::string &reason) {
  std::vector<const SpikeEntry *> changed;
  for (SpikeEntry &e : entries_) {
    if (e.state != SpikeState::active && e.state != SpikeState::planned) continue;
    e.state = e.state == SpikeState::active ? SpikeState::ended : SpikeState::cancelled;
    e.reason = reason;
    e.in_force.clear();
    changed.push_back(&e);
  }
  return changed;
}

const SpikeEntry *SpikeBook::cancel_planned(std::string_view id) {
  SpikeEntry *e = entry(id);
  if (e == nullptr || e->state != SpikeState::planned) return nullptr;
  e->state = SpikeState::cancelled;
  return e;
}

}  // namespace avc::session
