#include "core/spike/tagger_effects.hpp"

#include <algorithm>
#include <cmath>

namespace avc::spike {
namespace {

void add(HeaderShift &shift, const TaggerEffect &effect) {
  if (effect.new_ssrc) shift.ssrc += kSsrcStep;
  shift.timestamp += effect.timestamp_jump;
  shift.sequence = static_cast<std::uint16_t>(shift.sequence + effect.sequence_jump);
}

}  // namespace

bool TaggerEffects::put(std::string_view id, const TaggerEffect &effect, Instant at) {
  const auto same = [&](const Layer &layer) { return layer.id == id; };
  if (std::any_of(layers_.begin(), layers_.end(), same)) return false;
  layers_.push_back({std::string(id), effect, at});
  combine();
  return true;
}

bool TaggerEffects::remove(std::string_view id) {
  const bool found = std::erase_if(layers_, [&](const Layer &layer) { return layer.id == id; }) > 0;
  combine();
  return found;
}

void TaggerEffects::combine() {
  video_ = audio_ = {};
  absent_ = bye_ = false;
  for (const Layer &layer : layers_) {
    if (layer.effect.media != Media::audio) add(video_, layer.effect);
    if (layer.effect.media != Media::video) add(audio_, layer.effect);
    absent_ |= layer.effect.absent;
    bye_ |= layer.effect.absent && layer.effect.bye;
  }
}

TaggerEffects::Due TaggerEffects::take_due(Layer &layer, Instant now) const {
  const double rate = layer.effect.flood_per_second;
  const auto elapsed = static_cast<double>(std::max(now - layer.since, Nanos(0)).count());
  const auto owed = static_cast<std::uint64_t>(std::floor(elapsed * rate / 1e9));  // whole where the product is
  if (owed <= layer.owed_so_far) return {};
  const std::uint64_t due = owed - layer.owed_so_far;
  layer.owed_so_far = owed;
  const auto most = absent_ ? 0 : static_cast<std::uint64_t>(std::ceil(to_seconds(kFloodBurst) * rate));
  const std::uint64_t packets = std::min(due, most);
  return {packets, absent_ ? 0 : due - packets};
}

}  // namespace avc::spike
