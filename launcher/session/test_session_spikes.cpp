// The spikes of a test: injecting and cancelling them, and what becomes of them.
#include <algorithm>

#include "core/spike/effect.hpp"
#include "core/spike/schedule.hpp"
#include "elements/support/chaos_events.hpp"
#include "launcher/session/rendition.hpp"
#include "launcher/session/test_session.hpp"

namespace avc::session {

using participant::TestState;
using ParticipantState = participant::State;

namespace {
constexpr std::string_view kLeave = "participant_leave";
constexpr std::size_t kMostSpikes = 10000;  // planned and injected: each is remembered to the end
}  // namespace

void TestSession::announce(const SpikeEntry &entry, double at_seconds) {
  announce(entry, at_seconds,
           entry.participants > 0 ? read_for(entry.planned.spike) : std::vector<results::ParticipantSnapshot>());
}

void TestSession::announce(const SpikeEntry &entry, double at_seconds,
                           const std::vector<results::ParticipantSnapshot> &all) {
  const bool over = entry.state != results::SpikeState::active;
  std::vector<results::ParticipantSnapshot> hit;
  for (const auto &one : all) {
    if (entry.participants > 0 && spike::addresses(entry.planned.spike, one.id)) hit.push_back(one);
  }
  recorder_.spike_changed(entry.planned, entry.state, Instant{from_seconds(at_seconds)}, hit, entry.reason);
  g_log("avcd-session", G_LOG_LEVEL_INFO, "%s: spike %s %s", setup_.test_id.c_str(), entry.planned.spike.id.c_str(),
        over ? "over" : "active");
  observer_.spike_changed(*this, entry, at_seconds);
}

Result<std::optional<double>> TestSession::rendition_for(const spike::Spike &spike) const {
  const auto effect = spike::effect_of(spike.type, spike.effective());
  if (!effect) return effect.error();
  if (!effect->source.max_bitrate_kbps) return std::optional<double>();
  std::vector<double> prepared;
  for (const auto &one : participants_) {
    if (!participant::is_over(one->state())) prepared = one->renditions_kbps();
    if (!prepared.empty()) break;
  }
  if (prepared.size() < 2) {
    return Error{"state", "this test has only one bitrate prepared; create it with \"renditions\": [2500, 1200, 600]"};
  }
  return std::optional(chosen_rendition(prepared, *effect->source.max_bitrate_kbps));
}

Result<Injection> TestSession::inject(spike::Spike spike) {
  const bool of_connection = spike::needs_connection(spike.type);
  if (of_connection && setup_.whip.exchange == nullptr) return spike::refused_without_connection(spike.type);
  if (state_ != TestState::running) {
    return Error{"state", "the test is " + std::string(participant::name(state_)) + ", not running"};
  }
  if (!playing_) return Error{"state", "the test is still preparing its media"};
  if (book_.entries().size() >= kMostSpikes) {
    return Error{"state", "the test has had " + std::to_string(kMostSpikes) + " spikes, the most that one may have"};
  }
  auto rendition = rendition_for(spike);
  if (!rendition) return rendition.error();

  Injection done;
  done.rendition_kbps = *rendition;
  done.start_seconds = elapsed_seconds();
  const std::uint32_t first = setup_.scenario.first_participant;
  const auto in_test = [&](std::uint32_t id) { return id >= first && id - first < setup_.scenario.num_participants; };
  std::vector<std::uint32_t> known;
  for (const std::uint32_t id : spike.participants) {
    if (in_test(id)) {
      known.push_back(id);
    } else {
      done.warnings.push_back("participant " + std::to_string(id) + " is not in this test");
    }
  }
  if (!spike.participants.empty() && known.empty()) {
    return Error{"participant_ids", "none of these participants is in this test (" + std::to_string(first) + " to " +
                                        std::to_string(first + setup_.scenario.num_participants - 1) + ")"};
  }
  spike.participants = std::move(known);
  const std::string wanted = spike.id;
  spike.id = book_.free_id(wanted);
  if (spike.id != wanted)
    done.warnings.push_back("\"" + wanted + "\" was used before; this one is \"" + spike.id + "\"");
  done.spike_id = spike.id;

  spike::Planned planned{std::move(spike), Instant{from_seconds(done.start_seconds)}, Instant::never()};
  if (planned.spike.duration) planned.end = planned.start + *planned.spike.duration;
  book_.add(planned);
  for (auto &one : participants_) {
    if (!spike::addresses(planned.spike, one->id())) continue;
    // One that has yet to join will meet what is in force then.
    if (participant::is_over(one->state())) {
      done.warnings.push_back("participant " + std::to_string(one->id()) + " is " +
                              std::string(participant::name(one->state())));
    } else if (one->inject(planned)) {
      ++done.participants;
    } else {
      done.warnings.push_back("participant " + std::to_string(one->id()) + " refused the spike");
    }
  }
  if (viewers_ && !of_connection) viewers_->inject(planned);
  if (setup_.mounts != nullptr && !of_connection) setup_.mounts->inject(setup_.test_id, planned);
  if (done.participants == 0) {
    book_.drop(done.spike_id);
    done.warnings.push_back("no participant of this worker is addressed");
  }
  return done;
}

Result<bool> TestSession::cancel(const std::string &spike_id) {
  const SpikeEntry *entry = book_.find(spike_id);
  if (entry == nullptr) return Error{"spike_id", "there is no spike \"" + spike_id + "\" in this test"};
  const auto state = entry->state;
  if (state != results::SpikeState::planned && state != results::SpikeState::active) {
    return Error{"state", "spike \"" + spike_id + "\" is over"};
  }
  for (auto &one : participants_) {
    if (spike::addresses(entry->planned.spike, one->id())) one->cancel(spike_id);
  }
  if (viewers_) viewers_->cancel(spike_id);
  if (setup_.mounts != nullptr) setup_.mounts->cancel(setup_.test_id, spike_id);
  if (const SpikeEntry *changed = book_.cancel_planned(spike_id)) {
    // Before the start the participants do not know the plan yet: it is given to them without this one.
    if (participants_.empty()) {
      std::erase_if(setup_.plan.spikes, [&](const spike::Planned &p) { return p.spike.id == spike_id; });
    } else {
      announce(*changed, elapsed_seconds());
    }
  }
  return true;
}

// A participant is away while one spike at least says so, and it has joined.
void TestSession::follow_absence(std::uint32_t participant) {
  const bool away = std::ranges::any_of(book_.entries(), [&](const SpikeEntry &entry) {
    return entry.planned.spike.type == kLeave && entry.in_force.contains(participant);
  });
  const auto index = index_of(participant);
  if (!index) return;
  Participant &one = *participants_[*index];
  if (*index >= next_to_join_) return;
  if (away || one.state() == ParticipantState::left)
    one.set_state(away ? ParticipantState::left : present_state(participant));
}

std::optional<std::size_t> TestSession::index_of(std::uint32_t participant) const {
  const auto found = by_id_.find(participant);
  return found == by_id_.end() ? std::nullopt : std::optional(found->second);
}

void TestSession::handle_spike(GstMessage *message) {
  const auto report = parse_spike_report(message);
  if (!report) return;
  const auto kind = report->state == SpikeState::started   ? SpikeBook::Report::started
                    : report->state == SpikeState::ended   ? SpikeBook::Report::ended
                    : report->state == SpikeState::refused ? SpikeBook::Report::refused
                                                           : SpikeBook::Report::cancelled;
  const SpikeEntry *changed = book_.take(report->id, report->participant_id, kind, report->reason);
  if (report->type == kLeave) follow_absence(report->participant_id);
  if (report->state == SpikeState::started && publications_ && spike::needs_connection(report->type))
    publications_->replace(report->participant_id, report->id);
  if (changed == nullptr) return;
  const bool timed = GST_CLOCK_TIME_IS_VALID(report->running_time);
  announce(*changed, timed ? static_cast<double>(report->running_time) / 1e9 : elapsed_seconds());
}

}  // namespace avc::session
