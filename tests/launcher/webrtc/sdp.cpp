// What is chosen from a player's offer, and which descriptions are refused before webrtcbin sees them.
#include "launcher/webrtc/sdp.hpp"

#include "tests/check.hpp"

using namespace avc::webrtc;

namespace {

const std::string kSession = "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0 1\r\n";
const std::string kUfrag = "a=ice-ufrag:abcd\r\na=ice-pwd:0123456789012345678901\r\n";
const std::string kPrint = "a=fingerprint:sha-256 46:A4\r\n";

std::string audio(const std::string &more = kUfrag + kPrint) {
  return "m=audio 9 UDP/TLS/RTP/SAVPF 0 111\r\nc=IN IP4 0.0.0.0\r\na=mid:0\r\na=recvonly\r\n"
         "a=extmap:3 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01\r\n"
         "a=rtpmap:111 opus/48000/2\r\na=rtpmap:0 PCMU/8000\r\n" +
         more;
}

// One payload type for each of these parameters, beginning at 100.
std::string video(const std::vector<std::string> &fmtps, const std::string &more = kUfrag + kPrint) {
  std::string line = "m=video 9 UDP/TLS/RTP/SAVPF", lines;
  for (std::size_t i = 0; i < fmtps.size(); ++i) {
    const std::string payload_type = std::to_string(100 + i);
    line += " " + payload_type;
    lines += "a=rtpmap:" + payload_type + " H264/90000\r\na=fmtp:" + payload_type + " " + fmtps[i] + "\r\n";
  }
  return line + "\r\nc=IN IP4 0.0.0.0\r\na=mid:1\r\n" + lines + more;
}

Streams chosen(const std::string &media) {
  const auto sdp = parse_sdp(kSession + media);
  ck_assert_msg(bool(sdp), "%s", sdp ? "" : sdp.error().message.c_str());
  const auto streams = choose_streams(**sdp);
  ck_assert_msg(bool(streams), "%s", streams ? "" : streams.error().message.c_str());
  return *streams;
}

void refused(const std::string &text, const std::string &why) {
  const auto sdp = parse_sdp(text);
  const auto streams = sdp ? choose_streams(**sdp) : avc::Result<Streams>(sdp.error());
  ck_assert_msg(!streams && streams.error().message.find(why) != std::string::npos, "\"%s\" for %s",
                streams ? "taken" : streams.error().message.c_str(), text.c_str());
}

}  // namespace

START_TEST(the_players_payload_type_and_profile_are_found) {
  const std::string one = "packetization-mode=1;profile-level-id=";
  const struct {
    std::vector<std::string> fmtps;
    unsigned payload_type;
    const char *profile;
  } rows[] = {
      {{one + "42e01f"}, 100, "42e01f"},
      {{one + "42001f", "level-asymmetry-allowed=1;packetization-mode=0;profile-level-id=42e01f", one + "42e01f"},
       102,
       "42e01f"},
      {{one + "640c1f", one + "42001f"}, 101, "42001f"},  // any baseline before any other
      {{one + "640c1f", one + "4d001f"}, 100, "640c1f"},  // then the player's own order
      {{one + "42C02a"}, 100, "42C02a"},
      {{"packetization-mode=1"}, 100, ""},
  };
  for (const auto &row : rows) {
    const Streams streams = chosen(video(row.fmtps));
    ck_assert(streams.video && !streams.audio);
    ck_assert_uint_eq(streams.video->payload_type, row.payload_type);
    avc_assert_text(streams.video->profile_level_id, row.profile);
  }
}
END_TEST

// Only who asks for missing packets (NACK) and knows how they come (RTX for this payload type) gets them again.
START_TEST(what_is_lost_is_repaired_for_those_who_can_use_it) {
  const auto rtx = [](const std::string &apt) { return "a=rtpmap:101 rtx/90000\r\na=fmtp:101 apt=" + apt + "\r\n"; };
  const struct {
    std::string feedback, other;
    bool repaired;
  } rows[] = {{"a=rtcp-fb:100 nack\r\n", rtx("100"), true},      {"a=rtcp-fb:* nack\r\n", rtx("100"), true},
              {"a=rtcp-fb:100 nack pli\r\n", rtx("100"), false}, {"a=rtcp-fb:102 nack\r\n", rtx("100"), false},
              {"a=rtcp-fb:100 nack\r\n", rtx("102"), false},     {"a=rtcp-fb:100 nack\r\n", "", false}};
  for (const auto &row : rows) {
    const std::string media =
        "m=video 9 UDP/TLS/RTP/SAVPF 100 101\r\nc=IN IP4 0.0.0.0\r\na=mid:1\r\n"
        "a=rtpmap:100 H264/90000\r\na=fmtp:100 packetization-mode=1\r\n" +
        row.feedback + row.other + kUfrag + kPrint;
    ck_assert_msg(chosen(media).video->repaired == row.repaired, "%s", media.c_str());
    const auto sdp = parse_sdp(kSession + media);
    ck_assert_uint_eq(rtx_payload_type(**sdp), row.other == rtx("100") ? 101 : 0);
  }
  ck_assert(own_streams().video->repaired && !own_streams().audio->repaired);
}
END_TEST

START_TEST(extensions_have_the_players_numbers) {
  const Streams streams = chosen(audio() + video({"packetization-mode=1"}));
  ck_assert_uint_eq(streams.audio->payload_type, 111);
  ck_assert_uint_eq(streams.audio->transport_cc_ext, 3);
  ck_assert_uint_eq(streams.audio->participant_id_ext, 0);
  ck_assert_uint_eq(streams.video->transport_cc_ext, 0);
}
END_TEST

START_TEST(what_no_stream_can_come_of_is_refused) {
  refused("", "is empty");
  refused("hello", "does not begin with v=0");
  refused(kSession, "has no media");
  refused(kSession + video({"packetization-mode=0;profile-level-id=42e01f"}), "packetization-mode=1");
  refused(kSession + "m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=rtpmap:96 VP8/90000\r\n" + kUfrag + kPrint, "neither");
  refused(kSession + video({"packetization-mode=1"}, kUfrag), "a=fingerprint");
  refused(kSession + video({"packetization-mode=1"}, kPrint), "a=ice-ufrag");
  refused(kSession + video({"packetization-mode=1"}, "a=sendonly\r\n" + kUfrag + kPrint), "neither");
  refused(std::string(70000, 'v'), "longer than");
}
END_TEST

START_TEST(an_answer_is_one) {
  const auto fault = [](const std::string &text, unsigned media) {
    const auto sdp = parse_sdp(kSession + text);
    ck_assert(bool(sdp));
    return fault_of_answer(**sdp, media).value_or("none");
  };
  const std::string both = video({"packetization-mode=1"}) + "a=setup:active\r\n" + audio();
  avc_assert_text(fault(both, 2), "none");
  ck_assert(fault(both, 1).find("2 media") != std::string::npos);
  ck_assert(fault(video({"packetization-mode=1"}, kUfrag + kPrint + "a=setup:actpass\r\n"), 1).find("actpass") !=
            std::string::npos);
  ck_assert(fault("m=video 0 UDP/TLS/RTP/SAVPF 96\r\n", 1).find("none of the media") != std::string::npos);
  ck_assert(fault(video({"packetization-mode=1"}, kUfrag), 1).find("fingerprint") != std::string::npos);
}
END_TEST

START_TEST(bundled_media_get_the_transport_of_the_first) {
  const std::string other =
      "a=ice-ufrag:efgh\r\na=ice-pwd:abcdefghijklmnopqrstuvw\r\n"
      "a=candidate:9 1 udp 1 127.0.0.1 9 typ host\r\n" +
      kPrint;
  const std::string mine = kUfrag + kPrint + "a=candidate:1 1 udp 1 127.0.0.1 1 typ host\r\n";
  auto sdp = parse_sdp(kSession + audio(mine) + video({"packetization-mode=1"}, other));
  share_transport(**sdp);
  char *raw = gst_sdp_message_as_text(sdp->get());
  const std::string text = raw;
  g_free(raw);
  ck_assert(text.find("efgh") == std::string::npos && text.find("candidate:9") == std::string::npos);
  ck_assert(text.find("ice-ufrag:abcd", text.find("m=video")) != std::string::npos);
  // without a group nothing changes
  sdp = parse_sdp("v=0\r\ns=-\r\n" + audio(mine) + video({"packetization-mode=1"}, other));
  share_transport(**sdp);
  const GstSDPMedia *second = gst_sdp_message_get_media(sdp->get(), 1);
  avc_assert_text(gst_sdp_media_get_attribute_val(second, "ice-ufrag"), "efgh");
}
END_TEST

START_TEST(a_fragment_says_what_was_found_later) {
  const Fragment fragment = parse_fragment(
      "a=ice-ufrag:abcd\r\na=ice-pwd:x\r\nm=audio 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:0\r\n"
      "a=candidate:1 1 udp 1 127.0.0.1 1 typ host\r\na=candidate:2 1 udp 1 127.0.0.1 2 typ host\n"
      "a=end-of-candidates\r\n");
  avc_assert_text(fragment.ufrag, "abcd");
  ck_assert_int_eq(static_cast<int>(fragment.candidates.size()), 2);
  avc_assert_text(fragment.candidates[1], "a=candidate:2 1 udp 1 127.0.0.1 2 typ host");
  ck_assert(parse_fragment("").candidates.empty());
}
END_TEST

START_TEST(candidates_that_may_not_be_sent_to_are_left_out) {
  const Admits loopback = [](const std::string &address) { return address == "127.0.0.1"; };
  const std::string before = "v=0\r\na=mid:0\r\n", after = "a=end-of-candidates\r\n";
  const std::string near = "a=candidate:1 1 udp 5 127.0.0.1 9 typ host\r\n";
  const std::string far = "a=candidate:2 1 udp 5 198.51.100.7 9 typ host\r\n";
  const std::string name = "a=candidate:3 1 udp 5 0a0b.local 9 typ host\r\n";
  avc_assert_text(with_admitted_candidates(before + far + near + name + after, loopback), before + near + after);
  avc_assert_text(candidate_address("candidate:1 1 udp 5 ::1 9 typ host"), "::1");
  for (const char *none : {"", "hello", "candidate:", "candidate:1 1 udp 5"})
    avc_assert_text(candidate_address(none), "");
}
END_TEST

START_TEST(packets_are_what_the_other_side_says_they_are) {
  const std::string again =
      "a=rtpmap:97 rtx/90000\r\na=fmtp:97 apt=96\r\na=ssrc-group:FID 1001000 77\r\na=ssrc-group:SIM 1 2\r\n";
  const std::string media =
      "m=video 9 UDP/TLS/RTP/SAVPF 96 97 98 300\r\na=sendonly\r\na=rtpmap:96 H264/90000\r\na=rtcp-fb:96 nack pli\r\n"
      "a=rtcp-fb:96 nack\r\na=extmap:5 urn:avchaos:participant-id\r\na=rtpmap:98 rtx/90000\r\n" +
      again +
      "m=audio 0 UDP/TLS/RTP/SAVPF 111\r\na=bundle-only\r\na=rtpmap:111 opus/48000/2\r\n"
      "m=audio 0 UDP/TLS/RTP/SAVPF 112\r\na=rtpmap:112 opus/48000/2\r\n"
      "m=video 9 UDP/TLS/RTP/SAVPF 100\r\na=recvonly\r\na=rtpmap:100 H264/90000\r\n";
  const auto sdp = parse_sdp(kSession + media);
  ck_assert(bool(sdp));
  const avc::stats::PayloadMap map = payloads_of(**sdp);
  ck_assert(map.types[96].media == avc::net::Stream::video && map.types[96].clock_rate == 90000 &&
            !map.types[96].again);
  ck_assert(map.types[97].again == 96);
  ck_assert_uint_eq(map.types[98].clock_rate, 0);  // repeats nothing that is known
  ck_assert(map.types[111].media == avc::net::Stream::audio && map.types[111].clock_rate == 48000);
  ck_assert_uint_eq(map.types[112].clock_rate, 0);  // refused
  ck_assert_uint_eq(map.types[100].clock_rate, 0);  // that one does not send
  ck_assert_uint_eq(map.originals.at(77), 1001000);
  ck_assert_uint_eq(map.originals.size(), 1);
  ck_assert_int_eq(map.participant_ext, 5);
  ck_assert(map.nack);
  const auto without = parse_sdp(kSession + "m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=rtcp-fb:96 nack pli\r\n");
  ck_assert(!payloads_of(**without).nack);
}
END_TEST

AVC_TESTS("webrtc sdp", the_players_payload_type_and_profile_are_found,
          what_is_lost_is_repaired_for_those_who_can_use_it, extensions_have_the_players_numbers,
          what_no_stream_can_come_of_is_refused, an_answer_is_one, bundled_media_get_the_transport_of_the_first,
          a_fragment_says_what_was_found_later, candidates_that_may_not_be_sent_to_are_left_out,
          packets_are_what_the_other_side_says_they_are)
