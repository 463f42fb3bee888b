// Which of a clip's bit rates goes out, by an estimate of what the path carries: the highest that fits.
//
// Down at once, to the highest rendition that is not above the estimate. Up to a rendition when the estimate has been
// `headroom` times what it takes for the whole of `hold`. A rendition taken up and given up again within `trial` has to
// wait twice as long the next time, up to 16 times `hold`: where the path's capacity lies between two renditions,
// trying the higher one costs every viewer something. Once it has lasted for `trial` its hold is as set.
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
    Nanos trial = std::chrono::seconds(20);  // >= 0
  };

  // What each rendition takes on the way, in the estimate's terms (kbit/s with audio and headers), from the best to the
  // smallest; at least one.
  RenditionChooser(std::vector<double> kbps, const Settings &settings);

  std::size_t choose(double estimate_kbps, Instant now);  // call with each new estimate; answers the one in force
  std::size_t current() const { return current_; }
  Nanos hold(std::size_t rendition) const { return settings_.hold * waits_[rendition].factor; }

  // For BandwidthEstimator::Settings::ceiling, so that the widest step can be climbed.
  double ceiling() const;

 private:
  struct Wait {
    int factor = 1;  // of the hold
    std::optional<Instant> fits_since{};
  };
  void note_what_fits(double estimate_kbps, Instant now);

  Settings settings_;
  std::vector<double> kbps_;
  std::vector<Wait> waits_;  // of each rendition
  std::size_t current_ = 0;
  std::optional<Instant> trial_since_{};  // of the one in force
};

}  // namespace avc::rate
