#include "elements/degrader/model.hpp"

#include <algorithm>

#include "core/spike/effect.hpp"
#include "elements/support/clock.hpp"

namespace avc::degrader {

void Model::restart(std::uint64_t seed) {
  *this = Model();
  seed_ = seed;
}

void Model::set_base(const net::Impairment &base) {
  if (base != link_.base()) link_.set_base(base, last_arrival_);
}

void Model::flush() {
  link_.flush();
  last_arrival_ = latest_out_ = {};
}

void Model::start_spike(const SpikeStart &spike) {
  if (knows(spike.id)) return;
  const auto effect = spike::effect_of(spike.type, spike.params);
  if (!effect) {
    GST_WARNING("spike %s does nothing: %s", spike.id.c_str(), effect.error().text().c_str());
    return;
  }
  if (effect->link == net::Impairment{}) return;
  changes_.push_back({to_instant(spike.start), spike.id, effect->link});
}

void Model::end_spike(const SpikeEnd &spike) {
  if (knows(spike.id)) changes_.push_back({to_instant(spike.at), spike.id, std::nullopt});
}

bool Model::knows(const std::string &spike) const {
  bool known = std::ranges::any_of(spikes_, [&](const auto &s) { return s.first == spike; });
  for (const Change &change : changes_) {
    if (change.id == spike) known = change.layer.has_value();
  }
  return known;
}

std::size_t Model::layers() const {
  const auto starts = std::ranges::count_if(changes_, [](const Change &c) { return c.layer.has_value(); });
  const auto started = static_cast<std::size_t>(starts);
  return spikes_.size() + started - (changes_.size() - started);
}

void Model::apply_changes() {
  std::erase_if(changes_, [this](const Change &change) {
    if (change.at > last_arrival_) return false;
    if (change.layer) {
      spikes_.emplace_back(change.id, *change.layer);
      link_.put_layer(change.id, *change.layer, change.at);
    } else {
      std::erase_if(spikes_, [&](const auto &s) { return s.first == change.id; });
      link_.remove_layer(change.id, change.at);
    }
    return true;
  });
}

// Chance belongs to seed and participant; when we learn who it is, the link begins anew with what is in force.
void Model::keep_identity() {
  const Identity identity{seed_ ? seed_ : reader_.seed(), reader_.participant_id()};
  if (identity == identity_) return;
  identity_ = identity;
  net::Link link(Rng(identity.first).split(std::uint64_t{identity.second}));
  link.set_base(link_.base(), last_arrival_);
  for (const auto &[id, impairment] : spikes_) link.put_layer(id, impairment, last_arrival_);
  link_ = std::move(link);
}

Order Model::admit(GstBuffer *buffer, std::optional<Instant> time, Instant now) {
  const Reading reading = reader_.read(buffer);
  if (reading.bypass) return {Order::Do::bypass, reading.packet.stream, now};
  keep_identity();
  // Never backwards: what comes later on the pad is later on the link.
  last_arrival_ = std::max(last_arrival_, time.value_or(now));
  if (!changes_.empty()) apply_changes();
  Stream &counts = streams_[static_cast<std::size_t>(reading.packet.stream)];
  counts.in++;
  counts.bytes_in += reading.packet.bytes;
  decision_ = {reader_.participant_id(), reading.packet.stream, Fate::sent,
               reading.sequence,         reading.ssrc,          reading.packet.n};

  const auto verdict = link_.admit(reading.packet, last_arrival_);
  if (const auto *drop = std::get_if<net::Drop>(&verdict)) {
    const bool lost = drop->why == net::Drop::Why::loss;
    decision_.fate = lost ? Fate::lost : Fate::queue_dropped;
    (lost ? counts.lost : counts.queue_dropped)++;
    return {Order::Do::drop, reading.packet.stream, last_arrival_};
  }
  const auto &send = std::get<net::Send>(verdict);
  decision_.delay = send.at - last_arrival_;
  delays_.record(decision_.delay);
  queue_peak_ = std::max(queue_peak_, send.queued);
  if (send.at < latest_out_) reordered_++;
  latest_out_ = std::max(latest_out_, send.at);
  return {Order::Do::send, reading.packet.stream, send.at, send.at > last_arrival_};
}

Model::Stream Model::total() const {
  Stream sum;
  for (const auto &s : streams_) {
    sum.in += s.in;
    sum.bytes_in += s.bytes_in;
    sum.lost += s.lost;
    sum.queue_dropped += s.queue_dropped;
  }
  return sum;
}

}  // namespace avc::degrader
