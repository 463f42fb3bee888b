#include "elements/scheduler/timeline.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "core/spike/effect.hpp"
#include "elements/scheduler/schedule_json.hpp"

namespace avc::scheduler {
namespace {

Result<bool> possible(const spike::Planned &planned, bool connections) {
  if (planned.end <= planned.start) return Error{"end", "is not after the start"};
  const auto effect = spike::effect_of(planned.spike.type, planned.spike.params);
  if (!effect) return effect.error();
  if (effect->new_connection && !connections) return spike::refused_without_connection(planned.spike.type);
  return true;
}

}  // namespace

void Timeline::restart(Plan plan) {
  *this = Timeline();
  connections_ = plan.connections;
  plan_ = std::move(plan);
}

std::vector<std::string> Timeline::begin(std::uint32_t participant, std::uint64_t seed) {
  begun_ = true;
  participant_ = participant;
  Plan plan = std::exchange(plan_, {});
  spike::Plan spread;
  if (plan.spread) {
    spread = spike::make_plan(plan.spikes, plan.distribution, plan.length, Rng(seed).split("plan"));
  } else {
    spread.spikes = as_planned(std::move(plan.spikes));
  }
  std::erase_if(spread.spikes, [&](const auto &planned) { return !spike::addresses(planned.spike, participant); });
  schedule_.expect(spread.spikes.size());
  for (auto &planned : spread.spikes) {
    const auto outcome = inject(std::move(planned));
    if (outcome) continue;
    count_refused();
    waiting_.push_back(
        {Notice::Kind::none, SpikeState::refused, false, planned, planned.start, outcome.error().text()});
  }
  return spread.warnings;
}

void Timeline::leave_out_what_is_over(Instant now) {
  for (auto &late : schedule_.skip_to(now)) {
    count_refused();
    foretold_.erase(late.spike.id);
    const Instant at = late.start;
    waiting_.push_back(
        {Notice::Kind::none, SpikeState::refused, false, std::move(late), at, "was over before the first packet"});
  }
}

Result<bool> Timeline::inject(spike::Planned &&planned) {
  if (auto outcome = possible(planned, connections_); !outcome) return outcome;
  if (!schedule_.inject(std::move(planned))) return Error{"spike-id", "is that of a spike planned or active already"};
  return true;
}

bool Timeline::cancel(std::string_view id, Instant now) {
  const auto ids = active();
  const bool sent = std::ranges::find(ids, id) != ids.end();
  const auto foretold = foretold_.find(id);
  const bool known = foretold != foretold_.end();
  const auto changes = schedule_.cancel(id, now);
  for (const auto &change : changes) {
    Notice notice{sent || known ? Notice::Kind::end : Notice::Kind::none,
                  SpikeState::cancelled,
                  false,
                  change.spike,
                  change.at,
                  ""};
    notice.downstream = sent;
    waiting_.push_back(std::move(notice));
  }
  if (!changes.empty() && known) foretold_.erase(foretold);
  return !changes.empty();
}

void Timeline::foretell(Instant now, std::vector<Notice> &notices) {
  for (const auto &entry : schedule_.entries()) {
    if (entry.state != spike::State::planned || entry.planned.start > now + kForetold) continue;
    if (!foretold_.insert(entry.planned.spike.id).second) continue;
    notices.push_back({Notice::Kind::start, SpikeState::started, true, entry.planned, entry.planned.start, ""});
    notices.back().downstream = false;
  }
}

std::vector<Notice> Timeline::foretell(Instant now) {
  std::vector<Notice> notices;
  for (const auto &entry : schedule_.entries()) {
    if (entry.state != spike::State::active) continue;
    notices.push_back({Notice::Kind::start, SpikeState::started, true, entry.planned, entry.planned.start, ""});
    notices.back().downstream = false;
  }
  foretold_.clear();
  foretell(now, notices);
  return notices;
}

std::vector<Notice> Timeline::advance(Instant now) {
  if (!std::exchange(arrived_, true)) leave_out_what_is_over(now);
  std::vector<Notice> notices;
  if (std::exchange(repeat_, false)) {
    notices = foretell(now);
    for (Notice &notice : notices) notice.downstream = !foretold_.contains(notice.spike.spike.id);  // those in force
  }
  std::ranges::move(waiting_, std::back_inserter(notices));
  waiting_.clear();
  for (auto &change : schedule_.advance(now)) {
    const bool starts = change.kind == spike::Change::Kind::started;
    (starts ? counts_.started : counts_.ended)++;
    const bool known = foretold_.erase(change.spike.spike.id) > 0;
    notices.push_back({starts ? Notice::Kind::start : Notice::Kind::end,
                       starts ? SpikeState::started : SpikeState::ended, false, std::move(change.spike), change.at,
                       ""});
    notices.back().upstream = !(starts && known);
  }
  foretell(now, notices);
  schedule_.forget_over();  // a soak test's spikes would pile up in every participant
  return notices;
}

Instant Timeline::next_look() const {
  Instant next = next_change();
  for (const auto &entry : schedule_.entries()) {
    if (entry.state != spike::State::planned || foretold_.contains(entry.planned.spike.id)) continue;
    next = std::min(next, entry.planned.start - kForetold);
  }
  return next;
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
