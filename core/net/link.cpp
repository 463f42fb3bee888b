#include "core/net/link.hpp"

#include <algorithm>

namespace avc::net {

Link::Link(Rng participant_rng) : rng_(participant_rng.split("link")), base_("", rng_.split("base")) { flush(); }

void Link::set_base(const Impairment &settings, Instant at) {
  base_.set(settings, at);
  changed();
}

void Link::put_layer(std::string_view id, const Impairment &settings, Instant at) {
  auto layer = std::find_if(layers_.begin(), layers_.end(), [&](const Layer &l) { return l.id == id; });
  if (layer == layers_.end()) layer = layers_.insert(layer, Layer(id, rng_.split("layer").split(id)));
  layer->set(settings, at);
  changed();
}

bool Link::remove_layer(std::string_view id, Instant) {
  const bool found = std::erase_if(layers_, [&](const Layer &layer) { return layer.id == id; }) > 0;
  changed();
  return found;
}

void Link::changed() {
  const auto some = [&](auto holds) { return holds(base_) || std::any_of(layers_.begin(), layers_.end(), holds); };
  quiet_ = !some([](const Layer &l) { return l.acts; });
  separate_ = some([](const Layer &l) { return l.acts && l.settings.apply_to != ApplyTo::all; });
  simple_ = base_.only_loses_or_delays() &&
            std::none_of(layers_.begin(), layers_.end(), [](const Layer &l) { return l.acts; });
  marks_ = base_.settings.ecn != EcnMode::off;
  limited_ = some([](const Layer &l) { return l.settings.limit_packets > 0; });
  partial_line_ = some([](const Layer &l) { return l.has_line && l.settings.apply_to != ApplyTo::all; });
}

void Link::flush() {
  queue_.flush();
  waiting_.clear();
  ready_.clear();
  held_.clear();
  last_of_.fill({Nanos::min()});
  last_ = {Nanos::min()};
}

Verdict Link::admit(const Packet &packet, Instant arrival) {
  if (quiet_ && arrival >= last_ && !queue_.fates_open()) {
    last_ = last_of_[static_cast<std::size_t>(packet.stream)] = arrival;
    return Send{arrival};
  }
  if (queue_.fates_open())
    while (const auto fate = queue_.until_arrival(arrival)) ready_.push(told(*fate));
  if (simple_ && queue_.untouched()) return lose_or_delay(packet, arrival);
  Treatment treatment = treat(packet, arrival);
  if (treatment.dropped) return Drop{*treatment.dropped};
  if (treatment.limit > 0) {
    const std::size_t held = held_.at(arrival) + waiting_.size();
    if (held >= treatment.limit) return Drop{Drop::Why::queue_full};
    treatment.duplicated &= held + 1 < treatment.limit;
  }
  return through_queue(packet, treatment, arrival);
}

// What treat() and go_past() come to on most links, without looking for anything else.
Verdict Link::lose_or_delay(const Packet &packet, Instant arrival) {
  Verdict verdict = Drop{Drop::Why::loss};  // made where it is wanted
  if (const Mark mark = base_.lost(packet, arrival); mark != Mark::drop) {
    const Nanos delay = base_.delays ? base_.delay.draw(base_.settings, packet) : Nanos();
    Send &send = verdict.emplace<Send>();
    send.at = in_order(arrival + delay, packet.stream, base_.settings.allow_reordering);
    send.ce = mark == Mark::ce;
  }
  return verdict;
}

Instant Link::pass(const Packet &packet, Instant arrival) {
  if (base_.lost(packet, arrival) != Mark::none) return Instant::never();
  const Nanos delay = base_.delays ? base_.delay.draw(base_.settings, packet) : Nanos();
  return in_order(arrival + delay, packet.stream, base_.settings.allow_reordering);
}

void Link::mangle(Layer &layer, const Packet &packet, Treatment &t) {
  t.duplicated |= layer.mangle->duplicated(packet);
  if (layer.settings.corrupt_percent > 0 && !t.corrupt_bit)
    t.corrupt_bit = layer.mangle->corrupted(layer.settings, packet);
}

void Link::add(Layer &layer, const Packet &packet, Treatment &t) {
  if (layer.mangles) mangle(layer, packet, t);
  const std::uint32_t limit = layer.settings.limit_packets;
  if (limit > 0) t.limit = t.limit > 0 ? std::min(t.limit, limit) : limit;
  if (layer.has_line) {
    if (layer.line.takes_time() && (!t.line || layer.line.mean_kbps() < t.line->line.mean_kbps())) t.line = &layer;
    if (layer.slots.active() && (!t.slots || layer.slots.mean() > t.slots->slots.mean())) t.slots = &layer;
  }
  if (!layer.delays) return;
  if (layer.settings.jitter_ms > 0 || layer.settings.delay_percent < 100) {
    t.jitter = true;
    t.jitter_overtakes &= layer.settings.allow_reordering;
  }
  if (layer.mangles && layer.mangle->sent_ahead(packet)) {
    t.sent_ahead = true;
    return;
  }
  t.delay += layer.delay.draw(layer.settings, packet);
}

Link::Treatment Link::treat(const Packet &packet, Instant arrival) {
  Treatment t;
  const auto each = [&](auto act) {
    if (base_.acts && base_.applies_to(packet)) act(base_);
    for (Layer &layer : layers_)
      if (layer.acts && layer.applies_to(packet)) act(layer);
  };
  each([&](Layer &layer) {
    if (layer.mangle && layer.mangle->frame_dropped(packet)) t.dropped = Drop::Why::frame;
  });
  if (t.dropped) return t;
  each([&](Layer &layer) {
    const Mark mark = layer.lost(packet, arrival);
    if (mark == Mark::drop) t.dropped = Drop::Why::loss;
    t.ce |= mark == Mark::ce;
  });
  if (t.dropped) return t;
  each([&](Layer &layer) { add(layer, packet, t); });
  if (!t.duplicated) return t;
  each([&](Layer &layer) {
    t.copy_delay += layer.delay.draw_for_copy(layer.settings, packet);
    if (layer.settings.corrupt_percent > 0 && !t.copy_corrupt_bit)
      t.copy_corrupt_bit = layer.mangle->corrupted_copy(layer.settings, packet);
  });
  return t;
}

bool Link::may_overtake(const Treatment &t) const {
  return t.jitter ? t.jitter_overtakes : base_.settings.allow_reordering;
}

Instant Link::in_order(Instant at, Stream stream, bool free) {
  Instant &last_of_stream = last_of_[static_cast<std::size_t>(stream)];
  if (!free) at = std::max(at, separate_ ? last_of_stream : last_);
  last_of_stream = std::max(last_of_stream, at);
  last_ = std::max(last_, at);
  if (limited_) held_.hold(at);
  return at;
}

Verdict Link::through_queue(const Packet &packet, const Treatment &t, Instant arrival) {
  static const LineSettings no_line;
  if (!t.line && !t.slots && (partial_line_ || queue_.untouched())) return go_past(packet, t, arrival);
  const LineSettings &line = t.line ? t.line->line : t.slots ? t.slots->line : no_line;
  Slots *slots = t.slots ? &t.slots->slots : nullptr;
  if (line.discipline != QueueDiscipline::drophead && line.discipline != QueueDiscipline::codel)
    while (const auto fate = queue_.rest()) ready_.push(told(*fate));
  const auto admission = queue_.admit(line, slots, packet.bytes, arrival, t.duplicated, claim(packet, t, false));
  if (admission.answer == CapacityQueue::Answer::full)
    return Drop{admission.managed ? Drop::Why::queue_managed : Drop::Why::queue_full};
  if (admission.answer == CapacityQueue::Answer::passes) {
    Send send;
    pass(send, packet, t, arrival, admission.passage);
    send.ce |= admission.ce;
    if (t.duplicated) {
      const auto copy = queue_.admit(line, slots, packet.bytes, arrival, false, claim(packet, t, true));
      if (copy.answer == CapacityQueue::Answer::passes) {
        add_copy(send, packet, t, copy.passage);
        send.duplicate->ce |= copy.ce;
      }
    }
    return send;
  }
  Wait told = wait(packet, t, arrival);
  if (t.duplicated && queue_.admit(line, slots, packet.bytes, arrival, true, claim(packet, t, true)).answer ==
                          CapacityQueue::Answer::waits) {
    told.duplicated = true;
    waiting_.push(
        {told.ticket, true, packet.stream, arrival, t.copy_delay, t.copy_corrupt_bit, may_overtake(t), false, t.ce});
  }
  while (const auto fate = queue_.pushed_out()) ready_.push(this->told(*fate));
  return told;
}

Claim Link::claim(const Packet &packet, const Treatment &t, bool copy) {
  if (!t.line || t.line->line.discipline == QueueDiscipline::droptail) return {};
  return {t.line->ecn_of(packet), t.line->needs_chance ? t.line->queue_chance(packet, copy) : 0};
}

Verdict Link::go_past(const Packet &packet, const Treatment &t, Instant arrival) {
  const Line::Passage passage{arrival, arrival, arrival};
  Verdict verdict(std::in_place_type<Send>);  // most packets': made where it is wanted
  Send &send = *std::get_if<Send>(&verdict);
  pass(send, packet, t, arrival, passage);
  if (t.duplicated) add_copy(send, packet, t, passage);
  return verdict;
}

void Link::add_copy(Send &send, const Packet &packet, const Treatment &t, const Line::Passage &passage) {
  send.duplicate = Copy{in_order(passage.end + t.copy_delay, packet.stream, may_overtake(t)), t.copy_corrupt_bit, t.ce};
}

void Link::pass(Send &send, const Packet &packet, const Treatment &t, Instant arrival, const Line::Passage &passage) {
  send.at = in_order(passage.end + t.delay, packet.stream, may_overtake(t) || t.sent_ahead);
  send.queued = passage.start - arrival;
  send.corrupt_bit = t.corrupt_bit;
  send.sent_ahead = t.sent_ahead;
  send.ce = t.ce;
}

Wait Link::wait(const Packet &packet, const Treatment &t, Instant arrival) {
  waiting_.push({next_ticket_, false, packet.stream, arrival, t.delay, t.corrupt_bit, may_overtake(t) || t.sent_ahead,
                 t.sent_ahead, t.ce});
  return {next_ticket_++};
}

Fate Link::told(const CapacityQueue::Fate &fate) {
  const Waiting packet = waiting_.front();
  waiting_.pop();
  if (fate.dropped) return {packet.ticket, packet.duplicate, Drop{Drop::Why::queue_managed}};
  const Instant at = in_order(fate.passage.end + packet.delay, packet.stream, packet.may_overtake);
  return {packet.ticket, packet.duplicate,
          Send{at, fate.passage.start - packet.arrival, packet.corrupt_bit, std::nullopt, packet.sent_ahead,
               packet.ce || fate.ce}};
}

std::optional<Fate> Link::fate() {
  if (ready_.empty()) return std::nullopt;
  const Fate fate = ready_.front();
  ready_.pop();
  return fate;
}

std::optional<Fate> Link::fate(Instant now) {
  if (auto ready = fate()) return ready;
  if (const auto decided = queue_.until_clock(now)) return told(*decided);
  return std::nullopt;
}

std::optional<Fate> Link::last_fate() {
  if (auto ready = fate()) return ready;
  if (const auto decided = queue_.rest()) return told(*decided);
  return std::nullopt;
}

std::optional<Instant> Link::next_fate() const {
  if (!ready_.empty()) return Instant{Nanos::min()};
  return queue_.next();
}

}  // namespace avc::net
