#include "core/stats/peer_streams.hpp"

#include "core/rtp/extension.hpp"
#include "tests/check.hpp"

using namespace avc;
using namespace avc::stats;

namespace {

constexpr std::uint8_t kVideo = 96, kAgain = 97, kAudio = 111;
constexpr std::uint32_t kSsrc = 5000, kAgainSsrc = 77;

PayloadMap map() {
  PayloadMap map;
  map.types[kVideo] = {net::Stream::video, 90000, {}};
  map.types[kAgain] = {net::Stream::video, 90000, kVideo};
  map.types[kAudio] = {net::Stream::audio, 48000, {}};
  map.participant_ext = 3;
  map.nack = true;
  return map;
}

using Packet = std::vector<std::uint8_t>;

Packet packet(std::uint8_t type, std::uint32_t ssrc, int sequence, Packet payload, std::uint32_t timestamp = 0) {
  Packet out(rtp::kFixedHeaderSize);
  rtp::write_fixed_header(std::span<std::uint8_t, rtp::kFixedHeaderSize>(out.data(), out.size()),
                          {.payload_type = type,
                           .marker = true,
                           .sequence = static_cast<std::uint16_t>(sequence),
                           .timestamp = timestamp,
                           .ssrc = ssrc});
  out.insert(out.end(), payload.begin(), payload.end());
  return out;
}

// One picture a packet: a whole slice of an IDR picture, or of another.
Packet picture(int n, bool key = false) {
  return packet(kVideo, kSsrc, n, {static_cast<std::uint8_t>(key ? 0x65 : 0x41), 0x88, 0x80},
                static_cast<std::uint32_t>(n) * 3000);
}

Packet again(int number, int n) {
  Packet payload{static_cast<std::uint8_t>(n >> 8), static_cast<std::uint8_t>(n), 0x41, 0x88, 0x80};
  return packet(kAgain, kAgainSsrc, number, payload, static_cast<std::uint32_t>(n) * 3000);
}

Instant due(int n) { return Instant{from_ms(n * 1000.0 / 30)}; }

PeerStream only(const PeerStreams &streams) {
  const auto all = streams.snapshot();
  ck_assert_uint_eq(all.size(), 1);
  return all.front();
}

}  // namespace

START_TEST(streams_are_told_apart_and_named_by_the_description) {
  PeerStreams streams;
  streams.explain(map());
  for (int n = 0; n < 10; ++n) {
    streams.receive(picture(n), due(n));
    streams.receive(packet(kAudio, 1, n, {1, 2, 3}), due(n));
    streams.receive(packet(100, 2, n, {1}), due(n));
  }
  const auto all = streams.snapshot();
  ck_assert_uint_eq(all.size(), 2);
  ck_assert(all[0].media == net::Stream::audio && all[1].media == net::Stream::video);
  ck_assert_int_eq(all[0].stats.packets_received, 10);
  ck_assert_uint_eq(streams.unexplained(), 10);
  ck_assert(streams.first_packet() == due(0));
}
END_TEST

START_TEST(a_packet_sent_again_fills_its_hole) {
  PeerStreams streams;
  streams.explain(map());
  for (int n = 0; n < 30; ++n)
    if (n != 7 && n != 20) streams.receive(picture(n), due(n));
  ck_assert_int_eq(only(streams).stats.packets_lost, 2);
  streams.receive(again(0, 7), due(30));
  streams.receive(again(1, 8), due(30));  // nobody has missed it
  const PeerStream now = only(streams);
  ck_assert_int_eq(now.stats.packets_lost, 1);
  ck_assert_int_eq(now.lost_first, 2);
  ck_assert_int_eq(now.came_again, 2);
  ck_assert_int_eq(now.repaired, 1);
}
END_TEST

START_TEST(what_is_sent_again_is_no_jitter) {
  PeerStreams streams;
  streams.explain(map());
  for (int n = 0; n < 60; ++n) {
    if (n % 10 != 5) streams.receive(picture(n), due(n));
    if (n % 10 == 9) streams.receive(again(n, n - 4), due(n));
  }
  ck_assert_double_lt(only(streams).stats.jitter_ms, 0.01);
  ck_assert_int_eq(only(streams).stats.packets_lost, 0);
}
END_TEST

START_TEST(the_description_may_name_what_repeats_whom) {
  PayloadMap described = map();
  described.originals[kAgainSsrc] = 6000;  // another stream
  PeerStreams streams;
  streams.explain(described);
  for (int n = 0; n < 10; ++n)
    if (n != 7) streams.receive(picture(n), due(n));
  streams.receive(again(0, 7), due(10));
  ck_assert_int_eq(only(streams).came_again, 0);
}
END_TEST

START_TEST(padding_to_probe_the_network_is_no_packet_sent_again) {
  PeerStreams streams;
  streams.explain(map());
  for (int n = 0; n < 10; ++n) streams.receive(picture(n), due(n));
  streams.receive(packet(kAgain, kAgainSsrc, 0, {}), due(10));
  streams.receive(packet(kAgain, kAgainSsrc, 1, {0, 9}), due(10));
  ck_assert_int_eq(only(streams).came_again, 0);
  ck_assert_int_eq(only(streams).stats.packets_duplicated, 0);
}
END_TEST

START_TEST(the_first_whole_keyframe_is_noted) {
  PeerStreams streams;
  streams.explain(map());
  for (int n = 0; n < 12; ++n) streams.receive(picture(n, n == 8), due(n));
  ck_assert(streams.first_keyframe().has_value());
  ck_assert(*streams.first_keyframe() >= due(8) && *streams.first_keyframe() <= due(9));
  ck_assert_uint_eq(streams.videos().size(), 1);
}
END_TEST

START_TEST(what_is_missing_is_asked_for_where_that_was_agreed) {
  for (const bool agreed : {true, false}) {
    PayloadMap described = map();
    described.nack = agreed;
    PeerStreams streams;
    streams.explain(described);
    for (int n = 0; n < 10; ++n)
      if (n != 7) streams.receive(picture(n), due(n));
    for (int n = 0; n < 10; ++n)
      if (n != 4) streams.receive(packet(kAudio, 1, n, {1, 2, 3}), due(n));
    std::vector<PeerStreams::Wanted> wanted;
    streams.wanted(due(10), wanted);
    ck_assert_uint_eq(wanted.size(), agreed ? 1 : 0);
    if (!agreed) continue;
    ck_assert(wanted[0].ssrc == kSsrc && wanted[0].sequence == 7);
    ck_assert_int_eq(streams.snapshot()[1].asked, 1);
  }
}
END_TEST

START_TEST(the_participant_is_read_from_the_extension_that_was_agreed) {
  PeerStreams streams;
  streams.explain(map());
  const auto id = rtp::participant_element(1007);
  rtp::Elements elements;
  elements.set({3, id});
  for (int n = 0; n < 3; ++n) {
    Packet block(elements.block_size());
    elements.write(block);
    block.push_back(0x41);
    Packet whole = packet(kVideo, kSsrc, n, block);
    rtp::set_extension_bit(whole, true);
    streams.receive(whole, due(n));
  }
  ck_assert_uint_eq(only(streams).participant_id, 1007);
}
END_TEST

START_TEST(strangers_cannot_make_it_grow) {
  PeerStreams streams;
  streams.explain(map());
  for (std::uint32_t ssrc = 0; ssrc < 1000; ++ssrc)
    for (int n = 0; n < 2; ++n) streams.receive(packet(kAudio, ssrc, n, {1}), due(n));
  ck_assert_uint_eq(streams.snapshot().size(), PeerStreams::kMostStreams);
  const Packet rubbish{0x80, 96, 0};
  streams.receive(rubbish, due(0));
}
END_TEST

AVC_TESTS("peer_streams", streams_are_told_apart_and_named_by_the_description, a_packet_sent_again_fills_its_hole,
          what_is_sent_again_is_no_jitter, the_description_may_name_what_repeats_whom,
          padding_to_probe_the_network_is_no_packet_sent_again, the_first_whole_keyframe_is_noted,
          what_is_missing_is_asked_for_where_that_was_agreed,
          the_participant_is_read_from_the_extension_that_was_agreed, strangers_cannot_make_it_grow)
