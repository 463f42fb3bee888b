#include "elements/degrader/model.hpp"

#include <algorithm>

namespace avc::degrader {
namespace {

bool knows_rtp_only(const net::Impairment &settings) {
  return settings.apply_to != net::ApplyTo::all || settings.frame_drop_percent > 0;
}

}  // namespace

void Model::restart(std::uint64_t seed, std::shared_ptr<const net::Recording> recording) {
  PacketReader reader = std::move(reader_);
  reader.restart();
  *this = Model();
  reader_ = std::move(reader);
  seed_ = seed;
  if (recording) replay_.emplace(std::move(recording));
}

void Model::set_base(const net::Impairment &base) {
  link_.set_base(base, last_arrival_);
  look_for_rtp_models();
}

void Model::look_for_rtp_models() {
  rtp_models_ = knows_rtp_only(link_.base()) ||
                std::ranges::any_of(spikes_, [](const auto &spike) { return knows_rtp_only(spike.second); });
}

void Model::flush() {
  link_.flush();
  former_.reset();
  open_.clear();
  last_arrival_ = latest_out_ = {};
}

void Model::start_spike(const std::string &id, Instant at, const net::Impairment &layer) {
  if (layer != net::Impairment{}) changes_.push_back({at, id, layer});
}

void Model::end_spike(const std::string &id, Instant at) {
  if (knows(id)) changes_.push_back({at, id, std::nullopt});
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
  look_for_rtp_models();
}

// Chance belongs to seed and participant; when we learn who it is, the link begins anew with what is in force.
void Model::keep_identity() {
  const Identity identity{seed_ ? seed_ : reader_.seed(), reader_.participant_id()};
  if (identity == identity_) return;
  identity_ = identity;
  net::Link link(Rng(identity.first).split(std::uint64_t{identity.second}));
  link.set_base(link_.base(), last_arrival_);
  for (const auto &[id, impairment] : spikes_) link.put_layer(id, impairment, last_arrival_);
  if (!open_.empty()) former_ = std::move(link_);
  link_ = std::move(link);
}

Order Model::admit(const Reading &reading, std::optional<Instant> time, Instant now) {
  const net::Packet &packet = reading.packet;
  if (reading.bypass) return {Order::Do::bypass, packet.stream, now};
  keep_identity();
  // Never backwards: what comes later on the pad is later on the link.
  last_arrival_ = std::max(last_arrival_, time.value_or(now));
  if (!changes_.empty()) apply_changes();
  Stream &stream = counts(packet.stream);
  stream.in++;
  stream.bytes_in += packet.bytes;
  if (rtp_models_ && !reading.media && !replay_) stream.not_rtp++;
  const Decision decision{reader_.participant_id(), packet.stream, Fate::sent,
                          reading.sequence,         reading.ssrc,  packet.n};

  const auto verdict = replay_ ? replayed(decision) : link_.admit(packet, last_arrival_);
  if (const auto *drop = std::get_if<net::Drop>(&verdict)) return dropped(decision, last_arrival_, drop->why);
  if (const auto *send = std::get_if<net::Send>(&verdict)) return sent(decision, last_arrival_, *send);
  open_.push({decision, last_arrival_, std::get<net::Wait>(verdict).duplicated ? 2 : 1, {}, {}});
  return {Order::Do::wait, packet.stream, last_arrival_};
}

net::Verdict Model::replayed(const Decision &decision) {
  const net::Track track{decision.participant, decision.stream, decision.ssrc};
  if (const auto verdict = replay_->verdict(track, decision.n, decision.sequence, last_arrival_)) return *verdict;
  replay_missing_++;
  return net::Send{last_arrival_};
}

Order Model::dropped(const Decision &decision, Instant arrival, net::Drop::Why why) {
  using Why = net::Drop::Why;
  decision_ = decision;
  Stream &stream = counts(decision.stream);
  if (why == Why::loss) {
    decision_.fate = Fate::lost;
    stream.lost++;
  } else if (why == Why::frame) {
    decision_.fate = Fate::frame_dropped;
    stream.frame_dropped++;
  } else {
    decision_.fate = Fate::queue_dropped;
    stream.queue_dropped++;
    if (why == Why::queue_managed) stream.managed_dropped++;
  }
  return {Order::Do::drop, decision.stream, arrival};
}

Order Model::sent(const Decision &decision, Instant arrival, const net::Send &send) {
  decision_ = decision;
  decision_.delay = send.at - arrival;
  decision_.bit = send.corrupt_bit;
  decision_.ce = send.ce;
  Stream &stream = counts(decision.stream);
  if (send.corrupt_bit) {
    decision_.fate = Fate::corrupted;
    stream.corrupted++;
  }
  if (send.duplicate) {
    decision_.fate = Fate::duplicated;
    decision_.copy_delay = send.duplicate->at - arrival;
    decision_.copy_bit = send.duplicate->corrupt_bit;
    decision_.copy_ce = send.duplicate->ce;
    stream.duplicated++;
    if (send.duplicate->corrupt_bit) stream.corrupted++;
    stream.marked += send.duplicate->ce;
  }
  stream.marked += send.ce;
  delays_.record(decision_.delay);
  queue_peak_ = std::max(queue_peak_, send.queued);
  if (send.at < latest_out_) reordered_++;
  latest_out_ = std::max(latest_out_, send.at);
  return {Order::Do::send, decision.stream, send.at, send.at > arrival, send.corrupt_bit, send.duplicate, send.ce};
}

// One of two fates is kept until the other is known. A packet of which one of two comes through is one that was sent.
std::optional<Order> Model::tell(const net::Fate &fate) {
  Open &open = open_.front();
  if (const auto *drop = std::get_if<net::Drop>(&fate.verdict)) {
    open.dropped = *drop;
  } else if (const auto &send = std::get<net::Send>(fate.verdict); !open.sent) {
    open.sent = send;
  } else {
    open.sent->duplicate = net::Copy{send.at, send.corrupt_bit, send.ce};
  }
  if (--open.fates > 0) return std::nullopt;
  const Open told = std::move(open);
  open_.pop();
  if (told.sent) return sent(told.decision, told.arrival, *told.sent);
  return dropped(told.decision, told.arrival, told.dropped->why);
}

template <class Fetch>
std::optional<Order> Model::settle(Fetch fetch) {
  while (former_ && !open_.empty()) {
    const auto fate = former_->last_fate();
    if (!fate) break;
    if (auto order = tell(*fate)) return order;
  }
  former_.reset();
  while (const auto fate = fetch()) {
    if (auto order = tell(*fate)) return order;
  }
  return std::nullopt;
}

std::optional<Order> Model::settled() {
  return settle([this] { return link_.fate(); });
}

std::optional<Order> Model::settled(Instant now) {
  return settle([&] { return link_.fate(now); });
}

std::optional<Order> Model::settled_at_end() {
  return settle([this] { return link_.last_fate(); });
}

std::optional<Nanos> Model::replayed_delay() const {
  return replay_ ? std::optional(replay_->recording().longest_delay()) : std::nullopt;
}

Model::Stream Model::total() const {
  Stream sum;
  for (const auto &s : streams_) {
    sum.in += s.in;
    sum.bytes_in += s.bytes_in;
    sum.lost += s.lost;
    sum.frame_dropped += s.frame_dropped;
    sum.queue_dropped += s.queue_dropped;
    sum.managed_dropped += s.managed_dropped;
    sum.duplicated += s.duplicated;
    sum.corrupted += s.corrupted;
    sum.marked += s.marked;
    sum.not_rtp += s.not_rtp;
  }
  return sum;
}

}  // namespace avc::degrader
