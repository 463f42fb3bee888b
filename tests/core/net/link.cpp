#include "core/net/link.hpp"

#include "tests/check.hpp"

using namespace avc;
using namespace std::chrono_literals;
using net::Drop, net::Impairment, net::Link, net::Send, net::Stream, net::Verdict;

namespace {

Instant arrival_of(std::uint64_t n) { return {static_cast<std::int64_t>(n) * 1ms}; }
net::Packet video(std::uint64_t n) { return {.stream = Stream::video, .n = n, .bytes = 1000}; }
const Send *sent(const Verdict &verdict) { return std::get_if<Send>(&verdict); }
bool dropped(const Verdict &verdict, Drop::Why why) {
  const auto *drop = std::get_if<Drop>(&verdict);
  return drop && drop->why == why;
}
Instant due(Link &link, std::uint64_t n) { return std::get<Send>(link.admit(video(n), arrival_of(n))).at; }

// A verdict as text, to compare whole runs.
std::string text(const Verdict &verdict) {
  if (const auto *send = sent(verdict))
    return std::to_string(send->at.since_origin.count()) + "+" + std::to_string(send->queued.count());
  return dropped(verdict, Drop::Why::loss) ? "lost" : "full";
}

}  // namespace

START_TEST(a_link_without_settings_passes_everything_at_once) {
  Link link{Rng(1)};
  for (std::uint64_t n = 0; n < 100; ++n) {
    const auto verdict = link.admit(video(n), arrival_of(n));
    ck_assert(sent(verdict) && sent(verdict)->at == arrival_of(n) && sent(verdict)->queued == 0ns);
  }
}
END_TEST

START_TEST(delays_of_base_and_layers_add) {
  Link link{Rng(1)};
  link.set_base({.delay_ms = 10}, {});
  link.put_layer("a", {.delay_ms = 20}, {});
  link.put_layer("b", {.delay_ms = 5}, {});
  ck_assert(due(link, 0) == Instant{35ms});
}
END_TEST

START_TEST(the_slowest_line_counts_with_its_own_queue) {
  Link link{Rng(1)};
  link.set_base({.bandwidth_kbps = 80'000, .packet_overhead = 0}, {});
  link.put_layer("slow", {.bandwidth_kbps = 800, .packet_overhead = 0, .queue_ms = 5}, {});
  ck_assert(due(link, 0) == Instant{10ms});
  ck_assert(dropped(link.admit(video(1), arrival_of(1)), Drop::Why::queue_full));  // would wait 9 ms
  const auto waits = link.admit(video(6), arrival_of(6));
  ck_assert(sent(waits) && sent(waits)->at == Instant{20ms} && sent(waits)->queued == 4ms);
  ck_assert_uint_eq(link.queue(arrival_of(6)).packets, 1);
}
END_TEST

START_TEST(delay_comes_after_the_queue) {
  Link link{Rng(1)};
  link.set_base({.delay_ms = 100, .bandwidth_kbps = 8000, .packet_overhead = 0}, {});
  const auto verdict = link.admit(video(0), arrival_of(0));
  ck_assert(sent(verdict)->at == Instant{101ms} && sent(verdict)->queued == 0ns);
}
END_TEST

START_TEST(lost_packets_take_no_place_in_the_queue) {
  Link link{Rng(1)};
  link.set_base({.loss_percent = 100, .bandwidth_kbps = 8, .packet_overhead = 0}, {});
  for (std::uint64_t n = 0; n < 10; ++n) ck_assert(dropped(link.admit(video(n), arrival_of(n)), Drop::Why::loss));
  ck_assert_uint_eq(link.queue({}).packets, 0);
}
END_TEST

// 10 % and 20 % independently: 28 %. n = 1e5, four sigma = 4*sqrt(0.28*0.72/n) = 0.0057.
START_TEST(losses_of_layers_are_independent) {
  Link link{Rng(3)};
  link.set_base({.loss_percent = 10}, {});
  link.put_layer("spike", {.loss_percent = 20}, {});
  int lost = 0;
  for (std::uint64_t n = 0; n < 100'000; ++n) lost += !sent(link.admit(video(n), arrival_of(n)));
  ck_assert_double_eq_tol(lost / 1e5, 0.28, 0.0057);
}
END_TEST

START_TEST(a_layer_loses_the_same_packets_whatever_else_is_in_force) {
  Link alone{Rng(3)}, among{Rng(3)};
  alone.put_layer("x", {.loss_percent = 20}, {});
  among.set_base({.loss_percent = 30}, {});
  among.put_layer("w", {.delay_ms = 5, .jitter_ms = 5}, {});
  among.put_layer("x", {.loss_percent = 20}, {});
  for (std::uint64_t n = 0; n < 1000; ++n) {
    const bool lost_alone = !sent(alone.admit(video(n), arrival_of(n)));
    const bool lost_among = !sent(among.admit(video(n), arrival_of(n)));
    ck_assert(!lost_alone || lost_among);
  }
}
END_TEST

START_TEST(each_layer_ends_alone_and_leaves_what_the_others_make) {
  Link link{Rng(1)};
  link.set_base({.delay_ms = 10}, {});
  link.put_layer("a", {.delay_ms = 20}, {});
  link.put_layer("b", {.delay_ms = 40}, {});
  ck_assert_uint_eq(link.layers(), 2);
  ck_assert(link.remove_layer("a", {}));
  ck_assert(!link.remove_layer("a", {}));
  ck_assert(due(link, 0) == Instant{50ms});
  link.put_layer("b", {.delay_ms = 60}, {});  // the same id: in place of the old one
  ck_assert(due(link, 1) == Instant{71ms});
  link.remove_layer("b", {});
  ck_assert(due(link, 100) == Instant{110ms});
}
END_TEST

START_TEST(order_is_kept_unless_every_jitter_lets_packets_overtake) {
  const auto overtakes = [](bool base_may, bool layer_may) {
    Link link{Rng(5)};
    link.set_base({.delay_ms = 50, .jitter_ms = 20, .allow_reordering = base_may}, {});
    link.put_layer("j", {.delay_ms = 50, .jitter_ms = 20, .allow_reordering = layer_may}, {});
    Instant last{Nanos::min()};
    bool seen = false;
    for (std::uint64_t n = 0; n < 1000; ++n) {
      const Instant at = due(link, n);
      seen |= at < last;
      last = std::max(last, at);
    }
    return seen;
  };
  ck_assert(overtakes(true, true));
  ck_assert(!overtakes(true, false) && !overtakes(false, true) && !overtakes(false, false));
}
END_TEST

START_TEST(order_survives_the_end_of_a_delay) {
  Link link{Rng(1)};
  link.put_layer("d", {.delay_ms = 100}, {});
  ck_assert(due(link, 0) == Instant{100ms});
  link.remove_layer("d", {});
  ck_assert(due(link, 1) == Instant{100ms});  // behind the one still under way
  ck_assert(due(link, 150) == Instant{150ms});
}
END_TEST

START_TEST(flush_forgets_order_and_queue_but_not_settings) {
  Link link{Rng(1)};
  link.set_base({.delay_ms = 10, .bandwidth_kbps = 8, .packet_overhead = 0}, {});
  ck_assert(due(link, 100) == Instant{1110ms});
  link.flush();
  ck_assert(due(link, 0) == Instant{1010ms});
}
END_TEST

START_TEST(verdicts_depend_on_seed_and_packets_and_not_on_interleaving) {
  const Impairment settings{.loss_model = net::LossModel::burst,
                            .loss_percent = 20,
                            .delay_ms = 40,
                            .jitter_ms = 30,
                            .allow_reordering = true};
  Link one{Rng(8)}, two{Rng(8)}, other{Rng(9)};
  for (auto *link : {&one, &two, &other}) link->set_base(settings, {});
  std::vector<std::string> a, b, c;
  const auto audio = [](std::uint64_t n) { return net::Packet{.stream = Stream::audio, .n = n, .bytes = 100}; };
  for (std::uint64_t n = 0; n < 500; ++n) {  // one packet of either stream in turn
    a.push_back(text(one.admit(video(n), arrival_of(n))));
    one.admit(audio(n), arrival_of(n));
    c.push_back(text(other.admit(video(n), arrival_of(n))));
  }
  for (std::uint64_t n = 0; n < 500; ++n) two.admit(audio(n), arrival_of(n));  // one stream after the other
  for (std::uint64_t n = 0; n < 500; ++n) b.push_back(text(two.admit(video(n), arrival_of(n))));
  ck_assert(a == b);
  ck_assert(a != c);
}
END_TEST

AVC_TESTS("link", a_link_without_settings_passes_everything_at_once, delays_of_base_and_layers_add,
          the_slowest_line_counts_with_its_own_queue, delay_comes_after_the_queue,
          lost_packets_take_no_place_in_the_queue, losses_of_layers_are_independent,
          a_layer_loses_the_same_packets_whatever_else_is_in_force,
          each_layer_ends_alone_and_leaves_what_the_others_make,
          order_is_kept_unless_every_jitter_lets_packets_overtake, order_survives_the_end_of_a_delay,
          flush_forgets_order_and_queue_but_not_settings, verdicts_depend_on_seed_and_packets_and_not_on_interleaving)
