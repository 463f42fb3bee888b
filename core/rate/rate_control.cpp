#include "core/rate/rate_control.hpp"

#include <algorithm>
#include <cmath>

namespace avc::rate {
namespace {

// Section 5.5 and 5.6.
constexpr double kDecrease = 0.85;      // beta
constexpr double kGrowth = 1.08;        // eta, per second
constexpr double kStartGrowth = 1.5;    // per second
constexpr double kShareOfPacket = 0.5;  // alpha, of a packet in each response time
constexpr double kLeastStep = 1;        // kbit/s, the draft's 1000 bits
constexpr double kAverageWeight = 0.05, kDeviations = 3;
constexpr double kLeastVariance = 0.4, kMostVariance = 2.5;  // as libwebrtc bounds it
constexpr Nanos kLongestStep = std::chrono::seconds(1);

}  // namespace

double RateControl::deviation() const { return std::sqrt(variance_ * average_max_.value_or(0)); }

void RateControl::note_maximum(double received_kbps) {
  if (average_max_ && received_kbps < *average_max_ - kDeviations * deviation()) average_max_.reset();
  if (!average_max_) {
    average_max_ = received_kbps;
    variance_ = kLeastVariance;
    return;
  }
  const double off = *average_max_ - received_kbps;
  *average_max_ -= kAverageWeight * off;
  variance_ = (1 - kAverageWeight) * variance_ + kAverageWeight * off * off / std::max(*average_max_, 1.0);
  variance_ = std::clamp(variance_, kLeastVariance, kMostVariance);
}

void RateControl::grow(const Moment &moment) {
  const Nanos since = updated_ ? std::clamp(moment.now - *updated_, Nanos(0), kLongestStep) : Nanos(0);
  const double received = moment.received_kbps.value_or(0);
  if (average_max_ && received > *average_max_ + kDeviations * deviation()) average_max_.reset();
  double grown = kbps_;
  if (average_max_ && received > *average_max_ - kDeviations * deviation()) {
    const double response_s = std::max(to_seconds(moment.response), 0.001);
    const double share = std::min(to_seconds(since) / response_s, 1.0);
    grown += std::max(kLeastStep, kShareOfPacket * moment.packet_bytes * 8 / 1000) * share;
  } else {
    grown *= std::pow(starting_ ? kStartGrowth : kGrowth, to_seconds(since));
  }
  if (moment.received_kbps) grown = std::min(grown, settings_.ceiling * received);
  kbps_ = std::max(kbps_, grown);  // the ceiling ends growth, it takes nothing back
}

bool RateControl::fall(const Moment &moment) {
  if (!moment.received_kbps) return false;  // too early to know how far
  const double fallen = kDecrease * *moment.received_kbps;
  note_maximum(*moment.received_kbps);
  starting_ = false;
  if (fallen >= kbps_) return false;
  kbps_ = fallen;
  return true;
}

// Section 5.5's table of states.
void RateControl::follow(Usage usage) {
  switch (usage) {
    case Usage::over:
      state_ = State::decrease;
      break;
    case Usage::under:  // queues drain: what arrives is more than was sent
      state_ = State::hold;
      break;
    case Usage::normal:
      state_ = state_ == State::decrease ? State::hold : State::increase;
      break;
  }
}

bool RateControl::update(const Moment &moment) {
  follow(moment.usage);
  bool fell = false;
  if (state_ == State::increase) grow(moment);
  if (state_ == State::decrease) fell = fall(moment);
  kbps_ = std::clamp(kbps_, settings_.min_kbps, settings_.max_kbps);
  updated_ = moment.now;
  return fell;
}

}  // namespace avc::rate
