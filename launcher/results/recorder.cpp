#include "launcher/results/recorder.hpp"

#include <algorithm>
#include <deque>
#include <map>
#include <set>
#include <utility>

#include "core/spike/effect.hpp"
#include "launcher/results/figures.hpp"
#include "launcher/results/second.hpp"
#include "launcher/results/thresholds.hpp"
#include "launcher/results/verdict.hpp"
#include "launcher/results/windows.hpp"

namespace avc::results {
namespace {

constexpr double kAround = 3;             // seconds of a before or after window
constexpr double kSlack = 0.3;            // a second's snapshots may be this late
constexpr double kShortest = 0.5;         // a shorter window says nothing
constexpr std::size_t kMostTouches = 32;  // remembered of a participant, and one of each type of spike
constexpr double kSettle = 0.5;           // after a spike's end, on top of what its link may still hold back

struct Taken {
  double t = 0;
  Snapshots snapshots;
};

// How long packets that met the spike can still be on the way when it ends.
double settle_seconds(const spike::Spike &spike) {
  const auto effect = spike::effect_of(spike.type, spike.effective());
  if (!effect) return kSettle;
  const auto &link = effect->link;
  const bool line = link.bandwidth_kbps > 0 || link.link_trace || !effect->trace_location.empty();
  const double held_ms = link.delay_ms + 3 * link.jitter_ms + (line ? link.queue_ms : 0);
  return kSettle + held_ms / 1000 + to_seconds(effect->source.transition);
}

// What a spike needs besides its record.
struct SpikeTrack {
  std::vector<std::uint32_t> ids;
  Taken start;                  // its participants when it began
  std::optional<Taken> after;   // its participants when the after window began
  double after_not_before = 0;  // seconds
  bool closed = false;          // all windows are known
};

struct Touch {
  std::size_t spike;
  bool acting = false;
  bool acted_in_second = false;
};

struct ParticipantTrack {
  ParticipantSnapshot last;
  std::vector<Touch> touches;
};

}  // namespace

struct Recorder::Impl {
  RunResult result;
  std::vector<SpikeTrack> tracks;  // beside result.spikes
  std::map<std::string, std::size_t, std::less<>> spike_by_id;
  std::map<std::uint32_t, ParticipantTrack> participants;
  std::deque<Taken> ring;  // the last few seconds, for before windows; without a receiver the last one
  Thresholds thresholds;
  std::vector<SpikeTouch> touches;  // scratch
  Sample previous;                  // its totals go on

  std::size_t record_of(const spike::Planned &spike);
  void open(std::size_t index, double at, Snapshots snapshots);
  void close(std::size_t index, double at, const Snapshots &snapshots);
  void advance_after_windows(double t, const Snapshots &all, bool finished);
  bool overlapped(std::size_t index, double from, double to) const;
  Window measured(std::size_t index, const Moment &from, const Moment &to) const;
  std::optional<Window> before_window(std::size_t index) const;
  void watch_stream(ParticipantTrack &track, const ParticipantSnapshot &now, Media media, double t, double seconds);
  void watch_subscriber(const SubscriberSnapshot &before, const SubscriberSnapshot &now, double t, double seconds);
  void touched(const ParticipantTrack &track);
  void forget_what_ended();
};

Recorder::Recorder() : impl_(std::make_unique<Impl>()) {}
Recorder::~Recorder() = default;
Recorder::Recorder(Recorder &&) noexcept = default;
Recorder &Recorder::operator=(Recorder &&) noexcept = default;

void Recorder::begin(RunFacts facts, std::span<const spike::Planned> plan,
                     std::vector<scenario::Threshold> thresholds) {
  impl_ = std::make_unique<Impl>();
  impl_->result.facts = std::move(facts);
  impl_->thresholds = Thresholds(std::move(thresholds));
  impl_->ring.push_back({});  // before the start everything is zero
  for (const auto &spike : plan) impl_->record_of(spike);
}

const RunResult &Recorder::result() const { return impl_->result; }

const std::optional<std::string> &Recorder::must_end() const { return impl_->thresholds.must_end(); }

std::size_t Recorder::Impl::record_of(const spike::Planned &spike) {
  const auto [place, fresh] = spike_by_id.emplace(spike.spike.id, result.spikes.size());
  if (fresh) {
    result.spikes.push_back({.plan = spike});
    tracks.emplace_back();
  }
  return place->second;
}

bool Recorder::Impl::overlapped(std::size_t index, double from, double to) const {
  for (std::size_t other = 0; other < result.spikes.size(); ++other) {
    const auto &spike = result.spikes[other];
    if (other == index || !spike.started_at || *spike.started_at >= to) continue;
    if (spike.ended_at && *spike.ended_at <= from) continue;
    const auto &mine = tracks[index].ids, &theirs = tracks[other].ids;
    if (std::any_of(mine.begin(), mine.end(),
                    [&](std::uint32_t id) { return std::binary_search(theirs.begin(), theirs.end(), id); }))
      return true;
  }
  return false;
}

Window Recorder::Impl::measured(std::size_t index, const Moment &from, const Moment &to) const {
  auto window = measured_between(from, to, tracks[index].ids);
  window.overlapped = overlapped(index, from.t, to.t);
  return window;
}

// From about 3 s before the start to the last whole second before it; in a test's first second, to the start itself.
std::optional<Window> Recorder::Impl::before_window(std::size_t index) const {
  const auto &start = tracks[index].start;
  const Taken *from = nullptr, *to = nullptr;
  for (const auto &taken : ring) {
    if (taken.t > start.t) break;
    if (!from && taken.t >= start.t - kAround - kSlack) from = &taken;
    to = &taken;
  }
  if (!from) return std::nullopt;
  if (to->t - from->t < kShortest) to = &start;
  if (to->t - from->t < kShortest) return std::nullopt;
  return measured(index, {from->t, &from->snapshots}, {to->t, &to->snapshots});
}

void Recorder::Impl::open(std::size_t index, double at, Snapshots snapshots) {
  auto &spike = result.spikes[index];
  auto &track = tracks[index];
  spike.state = SpikeState::active;
  spike.reason.clear();  // of participants that came too late for it
  spike.started_at = at;
  spike.participants = static_cast<std::uint32_t>(snapshots.size());
  for (const auto &each : snapshots) {
    track.ids.push_back(each.id);
    participants[each.id].touches.push_back({index, true, true});
  }
  track.start = {at, std::move(snapshots)};
  if (result.facts.has_receiver) spike.before = before_window(index);
}

void Recorder::Impl::close(std::size_t index, double at, const Snapshots &snapshots) {
  auto &spike = result.spikes[index];
  auto &track = tracks[index];
  spike.ended_at = at;
  for (const auto id : track.ids)
    for (auto &touch : participants[id].touches)
      if (touch.spike == index) touch.acting = false;
  const Moment from{track.start.t, &track.start.snapshots}, to{at, &snapshots};
  spike.injected = injected_between(from, to, track.ids);
  if (result.facts.has_receiver) spike.during = measured(index, from, to);
  track.start = {};
  track.after_not_before = at + settle_seconds(spike.plan.spike);
  spike.injected_text = injected_text(spike);
  spike.measured_text = measured_text(spike);
}

void Recorder::Impl::advance_after_windows(double t, const Snapshots &all, bool finished) {
  if (!result.facts.has_receiver) return;
  for (std::size_t index = 0; index < tracks.size(); ++index) {
    auto &track = tracks[index];
    auto &spike = result.spikes[index];
    if (!spike.ended_at || track.closed || t < track.after_not_before) continue;
    if (!track.after) {
      track.after = Taken{t, {}};
      for (const auto id : track.ids)
        if (const auto *found = find(all, id)) track.after->snapshots.push_back(*found);
      continue;
    }
    if (!finished && t < track.after->t + kAround - kSlack) continue;
    if (t - track.after->t >= kShortest)
      spike.after = measured(index, {track.after->t, &track.after->snapshots}, {t, &all});
    track.closed = true;
    track.after.reset();
    spike.measured_text = measured_text(spike);
  }
}

void Recorder::spike_changed(const spike::Planned &planned, SpikeState state, Instant at,
                             std::span<const ParticipantSnapshot> participants, std::string reason) {
  auto &impl = *impl_;
  const auto index = impl.record_of(planned);
  auto &spike = impl.result.spikes[index];
  const double t = to_seconds(at.since_origin);
  const bool open = spike.started_at && !spike.ended_at;
  if (state == SpikeState::active) {
    if (!spike.started_at) impl.open(index, t, ordered(participants));
    return;
  }
  if (spike.state == SpikeState::ended || spike.state == SpikeState::cancelled) return;
  if (state != SpikeState::planned) spike.state = state;
  if (!reason.empty()) spike.reason = std::move(reason);
  if (open && (state == SpikeState::ended || state == SpikeState::cancelled))
    impl.close(index, t, ordered(participants));
  else
    spike.injected_text = injected_text(spike);
}

void Recorder::connection_replaced(const std::string &spike_id, double ms) {
  const auto found = impl_->spike_by_id.find(spike_id);
  if (found == impl_->spike_by_id.end()) return;
  auto &spike = impl_->result.spikes[found->second];
  spike.replaced_ms.push_back(ms);
  spike.injected_text = injected_text(spike);
}

void Recorder::Impl::watch_stream(ParticipantTrack &track, const ParticipantSnapshot &now, Media media, double t,
                                  double seconds) {
  StreamSecond stream{.participant = now.id, .media = media, .t = t, .seconds = seconds};
  stream.sent = now.sent_of(media) - track.last.sent_of(media);
  stream.received = now.received_of(media) - track.last.received_of(media);
  stream.observed = result.facts.has_receiver;
  stream.seen = now.received_of(media).packets_received > 0;
  if (media == Media::audio && stream.seen) stream.mos_score = mos_of(stream.sent, stream.received);
  const auto delayed = difference(now.delay, track.last.delay);
  if (delayed.packets) stream.delay_ms = delayed.total_ms / static_cast<double>(delayed.packets);
  stream.queue_ms = now.queue_ms;
  touched(track);
  stream.touches = touches;
  thresholds.stream(stream);
}

void Recorder::Impl::touched(const ParticipantTrack &track) {
  touches.clear();
  for (const auto &touch : track.touches)
    touches.push_back({result.spikes[touch.spike].plan.spike.type, touch.acting || touch.acted_in_second});
}

void Recorder::Impl::watch_subscriber(const SubscriberSnapshot &before, const SubscriberSnapshot &now, double t,
                                      double seconds) {
  if (now.join_ms && !before.join_ms) thresholds.event("join_time_ms", t, *now.join_ms);
  if (now.first_keyframe_ms && !before.first_keyframe_ms)
    thresholds.event("time_to_first_keyframe_ms", t, *now.first_keyframe_ms);
  if (result.facts.has_receiver || !before.connected || seconds < kShortest) return;
  touched(participants[now.participant]);
  for (const auto media : kAllMedia) {
    const auto index = static_cast<std::size_t>(media);
    StreamSecond stream{.participant = now.participant, .media = media, .t = t, .seconds = seconds};
    stream.received = now.received[index] - before.received[index];
    stream.subscribed = true;
    stream.seen = now.received[index].packets_received > 0;
    if (media == Media::audio && stream.received.packets_received > 0) stream.mos_score = stream.received.mos();
    stream.touches = touches;
    thresholds.stream(stream);
  }
}

void Recorder::subscribers(Instant elapsed, std::span<const SubscriberSnapshot> subscribers) {
  auto &impl = *impl_;
  const double t = to_seconds(elapsed.since_origin);
  const double seconds = std::max(t - impl.previous.t, 1e-3);
  auto &known = impl.result.subscribers;
  known.resize(std::max(known.size(), subscribers.size()));
  for (std::size_t i = 0; i < subscribers.size(); ++i) {
    if (!impl.thresholds.empty()) impl.watch_subscriber(known[i], subscribers[i], t, seconds);
    known[i] = subscribers[i];
  }
}

void Recorder::Impl::forget_what_ended() {
  for (auto &[id, track] : participants) {
    for (auto &touch : track.touches) touch.acted_in_second = touch.acting;
    if (track.touches.size() <= kMostTouches) continue;
    // Of those that are over one of each type says all that phases need.
    std::set<std::string_view> over;
    std::erase_if(track.touches, [&](const Touch &touch) {
      return !touch.acting && !over.insert(result.spikes[touch.spike].plan.spike.type).second;
    });
  }
}

const Sample &Recorder::second(Instant elapsed, std::span<const ParticipantSnapshot> participants,
                               const GeneratorHealth &generator) {
  auto &impl = *impl_;
  const double t = to_seconds(elapsed.since_origin);
  const double seconds = std::max(t - impl.previous.t, 1e-3);
  auto all = ordered(participants);
  SecondSums sums;
  for (const auto &now : all) {
    auto &track = impl.participants[now.id];
    sums.add(track.last, now);
    if (!impl.thresholds.empty())
      for (const auto media : kAllMedia) impl.watch_stream(track, now, media, t, seconds);
    track.last = now;
  }
  auto sample = sums.sample(impl.previous, t, seconds, impl.result.facts.has_receiver, generator);
  for (const auto &spike : impl.result.spikes)
    if (spike.state == SpikeState::active) sample.spikes_active.push_back(spike.plan.spike.id);
  impl.thresholds.second(t, seconds, sample.participants, generator);
  impl.result.generator = generator;
  impl.result.duration_seconds = t;
  impl.advance_after_windows(t, all, false);
  impl.forget_what_ended();
  impl.ring.push_back({t, std::move(all)});
  const double kept = impl.result.facts.has_receiver ? kAround + 1 + kSlack : 0;
  while (impl.ring.front().t < t - kept) impl.ring.pop_front();
  impl.previous = sample;
  impl.result.samples.push_back(std::move(sample));
  return impl.result.samples.back();
}

void Recorder::warn(std::string text) { impl_->result.facts.warnings.push_back(std::move(text)); }

const RunResult &Recorder::finish(EndReason reason, std::string detail, Instant elapsed) {
  auto &impl = *impl_;
  auto &result = impl.result;
  result.duration_seconds = to_seconds(elapsed.since_origin);
  const auto &last = impl.ring.back();
  for (std::size_t index = 0; index < result.spikes.size(); ++index) {
    auto &spike = result.spikes[index];
    if (spike.state == SpikeState::active) {
      impl.close(index, last.t, last.snapshots);
      spike.state = SpikeState::ended;
    } else if (spike.state == SpikeState::planned) {
      spike.state = SpikeState::cancelled;
      spike.reason = "the test ended before it";
    }
  }
  impl.advance_after_windows(last.t, last.snapshots, true);
  result.ended = reason;
  result.end_detail = std::move(detail);
  result.thresholds = impl.thresholds.results();
  for (const auto &[id, track] : impl.participants) result.participants.push_back(track.last);
  result.verdict = judge(result);
  return result;
}

}  // namespace avc::results
