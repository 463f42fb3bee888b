// What a test's participants have done: read off their elements, once a second for the sample and when asked.
//
// Reading one takes 2 to 5 µs. Of a few, all are read at once; of many, a second's worth is read in portions, so
// that requests are answered between them. Whatever the order, each participant's own second is a second long.
#include <algorithm>
#include <utility>

#include "launcher/results/verdict.hpp"
#include "launcher/session/test_session.hpp"

namespace avc::session {
namespace {

using participant::TestState;
using ParticipantState = participant::State;

constexpr std::size_t kPortion = 100;  // up to half a millisecond of the main context
constexpr std::int64_t kFreshUs = 200'000;

results::ParticipantState result_state(ParticipantState state) {
  switch (state) {
    case ParticipantState::created:
      return results::ParticipantState::created;
    case ParticipantState::preparing:
      return results::ParticipantState::preparing;
    case ParticipantState::connecting:
    case ParticipantState::running:
      return results::ParticipantState::running;
    case ParticipantState::failed:
    case ParticipantState::lost:
      return results::ParticipantState::failed;
    case ParticipantState::left:
      return results::ParticipantState::left;
    case ParticipantState::stopped:
      return results::ParticipantState::stopped;
  }
  return results::ParticipantState::failed;
}

}  // namespace

results::ParticipantSnapshot TestSession::read(std::size_t index) const {
  results::ParticipantSnapshot one;
  participants_[index]->read(one);
  if (setup_.viewers_only && viewers_) viewers_->add_to(one.id, one);
  one.state = result_state(participants_[index]->state());
  one.joined = index < next_to_join_;
  if (setup_.receiver != nullptr) setup_.receiver->fill(one.id, one);
  return one;
}

std::vector<results::ParticipantSnapshot> TestSession::read_all() {
  if (setup_.receiver != nullptr) setup_.receiver->refresh();
  std::vector<results::ParticipantSnapshot> all;
  all.reserve(participants_.size());
  for (std::size_t i = 0; i < participants_.size(); ++i) all.push_back(read(i));
  return all;
}

// Those that a spike is about. Spikes come in bunches: what was read a moment ago serves the next of them too.
const std::vector<results::ParticipantSnapshot> &TestSession::read_for(const spike::Spike &spike) {
  constexpr std::int64_t kMomentUs = 5000;
  if (!spike.participants.empty()) {
    if (setup_.receiver != nullptr && g_get_monotonic_time() - told_at_us_ > kMomentUs) setup_.receiver->refresh();
    told_.clear();
    for (const std::uint32_t id : spike.participants)
      if (const auto found = by_id_.find(id); found != by_id_.end()) told_.push_back(read(found->second));
    told_all_ = false;
  } else if (!told_all_ || g_get_monotonic_time() - told_at_us_ > kMomentUs) {
    told_ = read_all();
    told_all_ = true;
  }
  told_at_us_ = g_get_monotonic_time();
  return told_;
}

results::GeneratorHealth TestSession::read_health(const GeneratorTotals &totals) {
  for (const auto &[name, element] : totals.stuck) {
    if (!stuck_.insert(name).second) continue;
    g_log("avcd-session", G_LOG_LEVEL_WARNING, "%s: nothing has left on context %s for a second: it is stuck in %s",
          setup_.test_id.c_str(), name.c_str(), element.empty() ? "the kernel" : element.c_str());
  }
  results::GeneratorHealth health;
  // What goes on from second to second.
  health.late_counts = health_.late_counts;
  health.second_late_p99_ms = health_.second_late_p99_ms;
  health.use = health_.use;
  health.second_use = health_.second_use;
  health.late_use = health_.late_use;
  late_now_ = {};
  for (const auto &[name, late] : totals.contexts) {
    health.late_count += late.count;
    health.late_avg_ms = std::max(health.late_avg_ms, late.avg_ms);
    health.late_p95_ms = std::max(health.late_p95_ms, late.p95_ms);
    health.late_p50_ms = std::max(health.late_p50_ms, late.p50_ms);
    health.late_p99_ms = std::max(health.late_p99_ms, late.p99_ms);
    health.late_max_ms = std::max(health.late_max_ms, late.max_ms);
    late_now_ += late.counts;
  }
  health.packets_sent = totals.packets;
  health.bytes_sent = totals.bytes;
  health.send_errors = totals.errors;
  health.errors_by_name = totals.errors_by_name;
  if (setup_.receiver != nullptr) health.receiver_kernel_drops = setup_.receiver->kernel_drops();
  return health;
}

void TestSession::read_now() {
  newest_ = read_all();
  GeneratorTotals totals;
  for (const auto &one : participants_) one->add_to(totals);
  health_ = read_health(totals);
}

void TestSession::begin_sweep() {
  if (participants_.size() <= kPortion) return second(elapsed_seconds());
  if (sweep_source_) return;  // a machine so slow that the last one is not over: its sample comes late
  sweep_ = {elapsed_seconds(), std::exchange(before_, {}), {}};  // whose room is used again
  sweep_.read.clear();
  sweep_.read.reserve(participants_.size());
  if (setup_.receiver != nullptr) setup_.receiver->refresh();
  sweep_source_.set(g_timeout_add(
      0,
      [](gpointer self) -> gboolean {
        auto *session = static_cast<TestSession *>(self);
        if (session->sweep_on()) return G_SOURCE_CONTINUE;
        session->sweep_source_.ended();
        session->take_second(session->sweep_.at);
        return G_SOURCE_REMOVE;
      },
      this));
}

// A portion; false when it was the last.
bool TestSession::sweep_on() {
  const std::size_t until = std::min(sweep_.read.size() + kPortion, participants_.size());
  for (std::size_t i = sweep_.read.size(); i < until; ++i) {
    sweep_.read.push_back(read(i));
    participants_[i]->add_to(sweep_.totals);
  }
  if (until < participants_.size()) return true;
  before_ = std::exchange(newest_, std::move(sweep_.read));
  health_ = read_health(sweep_.totals);
  return false;
}

void TestSession::second(double t) {
  before_ = newest_;
  read_now();
  take_second(t);
}

// The generator's own second: how late it was in it, and what the machine did meanwhile.
void TestSession::judge_second() {
  const auto late = late_now_.since(std::exchange(late_before_, late_now_));
  const auto before = std::exchange(machine_, read_machine(static_cast<double>(g_get_monotonic_time()) / 1e6));
  health_.late_counts += late;
  health_.second_late_p99_ms = late.quantile_ms(0.99);
  health_.second_use = use_between(before, machine_);
  health_.use += health_.second_use;
  if (health_.second_late_p99_ms > results::kLateLimitMs) health_.late_use += health_.second_use;
}

void TestSession::take_second(double t) {
  fresh_at_us_ = 0;
  judge_second();
  // A stretch much shorter than a second (a stop just after a sample) would say nothing: the one before stands.
  if (const double seconds = t - (last_ ? last_->t : 0); seconds > 0.3 || rates_.empty()) {
    rates_ = rates_between(before_, newest_, seconds, has_receiver_);
  }
  if (subscribers_) recorder_.subscribers(Instant{from_seconds(t)}, subscribers());
  last_ = recorder_.second(Instant{from_seconds(t)}, newest_, health_);
  observer_.sampled(*this, *last_);
  if (state_ == TestState::running && recorder_.must_end())
    finish(results::EndReason::aborted, *recorder_.must_end(), TestState::stopped);
}

const std::vector<results::ParticipantSnapshot> &TestSession::snapshots() {
  if (!playing_) return newest_;
  if (participants_.size() > kPortion && !newest_.empty()) return newest_;  // not older than a second
  const std::int64_t now = g_get_monotonic_time();
  if (fresh_at_us_ == 0 || now - fresh_at_us_ > kFreshUs) {
    fresh_ = read_all();
    fresh_at_us_ = now;
  }
  return fresh_;
}

std::optional<results::ParticipantSnapshot> TestSession::snapshot_of(std::uint32_t id) const {
  const auto found = by_id_.find(id);
  if (found == by_id_.end()) return std::nullopt;
  if (playing_) return read(found->second);
  return found->second < newest_.size() ? std::optional(newest_[found->second]) : std::nullopt;
}

}  // namespace avc::session
