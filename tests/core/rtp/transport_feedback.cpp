#include "core/rtp/transport_feedback.hpp"

#include "core/random.hpp"
#include "tests/check.hpp"

using namespace avc;
using namespace avc::rtp;
using namespace std::chrono_literals;

namespace {

using Datagram = std::vector<std::uint8_t>;
using Arrivals = std::vector<std::optional<Instant>>;

// A feedback for packets from `base` on with chunks and deltas as given, padded to whole words.
Datagram feedback(std::uint16_t base, std::uint16_t count, std::initializer_list<int> rest) {
  Datagram out{0x8f, 205, 0, 0, 0, 0, 0, 7, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 2, 5};
  write16(out, 12, base);
  write16(out, 14, count);
  for (int value : rest) out.push_back(static_cast<std::uint8_t>(value));
  while (out.size() % 4 != 0) out.push_back(0);
  write16(out, 2, static_cast<std::uint16_t>(out.size() / 4 - 1));
  return out;
}

std::optional<TransportFeedback> read(Bytes datagram) {
  RtcpReader reader(datagram);
  const auto packet = reader.next();
  return packet ? read_transport_feedback(*packet) : std::nullopt;
}

using Row = std::pair<int, std::optional<int>>;  // number, microseconds after the reference
std::vector<Row> rows(const TransportFeedback &feedback) {
  std::vector<Row> out;
  TransportArrivals arrivals(feedback);
  while (const auto packet = arrivals.next()) {
    std::optional<int> us;
    if (packet->after_reference) us = static_cast<int>(packet->after_reference->count() / 1000);
    out.emplace_back(packet->sequence, us);
  }
  return out;
}

std::vector<Row> rows_of(const Datagram &datagram) {
  const auto feedback = read(datagram);
  ck_assert(feedback.has_value());
  return rows(*feedback);
}

// What was written of `arrivals` reads back to the step it was rounded to.
void reads_back(const Arrivals &arrivals, std::uint16_t base, std::size_t room = 1200) {
  Datagram out(room);
  const auto written = write_transport_feedback(out, {7, 9, base, 3}, arrivals);
  ck_assert_uint_le(written.bytes, room);
  ck_assert_uint_eq(written.bytes % 4, 0);
  ck_assert_uint_ge(written.packets, 1);
  const auto feedback = read(Bytes(out).first(written.bytes));
  ck_assert(feedback.has_value());
  ck_assert_uint_eq(feedback->packets, written.packets);
  ck_assert_uint_eq(feedback->feedback_sequence, 3);
  const Instant reference{feedback->reference * TransportFeedback::kReferenceStep};
  TransportArrivals told(*feedback);
  for (std::size_t i = 0; i < written.packets; ++i) {
    const auto packet = told.next();
    ck_assert_uint_eq(packet->sequence, static_cast<std::uint16_t>(base + i));
    ck_assert(packet->after_reference.has_value() == arrivals[i].has_value());
    if (!arrivals[i]) continue;
    const Nanos off = *arrivals[i] - (reference + *packet->after_reference);
    ck_assert(off >= 0ns && off < TransportFeedback::kDeltaStep);
  }
  ck_assert(!told.next());
}

}  // namespace

START_TEST(the_head_is_read) {
  const auto datagram = feedback(0xfffe, 1, {0x20, 0x01, 4});
  const auto read_ = *read(datagram);
  ck_assert_uint_eq(read_.sender_ssrc, 7);
  ck_assert_uint_eq(read_.media_ssrc, 9);
  ck_assert_uint_eq(read_.base_sequence, 0xfffe);
  ck_assert_uint_eq(read_.reference, 2);
  ck_assert_uint_eq(read_.feedback_sequence, 5);
}
END_TEST

// A run of three that came 1 ms apart, a run of two that did not, over the wrap of the numbers.
START_TEST(runs_tell_many_packets_alike) {
  ck_assert((rows_of(feedback(0xfffe, 5, {0x20, 0x03, 0x00, 0x02, 4, 4, 4})) ==
             std::vector<Row>{{0xfffe, 1000}, {0xffff, 2000}, {0, 3000}, {1, {}}, {2, {}}}));
}
END_TEST

// 1 0 1 and eleven that are no longer told of.
START_TEST(vectors_of_one_bit_tell_arrived_or_not) {
  ck_assert((rows_of(feedback(10, 3, {0xa8, 0x00, 0, 255})) == std::vector<Row>{{10, 0}, {11, {}}, {12, 63750}}));
}
END_TEST

// Small, large (-1 ms), none, large (8191.75 ms).
START_TEST(vectors_of_two_bits_tell_large_and_negative_deltas) {
  ck_assert((rows_of(feedback(0, 4, {0xd8, 0x80, 40, 0xff, 0xfc, 0x7f, 0xff})) ==
             std::vector<Row>{{0, 10000}, {1, 9000}, {2, {}}, {3, 8200750}}));
}
END_TEST

START_TEST(a_run_longer_than_the_count_is_cut) {
  ck_assert_uint_eq(rows_of(feedback(0, 2, {0x3f, 0xff, 1, 1})).size(), 2);
  ck_assert_uint_eq(rows_of(feedback(0, 2, {0x00, 0x00, 0x20, 0x02, 1, 1})).size(), 2);  // and one of none is none
}
END_TEST

START_TEST(what_does_not_add_up_is_refused) {
  ck_assert(!read(feedback(0, 0, {})));                  // of no packets
  ck_assert(!read(feedback(0, 1, {0x60, 0x01, 1, 1})));  // reserved status in a run
  ck_assert(!read(feedback(0, 1, {0xf0, 0x00, 1, 1})));  // and in a vector
  ck_assert(!read(feedback(0, 9, {0x20, 0x08, 1, 1})));  // chunks end early; what follows is a chunk of deltas
  ck_assert(!read(feedback(0, 3, {0x20, 0x03, 1, 1})));  // two times for three packets
  ck_assert(!read(feedback(0, 0xffff, {0x3f, 0xff})));   // many packets, no times
  ck_assert(!read(Datagram{0x8f, 205, 0, 2, 0, 0, 0, 7, 0, 0, 0, 9}));  // no fixed part
}
END_TEST

// Whatever is cut off: refused or read, never past the end (sanitizers look on, each length in memory of its own).
START_TEST(cut_off_at_any_length_is_refused) {
  const Datagram whole = feedback(3, 20, {0x20, 0x05, 0xd8, 0x80, 0x80, 0x01, 1, 2, 3, 4, 5, 6, 0, 1, 0, 2, 9});
  ck_assert(read(whole).has_value());
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const Datagram cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
    ck_assert(!read(cut));
    Datagram says_so = cut;  // with a length that fits
    if (size < 4 || size % 4 != 0) continue;
    write16(says_so, 2, static_cast<std::uint16_t>(size / 4 - 1));
    if (const auto feedback = read(says_so)) rows(*feedback);
  }
}
END_TEST

START_TEST(what_is_written_reads_back) {
  const Instant start{1000s + 123456789ns};
  reads_back({start}, 0);
  reads_back({std::nullopt, start, std::nullopt}, 0xffff);
  reads_back({start, start + 64ms, start + 10ms, start + 8s}, 5);  // large, negative, very large
  reads_back(Arrivals(9000, start), 1, 20000);                     // two runs
  for (std::uint64_t seed = 0; seed < 200; ++seed) {               // and all sorts
    Arrivals arrivals;
    Instant at = start;
    for (std::uint64_t i = 0; i < 1 + seed; ++i) {
      Draws draws = Rng(seed).at(i);
      at = at + from_ms(draws.uniform(-2, draws.chance(20) ? 100 : 4));
      arrivals.push_back(draws.chance(static_cast<double>(seed % 100)) ? std::optional<Instant>() : at);
    }
    if (std::ranges::any_of(arrivals, [](const auto &a) { return a.has_value(); })) {
      reads_back(arrivals, static_cast<std::uint16_t>(65500 + seed));
      reads_back(arrivals, 0, 60 + seed % 7);
    }
  }
}
END_TEST

// 20 bytes of head, then as many as fit; the rest is for the next one.
START_TEST(what_does_not_fit_is_left_for_the_next) {
  const Arrivals arrivals(100, Instant{1s});
  Datagram out(1200);
  ck_assert_uint_eq(write_transport_feedback(std::span(out).first(1200), {}, arrivals).packets, 100);
  ck_assert_uint_eq(write_transport_feedback(std::span(out).first(23), {}, arrivals).packets, 0);
  ck_assert_uint_eq(write_transport_feedback(std::span(out).first(19), {}, arrivals).packets, 0);
  ck_assert_uint_eq(write_transport_feedback(out, {}, Arrivals(5)).packets, 0);  // nothing came
  // Nine seconds apart: two feedbacks.
  ck_assert_uint_eq(write_transport_feedback(out, {}, Arrivals{Instant{1s}, Instant{10s}}).packets, 1);
}
END_TEST

START_TEST(reference_times_wrap) {
  Datagram out(100);
  const Nanos wrap = (1 << 24) * TransportFeedback::kReferenceStep;
  const auto written = write_transport_feedback(out, {}, Arrivals{Instant{wrap + 64ms}});
  ck_assert_uint_eq(read(Bytes(out).first(written.bytes))->reference, 1);
}
END_TEST

AVC_TESTS("transport feedback", the_head_is_read, runs_tell_many_packets_alike, vectors_of_one_bit_tell_arrived_or_not,
          vectors_of_two_bits_tell_large_and_negative_deltas, a_run_longer_than_the_count_is_cut,
          what_does_not_add_up_is_refused, cut_off_at_any_length_is_refused, what_is_written_reads_back,
          what_does_not_fit_is_left_for_the_next, reference_times_wrap)
