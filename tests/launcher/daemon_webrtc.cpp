// Viewers over WebRTC as far as one side of a connection goes: offers, refusals, states. Connections that carry media
// are in tests/peers/webrtc.py.
#include "tests/launcher/daemon_fixture.hpp"

using namespace avc::test;

namespace {

// Participants that have viewers and nothing else.
struct Viewed : DaemonFixture {
  explicit Viewed(const std::string &more = "") {
    const std::string size = R"("video":{"width":160,"height":120,"fps":10,"bitrate_kbps":200},"renditions":[200])";
    const Answer created =
        post("test/create", R"({"test_id":"v","target":{"transport":"webrtc"},"num_participants":2,)" + size +
                                (more.empty() ? "" : ",") + more + "}");
    ck_assert_msg(created.status == 201, "%s", created.body.c_str());
    avc_assert_text(at(created.body, "target"), "webrtc (viewers)");
  }
  void start() {
    const Answer started = post("test/v/start");
    ck_assert_msg(started.status == 200, "%s", started.body.c_str());
    wait_until("test/v/participants", "connecting");
  }
  Answer offer(const std::string &participant = "1001") { return get("test/v/sdp/" + participant); }
};

// The other side's words: JSON escapes turned back.
std::string unescaped(std::string text) {
  for (const auto &[from, to] : {std::pair{"\\r\\n", "\r\n"}}) {
    for (auto at = text.find(from); at != std::string::npos; at = text.find(from)) text.replace(at, 4, to);
  }
  return text;
}

const char *kVp8 =
    "v=0\r\ns=-\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\na=rtpmap:96 VP8/90000\r\na=ice-ufrag:a\r\na=ice-pwd:b\r\n"
    "a=fingerprint:sha-256 00\r\n";

}  // namespace

START_TEST(an_offer_is_complete_and_the_same_until_it_is_answered) {
  Viewed f;
  f.start();
  const Answer first = f.offer(), second = f.offer(), other = f.offer("1002");
  ck_assert_msg(first.status == 200, "%s", first.body.c_str());
  avc_assert_text(first.body, second.body);
  ck_assert(at(first.body, "viewer_id") != at(other.body, "viewer_id"));
  avc_assert_text(at(first.body, "test_state"), "running");
  const std::string sdp = unescaped(at(first.body, "sdp_offer"));
  for (const char *line :
       {"m=video 9 UDP/TLS/RTP/SAVPF 96 97\r\n", "a=rtcp-fb:96 nack\r\n", "a=rtpmap:97 rtx/90000\r\n",
        "a=fmtp:97 apt=96\r\n", "a=ssrc-group:FID 1001000 ", "a=rtcp-fb:96 transport-cc\r\n",
        "m=audio 0 UDP/TLS/RTP/SAVPF 111\r\n", "a=sendonly\r\n", "a=rtpmap:96 H264/90000\r\n", "packetization-mode=1",
        "a=ssrc:1001000 ", "a=ssrc:1001001 ", "a=extmap:1 urn:avchaos:participant-id\r\n", "a=rtcp-fb:96 nack pli\r\n",
        "a=candidate:1 1 UDP 2015364095 127.0.0.1 "}) {
    ck_assert_msg(sdp.find(line) != std::string::npos, "no %s in %s", line, sdp.c_str());
  }
  const Answer ours = f.get("test/v/ice/1001");
  ck_assert(at(ours.body, "candidates.0.candidate").find("127.0.0.1") != std::string::npos);
  avc_assert_text(at(ours.body, "candidates.1"), "(none)");
  avc_assert_text(at(ours.body, "complete"), "true");
  avc_assert_text(at(ours.body, "connection_state"), "new");
}
END_TEST

START_TEST(what_cannot_be_is_refused_with_the_field_at_fault) {
  Viewed f;
  refused(f.offer(), 409, "");  // not started
  f.start();
  refused(f.get("test/nobody/sdp/1001"), 404, "test_id");
  refused(f.offer("1003"), 404, "participant_id");
  refused(f.offer("one"), 400, "participant_id");
  refused(f.post("test/v/answer/1001", R"({"sdp_answer":"v=0"})"), 404, "participant_id");  // nobody has an offer
  const std::string offer = at(f.offer().body, "sdp_offer");
  for (const char *path : {"test/v/answer/1001", "test/v/sdp/1001"}) {
    for (const std::string &text : {std::string(""), std::string("hello"), std::string("v=0"), offer})
      refused(f.post(path, R"({"sdp_answer":")" + text + "\"}"), 400, "sdp_answer");
    refused(f.post(path, "{}"), 400, "sdp_answer");
    refused(f.post(path, R"({"sdp_answer":1})"), 400, "sdp_answer");
    refused(f.post(path, R"({"sdp_answer":"v=0","viewer_id":"x"})"), 404, "viewer_id");
  }
  avc_assert_text(at(f.offer().body, "sdp_offer"), offer);  // it has not suffered
  refused(f.post("test/v/ice/1001", R"({"candidate":""})"), 400, "candidate");
  refused(f.post("test/v/ice/1001", R"({"candidate":"hello"})"), 400, "candidate");
  refused(f.post("test/v/ice/1001", R"({"candidate":"candidate:1 1 udp 1 198.51.100.7 9 typ host"})"), 403,
          "candidate");
  const Answer named = f.post("test/v/ice/1001", R"({"candidate":"candidate:1 1 udp 1 a.local 9 typ host"})");
  avc_assert_text(at(named.body, "added"), "false");
  const Answer added =
      f.post("test/v/ice/1001", R"({"candidate":"candidate:1 1 udp 1 127.0.0.1 9 typ host","sdpMid":"0"})");
  ck_assert_msg(added.status == 200, "%s", added.body.c_str());
  ck_assert_uint_eq(f.post("test/v/stop").status, 200);
  refused(f.offer(), 409, "");
  refused(f.post("test/v/answer/1001", R"({"sdp_answer":"v=0"})"), 409, "");
}
END_TEST

START_TEST(a_player_is_told_what_is_wrong_with_its_offer) {
  Viewed f;
  f.start();
  const auto post = [&](const std::string &path, const std::string &body, const char *type = "application/sdp") {
    return f.client->call("POST", path, body, type);
  };
  refused(post("/whep/v/1001", kVp8, "application/json"), 415, "Content-Type");
  refused(post("/whep/v/1001", "hello"), 400, "sdp");
  refused(post("/whep/v/1001", kVp8), 400, "sdp");
  refused(post("/whep/v/1009", kVp8), 404, "participant_id");
  refused(post("/whep/nobody/1001", kVp8), 404, "test_id");
  refused(f.client->call("DELETE", "/whep/v/1001/none"), 404, "viewer_id");
  refused(f.client->call("PATCH", "/whep/v/1001/none", "a=x", "application/trickle-ice-sdpfrag"), 404, "viewer_id");
}
END_TEST

START_TEST(participants_without_a_viewer_keep_their_plan) {
  Viewed f(R"("duration_seconds":30,"spike_distribution":{"strategy":"legacy"},"spikes":[{"spike_id":"s","type":
           "rtp_packet_loss","start_offset_seconds":1,"duration_seconds":1,"params":{"loss_percentage":10}}])");
  f.start();
  f.wait_until("test/v/spikes", "\"ended\"");
  avc_assert_text(at(f.get("test/v/participants").body, "participants.0.state"), "connecting");
}
END_TEST

START_TEST(the_page_to_watch_is_open_and_allows_nothing_but_itself) {
  DaemonFixture f([](avc::launcher::Config &config) { config.token = "secret"; });
  const Answer page = f.client->call("GET", "/play");
  ck_assert_uint_eq(page.status, 200);
  avc_assert_text(page.type, "text/html; charset=utf-8");
  for (const char *rule : {"default-src 'none'; connect-src 'self';", "script-src 'sha256-", "frame-ancestors 'none'"})
    ck_assert_msg(page.policy.find(rule) != std::string::npos, "%s", page.policy.c_str());
  ck_assert(page.body.find("secret") == std::string::npos);
  ck_assert_uint_eq(f.client->call("GET", "/api/v1/tests").status, 401);
}
END_TEST

START_TEST(a_test_that_stops_closes_its_viewers) {
  Viewed f;
  f.start();
  const std::string viewer = at(f.offer().body, "viewer_id");
  const std::string path = "test/v/participants/1001";
  avc_assert_text(at(f.get(path).body, "viewers.0.viewer_id"), viewer);
  avc_assert_text(at(f.get(path).body, "viewers.0.state"), "new");
  ck_assert_uint_eq(f.post("test/v/stop").status, 200);
  avc_assert_text(at(f.get(path).body, "viewers.0.state"), "closed");
  avc_assert_text(at(f.get(path).body, "state"), "stopped");
}
END_TEST

START_TEST(those_who_send_to_a_receiver_have_viewers_too) {
  DaemonFixture f;
  f.run("a", R"("num_participants":1)");
  const Answer offer = f.get("test/a/sdp/1001");
  ck_assert_msg(offer.status == 200, "%s", offer.body.c_str());
  avc_assert_text(at(f.get("test/a/participants/1001").body, "state"), "running");
  f.wait_until("test/a/metrics", "total_packets_sent");
}
END_TEST

int main() {
  return run_daemon(
      "daemon webrtc",
      {an_offer_is_complete_and_the_same_until_it_is_answered, what_cannot_be_is_refused_with_the_field_at_fault,
       a_player_is_told_what_is_wrong_with_its_offer, participants_without_a_viewer_keep_their_plan,
       the_page_to_watch_is_open_and_allows_nothing_but_itself, a_test_that_stops_closes_its_viewers,
       those_who_send_to_a_receiver_have_viewers_too});
}
