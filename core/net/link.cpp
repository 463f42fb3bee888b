#include "core/net/link.hpp"

#include <algorithm>

namespace avc::net {
namespace {

bool acts(const Impairment &s) {
  return s.loss_percent > 0 || s.delay_ms > 0 || s.jitter_ms > 0 || s.bandwidth_kbps > 0;
}

}  // namespace

Link::Link(Rng participant_rng) : rng_(participant_rng.split("link")), base_("", rng_.split("base")) {}

void Link::set_base(const Impairment &settings, Instant) { base_.settings = settings; }

void Link::put_layer(std::string_view id, const Impairment &settings, Instant) {
  auto layer = std::find_if(layers_.begin(), layers_.end(), [&](const Layer &l) { return l.id == id; });
  if (layer == layers_.end()) layer = layers_.insert(layer, Layer(id, rng_.split("layer").split(id)));
  layer->settings = settings;
}

bool Link::remove_layer(std::string_view id, Instant) {
  return std::erase_if(layers_, [&](const Layer &layer) { return layer.id == id; }) > 0;
}

void Link::flush() {
  queue_.flush();
  last_ = {Nanos::min()};
}

Verdict Link::admit(const Packet &packet, Instant arrival) {
  if (layers_.empty() && arrival >= last_ && !acts(base_.settings)) {
    last_ = arrival;
    return Send{arrival, {}};
  }
  const Sum sum = sum_for(packet);
  if (sum.lost) return Drop{Drop::Why::loss};
  const auto passage = queue_.enqueue(sum.slowest ? *sum.slowest : Impairment{}, packet.bytes, arrival);
  if (!passage) return Drop{Drop::Why::queue_full};
  Instant at = passage->end + sum.delay;
  const bool may_overtake = sum.jitter ? sum.jitter_overtakes : base_.settings.allow_reordering;
  if (!may_overtake) at = std::max(at, last_);
  last_ = std::max(last_, at);
  return Send{at, passage->start - arrival};
}

void Link::add(Layer &layer, const Packet &packet, Sum &sum) {
  const Impairment &settings = layer.settings;
  // Asked even if another layer has lost the packet already: a chain of bursts must see every packet in turn.
  sum.lost |= layer.loss.lost(settings, packet);
  if (sum.lost) return;
  sum.delay += layer.delay.draw(settings, packet);
  if (settings.bandwidth_kbps > 0 && (!sum.slowest || settings.bandwidth_kbps < sum.slowest->bandwidth_kbps))
    sum.slowest = &settings;
  if (settings.jitter_ms > 0) {
    sum.jitter = true;
    sum.jitter_overtakes &= settings.allow_reordering;
  }
}

Link::Sum Link::sum_for(const Packet &packet) {
  Sum sum;
  add(base_, packet, sum);
  for (auto &layer : layers_) add(layer, packet, sum);
  return sum;
}

}  // namespace avc::net
