#include "core/stats/mos.hpp"

#include <algorithm>
#include <cmath>

namespace avc::stats {

double delay_impairment(double mouth_to_ear_ms) {
  if (!(mouth_to_ear_ms > 100)) return 0;
  const double x = std::log2(mouth_to_ear_ms / 100);
  return 25 * (std::pow(1 + std::pow(x, 6), 1.0 / 6) - 3 * std::pow(1 + std::pow(x / 3, 6), 1.0 / 6) + 2);
}

double effective_equipment_impairment(const SpeechPath &path, const Codec &codec) {
  const double loss = std::clamp(path.loss_percent, 0.0, 100.0);
  const double burst_ratio = std::max(path.burst_ratio, 1.0);
  return codec.equipment_impairment +
         (95 - codec.equipment_impairment) * loss / (loss / burst_ratio + codec.packet_loss_robustness);
}

double r_factor(const SpeechPath &path, const Codec &codec) {
  const double mouth_to_ear = path.delay_ms + to_ms(codec.own_delay) + 2 * path.jitter_ms;
  const double r = 93.2 - delay_impairment(mouth_to_ear) - effective_equipment_impairment(path, codec);
  return std::clamp(r, 0.0, 93.2);
}

double mos_from_r(double r) {
  if (!(r > 0)) return 1;
  if (r >= 100) return 4.5;
  // The cubic dips a little below 1 for small R; the scale does not.
  return std::max(1.0, 1 + 0.035 * r + 7e-6 * r * (r - 60) * (100 - r));
}

double mos(const SpeechPath &path, const Codec &codec) { return mos_from_r(r_factor(path, codec)); }

}  // namespace avc::stats
