#include "launcher/webrtc/viewers.hpp"

#include <algorithm>
#include <iterator>

namespace avc::webrtc {
namespace {

constexpr std::size_t kMostRemembered = 100;    // that are over
constexpr unsigned kPublishGatheringMs = 1000;  // shorter than a viewer's: what is found later can follow by PATCH

void add(results::SenderCounters &sum, const results::SenderCounters &one) {
  sum.packets += one.packets;
  sum.bytes += one.bytes;
  sum.lost += one.lost;
  sum.queue_dropped += one.queue_dropped;
  sum.frames += one.frames;
  sum.frames_dropped += one.frames_dropped;
  sum.duplicated += one.duplicated;
  sum.corrupted += one.corrupted;
}

// The worst of what was reported; none of it where nothing was.
void add(results::ReportedStream &sum, const results::ReportedStream &one) {
  sum.reports += one.reports;
  sum.loss_percent = std::max(sum.loss_percent, one.loss_percent);
  sum.packets_lost += one.packets_lost;
  sum.jitter_ms = std::max(sum.jitter_ms, one.jitter_ms);
  sum.round_trip_ms = std::max(sum.round_trip_ms, one.round_trip_ms);
  if (one.duplicates) sum.duplicates = sum.duplicates.value_or(0) + *one.duplicates;
}

void add(results::FarSide &sum, const results::FarSide &one) {
  for (std::size_t i = 0; i < sum.streams.size(); ++i) add(sum.streams[i], one.streams[i]);
  sum.nacks += one.nacks;
  sum.retransmitted += one.retransmitted;
  sum.retransmitted_lost += one.retransmitted_lost;
  sum.repairs_withheld += one.repairs_withheld;
  sum.plis += one.plis;
  sum.firs += one.firs;
  sum.key_unit_jumps += one.key_unit_jumps;
  sum.rembs += one.rembs;
  sum.transport_feedbacks += one.transport_feedbacks;
  sum.extended_reports += one.extended_reports;
  sum.feedback_packets += one.feedback_packets;
  sum.feedback_lost += one.feedback_lost;
  sum.rendition_switches += one.rendition_switches;
  if (one.estimate_kbps)
    sum.estimate_kbps = std::min(sum.estimate_kbps.value_or(*one.estimate_kbps), *one.estimate_kbps);
}

void add(results::ParticipantSnapshot &sum, const results::ParticipantSnapshot &one) {
  for (const auto media : results::kAllMedia) add(sum.sent_of(media), one.sent_of(media));
  sum.sent_ahead += one.sent_ahead;
  sum.rtcp_packets += one.rtcp_packets;
  sum.rtcp_lost += one.rtcp_lost;
  sum.flood_packets += one.flood_packets;
  sum.delay.packets += one.delay.packets;
  sum.delay.total_ms += one.delay.total_ms;
  sum.delay.max_ms = std::max(sum.delay.max_ms, one.delay.max_ms);
  sum.queue_ms = std::max(sum.queue_ms, one.queue_ms);
  sum.queue_peak_ms = std::max(sum.queue_peak_ms, one.queue_peak_ms);
  sum.rendition_kbps = std::max(sum.rendition_kbps, one.rendition_kbps);
  if (one.far_side.empty()) return;
  if (sum.far_side.empty()) sum.far_side.emplace_back();
  add(sum.far_side.front(), one.far_side.front());
}

bool publishes(const Viewer &viewer) { return std::string_view(viewer.by) == "whip"; }

std::string new_id() {
  char text[17];
  g_snprintf(text, sizeof text, "%08x%08x", g_random_int(), g_random_int());
  return text;
}

}  // namespace

std::span<const Viewers::Place> Viewers::those_of(std::uint32_t participant) const {
  const auto known = by_participant_.find(participant);
  if (known == by_participant_.end()) return {};
  return known->second;
}

Result<const Viewer *> Viewers::make(std::uint32_t participant, const Streams &streams, const char *by,
                                     const std::vector<std::string> &servers, Numbers numbers) {
  forget_old();
  Viewer viewer{new_id(), participant, by, nullptr};
  const bool watches = !publishes(viewer);
  if (watches && watching_ >= kMost)
    return Error{"capacity", "this test has " + std::to_string(kMost) + " viewers, the most that one may have"};
  auto settings = settings_(participant, viewer.id);
  if (!settings) return settings.error();
  if (!watches) settings->gathering_ms = kPublishGatheringMs;
  settings->numbers = numbers;
  settings->ice.servers.insert(settings->ice.servers.end(), servers.begin(), servers.end());
  auto peer = Peer::make(*settings, streams, [this, participant, watches](Peer &changed) {
    if (is_over(changed.state())) {
      ++over_;
      if (watches) --watching_;
    }
    changed_(participant);
  });
  if (!peer) return peer.error();
  viewer.peer = std::move(*peer);
  viewers_.push_back(std::move(viewer));
  by_participant_[participant].push_back(std::prev(viewers_.end()));
  if (watches) ++watching_;
  return &viewers_.back();
}

void Viewers::forget_old() {
  for (auto one = viewers_.begin(); over_ > kMostRemembered && one != viewers_.end();) {
    const Place place = one++;
    if (!is_over(place->peer->state())) continue;
    results::ParticipantSnapshot last;
    place->peer->read(last);
    add(forgotten_[place->participant], last);
    std::erase(by_participant_[place->participant], place);
    viewers_.erase(place);
    --over_;
  }
}

Result<const Viewer *> Viewers::with_open_offer(std::uint32_t participant) {
  for (const Place &one : those_of(participant)) {
    const PeerState state = one->peer->state();
    const bool open = state == PeerState::fresh || state == PeerState::waiting;
    if (std::string_view(one->by) == "rest" && open) return &*one;
  }
  return make(participant, own_streams(), "rest");
}

Result<const Viewer *> Viewers::with_streams(std::uint32_t participant, const Streams &streams) {
  return make(participant, streams, "whep");
}

Result<const Viewer *> Viewers::to_publish(std::uint32_t participant, const std::vector<std::string> &servers,
                                           Numbers numbers) {
  return make(participant, own_streams(), "whip", servers, numbers);
}

const Viewer *Viewers::find(std::uint32_t participant, const std::string &id) const {
  for (const Place &one : those_of(participant)) {
    if (one->id == id && !publishes(*one)) return &*one;
  }
  return nullptr;
}

const Viewer *Viewers::latest(std::uint32_t participant) const {
  const Viewer *latest = nullptr;
  for (const Place &one : those_of(participant)) {
    if (std::string_view(one->by) == "rest") latest = &*one;
  }
  return latest;
}

std::vector<const Viewer *> Viewers::of(std::uint32_t participant) const {
  std::vector<const Viewer *> all;
  for (const Place &one : those_of(participant)) all.push_back(&*one);
  return all;
}

std::size_t Viewers::connected(std::uint32_t participant) const {
  return static_cast<std::size_t>(std::ranges::count_if(
      those_of(participant), [](const Place &one) { return one->peer->state() == PeerState::connected; }));
}

void Viewers::inject(const spike::Planned &planned) {
  if (planned.spike.participants.empty()) {
    for (const Viewer &one : viewers_) one.peer->inject(planned);
  }
  for (const std::uint32_t participant : planned.spike.participants) {
    for (const Place &one : those_of(participant)) one->peer->inject(planned);
  }
}

void Viewers::cancel(const std::string &spike_id) {
  for (const Viewer &one : viewers_) one.peer->cancel(spike_id);
}

void Viewers::add_to(std::uint32_t participant, results::ParticipantSnapshot &snapshot) const {
  if (const auto before = forgotten_.find(participant); before != forgotten_.end()) add(snapshot, before->second);
  for (const Place &one : those_of(participant)) {
    results::ParticipantSnapshot now;
    one->peer->read(now);
    add(snapshot, now);
  }
}

void Viewers::close_all() {
  for (const Viewer &one : viewers_) one.peer->close();
}

}  // namespace avc::webrtc
