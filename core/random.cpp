#include "core/random.hpp"

#include <algorithm>
#include <cmath>

namespace avc {
namespace {

// Splits use counters whose top word is this tag; draws use the draw number there, which never gets so far.
constexpr std::uint32_t kSplitTag = 0xFFFFFFFF, kLabelTag = 0xFFFFFFFE;

std::uint64_t split_key(std::uint64_t key, std::uint64_t number, std::uint32_t tag) {
  const auto n = halves(number);
  const auto out = philox4x32({n[0], n[1], 0, tag}, halves(key));
  return joined(out[0], out[1]);
}

// FNV-1a: short labels, no chance involved, the same everywhere.
std::uint64_t hash(std::string_view text) {
  std::uint64_t h = 0xcbf29ce484222325ULL;
  for (const char c : text) h = (h ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
  return h;
}

template <std::size_t N>
double polynomial(const double (&coefficients)[N], double x) {
  double sum = 0;
  for (std::size_t i = N; i-- > 0;) sum = sum * x + coefficients[i];
  return sum;
}

}  // namespace

// Inverse of the normal distribution function, M. J. Wichura, Applied Statistics 37 (1988), algorithm AS 241,
// routine PPND16: about 1e-16 relative. Its middle part is rational arithmetic only.
double normal_quantile(double p) {
  static constexpr double a[] = {3.3871328727963666080e0, 1.3314166789178437745e2, 1.9715909503065514427e3,
                                 1.3731693765509461125e4, 4.5921953931549871457e4, 6.7265770927008700853e4,
                                 3.3430575583588128105e4, 2.5090809287301226727e3};
  static constexpr double b[] = {1.0,
                                 4.2313330701600911252e1,
                                 6.8718700749205790830e2,
                                 5.3941960214247511077e3,
                                 2.1213794301586595867e4,
                                 3.9307895800092710610e4,
                                 2.8729085735721942674e4,
                                 5.2264952788528545610e3};
  static constexpr double c[] = {1.42343711074968357734e0,  4.63033784615654529590e0, 5.76949722146069140550e0,
                                 3.64784832476320460504e0,  1.27045825245236838258e0, 2.41780725177450611770e-1,
                                 2.27238449892691845833e-2, 7.74545014278341407640e-4};
  static constexpr double d[] = {1.0,
                                 2.05319162663775882187e0,
                                 1.67638483018380384940e0,
                                 6.89767334985100004550e-1,
                                 1.48103976427480074590e-1,
                                 1.51986665636164571966e-2,
                                 5.47593808499534494600e-4,
                                 1.05075007164441684324e-9};
  static constexpr double e[] = {6.65790464350110377720e0,  5.46378491116411436990e0,  1.78482653991729133580e0,
                                 2.96560571828504891230e-1, 2.65321895265761230930e-2, 1.24266094738807843860e-3,
                                 2.71155556874348757815e-5, 2.01033439929228813265e-7};
  static constexpr double f[] = {1.0,
                                 5.99832206555887937690e-1,
                                 1.36929880922735805310e-1,
                                 1.48753612908506148525e-2,
                                 7.86869131145613259100e-4,
                                 1.84631831751005468180e-5,
                                 1.42151175831644588870e-7,
                                 2.04426310338993978564e-15};
  const double q = p - 0.5;
  if (std::fabs(q) <= 0.425) {
    const double r = 0.180625 - q * q;
    return q * polynomial(a, r) / polynomial(b, r);
  }
  const double r = std::sqrt(-std::log(q < 0 ? p : 1 - p));
  const double x =
      r <= 5 ? polynomial(c, r - 1.6) / polynomial(d, r - 1.6) : polynomial(e, r - 5) / polynomial(f, r - 5);
  return q < 0 ? -x : x;
}

std::uint64_t Draws::below(std::uint64_t count) {
  return std::min(static_cast<std::uint64_t>(uniform() * static_cast<double>(count)), count - 1);
}

bool Draws::chance(double percent) { return uniform() * 100 < percent; }

double Draws::open_uniform() { return std::max(uniform(), 0x1.0p-54); }

double Draws::normal() { return normal_quantile(open_uniform()); }

double Draws::pareto(double shape) { return std::pow(1 - uniform(), -1 / shape); }

double Draws::gamma(double shape) {
  // Below shape 1 the method needs one more uniform to come down from shape + 1.
  const double boost = shape < 1 ? std::pow(open_uniform(), 1 / shape) : 1;
  return boost * gamma_trials(shape < 1 ? shape + 1 : shape, normal());
}

// What is accepted is gamma distributed and so is what the further trials give, whatever the first one was: a
// correlated first normal leaves the distribution as it is.
double Draws::gamma(double shape, double normal) {
  const double boost = shape < 1 ? std::pow(open_uniform(), 1 / shape) : 1;
  return boost * gamma_trials(shape < 1 ? shape + 1 : shape, normal);
}

double Draws::gamma_trials(double shape, double x) {
  const double d = shape - 1.0 / 3.0;
  const double c = 1 / std::sqrt(9 * d);
  for (;; x = normal()) {
    const double v = std::pow(1 + c * x, 3);
    if (v > 0 && std::log(open_uniform()) < 0.5 * x * x + d * (1 - v + std::log(v))) return d * v;
  }
}

Rng Rng::split(std::string_view label) const { return Rng(split_key(key_, hash(label), kLabelTag)); }

Rng Rng::split(std::uint64_t number) const { return Rng(split_key(key_, number, kSplitTag)); }

}  // namespace avc
