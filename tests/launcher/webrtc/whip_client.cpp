// The WHIP client against an endpoint that does what each test tells it.
#include "launcher/webrtc/whip_client.hpp"

#include "tests/launcher/webrtc/fake_endpoint.hpp"

using namespace avc::webrtc;
using avc::Error;
using avc::Result;
using avc::test::created;
using avc::test::FakeEndpoint;
using avc::test::iterate_until;
using avc::test::Scripted;

namespace {

Result<std::string> loopback_only(const std::string &address) {
  if (address == "127.0.0.1") return address;
  return Error{"", address + " is not allowed"};
}

// One client of one endpoint. Pauses are of a millisecond or two.
struct Fixture {
  explicit Fixture(std::vector<Scripted> replies, HttpExchange::Admit admit = loopback_only,
                   unsigned patience_ms = 5000)
      : endpoint(std::move(replies)), exchange(std::make_shared<HttpExchange>(std::move(admit), patience_ms)) {
    client = make(endpoint.base + "/whip/room/1001");
  }
  std::shared_ptr<WhipClient> make(const std::string &url) {
    const WhipSettings settings{.url = url, .token = "secret", .most_attempts = 4, .pauses = {.first_ms = 1}};
    return WhipClient::make(settings, exchange, [this](const std::string &why) { waits.push_back(why); });
  }
  void begin() {
    client->publish("v=0\r\noffer", [this](Result<WhipAnswer> result) { answer = std::move(result); });
  }
  // Until there is an answer or a failure.
  void publish() {
    begin();
    iterate_until([this] { return answer.has_value(); });
  }
  std::string failure() {
    publish();
    ck_assert(!*answer);
    return answer->error().message;
  }
  void publish_well() {
    publish();
    ck_assert_msg(bool(*answer), "%s", *answer ? "" : answer->error().message.c_str());
  }
  void leave() {
    client->leave([this](const Result<bool> &result) { left = result ? "left" : result.error().message; });
    iterate_until([this] { return !left.empty(); });
  }
  std::string trickle(const std::string &fragment) {
    std::string outcome;
    client->trickle(fragment, [&](const Result<bool> &result) { outcome = result ? "taken" : result.error().message; });
    iterate_until([&] { return !outcome.empty(); });
    return outcome;
  }

  FakeEndpoint endpoint;
  std::shared_ptr<HttpExchange> exchange;
  std::shared_ptr<WhipClient> client;
  std::vector<std::string> waits;
  std::optional<Result<WhipAnswer>> answer;
  std::string left;
};

Scripted status(unsigned code, const std::string &body = "") { return {.status = code, .headers = {}, .body = body}; }

Scripted to(unsigned code, const std::string &location) {
  return {.status = code, .headers = {{"Location", location}}, .body = ""};
}

}  // namespace

START_TEST(an_offer_is_answered_and_its_session_deleted) {
  Fixture f({created(), status(200)});
  f.publish_well();
  avc_assert_text((*f.answer)->sdp, "v=0\r\nanswer");
  avc_assert_text(f.client->session_url(), f.endpoint.base + "/session/1");
  f.leave();
  avc_assert_text(f.left, "left");
  avc_assert_text(f.endpoint.lines(), "POST /whip/room/1001, DELETE /session/1");
  const auto &post = f.endpoint.seen[0];
  avc_assert_text(post.type, "application/sdp");
  avc_assert_text(post.body, "v=0\r\noffer");
  for (const auto &one : f.endpoint.seen) avc_assert_text(one.authorization, "Bearer secret");
  ck_assert(f.waits.empty());
}
END_TEST

START_TEST(a_location_is_relative_to_where_the_post_went) {
  const std::pair<const char *, const char *> rows[] = {
      {"/s/1", "/s/1"}, {"s/1", "/whip/room/s/1"}, {"?s=1", "/whip/room/1001?s=1"}, {"/a%2Fb", "/a%2Fb"}};
  for (const auto &[location, path] : rows) {
    Scripted reply = created();
    reply.headers = {{"Location", location}};
    Fixture f({reply});
    f.publish_well();
    avc_assert_text(f.client->session_url(), f.endpoint.base + path);
  }
}
END_TEST

START_TEST(ice_servers_come_with_the_answer) {
  Scripted reply = created();
  reply.headers.emplace_back("Link", "<stun:stun.example>; rel=\"ice-server\"");
  reply.headers.emplace_back("Link", "<turn:turn.example>; rel=ice-server; username=\"me\"; credential=\"it\"");
  Fixture f({reply});
  f.publish_well();
  ck_assert_int_eq(static_cast<int>((*f.answer)->ice_servers.size()), 2);
  avc_assert_text((*f.answer)->ice_servers[1].credential, "it");
}
END_TEST

START_TEST(ice_servers_can_be_asked_for_before) {
  Fixture f({});
  const auto ask = [&] {
    std::optional<std::vector<IceServer>> named;
    f.client->ask_servers([&](std::vector<IceServer> servers) { named = std::move(servers); });
    iterate_until([&] { return named.has_value(); });
    return *named;
  };
  f.endpoint.options = {204, {{"Link", "<stun:stun.example>; rel=\"ice-server\""}}, ""};
  ck_assert_uint_eq(ask().size(), 1);
  f.endpoint.options.status = 405;  // it knows none, whatever it says beside that
  ck_assert_uint_eq(ask().size(), 0);
  f.endpoint.vanish();
  ck_assert_uint_eq(ask().size(), 0);
  ck_assert_uint_eq(f.endpoint.asked_options, 2);
}
END_TEST

START_TEST(a_redirected_post_goes_on_as_it_was) {
  FakeEndpoint other({created(), status(200)});
  Fixture f({to(307, "/elsewhere"), to(308, other.base + "/there")});
  f.publish_well();
  avc_assert_text(f.endpoint.lines(), "POST /whip/room/1001, POST /elsewhere");
  avc_assert_text(other.lines(), "POST /there");
  avc_assert_text(other.seen[0].body, "v=0\r\noffer");
  avc_assert_text(other.seen[0].authorization, "Bearer secret");
  f.leave();
  avc_assert_text(other.lines(), "POST /there, DELETE /session/1");
}
END_TEST

START_TEST(redirects_that_lead_nowhere_are_failures) {
  const struct {
    std::vector<Scripted> replies;
    const char *why;
  } rows[] = {
      {{to(302, "/there")}, "302 Found, which does not redirect a POST; 307 and 308 do"},
      {{status(307)}, "307 Temporary Redirect names no Location"},
      {{to(307, "ftp://127.0.0.1/")}, "307 Temporary Redirect names a Location that is no http or https URL"},
      {std::vector<Scripted>(6, to(307, "/again")), "more than 5 redirects"},
      {{to(307, "http://127.0.0.2:1/")}, "127.0.0.2 is not allowed"},
  };
  for (const auto &[replies, why] : rows) {
    Fixture f(replies);
    avc_assert_text(f.failure(), why);
    ck_assert(f.waits.empty());
  }
}
END_TEST

START_TEST(a_refusal_is_final_and_says_why) {
  const std::pair<Scripted, const char *> rows[] = {
      {status(401), "401 Unauthorized"},
      {status(403, "\n wrong token\nand more"), "403 Forbidden: wrong token"},
      {{404, {}, R"({"title":"Unknown","detail":"no such room"})", "application/problem+json"},
       "404 Not Found: no such room"},
      {{400, {}, "<html>oh</html>", "text/html"}, "400 Bad Request"},
      {status(200), "200 OK, not 201 Created"},
  };
  for (const auto &[reply, why] : rows) {
    Fixture f({reply, created()});
    avc_assert_text(f.failure(), why);
    avc_assert_text(f.endpoint.lines(), "POST /whip/room/1001");
    f.leave();  // nothing is there to be deleted
    ck_assert_int_eq(static_cast<int>(f.endpoint.seen.size()), 1);
  }
}
END_TEST

START_TEST(what_may_pass_is_tried_again) {
  Fixture f({status(503, "busy"), status(429), created()});
  f.publish_well();
  ck_assert_int_eq(static_cast<int>(f.waits.size()), 2);
  avc_assert_text(f.waits[0], "503 Service Unavailable: busy (attempt 1 of 4)");
  avc_assert_text(f.waits[1], "429 Too Many Requests (attempt 2 of 4)");
}
END_TEST

START_TEST(attempts_are_bounded) {
  Fixture f(std::vector<Scripted>(9, status(500)));
  avc_assert_text(f.failure(), "500 Internal Server Error (after 4 attempts)");
  ck_assert_int_eq(static_cast<int>(f.endpoint.seen.size()), 4);
}
END_TEST

START_TEST(retry_after_is_waited_for_unless_it_is_too_long) {
  Fixture f({{503, {{"Retry-After", "1"}}, "", ""}, created()});
  const gint64 before = g_get_monotonic_time();
  f.publish_well();
  ck_assert(g_get_monotonic_time() - before >= 1'000'000);
  Fixture g({{503, {{"Retry-After", "3600"}}, "", ""}, created()});
  avc_assert_text(g.failure(), "503 Service Unavailable (come back in 3600 s, it says; we wait no longer than 60 s)");
}
END_TEST

START_TEST(a_session_without_its_two_parts_is_none) {
  Scripted reply = created();
  reply.headers = {};
  Fixture f({reply});
  avc_assert_text(f.failure(), "201 names no Location");
  reply = created();
  reply.body = "hello";
  Fixture g({reply, status(200)});
  avc_assert_text(g.failure(), "201 without a session description in its body");
  iterate_until([&] { return g.endpoint.seen.size() == 2; });
  avc_assert_text(g.endpoint.lines(), "POST /whip/room/1001, DELETE /session/1");
}
END_TEST

START_TEST(a_vanished_server_is_noticed) {
  Fixture f({});
  f.endpoint.vanish();
  const std::string why = f.failure();
  ck_assert_msg(why.find("refused") != std::string::npos, "%s", why.c_str());
  ck_assert_int_eq(static_cast<int>(f.waits.size()), 3);
  // after it has made a session
  Fixture g({created()});
  g.publish_well();
  g.endpoint.vanish();
  g.leave();
  ck_assert_msg(g.left.starts_with("DELETE: "), "%s", g.left.c_str());
}
END_TEST

START_TEST(a_silent_server_is_given_up) {
  Scripted held = created();
  held.held = true;
  Fixture f(std::vector<Scripted>(4, held), loopback_only, 50);
  avc_assert_text(f.failure(), "no answer within 50 ms (after 4 attempts)");
}
END_TEST

START_TEST(only_admitted_addresses_are_connected_to) {
  Fixture f({created()}, [](const std::string &address) -> Result<std::string> {
    return Error{"", address + " is forbidden"};
  });
  avc_assert_text(f.failure(), "127.0.0.1 is forbidden");
  ck_assert(f.endpoint.seen.empty() && f.waits.empty());
  // by name, too
  f.answer.reset();
  f.client = f.make("http://localhost:" + std::to_string(f.endpoint.port) + "/");
  const std::string why = f.failure();
  ck_assert_msg(why.ends_with(" is forbidden"), "%s", why.c_str());
  ck_assert(f.endpoint.seen.empty());
}
END_TEST

START_TEST(candidates_follow_one_after_the_other) {
  Scripted changed = status(204);
  changed.headers = {{"ETag", "\"two\""}};
  Fixture f({created(), changed, status(204), status(405)});
  std::vector<std::string> outcomes;
  const auto done = [&](const Result<bool> &result) { outcomes.push_back(result ? "taken" : result.error().message); };
  f.client->trickle("a=one", done);  // before there is a session
  f.client->trickle("a=two", done);
  f.publish_well();
  iterate_until([&] { return outcomes.size() == 2; });
  avc_assert_text(f.trickle("a=three"), "405 Method Not Allowed");
  avc_assert_text(f.endpoint.lines(), "POST /whip/room/1001, PATCH /session/1, PATCH /session/1, PATCH /session/1");
  avc_assert_text(f.endpoint.seen[1].type, "application/trickle-ice-sdpfrag");
  avc_assert_text(f.endpoint.seen[1].body, "a=one");
  avc_assert_text(f.endpoint.seen[1].if_match, "\"one\"");
  avc_assert_text(f.endpoint.seen[2].body, "a=two");
  avc_assert_text(f.endpoint.seen[2].if_match, "\"two\"");
  avc_assert_text(f.endpoint.seen[2].authorization, "Bearer secret");
}
END_TEST

START_TEST(without_an_etag_no_candidates_follow) {
  Scripted reply = created();
  reply.headers.pop_back();
  Fixture f({reply, status(204)});
  f.publish_well();
  avc_assert_text(f.trickle("a=one"), "the endpoint gave no ETag: it takes no candidates");
  ck_assert_int_eq(static_cast<int>(f.endpoint.seen.size()), 1);
}
END_TEST

START_TEST(who_leaves_during_the_post_leaves_no_session_behind) {
  Scripted held = created();
  held.held = true;
  Fixture f({held, status(200)});
  f.begin();
  iterate_until([&] { return f.endpoint.seen.size() == 1; });
  f.client->leave([&](const Result<bool> &result) { f.left = result ? "left" : result.error().message; });
  avc_assert_text(f.answer->error().message, "it has left");
  f.client.reset();  // nobody holds it any more
  ck_assert(f.left.empty());
  f.endpoint.let_go();
  iterate_until([&] { return !f.left.empty(); });
  avc_assert_text(f.endpoint.lines(), "POST /whip/room/1001, DELETE /session/1");
}
END_TEST

START_TEST(who_leaves_during_a_pause_does_not_come_back) {
  Fixture f({{503, {{"Retry-After", "30"}}, "", ""}, created()});
  f.begin();
  iterate_until([&] { return f.waits.size() == 1; });
  f.leave();
  avc_assert_text(f.left, "left");
  avc_assert_text(f.answer->error().message, "it has left");
  ck_assert_int_eq(static_cast<int>(f.endpoint.seen.size()), 1);
}
END_TEST

START_TEST(a_delete_is_tried_again_and_bounded) {
  Fixture f({created(), status(503), status(404)});
  f.publish_well();
  f.leave();
  avc_assert_text(f.left, "left");  // it is gone, whoever did it
  Fixture g({created(), status(503), status(503), status(503), status(200)});
  g.publish_well();
  g.client->leave([&](const Result<bool> &result) { g.left = result ? "left" : result.error().message; });
  g.client.reset();
  iterate_until([&] { return !g.left.empty(); });
  avc_assert_text(g.left, "DELETE: 503 Service Unavailable");
  ck_assert_int_eq(static_cast<int>(g.endpoint.seen.size()), 4);
}
END_TEST

START_TEST(a_reply_of_any_length_is_survived) {
  Scripted reply = created();
  reply.body = std::string(HttpExchange::kMostBytes + 1, 'v');
  Fixture f({reply});
  avc_assert_text(f.failure(), "the reply is too long");
}
END_TEST

AVC_TESTS("whip client", an_offer_is_answered_and_its_session_deleted, a_location_is_relative_to_where_the_post_went,
          ice_servers_come_with_the_answer, ice_servers_can_be_asked_for_before, a_redirected_post_goes_on_as_it_was,
          redirects_that_lead_nowhere_are_failures, a_refusal_is_final_and_says_why, what_may_pass_is_tried_again,
          attempts_are_bounded, retry_after_is_waited_for_unless_it_is_too_long,
          a_session_without_its_two_parts_is_none, a_vanished_server_is_noticed, a_silent_server_is_given_up,
          only_admitted_addresses_are_connected_to, candidates_follow_one_after_the_other,
          without_an_etag_no_candidates_follow, who_leaves_during_the_post_leaves_no_session_behind,
          who_leaves_during_a_pause_does_not_come_back, a_delete_is_tried_again_and_bounded,
          a_reply_of_any_length_is_survived)
