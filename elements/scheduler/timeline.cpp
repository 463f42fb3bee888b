#include "elements/scheduler/timeline.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "core/spike/effect.hpp"
#include "elements/scheduler/schedule_json.hpp"

namespace avc::scheduler {
namespace {

Result<bool> possible(const spike::Planned &planned) {
  if (planned.end <= planned.start) return Error{"end", "is not after the start"};
  const auto effect = spike::effect_of(planned.spike.type, planned.spike.params);
  if (!effect) return effect.error();
  return true;
}

}  // namespace

void Timeline::restart(Plan plan) {
  *this = Timeline();
  plan_ = std::move(plan);
}

std::vector<std::string> Timeline::begin(std::uint32_t participant, std::uint64_t seed, Instant now) {
  begun_ = true;
  participant_ = participant;
  spike::Plan spread;
  if (plan_.spread) {
    spread = spike::make_plan(plan_.spikes, plan_.distribution, plan_.length, Rng(seed).split("plan"));
  } else {
    spread.spikes = as_planned(plan_.spikes);
  }
  for (auto &planned : spread.spikes) {
    if (!spike::addresses(planned.spike, participant)) continue;
    const auto outcome = inject(planned);
    if (outcome) continue;
    count_refused();
    waiting_.push_back(
        {Notice::Kind::none, SpikeState::refused, false, planned, planned.start, outcome.error().text()});
  }
  for (auto &late : schedule_.skip_to(now)) {
    count_refused();
    const Instant at = late.start;
    waiting_.push_back(
        {Notice::Kind::none, SpikeState::refused, false, std::move(late), at, "was over before the first packet"});
  }
  return spread.warnings;
}

Result<bool> Timeline::inject(spike::Planned planned) {
  if (auto outcome = possible(planned); !outcome) return outcome;
  if (!schedule_.inject(std::move(planned))) return Error{"spike-id", "is that of a spike planned or active already"};
  return true;
}

bool Timeline::cancel(std::string_view id, Instant now) {
  const auto ids = active();
  const bool sent = std::ranges::find(ids, id) != ids.end();
  const auto changes = schedule_.cancel(id, now);
  for (const auto &change : changes) {
    waiting_.push_back(
        {sent ? Notice::Kind::end : Notice::Kind::none, SpikeState::cancelled, false, change.spike, change.at, ""});
  }
  return !changes.empty();
}

std::vector<Notice> Timeline::advance(Instant now) {
  std::vector<Notice> notices;
  if (std::exchange(repeat_, false)) {
    for (const auto &entry : schedule_.entries()) {
      if (entry.state != spike::State::active) continue;
      notices.push_back({Notice::Kind::start, SpikeState::started, true, entry.planned, entry.planned.start, ""});
    }
  }
  std::ranges::move(waiting_, std::back_inserter(notices));
  waiting_.clear();
  for (auto &change : schedule_.advance(now)) {
    const bool starts = change.kind == spike::Change::Kind::started;
    (starts ? counts_.started : counts_.ended)++;
    notices.push_back({starts ? Notice::Kind::start : Notice::Kind::end,
                       starts ? SpikeState::started : SpikeState::ended, false, std::move(change.spike), change.at,
                       ""});
  }
  schedule_.forget_over();  // a soak test's spikes would pile up in every participant
  return notices;
}

std::vector<std::string> Timeline::active() const {
  std::vector<std::string> ids;
  for (const auto &entry : schedule_.entries()) {
    if (entry.state == spike::State::active) ids.push_back(entry.planned.spike.id);
  }
  return ids;
}

Timeline::Counts Timeline::counts() const {
  Counts counts = counts_;
  for (const auto &entry : schedule_.entries()) {
    counts.planned += entry.state == spike::State::planned;
    counts.active += entry.state == spike::State::active;
  }
  return counts;
}

}  // namespace avc::scheduler
