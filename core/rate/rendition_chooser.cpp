#include "core/rate/rendition_chooser.hpp"

#include <algorithm>
#include <cassert>

#include "core/media/ladder.hpp"

namespace avc::rate {
namespace {

constexpr int kLongestHold = 16;       // times the one that was set
constexpr double kOverCeiling = 1.05;  // so that an estimate at the ceiling is above the step, not at it

}  // namespace

RenditionChooser::RenditionChooser(std::vector<double> kbps, const Settings &settings)
    : kbps_(std::move(kbps)), settings_(settings) {
  assert(!kbps_.empty() && std::ranges::is_sorted(kbps_, std::greater()));
}

double RenditionChooser::ceiling() const {
  double widest = 1.5;  // the draft's
  for (std::size_t i = 1; i < kbps_.size(); ++i)
    widest = std::max(widest, kOverCeiling * settings_.headroom * kbps_[i - 1] / kbps_[i]);
  return widest;
}

void RenditionChooser::go_down(double estimate_kbps, Instant now) {
  current_ = media::pick_rendition(kbps_, estimate_kbps);
  fits_since_.reset();
  if (up_ && now - *up_ < settings_.trial) hold_factor_ = std::min(2 * hold_factor_, kLongestHold);
  up_.reset();
}

std::size_t RenditionChooser::choose(double estimate_kbps, Instant now) {
  if (up_ && now - *up_ >= settings_.trial) {
    hold_factor_ = 1;
    up_.reset();
  }
  if (estimate_kbps < kbps_[current_] && current_ + 1 < kbps_.size()) {
    go_down(estimate_kbps, now);
    return current_;
  }
  if (current_ == 0 || estimate_kbps < settings_.headroom * kbps_[current_ - 1]) {
    fits_since_.reset();
    return current_;
  }
  if (!fits_since_) {
    fits_since_ = now;
    least_since_ = estimate_kbps;
  }
  least_since_ = std::min(least_since_, estimate_kbps);
  if (now - *fits_since_ < hold()) return current_;
  current_ = media::pick_rendition(kbps_, least_since_ / settings_.headroom);
  fits_since_.reset();
  up_ = now;
  return current_;
}

}  // namespace avc::rate
