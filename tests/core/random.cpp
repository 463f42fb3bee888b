#include "core/random.hpp"

#include "tests/check.hpp"

using namespace avc;

// Known answers of the generator's authors (Random123, kat_vectors).
START_TEST(philox_gives_the_published_answers) {
  ck_assert(philox4x32({0, 0, 0, 0}, {0, 0}) ==
            (std::array<std::uint32_t, 4>{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  ck_assert(philox4x32({~0u, ~0u, ~0u, ~0u}, {~0u, ~0u}) ==
            (std::array<std::uint32_t, 4>{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  ck_assert(philox4x32({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}) ==
            (std::array<std::uint32_t, 4>{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}
END_TEST

START_TEST(normal_matches_known_quantiles) {
  const double uniforms[] = {0.975};
  ck_assert_double_eq_tol(Draws(uniforms).normal(), 1.959963984540054, 1e-15);
  const double tail[] = {1e-9};
  ck_assert_double_eq_tol(Draws(tail).normal(), -5.9978070150076869, 1e-14);
}
END_TEST

// n = 1e6, bounds are four standard errors: mean of a uniform 4*0.2887/1000, of a normal 4/1000,
// of gamma(k) 4*sqrt(k)/1000, of pareto(3) (mean 1.5, variance 0.75) 4*0.866/1000.
START_TEST(distributions_keep_their_means) {
  const Rng rng(42);
  double uniform = 0, normal = 0, square = 0, gamma = 0, small_gamma = 0, pareto = 0;
  const int n = 1'000'000;
  for (int i = 0; i < n; ++i) {
    uniform += rng.split("u").at(i).uniform();
    const double z = rng.split("n").at(i).normal();
    normal += z;
    square += z * z;
    gamma += rng.split("g").at(i).gamma(2.5);
    small_gamma += rng.split("s").at(i).gamma(0.5);
    pareto += rng.split("p").at(i).pareto(3);
  }
  ck_assert_double_eq_tol(uniform / n, 0.5, 0.00116);
  ck_assert_double_eq_tol(normal / n, 0, 0.004);
  ck_assert_double_eq_tol(square / n, 1, 4 * std::sqrt(2.0) / 1000);
  ck_assert_double_eq_tol(gamma / n, 2.5, 4 * std::sqrt(2.5) / 1000);
  ck_assert_double_eq_tol(small_gamma / n, 0.5, 4 * std::sqrt(0.5) / 1000);
  ck_assert_double_eq_tol(pareto / n, 1.5, 0.00347);
}
END_TEST

START_TEST(draws_depend_on_key_and_number_alone) {
  const Rng rng(7);
  auto first = rng.at(5), again = rng.at(5), other = rng.at(6);
  const double a = first.uniform(), b = first.uniform();
  ck_assert(a != b);
  ck_assert(a == again.uniform() && b == again.uniform());
  ck_assert(a != other.uniform());
  ck_assert(rng.split("a").at(5).uniform() != rng.split("b").at(5).uniform());
  ck_assert(rng.split(1).at(5).uniform() != rng.split(2).at(5).uniform());
}
END_TEST

START_TEST(below_stays_below_and_reaches_every_value) {
  std::array<int, 5> seen{};
  for (int i = 0; i < 1000; ++i) ++seen[Rng(1).at(i).below(5)];
  for (const int count : seen) ck_assert_int_gt(count, 100);
}
END_TEST

AVC_TESTS("random", philox_gives_the_published_answers, normal_matches_known_quantiles, distributions_keep_their_means,
          draws_depend_on_key_and_number_alone, below_stays_below_and_reaches_every_value)
