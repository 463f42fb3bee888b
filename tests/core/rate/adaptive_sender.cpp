// What a sender makes of the RTCP it hears: figures, an estimate, a rendition. Bytes as they come off the wire.
#include "core/rate/adaptive_sender.hpp"

#include "core/rtp/extended_report.hpp"
#include "tests/check.hpp"

using namespace avc;
using namespace std::chrono_literals;
using rate::AdaptiveSender;

namespace {

constexpr std::uint32_t kVideo = 1001000, kAudio = 1001001, kTheirs = 7;
const AdaptiveSender::Settings kSettings{
    .streams = {{{kVideo, 90000}, {kAudio, 48000}}}, .kbps = {2600, 1300, 650, 350}, .burst_period = 1s};

using Datagram = std::vector<std::uint8_t>;

struct Ears {
  AdaptiveSender sender{kSettings};
  Instant now{};
  Nanos on_the_way{};
  std::uint64_t ntp = std::uint64_t{1000} << 32;

  void hear(Datagram datagram) { sender.hear(datagram, now, ntp); }
  void report(const rtp::ReportBlock &block) {
    Datagram out(100);
    out.resize(rtp::write_receiver_report(out, kTheirs, "x", {&block, 1}));
    hear(out);
  }
  void remb(std::uint64_t bits) {
    Datagram out(100);
    out.resize(rtp::write_remb(out, kTheirs, bits, {&kVideo, 1}));
    hear(out);
  }
  // Of packets that were sent each 10 ms from `now` on: each was so much longer on its way than the one before.
  void transport_feedback(std::uint16_t first, std::size_t packets, Nanos late) {
    std::vector<std::optional<Instant>> arrivals;
    for (std::size_t i = 0; i < packets; ++i) {
      sender.sent(static_cast<std::uint16_t>(first + i), now + static_cast<int>(i) * 10ms, 1200);
      arrivals.emplace_back(now + static_cast<int>(i) * 10ms + (on_the_way += late));
    }
    now = now + static_cast<int>(packets) * 10ms;
    Datagram out(1200);
    const rtp::TransportFeedbackHead head{kTheirs, kVideo, first, static_cast<std::uint8_t>(first / packets)};
    out.resize(rtp::write_transport_feedback(out, head, arrivals).bytes);
    hear(out);
  }
};

}  // namespace

START_TEST(the_figures_of_a_report_are_told_in_everyday_units) {
  Ears ears;
  rtp::ReportBlock block{
      .ssrc = kAudio, .fraction_lost = 64, .cumulative_lost = 12, .highest_sequence = 500, .jitter = 480};
  block.last_sr = rtp::ntp_middle(ears.ntp - (std::uint64_t{1} << 31));  // half a second ago,
  block.delay_since_sr = 65536 / 4;                                      // half of which it was kept there
  ears.report(block);
  const auto &audio = ears.sender.heard().streams[1];
  ck_assert_uint_eq(audio.reports, 1);
  ck_assert_double_eq(audio.loss_percent, 25);
  ck_assert_int_eq(audio.packets_lost, 12);
  ck_assert_double_eq(audio.jitter_ms, 10);
  ck_assert_double_eq_tol(audio.round_trip_ms.value_or(0), 250, 0.1);
  ck_assert_uint_eq(ears.sender.heard().streams[0].reports, 0);
  ears.report({.ssrc = 5, .fraction_lost = 255});  // of nobody here
  ck_assert_uint_eq(ears.sender.heard().streams[0].reports, 0);
}
END_TEST

START_TEST(requests_are_counted) {
  Ears ears;
  ears.hear({0x81, 0xcd, 0, 3, 0, 0, 0, 7, 0, 0, 0, 1, 0, 9, 0, 3});  // NACK: 9, 10 and 11
  Datagram pli(12);
  rtp::write_pli(pli, kTheirs, kVideo);
  ears.hear(pli);
  ears.hear({0x84, 0xce, 0, 4, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0, 1, 1, 0, 0, 0});  // FIR
  ears.remb(5'000'000);
  Datagram xr(100);
  rtp::ExtendedReportWriter writer(xr, kTheirs);
  ck_assert(writer.add(rtp::StatisticsSummary{.ssrc = kVideo, .begin = 1, .end = 9, .duplicates = 3}));
  xr.resize(writer.size());
  ears.hear(xr);
  ears.hear(xr);
  const auto &heard = ears.sender.heard();
  ck_assert_uint_eq(heard.nacked, 3);
  ck_assert_uint_eq(heard.plis, 1);
  ck_assert_uint_eq(heard.firs, 1);
  ck_assert_uint_eq(heard.rembs, 1);
  ck_assert_uint_eq(heard.extended_reports, 2);
  ck_assert_uint_eq(heard.streams[0].duplicates.value_or(0), 6);
  ck_assert(!heard.streams[1].duplicates);
  ck_assert_uint_eq(heard.malformed, 0);
}
END_TEST

START_TEST(a_receivers_own_limit_is_kept_and_its_end_is_tried_after_a_while) {
  Ears ears;
  ears.remb(1'400'000);
  ck_assert_uint_eq(ears.sender.rendition(), 1);
  ears.remb(700'000);
  ck_assert_uint_eq(ears.sender.rendition(), 2);
  ears.remb(10'000'000);
  ck_assert_uint_eq(ears.sender.rendition(), 2);
  ears.now = ears.now + 4s;
  ears.remb(10'000'000);
  ck_assert_uint_eq(ears.sender.rendition(), 0);
  ck_assert_uint_eq(ears.sender.switches(), 3);
}
END_TEST

// 30 % of 100 packets a second, told once a second.
START_TEST(losses_in_reports_bring_it_down_where_nothing_better_is_heard) {
  for (const bool better : {false, true}) {
    Ears ears;
    for (std::uint16_t second = 1; second <= 8; ++second) {
      if (better) ears.transport_feedback(static_cast<std::uint16_t>(100 * second), 100, 0ms);
      ears.report({.ssrc = kVideo,
                   .fraction_lost = 76,
                   .cumulative_lost = 30 * second,
                   .highest_sequence = 1000u + 100u * second});
      if (!better) ears.now = ears.now + 1s;
    }
    ck_assert_msg(better ? ears.sender.rendition() == 0 : ears.sender.rendition() > 0, "rendition %zu, %f kbit/s",
                  ears.sender.rendition(), ears.sender.estimator().kbps());
  }
}
END_TEST

// Of a hundred packets a second of 1200 bytes (960 kbit/s) each comes later than the one before it.
START_TEST(delays_that_grow_bring_it_down) {
  Ears ears;
  for (std::uint16_t tenth = 0; tenth < 30; ++tenth)
    ears.transport_feedback(static_cast<std::uint16_t>(10 * tenth), 10, 3ms);
  ck_assert_uint_eq(ears.sender.heard().transport_feedbacks, 30);
  ck_assert_uint_eq(ears.sender.estimator().counters().packets, 300);
  ck_assert_uint_ge(ears.sender.rendition(), 2);
}
END_TEST

// Asked for fifty times a second; the round trip is 100 ms, then nothing more fits.
START_TEST(no_more_is_sent_again_than_there_is_room_for) {
  rate::RepairBudget budget;
  int sent = 0;
  for (int ms = 0; ms < 1000; ms += 20) sent += budget.take(7, 100'000, 100ms, {ms * 1ms});
  ck_assert_int_eq(sent, 10);
  sent = 0;
  // Half of 960 kbit/s are 50 packets a second, and a quarter of a second's worth at once.
  for (std::uint16_t i = 0; i < 1000; ++i)
    sent += budget.take(static_cast<std::uint16_t>(100 + i), 960, 0ms, {5s + i * 2ms});
  ck_assert_int_ge(sent, 110);
  ck_assert_int_le(sent, 113);
  Ears ears;
  ck_assert(ears.sender.may_repair(1, ears.now));
  ck_assert(!ears.sender.may_repair(1, ears.now));
  ck_assert_uint_eq(ears.sender.repairs_withheld(), 1);
}
END_TEST

// Whatever the far side says: nothing less could be sent.
START_TEST(the_estimate_is_never_less_than_the_smallest_rendition) {
  Ears ears;
  ears.remb(10'000);
  ck_assert_double_eq(ears.sender.estimator().kbps(), 350);
  ck_assert_uint_eq(ears.sender.rendition(), 3);
}
END_TEST

START_TEST(nonsense_is_counted_and_nothing_follows_from_it) {
  Ears ears;
  for (const Datagram &bad : {Datagram{}, Datagram{0x81}, Datagram(12, 0xff), Datagram{0x8f, 0xcd, 0, 9, 0, 0, 0, 7},
                              Datagram{0x8f, 0xce, 0, 3, 0, 0, 0, 7, 0, 0, 0, 0, 'R', 'E', 'M', 'B'}})
    ears.hear(bad);
  ck_assert_uint_eq(ears.sender.heard().malformed, 3);
  ck_assert_uint_eq(ears.sender.heard().rembs + ears.sender.heard().transport_feedbacks, 0);
  ck_assert_uint_eq(ears.sender.switches(), 0);
}
END_TEST

AVC_TESTS("adaptive_sender", the_figures_of_a_report_are_told_in_everyday_units, requests_are_counted,
          a_receivers_own_limit_is_kept_and_its_end_is_tried_after_a_while,
          losses_in_reports_bring_it_down_where_nothing_better_is_heard, delays_that_grow_bring_it_down,
          no_more_is_sent_again_than_there_is_room_for, the_estimate_is_never_less_than_the_smallest_rendition,
          nonsense_is_counted_and_nothing_follows_from_it)
