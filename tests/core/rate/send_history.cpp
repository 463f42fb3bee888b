#include "core/rate/send_history.hpp"

#include "tests/check.hpp"

using namespace avc;
using namespace std::chrono_literals;
using rate::PacketResult, rate::SendHistory;

namespace {

using Arrivals = std::vector<std::optional<Instant>>;

// What a receiver tells of the packets from `base` on, read by the sender.
std::vector<PacketResult> told(SendHistory &history, std::uint16_t base, const Arrivals &arrivals) {
  std::vector<std::uint8_t> bytes(1200);
  const auto written = rtp::write_transport_feedback(bytes, {1, 2, base, 0}, arrivals);
  rtp::RtcpReader reader(rtp::Bytes(bytes).first(written.bytes));
  std::vector<PacketResult> results;
  history.results(*rtp::read_transport_feedback(*reader.next()), results);
  return results;
}

}  // namespace

START_TEST(feedback_becomes_results_in_order_over_the_wrap) {
  SendHistory history;
  for (int i = 0; i < 4; ++i)
    history.sent(static_cast<std::uint16_t>(65534 + i), Instant{i * 10ms}, static_cast<std::size_t>(100 + i));
  const auto results = told(history, 65534, {Instant{5s}, {}, Instant{5s + 20ms}, Instant{5s + 30ms}});
  ck_assert_uint_eq(results.size(), 4);
  ck_assert(results[0].sent == Instant{0ms} && results[0].bytes == 100 && *results[0].arrived == Instant{5s});
  ck_assert(results[1].sent == Instant{10ms} && !results[1].arrived);
  ck_assert(results[3].sent == Instant{30ms} && *results[3].arrived == Instant{5s + 30ms});
}
END_TEST

START_TEST(a_packet_that_was_late_is_told_as_lost_and_then_as_arrived) {
  SendHistory history;
  for (std::uint16_t i = 0; i < 3; ++i) history.sent(i, Instant{i * 10ms}, 100);
  ck_assert_uint_eq(told(history, 0, {Instant{5s}, {}, Instant{5s + 20ms}}).size(), 3);
  const auto again = told(history, 0, {Instant{5s}, Instant{5s + 30ms}, Instant{5s + 20ms}});
  ck_assert_uint_eq(again.size(), 1);  // the others were told of
  ck_assert(again[0].sent == Instant{10ms} && again[0].arrived.has_value());
  ck_assert_uint_eq(told(history, 0, {Instant{5s}, {}, Instant{5s}}).size(), 0);
}
END_TEST

START_TEST(numbers_never_sent_or_long_gone_are_passed_over) {
  SendHistory history(4);
  for (std::uint16_t i = 0; i < 6; ++i) history.sent(i, Instant{i * 10ms}, 100);
  const auto results = told(history, 0, Arrivals(8, Instant{5s}));
  ck_assert_uint_eq(results.size(), 4);
  ck_assert(results[0].sent == Instant{20ms} && results[3].sent == Instant{50ms});
}
END_TEST

// 2^24 steps of 64 ms: 12.4 days.
START_TEST(the_receivers_clock_may_wrap) {
  const Nanos wrap = (1 << 24) * rtp::TransportFeedback::kReferenceStep;
  SendHistory history;
  history.sent(0, Instant{0ms}, 100);
  history.sent(1, Instant{1s}, 100);
  const auto before = told(history, 0, {Instant{wrap - 500ms}});
  const auto after = told(history, 1, {Instant{wrap + 500ms}});
  ck_assert(*after[0].arrived - *before[0].arrived == 1s);
}
END_TEST

// Half a wrap further in each feedback: 170 years in 10 000, were they believed.
START_TEST(a_clock_that_runs_away_begins_again) {
  SendHistory history;
  const Nanos half = ((1 << 23) - 1) * rtp::TransportFeedback::kReferenceStep;
  Nanos latest{};
  for (int i = 0; i < 10'000; ++i) {
    history.sent(static_cast<std::uint16_t>(i), Instant{i * 1s}, 100);
    const auto results = told(history, static_cast<std::uint16_t>(i), {Instant{i * half}});
    ck_assert_uint_eq(results.size(), 1);
    latest = std::max(latest, results[0].arrived->since_origin);
  }
  ck_assert(latest > 24h * 365 * 100 && latest < 24h * 365 * 145);
}
END_TEST

AVC_TESTS("send history", feedback_becomes_results_in_order_over_the_wrap,
          a_packet_that_was_late_is_told_as_lost_and_then_as_arrived, numbers_never_sent_or_long_gone_are_passed_over,
          the_receivers_clock_may_wrap, a_clock_that_runs_away_begins_again)
