#include "core/stats/stream_stats.hpp"

#include <algorithm>
#include <tuple>

#include "core/stats/mos.hpp"

namespace avc::stats {
namespace {

// Every counter once, so that adding and subtracting cannot disagree about them.
template <class Stats>
auto counters(Stats &s) {
  return std::tie(s.packets_received, s.packets_expected, s.packets_lost, s.packets_duplicated, s.packets_reordered,
                  s.bytes_received, s.payload_bytes, s.restarts, s.loss_runs, s.jitter_ms_sum, s.jitter_samples,
                  s.frames_complete, s.frames_broken, s.frames_lost, s.keyframes_complete, s.freeze_count,
                  s.freeze_time, s.delay_samples, s.delay_ms_sum);
}

template <class Op>
void combine(StreamStats &into, const StreamStats &from, Op op) {
  auto a = counters(into);
  const auto b = counters(from);
  [&]<std::size_t... I>(std::index_sequence<I...>) { (op(std::get<I>(a), std::get<I>(b)), ...); }
  (std::make_index_sequence<std::tuple_size_v<decltype(a)>>());
  for (std::size_t i = 0; i < into.loss_run_lengths.size(); ++i) op(into.loss_run_lengths[i], from.loss_run_lengths[i]);
}

double share(double part, double whole) { return whole > 0 ? 100 * part / whole : 0; }

}  // namespace

StreamStats &StreamStats::operator+=(const StreamStats &other) {
  if (other.packets_received == 0) return *this;
  if (packets_received == 0) {
    first_arrival = other.first_arrival;
    last_arrival = other.last_arrival;
  }
  combine(*this, other, [](auto &a, const auto &b) { a += b; });
  jitter_ms = std::max(jitter_ms, other.jitter_ms);
  delay_ms_max = std::max(delay_ms_max, other.delay_ms_max);
  first_arrival = std::min(first_arrival, other.first_arrival);
  last_arrival = std::max(last_arrival, other.last_arrival);
  return *this;
}

StreamStats operator-(const StreamStats &later, const StreamStats &earlier) {
  StreamStats window = later;
  combine(window, earlier, [](auto &a, const auto &b) { a -= b; });
  return window;
}

double StreamStats::loss_percent() const {
  const double percent = share(static_cast<double>(packets_lost), static_cast<double>(packets_expected));
  return std::clamp(percent, 0.0, 100.0);
}

double StreamStats::burst_ratio() const {
  if (loss_runs <= 0 || packets_lost <= 0) return 1;
  const double mean_run = static_cast<double>(packets_lost) / static_cast<double>(loss_runs);
  return mean_run * (1 - loss_percent() / 100);
}

double StreamStats::mean_jitter_ms() const {
  return jitter_samples > 0 ? jitter_ms_sum / static_cast<double>(jitter_samples) : jitter_ms;
}

double StreamStats::mean_delay_ms() const {
  return delay_samples > 0 ? delay_ms_sum / static_cast<double>(delay_samples) : 0;
}

double StreamStats::frames_complete_percent() const {
  if (frames() <= 0) return 100;
  return std::clamp(share(static_cast<double>(frames_complete), static_cast<double>(frames())), 0.0, 100.0);
}

double StreamStats::mos() const {
  return stats::mos({.loss_percent = loss_percent(),
                     .burst_ratio = burst_ratio(),
                     .jitter_ms = mean_jitter_ms(),
                     .delay_ms = mean_delay_ms()});
}

}  // namespace avc::stats
