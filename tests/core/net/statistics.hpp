// Bounds for tests of chance. Each is exceeded by right code with about the probability of four standard deviations
// of a normal (1 in 16000, two-sided) for a seed; the seeds are fixed.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <vector>

namespace avc::test {

// What a statistic of chi-square with so many degrees of freedom stays below (Wilson and Hilferty 1931).
inline double chi_square_bound(double freedom) {
  const double v = 2 / (9 * freedom);
  return freedom * std::pow(1 - v + 3.9 * std::sqrt(v), 3);
}

// Counted against expected numbers; cells below five expected are joined to their predecessor.
inline bool chi_square_fits(std::vector<double> counted, std::vector<double> expected) {
  for (std::size_t i = counted.size(); i-- > 1;) {
    if (expected[i] >= 5) continue;
    counted[i - 1] += counted[i];
    expected[i - 1] += expected[i];
    counted.erase(counted.begin() + static_cast<std::ptrdiff_t>(i));
    expected.erase(expected.begin() + static_cast<std::ptrdiff_t>(i));
  }
  double sum = 0;
  for (std::size_t i = 0; i < counted.size(); ++i)
    sum += (counted[i] - expected[i]) * (counted[i] - expected[i]) / expected[i];
  if (sum >= chi_square_bound(static_cast<double>(counted.size()) - 1))
    std::fprintf(stderr, "chi-square %g with %zu cells\n", sum, counted.size());
  return sum < chi_square_bound(static_cast<double>(counted.size()) - 1);
}

// Lengths of runs of `value`: element k-1 counts those of k, the last one those of `longest` and more.
inline std::vector<double> runs(const std::vector<bool> &series, bool value, std::size_t longest) {
  std::vector<double> counts(longest);
  std::size_t run = 0;
  for (std::size_t i = 0; i <= series.size(); ++i) {
    if (i < series.size() && series[i] == value) {
      ++run;
    } else if (run > 0) {
      counts[std::min(run, longest) - 1] += 1;
      run = 0;
    }
  }
  return counts;
}

inline bool runs_are_geometric(const std::vector<bool> &series, bool value, double stays, std::size_t longest = 40) {
  const auto counted = runs(series, value, longest);
  double total = 0;
  for (const double c : counted) total += c;
  std::vector<double> expected;
  for (std::size_t k = 0; k < longest; ++k)
    expected.push_back(total * std::pow(stays, static_cast<double>(k)) * (k + 1 < longest ? 1 - stays : 1));
  return chi_square_fits(counted, expected);
}

template <class T>
double mean(const std::vector<T> &series) {
  double sum = 0;
  for (const auto x : series) sum += static_cast<double>(x);
  return sum / static_cast<double>(series.size());
}

template <class T>
double autocorrelation(const std::vector<T> &series, std::size_t lag) {
  const double m = mean(series);
  double with_lag = 0, square = 0;
  for (std::size_t i = 0; i < series.size(); ++i) {
    const double x = static_cast<double>(series[i]) - m;
    square += x * x;
    if (i + lag < series.size()) with_lag += x * (static_cast<double>(series[i + lag]) - m);
  }
  return with_lag / square;
}

inline bool shares_fit(const std::vector<double> &counted, const std::vector<double> &shares) {
  double total = 0;
  for (const double c : counted) total += c;
  std::vector<double> expected;
  for (const double share : shares) expected.push_back(total * share);
  return chi_square_fits(counted, expected);
}

// The mean of values that depend on their neighbours. The bound is four times the standard error that the means of
// 100 blocks show, which must itself be small.
inline bool mean_fits(const std::vector<double> &values, double expected, double most_error) {
  const std::size_t length = values.size() / 100;
  std::vector<double> blocks;
  for (std::size_t block = 0; block < 100; ++block) {
    double sum = 0;
    for (std::size_t i = block * length; i < (block + 1) * length; ++i) sum += values[i];
    blocks.push_back(sum / static_cast<double>(length));
  }
  const double found = mean(blocks);
  double square = 0;
  for (const double b : blocks) square += (b - found) * (b - found);
  const double error = std::sqrt(square / 99 / 100);
  const bool fits = error <= most_error && std::fabs(found - expected) <= 4 * error;
  if (!fits) std::fprintf(stderr, "mean %g, not %g +- %g\n", found, expected, 4 * error);
  return fits;
}

// Values whose mean is the correlation over a lag of events of a known share.
inline std::vector<double> products(const std::vector<bool> &series, double share, std::size_t lag) {
  std::vector<double> values;
  for (std::size_t i = 0; i + lag < series.size(); ++i)
    values.push_back(((series[i] && series[i + lag]) - share * share) / (share * (1 - share)));
  return values;
}

// That correlation within four standard errors, themselves below 0.015.
inline bool autocorrelation_fits(const std::vector<bool> &series, double share, std::size_t lag, double expected) {
  return mean_fits(products(series, share, lag), expected, 0.015);
}

// Kolmogorov-Smirnov: the largest distance from a distribution function.
inline double ks_distance(std::vector<double> drawn, const std::function<double(double)> &distribution) {
  std::sort(drawn.begin(), drawn.end());
  const double n = static_cast<double>(drawn.size());
  double d = 0;
  for (std::size_t i = 0; i < drawn.size(); ++i) {
    const double f = distribution(drawn[i]), k = static_cast<double>(i);
    // Equal values (what is clipped at zero) are one step of both.
    if (i + 1 < drawn.size() && drawn[i + 1] == drawn[i]) continue;
    d = std::max(d, std::fabs(f - (k + 1) / n));
  }
  return d;
}
inline double ks_bound(double n) { return 2.2 / std::sqrt(n); }

inline double normal_share(double z) { return 0.5 * std::erfc(-z * 0.70710678118654752440); }

}  // namespace avc::test
