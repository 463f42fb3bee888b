#include "core/stats/receiver.hpp"

#include "core/random.hpp"
#include "tests/check.hpp"

using namespace avc;
using namespace avc::stats;

namespace {

void near(double value, double expected, double within = 1e-6) {
  ck_assert_msg(std::abs(value - expected) <= within, "%f, not %f", value, expected);
}

rtp::Header header(std::uint16_t sequence, std::uint32_t timestamp, bool marker = true) {
  static const std::array<std::uint8_t, 80> payload{};
  rtp::Header h;
  h.payload_type = 111;
  h.sequence = sequence;
  h.timestamp = timestamp;
  h.marker = marker;
  h.size = 20;
  h.payload = payload;
  return h;
}

// Opus packet n, due at 20 ms times n, arriving `late` after that.
void audio(Receiver &receiver, int n, Nanos late = {}) {
  receiver.receive(header(static_cast<std::uint16_t>(n), static_cast<std::uint32_t>(n) * 960), 100,
                   Instant{from_ms(20.0 * n)} + late);
}

}  // namespace

START_TEST(an_undisturbed_stream_has_no_faults) {
  Receiver receiver(net::Stream::audio);
  for (int n = 0; n < 500; ++n) audio(receiver, n);
  const StreamStats s = receiver.snapshot();
  ck_assert(receiver.trusted());
  ck_assert_int_eq(s.packets_received, 500);
  ck_assert_int_eq(s.packets_lost, 0);
  ck_assert_int_eq(s.bytes_received, 50000);
  ck_assert_int_eq(s.payload_bytes, 40000);
  ck_assert_int_eq(s.loss_runs + s.packets_duplicated + s.packets_reordered + s.restarts, 0);
  near(s.jitter_ms, 0);
  near(s.burst_ratio(), 1);
  near(s.mos(), 4.409, 0.001);
}
END_TEST

START_TEST(jitter_follows_rfc_3550_step_by_step) {
  // Transit differences of 16 ms, 0 and 8 ms: J = 1, then 1 - 1/16, then + (8 - 0.9375)/16.
  Receiver receiver(net::Stream::audio);
  audio(receiver, 0);
  audio(receiver, 1, from_ms(16));
  near(receiver.snapshot().jitter_ms, 1);
  audio(receiver, 2, from_ms(16));
  near(receiver.snapshot().jitter_ms, 0.9375);
  audio(receiver, 3, from_ms(8));
  near(receiver.snapshot().jitter_ms, 0.9375 + (8 - 0.9375) / 16);
  near(receiver.snapshot().mean_jitter_ms(), (1 + 0.9375 + 1.37890625) / 3);
}
END_TEST

START_TEST(jitter_of_uniform_delays_converges_to_their_mean_difference) {
  // Delays uniform in 0..60 ms, order kept away from the measure by arriving in order of sending. The expected
  // |difference| of two is 20 ms; the estimate's own standard deviation is about 14 * sqrt(1/31) = 2.6 ms, the mean
  // over 5000 samples (correlated over about 16) is within 4 sigma = 0.2 * 4 ms.
  Receiver receiver(net::Stream::audio);
  for (int n = 0; n < 5200; ++n) {
    audio(receiver, n, from_ms(Rng(11).at(static_cast<std::uint64_t>(n)).uniform(0, 60)));
  }
  near(receiver.snapshot().mean_jitter_ms(), 20, 0.8);
}
END_TEST

START_TEST(jitter_goes_back_to_nothing_when_the_disturbance_is_over) {
  Receiver receiver(net::Stream::audio);
  for (int n = 0; n < 100; ++n) audio(receiver, n, from_ms(n % 2 ? 50 : 0));
  ck_assert(receiver.snapshot().jitter_ms > 40);
  for (int n = 100; n < 300; ++n) audio(receiver, n);
  ck_assert(receiver.snapshot().jitter_ms < 0.01);
}
END_TEST

START_TEST(a_window_is_the_difference_of_two_snapshots) {
  Receiver receiver(net::Stream::audio);
  for (int n = 0; n < 100; ++n) audio(receiver, n);
  const StreamStats before = receiver.snapshot();
  for (int n = 100; n < 200; ++n) {
    if (n % 10 != 5 && n % 10 != 6) audio(receiver, n, from_ms(n % 2 ? 10 : 0));
  }
  const StreamStats window = receiver.snapshot() - before;
  ck_assert_int_eq(window.packets_expected, 100);
  ck_assert_int_eq(window.packets_received, 80);
  ck_assert_int_eq(window.packets_lost, 20);
  near(window.loss_percent(), 20);
  ck_assert_int_eq(window.loss_runs, 10);
  ck_assert_int_eq(window.loss_run_lengths[1], 10);
  near(window.burst_ratio(), 2 * 0.8);
  ck_assert_int_eq(window.jitter_samples, 80);
  ck_assert(window.mean_jitter_ms() > 3);
}
END_TEST

START_TEST(sums_over_streams_weigh_by_packets) {
  Receiver a(net::Stream::audio), b(net::Stream::audio);
  for (int n = 0; n < 90; ++n) audio(a, n);
  for (int n = 0; n < 10; ++n) {
    if (n < 2 || n >= 7) audio(b, n);
  }
  StreamStats sum;
  sum += a.snapshot();
  sum += b.snapshot();
  ck_assert_int_eq(sum.packets_expected, 100);
  near(sum.loss_percent(), 5);
  ck_assert(sum.last_arrival == Instant{from_ms(89 * 20)});
}
END_TEST

START_TEST(duplicates_and_reordering_are_told_apart) {
  Receiver receiver(net::Stream::audio);
  for (int n : {0, 1, 3, 2, 2, 4}) audio(receiver, n, from_ms(100));
  const StreamStats s = receiver.snapshot();
  ck_assert_int_eq(s.packets_received, 5);
  ck_assert_int_eq(s.packets_reordered, 1);
  ck_assert_int_eq(s.packets_duplicated, 1);
  ck_assert_int_eq(s.packets_lost, 0);
}
END_TEST

START_TEST(a_long_outage_is_loss_when_the_timestamps_went_on) {
  // 300 packets a second for 2 s, then half a minute of nothing, then on.
  Receiver receiver(net::Stream::audio, 48000);
  const auto packet = [&](int n) {
    receiver.receive(header(static_cast<std::uint16_t>(n), static_cast<std::uint32_t>(n) * 160), 100,
                     Instant{from_seconds(n / 300.0)});
  };
  for (int n = 0; n < 600; ++n) packet(n);
  for (int n = 600 + 9000; n < 10000; ++n) packet(n);
  const StreamStats s = receiver.snapshot();
  ck_assert_int_eq(s.restarts, 0);
  ck_assert_int_eq(s.packets_lost, 9000);
  ck_assert_int_eq(s.loss_runs, 1);
}
END_TEST

START_TEST(a_sender_that_begins_anew_is_not_loss) {
  Receiver receiver(net::Stream::audio);
  for (int n = 0; n < 100; ++n) audio(receiver, n);
  for (int n = 0; n < 100; ++n) {  // other numbers, other timestamps
    receiver.receive(header(static_cast<std::uint16_t>(30000 + n), 5000000u + static_cast<std::uint32_t>(n) * 960), 100,
                     Instant{from_ms(2000 + 20.0 * n)});
  }
  const StreamStats s = receiver.snapshot();
  ck_assert_int_eq(s.restarts, 1);
  ck_assert_int_eq(s.packets_received, 200);
  ck_assert_int_eq(s.packets_lost, 0);
  near(s.jitter_ms, 0);
}
END_TEST

START_TEST(what_was_no_stream_leaves_no_trace) {
  Receiver receiver(net::Stream::audio);
  receiver.receive(header(100, 0), 100, {});
  receiver.receive(header(40000, 0), 100, {});
  ck_assert(!receiver.trusted());
  receiver.receive(header(40001, 960), 100, Instant{from_ms(20)});
  ck_assert(receiver.trusted());
  ck_assert_int_eq(receiver.snapshot().packets_received, 2);
  ck_assert_int_eq(receiver.snapshot().packets_expected, 2);
}
END_TEST

START_TEST(delay_is_measured_against_the_last_sender_report) {
  // The sender's clock showed timestamp 960 at 1000 ms.
  Receiver receiver(net::Stream::audio);
  const Instant sent{from_ms(1000)};
  receiver.sender_report({.ntp = rtp::ntp_from_unix(sent), .rtp_timestamp = 960}, sent, true);
  receiver.receive(header(1, 960), 100, Instant{from_ms(1030)});
  receiver.receive(header(2, 1920), 100, Instant{from_ms(1070)});
  const StreamStats s = receiver.snapshot();
  ck_assert_int_eq(s.delay_samples, 2);
  near(s.mean_delay_ms(), 40);
  near(s.delay_ms_max, 50);
}
END_TEST

START_TEST(without_a_shared_clock_there_is_no_delay) {
  Receiver receiver(net::Stream::audio);
  receiver.sender_report({.ntp = 5, .rtp_timestamp = 0}, {}, false);
  audio(receiver, 0);
  ck_assert_int_eq(receiver.snapshot().delay_samples, 0);
}
END_TEST

START_TEST(report_blocks_say_what_rfc_3550_asks_for) {
  Receiver receiver(net::Stream::audio);
  receiver.sender_report({.ntp = 0x1111222233334444}, Instant{from_ms(0)}, false);
  for (int n = 0; n < 100; ++n) {
    if (n % 4 != 3) audio(receiver, n);
  }
  audio(receiver, 100);
  auto block = receiver.report_block(7, Instant{from_ms(2500)});
  ck_assert_uint_eq(block.ssrc, 7);
  ck_assert_uint_eq(block.fraction_lost, 25 * 256 / 101);
  ck_assert_int_eq(block.cumulative_lost, 25);
  ck_assert_uint_eq(block.highest_sequence, 100);
  ck_assert_uint_eq(block.last_sr, 0x22223333);
  ck_assert_uint_eq(block.delay_since_sr, 65536 * 5 / 2);
  for (int n = 101; n < 110; ++n) audio(receiver, n);
  block = receiver.report_block(7, Instant{from_ms(2500)});
  ck_assert_uint_eq(block.fraction_lost, 0);  // of the interval
  ck_assert_int_eq(block.cumulative_lost, 25);
}
END_TEST

namespace {

// What an extended report tells of stream 7, and nothing else.
struct Told {
  rtp::StatisticsSummary summary;
  std::vector<std::uint16_t> lost;
};
std::optional<Told> extended(Receiver &receiver) {
  std::array<std::uint8_t, 1200> out{};
  rtp::ExtendedReportWriter writer(out, 1);
  ck_assert(receiver.extended_report(writer, 7));
  if (writer.size() == 0) return std::nullopt;
  rtp::ExtendedReportReader blocks(*rtp::RtcpReader(rtp::Bytes(out).first(writer.size())).next());
  Told told{*rtp::read_statistics_summary(*blocks.next()), {}};
  const auto losses = *rtp::read_loss_rle(*blocks.next());
  ck_assert(!blocks.next());
  ck_assert_uint_eq(told.summary.ssrc, 7);
  ck_assert_uint_eq(losses.begin, told.summary.begin);
  ck_assert_uint_eq(losses.end, told.summary.end);
  rtp::LossRlePackets packets(losses);
  while (const auto packet = packets.next())
    if (!packet->received) told.lost.push_back(packet->sequence);
  ck_assert_uint_eq(told.lost.size(), *told.summary.lost);
  return told;
}

}  // namespace

START_TEST(extended_reports_tell_which_packets_were_lost_since_the_last) {
  Receiver receiver(net::Stream::audio);
  ck_assert(!extended(receiver));
  for (int n = 0; n < 100; ++n)
    if (n != 7 && n != 50 && n != 51) audio(receiver, n);
  audio(receiver, 99);
  const auto first = *extended(receiver);
  ck_assert_uint_eq(first.summary.begin, 0);
  ck_assert_uint_eq(first.summary.end, 100);
  ck_assert_uint_eq(*first.summary.duplicates, 1);
  ck_assert((first.lost == std::vector<std::uint16_t>{7, 50, 51}));
  ck_assert(!extended(receiver));  // nothing came
  audio(receiver, 7);              // too late for the first report, no part of the second
  for (int n = 101; n < 110; ++n) audio(receiver, n);
  const auto second = *extended(receiver);
  ck_assert_uint_eq(second.summary.begin, 100);
  ck_assert_uint_eq(*second.summary.duplicates, 0);
  ck_assert((second.lost == std::vector<std::uint16_t>{100}));
}
END_TEST

// No more than what is known, over the wrap of the numbers.
START_TEST(extended_reports_tell_of_1024_packets_at_most) {
  Receiver receiver(net::Stream::audio);
  for (int n = 64000; n < 67000; ++n)
    if (n % 2 == 0 || n < 64010) audio(receiver, n);
  const auto told = *extended(receiver);
  ck_assert_uint_eq(told.summary.end, static_cast<std::uint16_t>(66999));
  ck_assert_uint_eq(static_cast<std::uint16_t>(told.summary.end - told.summary.begin), 1024);
  ck_assert_uint_eq(*told.summary.lost, 512);
}
END_TEST

START_TEST(an_extended_report_without_room_is_made_later) {
  Receiver receiver(net::Stream::audio);
  for (int n = 0; n < 10; ++n) audio(receiver, n);
  std::array<std::uint8_t, 8 + Receiver::kExtendedReport - 1> out{};
  rtp::ExtendedReportWriter writer(out, 1);
  ck_assert(!receiver.extended_report(writer, 7));
  ck_assert_uint_eq(extended(receiver)->summary.end, 10);
}
END_TEST

START_TEST(video_frames_and_freezes_are_measured_and_audio_has_none) {
  const std::array<std::uint8_t, 3> slice{0x41, 0x9a, 0};
  const std::array<std::uint8_t, 3> delimiter{0x09, 0xf0, 0};
  Receiver video(net::Stream::video), sound(net::Stream::audio);
  std::uint16_t sequence = 0;
  for (int n = 0; n < 60; ++n) {
    for (int part = 0; part < 2; ++part, ++sequence) {
      if (n >= 30 && n < 40) continue;  // an outage of ten frames
      rtp::Header h = header(sequence, static_cast<std::uint32_t>(n) * 3000, part == 1);
      h.payload = part == 0 ? rtp::Bytes(delimiter) : rtp::Bytes(slice);
      video.receive(h, 100, Instant{from_ms(n * 1000.0 / 30)});
      sound.receive(h, 100, Instant{from_ms(n * 1000.0 / 30)});
    }
  }
  const StreamStats s = video.snapshot();
  ck_assert_int_eq(s.frames_complete, 50);
  ck_assert_int_eq(s.frames_broken, 0);
  ck_assert_int_eq(s.frames_lost, 10);
  near(s.frames_complete_percent(), 50 * 100.0 / 60);
  ck_assert_int_eq(s.freeze_count, 1);
  near(to_ms(s.freeze_time), 11 * 1000.0 / 30, 0.001);
  ck_assert_int_eq(sound.snapshot().frames(), 0);
  near(sound.snapshot().frames_complete_percent(), 100);
}
END_TEST

START_TEST(the_clock_and_the_medium_follow_from_the_payload_type) {
  ck_assert(media_of(96) == net::Stream::video);
  ck_assert(media_of(111) == net::Stream::audio);
  ck_assert(media_of(0) == net::Stream::other);
  ck_assert_uint_eq(Receiver(net::Stream::video).clock_rate(), 90000);
  ck_assert_uint_eq(Receiver(net::Stream::audio).clock_rate(), 48000);
  ck_assert_uint_eq(Receiver(net::Stream::audio, 8000).clock_rate(), 8000);
}
END_TEST

AVC_TESTS("receiver", an_undisturbed_stream_has_no_faults, jitter_follows_rfc_3550_step_by_step,
          jitter_of_uniform_delays_converges_to_their_mean_difference,
          jitter_goes_back_to_nothing_when_the_disturbance_is_over, a_window_is_the_difference_of_two_snapshots,
          sums_over_streams_weigh_by_packets, duplicates_and_reordering_are_told_apart,
          a_long_outage_is_loss_when_the_timestamps_went_on, a_sender_that_begins_anew_is_not_loss,
          what_was_no_stream_leaves_no_trace, delay_is_measured_against_the_last_sender_report,
          without_a_shared_clock_there_is_no_delay, report_blocks_say_what_rfc_3550_asks_for,
          extended_reports_tell_which_packets_were_lost_since_the_last, extended_reports_tell_of_1024_packets_at_most,
          an_extended_report_without_room_is_made_later, video_frames_and_freezes_are_measured_and_audio_has_none,
          the_clock_and_the_medium_follow_from_the_payload_type)
