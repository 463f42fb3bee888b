// The promise behind thousands of participants: a steady flow of packets and timers allocates nothing.
#include "core/net/due_queue.hpp"
#include "core/net/link.hpp"
#include "core/runtime/manual_executor.hpp"
#include "tests/check.hpp"
#include "tests/core/counting_new.hpp"
#include "tests/core/net/models.hpp"

using namespace avc;
using namespace std::chrono_literals;

namespace {

// Allocations of the second of two equal rounds: the first may grow what is then reused.
long steady_allocations(const std::function<void()> &round) {
  round();
  const long before = g_allocations;
  round();
  return g_allocations - before;
}

}  // namespace

START_TEST(a_link_with_everything_on_allocates_nothing_per_packet) {
  net::Link link{Rng(1)};
  link.set_base({.loss_model = net::LossModel::burst, .loss_percent = 5, .delay_ms = 50, .jitter_ms = 10}, {});
  link.put_layer("spike", {.loss_percent = 5, .bandwidth_kbps = 6000, .queue_ms = 100}, {});
  net::DueQueue<std::uint64_t> held;
  std::uint64_t n = 0;
  const long allocations = steady_allocations([&] {
    for (int i = 0; i < 10'000; ++i, ++n) {
      const Instant at{static_cast<std::int64_t>(n) * 1ms};
      const auto verdict = link.admit({.stream = net::Stream::video, .n = n, .bytes = 1000}, at);
      if (const auto *send = std::get_if<net::Send>(&verdict)) held.hold(send->at, n);
      while (held.take_due(at)) {
      }
    }
  });
  ck_assert_int_eq(allocations, 0);
}
END_TEST

// A round is longer than a trace, so that queues have been as long as they get.
START_TEST(no_model_of_the_link_allocates_per_packet) {
  for (const auto &[name, settings] : test::every_model()) {
    net::Link link{Rng(1)};
    link.set_base(settings, {});
    std::uint64_t n = 0, passed = 0;
    const auto sent = [&](const std::variant<net::Drop, net::Send> &fate) {
      passed += std::holds_alternative<net::Send>(fate);
    };
    const long allocations = steady_allocations([&] {
      for (int i = 0; i < 40'000; ++i, ++n) {
        const Instant at{static_cast<std::int64_t>(n) * 1ms};
        const auto verdict =
            link.admit({.stream = net::Stream::video, .n = n, .bytes = 1000, .rtp_timestamp = std::uint32_t(n)}, at);
        passed += std::holds_alternative<net::Send>(verdict);
        while (const auto fate = link.fate()) sent(fate->verdict);
        while (const auto fate = link.fate(at)) sent(fate->verdict);
      }
    });
    ck_assert_msg(allocations == 0, "%s: %ld", name.c_str(), allocations);
    ck_assert_uint_gt(passed, 1000);
  }
}
END_TEST

START_TEST(timers_and_hooks_allocate_nothing_per_turn) {
  class Hook final : public runtime::TurnEnd {
   public:
    void turn_ended() override { ++turns; }
    int turns = 0;
  };
  runtime::ManualExecutor executor;
  Hook hook;
  std::vector<std::unique_ptr<runtime::Timer>> timers(100);
  for (std::size_t i = 0; i < timers.size(); ++i) {
    timers[i] = executor.make_timer([&executor, &hook, &timer = timers[i], i] {
      executor.at_turn_end(hook);
      timer->arm(executor.now() + Nanos(1ms) * static_cast<int>(1 + i * 20));
    });
    timers[i]->arm({});
  }
  ck_assert_int_eq(steady_allocations([&] { executor.advance(10s); }), 0);
  ck_assert_int_gt(hook.turns, 1000);
}
END_TEST

AVC_TESTS("allocation", a_link_with_everything_on_allocates_nothing_per_packet,
          no_model_of_the_link_allocates_per_packet, timers_and_hooks_allocate_nothing_per_turn)
