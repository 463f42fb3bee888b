// Tables of jitter: what is read, what is refused, what is drawn from them.
#include "core/net/delay_table.hpp"

#include "core/net/delay.hpp"
#include "core/net/slots.hpp"
#include "tests/check.hpp"
#include "tests/core/net/statistics.hpp"

using namespace avc;
using namespace avc::test;
using namespace std::chrono_literals;
using net::DelayDistribution, net::DelayTable, net::Impairment;

namespace {

std::shared_ptr<const DelayTable> table(std::string_view text) {
  auto parsed = DelayTable::parse(text);
  ck_assert(static_cast<bool>(parsed));
  return *parsed;
}

void refused(std::string_view text, std::string_view part) {
  const auto parsed = DelayTable::parse(text);
  ck_assert(!parsed);
  ck_assert_msg(parsed.error().message.find(part) != std::string::npos, "%s", parsed.error().message.c_str());
}

}  // namespace

START_TEST(a_table_is_read_as_netem_writes_it) {
  const auto read = table("# made by maketable\n 8192 -8192\t0#zero\n\n4096\r\n");
  ck_assert_uint_eq(read->size(), 4);
  ck_assert_double_eq(read->quantile(0), -1);
  ck_assert_double_eq(read->quantile(0.25), 0);
  ck_assert_double_eq(read->quantile(0.5), 0.5);
  ck_assert_double_eq(read->quantile(0.99), 1);
  ck_assert_double_eq(read->quantile(1), 1);
}
END_TEST

START_TEST(faults_name_their_line) {
  refused("", "empty");
  refused("# nothing\n \n", "empty");
  refused("1\n2 x\n", "line 2: \"x\" is not a whole number from -32768 to 32767");
  refused("1\n\n32768", "line 3");
  refused("1.5", "line 1");
  refused("+1", "line 1");
  std::string many;
  for (std::size_t i = 0; i < DelayTable::kMostValues; ++i) many += "1 ";
  ck_assert_uint_eq(table(many)->size(), DelayTable::kMostValues);
  refused(many + "1", "more than 16384 values");
}
END_TEST

// u = 0.1, 0.3, 0.6, 0.9 of four values; 100 ms and 8 ms for each kScale.
START_TEST(each_value_has_an_equal_share) {
  const Impairment settings{.delay_ms = 100,
                            .jitter_ms = 8,
                            .delay_distribution = DelayDistribution::table,
                            .delay_table = table("-8192 -1024 1024 16384")};
  const double uniforms[] = {0.1, 0.3, 0.6, 0.9};
  const Nanos wanted[] = {92ms, 99ms, 101ms, 116ms};
  for (int i = 0; i < 4; ++i)
    ck_assert(net::delay_of(settings, Draws(std::span(uniforms).subspan(static_cast<std::size_t>(i), 1))) == wanted[i]);
}
END_TEST

// 10^6 packets, five values of which one is there twice; chi-square, with and without correlation. Correlated draws
// are not independent, so every 40th is counted: 0.8^40 is 1e-4.
START_TEST(shares_hold_over_a_million_packets) {
  for (const double correlation : {0.0, 80.0}) {
    const Impairment settings{.delay_ms = 50,
                              .jitter_ms = 10,
                              .delay_correlation = correlation,
                              .delay_distribution = DelayDistribution::table,
                              .delay_table = table("-8192 -4096 0 0 4096 8192")};
    net::Delay delay(Rng(7));
    std::vector<double> counted(5);
    const std::uint64_t step = correlation > 0 ? 40 : 1;
    double total = 0;
    for (std::uint64_t n = 0; n < 1'000'000; ++n) {
      const double ms = to_ms(delay.draw(settings, {.stream = net::Stream::video, .n = n}));
      if (n % step) continue;
      counted[static_cast<std::size_t>((ms - 40) / 5 + 0.5)] += 1;
      ++total;
    }
    const double sixth = total / 6;
    ck_assert(chi_square_fits(counted, {sixth, sixth, 2 * sixth, sixth, sixth}));
  }
}
END_TEST

// Half the packets are delayed: 10^6 packets, standard deviation 0.05 points.
START_TEST(a_share_of_packets_is_delayed) {
  const Impairment settings{.delay_ms = 50, .delay_percent = 50};
  net::Delay delay(Rng(8)), again(Rng(8));
  std::vector<bool> delayed;
  std::size_t copies_alike = 0;
  for (std::uint64_t n = 0; n < 1'000'000; ++n) {
    const net::Packet packet{.stream = net::Stream::audio, .n = n};
    const Nanos drawn = delay.draw(settings, packet);
    ck_assert(drawn == Nanos() || drawn == 50ms);
    delayed.push_back(drawn > Nanos());
    copies_alike += delay.draw_for_copy(settings, packet) == drawn;
  }
  ck_assert_double_eq_tol(mean(delayed), 0.5, 0.002);
  ck_assert_double_eq_tol(static_cast<double>(copies_alike) / 1e6, 0.5, 0.002);
  ck_assert(runs_are_geometric(delayed, true, 0.5));
  for (std::uint64_t n = 1'000'000; n-- > 999'000;)
    ck_assert((again.draw(settings, {.stream = net::Stream::audio, .n = n}) > Nanos()) == delayed[n]);
}
END_TEST

// Distances of 20 ms +-25 % from a table of two values: 15 or 25 ms, each half of the time, except where a block
// begins (every 20.48 s). 10^6 slots; standard deviation of the share 0.05 points.
START_TEST(slots_come_at_distances_of_a_table) {
  net::Slots slots(Rng(9), 20, 5, DelayDistribution::table, table("-8192 8192"));
  std::size_t near = 0, far = 0, cut = 0;
  Instant slot = slots.first_from({});
  for (int i = 0; i < 1'000'000; ++i) {
    const Instant next = slots.next(slot);
    const Nanos distance = next - slot;
    ck_assert(distance > Nanos() && distance <= 25ms);
    near += distance == 15ms;
    far += distance == 25ms;
    cut += distance != 15ms && distance != 25ms;
    slot = next;
  }
  ck_assert_uint_le(cut, 1'000'000 / 1000);
  ck_assert_double_eq_tol(static_cast<double>(near) / static_cast<double>(near + far), 0.5, 0.002);
}
END_TEST

// Normal distances, mean 10 ms and deviation 2: Kolmogorov-Smirnov over 10^6, blocks' beginnings (a thousandth)
// included.
START_TEST(slots_come_at_normal_distances) {
  net::Slots slots(Rng(10), 10, 2, DelayDistribution::normal, nullptr);
  std::vector<double> distances;
  Instant slot = slots.first_from({});
  for (int i = 0; i < 1'000'000; ++i) {
    const Instant next = slots.next(slot);
    distances.push_back(to_ms(next - slot));
    slot = next;
  }
  ck_assert_double_lt(ks_distance(distances, [](double ms) { return normal_share((ms - 10) / 2); }),
                      ks_bound(1e6) + 0.001);
}
END_TEST

// What would be below zero is a hundredth of the mean: the walk always gets on.
START_TEST(slots_never_stand_still) {
  net::Slots slots(Rng(11), 10, 1000, DelayDistribution::table, table("-32768"));
  Instant slot = slots.first_from({});
  for (int i = 0; i < 1000; ++i) {
    const Instant next = slots.next(slot);
    ck_assert(next - slot == 10ms);
    slot = next;
  }
}
END_TEST

AVC_TESTS("delay_table", a_table_is_read_as_netem_writes_it, faults_name_their_line, each_value_has_an_equal_share,
          shares_hold_over_a_million_packets, a_share_of_packets_is_delayed, slots_come_at_distances_of_a_table,
          slots_come_at_normal_distances, slots_never_stand_still)
