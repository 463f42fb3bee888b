// What the models should do, worked out from their definitions in other ways than the code does it: losses as hidden
// Markov chains (matrices), delays by their distribution functions, queues by the analytic theory.
#pragma once

#include <array>

#include "core/net/impairment.hpp"
#include "core/time.hpp"
#include "tests/core/net/statistics.hpp"

namespace avc::test {

// A Markov chain whose states lose packets with a probability each.
struct HiddenChain {
  using Row = std::array<double, 4>;
  using Matrix = std::array<Row, 4>;
  Matrix step{};  // step[a][b]: from state a to b
  Row lost{};     // in each state

  static Matrix times(const Matrix &a, const Matrix &b) {
    Matrix c{};
    for (std::size_t i = 0; i < 4; ++i)
      for (std::size_t j = 0; j < 4; ++j)
        for (std::size_t k = 0; k < 4; ++k) c[i][j] += a[i][k] * b[k][j];
    return c;
  }
  static Row times(const Row &v, const Matrix &m) {
    Row w{};
    for (std::size_t i = 0; i < 4; ++i)
      for (std::size_t j = 0; j < 4; ++j) w[j] += v[i] * m[i][j];
    return w;
  }
  static double sum(const Row &v) { return v[0] + v[1] + v[2] + v[3]; }
  // The states' part in which a packet is lost (or not).
  Row seen(Row v, bool loss) const {
    for (std::size_t i = 0; i < 4; ++i) v[i] *= loss ? lost[i] : 1 - lost[i];
    return v;
  }

  // Half a step at a time, so that chains that alternate settle as well: ((I+T)/2)^(2^40).
  Row long_run() const {
    Matrix m = step;
    for (std::size_t i = 0; i < 4; ++i)
      for (std::size_t j = 0; j < 4; ++j) m[i][j] = (m[i][j] + (i == j)) / 2;
    for (int i = 0; i < 40; ++i) {
      m = times(m, m);
      for (Row &row : m) {  // rounding must not grow
        const double total = sum(row);
        for (double &x : row) x /= total;
      }
    }
    return m[0];
  }
  double share() const { return sum(seen(long_run(), true)); }
  // P(packets n and n + lag are lost)
  double both(std::size_t lag) const {
    Row v = seen(long_run(), true);
    for (std::size_t i = 0; i < lag; ++i) v = times(v, step);
    return sum(seen(v, true));
  }
  double autocorrelation(std::size_t lag) const {
    const double l = share();
    return (both(lag) - l * l) / (l * (1 - l));
  }
  // Four standard deviations of the share of n packets: that of independent ones, widened by the correlation.
  double share_bound(double n) const {
    const double l = share();
    Row v = seen(long_run(), true);
    double widened = 1;
    for (int lag = 1; lag < 5000; ++lag) {
      v = times(v, step);
      widened += 2 * (sum(seen(v, true)) - l * l) / (l * (1 - l));
    }
    return 4 * std::sqrt(l * (1 - l) / n * widened);
  }
  // Shares of runs (of losses or of what passes) of 1, 2, ... packets; the last one: `longest` and more.
  std::vector<double> run_shares(bool loss, std::size_t longest) const {
    Row v = seen(times(seen(long_run(), !loss), step), loss);  // a run begins
    const double all = sum(v);
    std::vector<double> shares;
    for (std::size_t k = 1; k < longest; ++k) {
      const Row goes_on = seen(times(v, step), loss);
      shares.push_back((sum(v) - sum(goes_on)) / all);
      v = goes_on;
    }
    shares.push_back(sum(v) / all);
    return shares;
  }
};

inline HiddenChain two_state_theory(double to_bad, double to_good, double lost_bad, double lost_good) {
  return {{{{1 - to_bad, to_bad}, {to_good, 1 - to_good}, {0, 0, 1, 0}, {0, 0, 0, 1}}}, {lost_good, lost_bad}};
}

// From the definitions in docs/model.md, not from the code's formulas.
inline HiddenChain loss_theory(const net::Impairment &s) {
  const double share = s.loss_percent / 100, c = s.loss_correlation / 100;
  switch (s.loss_model) {
    case net::LossModel::random:
      return two_state_theory((1 - c) * share, (1 - c) * (1 - share), 1, 0);
    case net::LossModel::burst:  // runs of mean b, share p/(p+r)
      return two_state_theory(share / (s.burst_length * (1 - share)), 1 / s.burst_length, 1, 0);
    case net::LossModel::gilbert_elliott:
      return two_state_theory(s.ge_p / 100, (s.ge_r < 0 ? 100 - s.ge_p : s.ge_r) / 100, s.ge_h / 100, s.ge_k / 100);
    default:
      break;
  }
  const double p13 = s.markov_p13 / 100, p31 = (s.markov_p31 < 0 ? 100 - s.markov_p13 : s.markov_p31) / 100;
  const double p32 = s.markov_p32 / 100, p23 = s.markov_p23 / 100, p14 = s.markov_p14 / 100;
  return {{{{1 - p13 - p14, 0, p13, p14}, {0, 1 - p23, p23, 0}, {p31, p32, 1 - p31 - p32, 0}, {1, 0, 0, 0}}},
          {0, 0, 1, 1}};
}

// Jitter's share of draws not above z times jitter_ms. Pareto: netem's table, z = 4/3*(u^(-1/3) - 1.5), cut off at 4.
inline double pareto_share(double z) { return z >= 4 ? 1 : z <= -2.0 / 3 ? 0 : 1 - std::pow(1.5 + 0.75 * z, -3); }

// A quarter normal and three quarters Pareto of the same u. The quantile is monotone: tabulated over 40001 normals
// from -8 to 8, and read backwards between two of them.
inline double pareto_normal_share(double z) {
  static const auto table = [] {
    std::vector<double> values;
    for (int i = 0; i <= 40'000; ++i) {
      const double normal = (i - 20'000) / 2500.0;
      const double above = std::max(normal_share(-normal), 1e-300);
      values.push_back(0.25 * normal + 0.75 * std::min((std::pow(above, -1.0 / 3) - 1.5) * 4 / 3, 4.0));
    }
    return values;
  }();
  const auto next =
      std::clamp<std::ptrdiff_t>(std::lower_bound(table.begin(), table.end(), z) - table.begin(), 1, 40'000);
  const auto i = static_cast<std::size_t>(next);
  const double part = (z - table[i - 1]) / (table[i] - table[i - 1]);
  return normal_share((static_cast<double>(i) - 1 + part - 20'000) / 2500);
}

// Gamma with a whole shape k and scale 1: 1 - e^-x * (1 + x + ... + x^(k-1)/(k-1)!)
inline double erlang_share(double x, int shape) {
  if (x <= 0) return 0;
  double term = 1, sum = 0;
  for (int i = 0; i < shape; term *= x / ++i) sum += term;
  return 1 - std::exp(-x) * sum;
}

// The share of delays not above `ms`. What lies below zero arrives at once. Gamma: (delay/jitter)^2 must be whole.
inline double delay_share(const net::Impairment &s, double ms) {
  if (ms < 0) return 0;
  const double z = (ms - s.delay_ms) / s.jitter_ms;
  switch (s.delay_distribution) {
    case net::DelayDistribution::uniform:
      return std::clamp((1 + z) / 2, 0.0, 1.0);
    case net::DelayDistribution::normal:
      return normal_share(z);
    case net::DelayDistribution::pareto:
      return pareto_share(z);
    case net::DelayDistribution::paretonormal:
      return pareto_normal_share(z);
    default:
      break;
  }
  const double shape = s.delay_ms * s.delay_ms / (s.jitter_ms * s.jitter_ms);
  return erlang_share(ms * s.delay_ms / (s.jitter_ms * s.jitter_ms), static_cast<int>(std::lround(shape)));
}

// M/D/1: the share of packets that wait no longer than t times of service, at load rho (Erlang 1909, Crommelin 1932):
//   (1 - rho) * sum over k = 0..floor(t) of (rho*(k - t))^k / k! * e^(-rho*(k - t))
// The terms alternate: good for t up to about 20.
inline double md1_share(double t, double rho) {
  if (t < 0) return 0;
  double sum = 0;
  for (int k = 0; k <= static_cast<int>(t); ++k) {
    const double x = rho * (k - t);
    sum += std::exp(-x + (k > 0 ? k * std::log(std::fabs(x)) - std::lgamma(k + 1.0) : 0)) * (k % 2 ? -1 : 1);
  }
  return (1 - rho) * sum;
}

// M/D/1/K: the share of packets that find `room` in the system (waiting and on the line). Embedded chain at
// departures: q' = max(q - 1, 0) + Poisson(rho), at most room - 1; with its long-run share p0 of leaving nothing
// behind, 1 - 1/(p0 + rho) is refused (Gross and Harris, Fundamentals of Queueing Theory, M/G/1/K).
inline double md1k_refused(std::size_t room, double rho) {
  std::vector<double> p(room, 0), poisson(room + 1);
  p[0] = 1;
  for (std::size_t k = 0; k <= room; ++k)
    poisson[k] = std::exp(-rho + static_cast<double>(k) * std::log(rho) - std::lgamma(static_cast<double>(k) + 1));
  for (int round = 0; round < 100'000; ++round) {
    std::vector<double> next(room, 0);
    for (std::size_t q = 0; q < room; ++q) {
      const std::size_t left = q > 0 ? q - 1 : 0;
      double rest = 1;
      for (std::size_t k = 0; left + k + 1 < room; ++k) {
        next[left + k] += p[q] * poisson[k];
        rest -= poisson[k];
      }
      next[room - 1] += p[q] * rest;
    }
    p = next;
  }
  return 1 - 1 / (p[0] + rho);
}

}  // namespace avc::test
