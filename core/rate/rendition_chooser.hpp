// Which of a clip's bit rates goes out, by an estimate of what the path carries: the highest that fits.
//
// Down at once, to the highest rendition that is not above the estimate. Up only when the estimate has been `headroom`
// times the higher rendition for the whole of `hold`: then to the highest of which that is true. A rendition taken up
// and given up again within `trial` doubles the hold, to 16 times at most: where the path's capacity lies between two
// renditions, trying the higher one costs every viewer something. Once one has lasted for `trial` the hold is as set.
//
// Nothing is sent beside the media to find out what a path carries, so going up is the trial. The estimate has to be
// allowed to grow as far beyond what is sent as the next rendition is away: ceiling().
#pragma once

#include <optional>
#include <vector>

#include "core/time.hpp"

namespace avc::rate {

class RenditionChooser {
 public:
  struct Settings {
    double headroom = 1.1;                   // >= 1
    Nanos hold = std::chrono::seconds(3);    // > 0
    Nanos trial = std::chrono::seconds(10);  // >= 0
  };

  // What each rendition takes on the way, in the estimate's terms (kbit/s with audio and headers), from the best to the
  // smallest; at least one.
  RenditionChooser(std::vector<double> kbps, const Settings &settings);

  std::size_t choose(double estimate_kbps, Instant now);  // call with each new estimate; answers the one in force
  std::size_t current() const { return current_; }
  Nanos hold() const { return settings_.hold * hold_factor_; }

  // For BandwidthEstimator::Settings::ceiling, so that the widest step can be climbed.
  double ceiling() const;

 private:
  void go_down(double estimate_kbps, Instant now);

  std::vector<double> kbps_;
  Settings settings_;
  std::size_t current_ = 0;
  int hold_factor_ = 1;
  std::optional<Instant> up_{};  // when the last step up was
  std::optional<Instant> fits_since_{};
  double least_since_ = 0;  // of the estimates since then
};

}  // namespace avc::rate
