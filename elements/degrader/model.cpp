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
  if (!open_.empty()) former_ = std::make_unique<net::Link>(std::move(link_));
  link_ = std::move(link);
}

void Model::admit(const Reading &reading, std::optional<Instant> time, Instant now, Order &order) {
  const net::Packet &packet = reading.packet;
  order.stream = packet.stream;
  order.at = now;
  if (reading.bypass) {
    order.what = Order::Do::bypass;
    return;
  }
  keep_identity();
  // Never backwards: what comes later on the pad is later on the link.
  last_arrival_ = std::max(last_arrival_, time.value_or(now));
  if (!changes_.empty()) apply_changes();
  Stream &stream = counts(packet.stream);
  stream.in++;
  stream.bytes_in += packet.bytes;
  if (rtp_models_ && !reading.media && !replay_) stream.not_rtp++;
  begin_decision(reading);

  const auto verdict = replay_ ? replayed(decision_) : link_.admit(packet, last_arrival_);
  if (const auto *send = std::get_if<net::Send>(&verdict)) return sent(last_arrival_, *send, order);
  if (const auto *drop = std::get_if<net::Drop>(&verdict)) return dropped(last_arrival_, drop->why, order);
  open_.push({decision_, last_arrival_, std::get<net::Wait>(verdict).duplicated ? 2 : 1, {}, {}});
  order.what = Order::Do::wait;
  order.at = last_arrival_;
}

std::optional<SentOfEach> Model::pass(GstBuffer *buffer, RtpFrame &frame) {
  if (frame.header_bytes == 0 || replay_ || !changes_.empty() || !open_.empty() || former_ || !link_.passes())
    return std::nullopt;
  prefetch();
  SentOfEach sent;
  bool first = true;
  for (guint i = 0; i < frame.count; i++) {
    FramePacket &packet = frame.packets[i];
    if (!packet.send) continue;
    const Reading reading = reader_.read(buffer, frame, i);
    if (std::exchange(first, false)) keep_identity();
    last_arrival_ = std::max(last_arrival_, packet.time);
    Stream &stream = counts(reading.packet.stream);
    stream.in++;
    stream.bytes_in += reading.packet.bytes;
    const Instant out = link_.pass(reading.packet, last_arrival_);
    packet.send = out != Instant::never();
    if (!packet.send) {
      stream.lost++;
      continue;
    }
    came_out(out, out - last_arrival_);
    if (out > last_arrival_) packet.due = std::max(packet.due, out);
    Sent &of_stream = sent[static_cast<std::size_t>(reading.packet.stream)];
    of_stream.packets++;
    of_stream.bytes += reading.packet.bytes;
  }
  return sent;
}

void Model::came_out(Instant at, Nanos delay) {
  delays_.record(delay);
  if (at < latest_out_) reordered_++;
  latest_out_ = std::max(latest_out_, at);
}

// Part by part: what is put together elsewhere and copied as a whole makes the processor wait.
void Model::begin_decision(const Reading &reading) {
  decision_.participant = reader_.participant_id();
  decision_.stream = reading.packet.stream;
  decision_.fate = Fate::sent;
  decision_.sequence = reading.sequence;
  decision_.ssrc = reading.ssrc;
  decision_.n = reading.packet.n;
  decision_.delay = Nanos(0);
  decision_.copy_delay.reset();
  decision_.bit.reset();
  decision_.copy_bit.reset();
  decision_.ce = decision_.copy_ce = false;
}

net::Verdict Model::replayed(const Decision &decision) {
  const net::Track track{decision.participant, decision.stream, decision.ssrc};
  if (const auto verdict = replay_->verdict(track, decision.n, decision.sequence, last_arrival_)) return *verdict;
  replay_missing_++;
  return net::Send{last_arrival_};
}

void Model::dropped(Instant arrival, net::Drop::Why why, Order &order) {
  using Why = net::Drop::Why;
  Stream &stream = counts(decision_.stream);
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
  order.what = Order::Do::drop;
  order.stream = decision_.stream;
  order.at = arrival;
}

void Model::sent(Instant arrival, const net::Send &send, Order &order) {
  decision_.delay = send.at - arrival;
  decision_.bit = send.corrupt_bit;
  decision_.ce = send.ce;
  Stream &stream = counts(decision_.stream);
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
    order.copy = send.duplicate;
  }
  stream.marked += send.ce;
  came_out(send.at, decision_.delay);
  queue_peak_ = std::max(queue_peak_, send.queued);
  order.what = Order::Do::send;
  order.stream = decision_.stream;
  order.at = send.at;
  order.delayed = send.at > arrival;
  order.bit = send.corrupt_bit;
  order.ce = send.ce;
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
  decision_ = told.decision;
  Order order;
  if (told.sent) {
    sent(told.arrival, *told.sent, order);
  } else {
    dropped(told.arrival, told.dropped->why, order);
  }
  return order;
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
