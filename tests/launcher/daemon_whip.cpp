// Participants that publish by WHIP as far as one side of a connection goes: what the endpoint is asked, what becomes
// of the participants, and that no session stays behind. Connections that carry media are in tests/peers/whip.py.
#include <sstream>

#include "tests/launcher/daemon_fixture.hpp"
#include "tests/launcher/webrtc/fake_endpoint.hpp"
#include "tests/launcher/webrtc/stun_server.hpp"

using namespace avc::test;

namespace {

// Two participants of the test "p"; the endpoint is in this process.
struct Published : DaemonFixture {
  explicit Published(std::vector<Scripted> replies) : endpoint(std::move(replies)) {}
  Answer make(const std::string &at_url, const std::string &more = "") {
    return post("test/create", R"({"test_id":"p","num_participants":2,"video":{"width":160,"height":120,"fps":10,)"
                               R"("bitrate_kbps":200},"renditions":[200],"target":{"transport":"whip","url":")" +
                                   at_url + "\"" + more + "}}");
  }
  void start(const std::string &more = "") {
    const Answer made = make(endpoint.base + "/whip/{room}/{id}", more);
    ck_assert_msg(made.status == 201, "%s", made.body.c_str());
    avc_assert_text(at(made.body, "target"), "whip " + endpoint.base + "/whip/{room}/{id}");
    const Answer started = post("test/p/start");
    ck_assert_msg(started.status == 200, "%s", started.body.c_str());
  }
  std::size_t asked(const std::string &method) const {
    return static_cast<std::size_t>(
        std::ranges::count(endpoint.seen, method, [](const auto &one) { return one.method; }));
  }

  FakeEndpoint endpoint;
};

Scripted refusal(unsigned status, const std::string &why) { return {.status = status, .headers = {}, .body = why}; }

// An answer that takes everything, from somebody at `candidates` who does not answer checks.
std::string answer_to(const std::string &offer, const std::string &candidates) {
  std::istringstream lines(offer);
  std::string out;
  bool first = true;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("a=candidate:") || line.starts_with("a=end-of-") || line.starts_with("a=bundle-only") ||
        line.starts_with("a=ssrc"))
      continue;
    if (line.starts_with("m=")) {
      if (!std::exchange(first, false) && !candidates.empty() && out.find("a=candidate") == std::string::npos)
        out += candidates;
      line.replace(line.find(' ') + 1, line.find(' ', line.find(' ') + 1) - line.find(' ') - 1, "9");
    }
    if (line.starts_with("a=sendonly")) line = "a=recvonly\r";
    if (line.starts_with("a=setup:")) line = "a=setup:active\r";
    if (line.starts_with("a=ice-ufrag:")) line = "a=ice-ufrag:them\r";
    if (line.starts_with("a=ice-pwd:")) line = "a=ice-pwd:abcdefghijklmnopqrstuvwx\r";
    out += line + "\n";
  }
  return out;
}

Scripted answered(const std::string &candidates) {
  Scripted reply = created();
  reply.body_for = [candidates](const std::string &offer) { return answer_to(offer, candidates); };
  return reply;
}

constexpr const char *kNobody = "a=candidate:1 1 UDP 2113937151 127.0.0.1 9 typ host\r\n";  // the discard port

}  // namespace

START_TEST(every_participant_offers_what_it_sends) {
  Published f({refusal(403, "wrong token"), refusal(403, "wrong token")});
  f.start(R"(,"token":"secret","room":"r")");
  f.wait_until("test/p", "\"state\":\"failed\"");
  ck_assert_int_eq(static_cast<int>(f.endpoint.seen.size()), 2);
  std::vector<std::string> paths;
  for (const auto &one : f.endpoint.seen) {
    paths.push_back(one.path);
    avc_assert_text(one.authorization, "Bearer secret");
    avc_assert_text(one.type, "application/sdp");
    for (const char *line : {"a=sendonly\r\n", "a=setup:actpass\r\n", "a=rtpmap:96 H264/90000\r\n", "a=group:BUNDLE "})
      ck_assert_msg(one.body.find(line) != std::string::npos, "no %s in %s", line, one.body.c_str());
  }
  std::ranges::sort(paths);
  avc_assert_text(paths[0] + paths[1], "/whip/r/1001/whip/r/1002");
  const Answer told = f.get("test/p/participants/1001");
  avc_assert_text(at(told.body, "state"), "failed");
  avc_assert_text(at(told.body, "reason"), "whip: 403 Forbidden: wrong token");
}
END_TEST

START_TEST(one_that_is_refused_fails_alone) {
  Scripted held = created();
  held.held = true;
  Published f({refusal(404, "no such room"), held, refusal(200, "")});
  f.start();
  f.wait_until("test/p/participants", "no such room");
  iterate_until([&] { return f.endpoint.seen.size() == 2; });
  const std::string all = f.get("test/p/participants").body;
  ck_assert_msg(all.find("connecting") != std::string::npos, "%s", all.c_str());
  avc_assert_text(at(f.get("test/p").body, "state"), "running");
  // the other one leaves with its POST on the way
  f.post("test/p/stop");
  f.endpoint.let_go();
  iterate_until([&] { return f.asked("DELETE") == 1; });
}
END_TEST

START_TEST(a_bad_answer_ends_the_session_too) {
  Published f({created(), created(), created(), created()});  // a DELETE is content with 201, too
  f.start();
  f.wait_until("test/p", "\"state\":\"failed\"");
  iterate_until([&] { return f.asked("DELETE") == 2; });
  const std::string reason = at(f.get("test/p/participants/1002").body, "reason");
  ck_assert_msg(reason.starts_with("whip: the answer: "), "%s", reason.c_str());
}
END_TEST

START_TEST(an_answer_without_a_candidate_is_a_failure) {
  const std::pair<const char *, const char *> rows[] = {{"", "whip: the answer has no candidate"},
                                                        {"a=candidate:1 1 UDP 2113937151 198.51.100.7 9 typ host\r\n",
                                                         "whip: the answer has no candidate that may be sent to"}};
  for (const auto &[candidates, reason] : rows) {
    Published f(std::vector<Scripted>(4, answered(candidates)));  // a DELETE is content with 201, too
    f.start();
    f.wait_until("test/p", "\"state\":\"failed\"");
    iterate_until([&] { return f.asked("DELETE") == 2; });
    avc_assert_text(at(f.get("test/p/participants/1001").body, "reason"), reason);
  }
}
END_TEST

// Spikes that replace a connection are taken, and leave alone what is on its way to be one.
START_TEST(a_connection_that_is_not_there_yet_is_not_replaced) {
  Published f(std::vector<Scripted>(4, answered(kNobody)));
  f.start();
  f.wait_until("test/p/participants/1002", "\"state\":\"checking\"");
  const Answer done = f.post(
      "test/p/spike", R"({"spike_id":"r","type":"ice_restart","participant_ids":[1001],"duration_seconds":1})");
  avc_assert_text(at(done.body, "participants"), "1");
  f.wait_until("test/p/spikes", "\"state\":\"ended\"");
  ck_assert_uint_eq(f.asked("POST"), 2);
  ck_assert_uint_eq(f.asked("DELETE"), 0);
  f.post("test/p/stop");
  avc_assert_text(at(f.get("test/p/report.json").body, "spikes.0.connections_replaced.count"), "0");
}
END_TEST

START_TEST(why_a_participant_waits_is_told) {
  Published f({refusal(503, "no room yet"), refusal(503, "no room yet"), answered(kNobody), answered(kNobody)});
  f.start();
  f.wait_until("test/p/participants/1001", "\"whip: 503 Service Unavailable: no room yet (attempt ");
  avc_assert_text(at(f.get("test/p/participants/1001").body, "state"), "connecting");
  iterate_until([&] { return f.asked("POST") == 4; });
  f.wait_until("test/p/participants/1001", "\"state\":\"checking\"");
  avc_assert_text(at(f.get("test/p/participants/1001").body, "reason"), "(none)");
}
END_TEST

// The offer goes without what the endpoint's own STUN server has not said within a second; it says so later.
START_TEST(candidates_from_the_endpoints_servers_follow_the_offer) {
  LateStunServer stun(1200);
  Published f(
      {answered(kNobody), answered(kNobody), refusal(204, ""), refusal(204, ""), refusal(204, ""), refusal(204, "")});
  f.endpoint.options = {204, {{"Link", "<stun:127.0.0.1:" + std::to_string(stun.port) + ">; rel=\"ice-server\""}}, ""};
  f.start();
  const auto fragments = [&](const std::string &line) {
    return std::ranges::count_if(f.endpoint.seen, [&](const auto &one) {
      return one.method == "PATCH" && one.body.find(line) != std::string::npos;
    });
  };
  iterate_until([&] { return fragments(std::string(" ") + LateStunServer::kMapped + " ") == 2; });
  iterate_until([&] { return fragments("a=end-of-candidates\r\n") == 2; });
  for (const auto &one : f.endpoint.seen) {
    if (one.method == "POST") ck_assert(one.body.find(LateStunServer::kMapped) == std::string::npos);
    if (one.method != "PATCH") continue;
    avc_assert_text(one.if_match, "\"one\"");
    avc_assert_text(one.type, "application/trickle-ice-sdpfrag");
    ck_assert(one.body.find("a=ice-ufrag:") != std::string::npos);
  }
  ck_assert_uint_eq(f.endpoint.asked_options, 2);
}
END_TEST

START_TEST(an_endpoint_is_refused_before_anything_goes_there) {
  Published f({});
  refused(f.make("http://198.51.100.7/{id}"), 403, "target.url");
  refused(f.make("http://{id}/"), 400, "target.url");
  refused(f.make("http://127.0.0.1/{name}"), 400, "target.url");
  refused(f.make("rtmp://127.0.0.1/{id}"), 400, "target.url");
}
END_TEST

START_TEST(a_publication_is_nobodys_to_answer) {
  Scripted held = created();
  held.held = true;
  Published f({held, held});
  f.start();
  iterate_until([&] { return f.endpoint.seen.size() == 2; });
  const std::string told = f.get("test/p/participants/1001").body;
  avc_assert_text(at(told, "viewers.0.by"), "whip");
  refused(
      f.post("test/p/answer/1001", R"({"sdp_answer":"v=0","viewer_id":")" + at(told, "viewers.0.viewer_id") + "\"}"),
      404, "viewer_id");
}
END_TEST

int main() {
  return run_daemon(
      "daemon whip",
      {every_participant_offers_what_it_sends, one_that_is_refused_fails_alone, a_bad_answer_ends_the_session_too,
       an_answer_without_a_candidate_is_a_failure, a_connection_that_is_not_there_yet_is_not_replaced,
       why_a_participant_waits_is_told, candidates_from_the_endpoints_servers_follow_the_offer,
       an_endpoint_is_refused_before_anything_goes_there, a_publication_is_nobodys_to_answer});
}
