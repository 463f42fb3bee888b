#include "core/rate/rendition_chooser.hpp"

#include <algorithm>
#include <cassert>
#include <functional>

#include "core/media/ladder.hpp"

namespace avc::rate {
namespace {

constexpr int kLongestHold = 16;       // times the one that was set
constexpr double kOverCeiling = 1.05;  // so that an estimate at the ceiling is above the step, not at it
constexpr double kDraftCeiling = 1.5;

}  // namespace

RenditionChooser::RenditionChooser(std::vector<double> kbps, const Settings &settings)
    : settings_(settings), kbps_(std::move(kbps)), waits_(kbps_.size()) {
  assert(!kbps_.empty() && std::ranges::is_sorted(kbps_, std::greater()));
}

double RenditionChooser::ceiling() const {
  double widest = kDraftCeiling;
  for (std::size_t i = 1; i < kbps_.size(); ++i)
    widest = std::max(widest, kOverCeiling * settings_.headroom * kbps_[i - 1] / kbps_[i]);
  return widest;
}

void RenditionChooser::note_what_fits(double estimate_kbps, Instant now) {
  for (std::size_t i = 0; i < kbps_.size(); ++i) {
    if (estimate_kbps < settings_.headroom * kbps_[i])
      waits_[i].fits_since.reset();
    else if (!waits_[i].fits_since)
      waits_[i].fits_since = now;
  }
}

std::size_t RenditionChooser::choose(double estimate_kbps, Instant now) {
  note_what_fits(estimate_kbps, now);
  if (trial_since_ && now - *trial_since_ >= settings_.trial) {
    waits_[current_].factor = 1;
    trial_since_.reset();
  }
  const std::size_t below = media::pick_rendition(kbps_, estimate_kbps);
  if (below > current_) {
    if (trial_since_) waits_[current_].factor = std::min(2 * waits_[current_].factor, kLongestHold);
    trial_since_.reset();
    current_ = below;
    return current_;
  }
  for (std::size_t better = 0; better < current_; ++better) {
    const auto since = waits_[better].fits_since;
    if (!since || now - *since < hold(better)) continue;
    current_ = better;
    trial_since_ = now;
  }
  return current_;
}

}  // namespace avc::rate
