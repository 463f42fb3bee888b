#include "core/spike/tagger_effects.hpp"

#include <array>

#include "tests/check.hpp"

using namespace avc;
using namespace avc::spike;

namespace {

TaggerEffect must(std::string_view type, const Params &params = {}) { return effect_of(type, params)->tagger; }

Instant at(std::int64_t ms) { return {std::chrono::milliseconds(ms)}; }

struct Made {
  std::uint64_t packets = 0, bytes = 0, skipped = 0;
};
Made flood(TaggerEffects &effects, Instant now) {
  Made made;
  made.skipped = effects.flood(now, [&](std::uint32_t bytes) {
    ++made.packets;
    made.bytes += bytes;
  });
  return made;
}

// All that a packet can ask.
bool same(const TaggerEffects &a, const TaggerEffects &b) {
  return a.size() == b.size() && a.absent() == b.absent() && a.says_bye() == b.says_bye() &&
         a.shift(net::Stream::video) == b.shift(net::Stream::video) &&
         a.shift(net::Stream::audio) == b.shift(net::Stream::audio);
}

const std::array kEffects = {must("ssrc_change"),
                             must("ssrc_change", {{"media", "audio"}}),
                             must("timestamp_jump"),
                             must("timestamp_jump", {{"jump_ms", -4000.0}, {"media", "video"}}),
                             must("sequence_jump", {{"packets", 65535.0}}),
                             must("sequence_jump", {{"packets", 40000.0}, {"media", "audio"}}),
                             must("participant_leave"),
                             must("participant_leave", {{"bye", "false"}}),
                             must("packet_flood")};

}  // namespace

START_TEST(each_stream_gets_what_it_is_named_for) {
  TaggerEffects effects;
  effects.put("v", must("ssrc_change", {{"media", "video"}}), at(0));
  effects.put("a", must("timestamp_jump", {{"media", "audio"}, {"jump_ms", -20.0}}), at(0));
  effects.put("b", must("sequence_jump", {{"packets", 7.0}}), at(0));
  ck_assert(effects.shift(net::Stream::video) == (HeaderShift{10, Nanos(0), 7}));
  ck_assert(effects.shift(net::Stream::audio) == (HeaderShift{0, from_ms(-20), 7}));
}
END_TEST

START_TEST(jumps_add_up_and_ssrc_changes_count) {
  TaggerEffects effects;
  for (const auto *id : {"a", "b"}) {
    effects.put(id, must("sequence_jump", {{"packets", 40000.0}}), at(0));
    effects.put(std::string("t") + id, must("timestamp_jump", {{"jump_ms", 300.0}}), at(0));
    effects.put(std::string("s") + id, must("ssrc_change"), at(0));
  }
  ck_assert(effects.shift(net::Stream::video) == (HeaderShift{20, from_ms(600), 80000 - 65536}));
}
END_TEST

START_TEST(any_two_spikes_end_alone_in_either_order_and_leave_nothing) {
  for (const auto &one : kEffects) {
    for (const auto &two : kEffects) {
      for (const bool first_ends_first : {true, false}) {
        TaggerEffects effects, rest;
        effects.put("one", one, at(0));
        effects.put("two", two, at(10));
        rest.put("rest", first_ends_first ? two : one, at(10));
        ck_assert(effects.remove(first_ends_first ? "one" : "two"));
        ck_assert(same(effects, rest));
        ck_assert(effects.remove(first_ends_first ? "two" : "one"));
        ck_assert(same(effects, TaggerEffects()) && effects.empty());
      }
    }
  }
}
END_TEST

START_TEST(a_spike_counts_once_however_often_it_is_told) {
  TaggerEffects effects;
  ck_assert(effects.put("a", must("ssrc_change"), at(0)));
  ck_assert(!effects.put("a", must("ssrc_change"), at(0)));
  ck_assert_uint_eq(effects.shift(net::Stream::video).ssrc, 10);
  ck_assert(effects.remove("a"));
  ck_assert(!effects.remove("a"));
}
END_TEST

START_TEST(a_flood_keeps_its_rate_whatever_the_steps) {
  for (const std::int64_t step : {1, 7, 20, 33, 100}) {
    TaggerEffects effects;
    effects.put("f", must("packet_flood", {{"packets_per_second", 333.0}, {"packet_bytes", 200.0}}), at(50));
    Made sum;
    for (std::int64_t ms = 0; ms < 10050; ms += step) {
      const Made now = flood(effects, at(ms));
      sum.packets += now.packets;
      sum.bytes += now.bytes;
      ck_assert_uint_eq(now.skipped, 0);
    }
    const Made last = flood(effects, at(10050));
    ck_assert_uint_eq(sum.packets + last.packets, 3330);
    ck_assert_uint_eq(sum.bytes + last.bytes, 3330 * 200);
  }
}
END_TEST

START_TEST(after_a_stall_a_flood_makes_up_for_a_tenth_of_a_second_and_no_more) {
  TaggerEffects effects;
  effects.put("f", must("packet_flood", {{"packets_per_second", 1000.0}}), at(0));
  ck_assert_uint_eq(flood(effects, at(10)).packets, 10);
  const Made late = flood(effects, at(5010));
  ck_assert_uint_eq(late.packets, 100);
  ck_assert_uint_eq(late.skipped, 4900);
  ck_assert_uint_eq(flood(effects, at(5020)).packets, 10);
  ck_assert_uint_eq(flood(effects, at(5000)).packets, 0);  // time does not go back
}
END_TEST

START_TEST(slow_floods_lose_no_packet_to_the_bound) {
  TaggerEffects effects;
  effects.put("f", must("packet_flood", {{"packets_per_second", 1.0}}), at(0));
  std::uint64_t packets = 0;
  for (std::int64_t ms = 0; ms <= 10000; ms += 20) packets += flood(effects, at(ms)).packets;
  ck_assert_uint_eq(packets, 10);
}
END_TEST

START_TEST(who_is_absent_floods_nobody_and_owes_nothing_afterwards) {
  TaggerEffects effects;
  effects.put("f", must("packet_flood", {{"packets_per_second", 100.0}}), at(0));
  effects.put("l", must("participant_leave"), at(100));
  ck_assert_uint_eq(flood(effects, at(1000)).packets, 0);
  effects.remove("l");
  ck_assert_uint_eq(flood(effects, at(1010)).packets, 1);
}
END_TEST

START_TEST(two_floods_are_the_sum_of_both) {
  TaggerEffects effects;
  effects.put("f", must("packet_flood", {{"packets_per_second", 100.0}, {"packet_bytes", 100.0}}), at(0));
  effects.put("g", must("packet_flood", {{"packets_per_second", 50.0}, {"packet_bytes", 200.0}}), at(0));
  const Made made = flood(effects, at(100));
  ck_assert_uint_eq(made.packets, 15);
  ck_assert_uint_eq(made.bytes, 2000);
}
END_TEST

AVC_TESTS("tagger_effects", each_stream_gets_what_it_is_named_for, jumps_add_up_and_ssrc_changes_count,
          any_two_spikes_end_alone_in_either_order_and_leave_nothing, a_spike_counts_once_however_often_it_is_told,
          a_flood_keeps_its_rate_whatever_the_steps, after_a_stall_a_flood_makes_up_for_a_tenth_of_a_second_and_no_more,
          slow_floods_lose_no_packet_to_the_bound, who_is_absent_floods_nobody_and_owes_nothing_afterwards,
          two_floods_are_the_sum_of_both)
