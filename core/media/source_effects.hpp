// What the spikes in force ask of one source, on top of its own settings. The least bit rate wins, frame drops
// compose as independent losses, silence is silence, absence absence. Each spike ends alone and leaves what the others ask.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "core/spike/effect.hpp"

namespace avc::media {

class SourceEffects {
 public:
  // False, and nothing changes, when the spike is in force already.
  bool put(std::string_view id, const spike::SourceEffect &effect) {
    if (find(id) != layers_.end()) return false;
    layers_.push_back({std::string(id), effect});
    return true;
  }

  bool remove(std::string_view id) {
    const auto layer = find(id);
    if (layer == layers_.end()) return false;
    layers_.erase(layer);
    return true;
  }

  spike::SourceEffect over(const spike::SourceEffect &base) const {
    spike::SourceEffect all = base;
    for (const Layer &layer : layers_) add(all, layer.effect);
    return all;
  }

 private:
  struct Layer {
    std::string id;
    spike::SourceEffect effect;
  };

  static void add(spike::SourceEffect &all, const spike::SourceEffect &one) {
    const double kept = (1 - all.frame_drop_percent / 100) * (1 - one.frame_drop_percent / 100);
    all.frame_drop_percent = (1 - kept) * 100;
    all.audio_silence |= one.audio_silence;
    all.absent |= one.absent;
    if (one.max_bitrate_kbps && (!all.max_bitrate_kbps || *one.max_bitrate_kbps < *all.max_bitrate_kbps)) {
      all.max_bitrate_kbps = one.max_bitrate_kbps;
      all.transition = one.transition;
    }
  }

  std::vector<Layer>::iterator find(std::string_view id) {
    return std::find_if(layers_.begin(), layers_.end(), [&](const Layer &layer) { return layer.id == id; });
  }

  std::vector<Layer> layers_;
};

}  // namespace avc::media
