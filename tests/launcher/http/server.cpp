// The server on a real socket (port 0): limits, streams, headers.
#include "launcher/http/server.hpp"

#include "tests/launcher/http_client.hpp"

using namespace avc::launcher::http;
using avc::test::Client;
using avc::test::iterate_until;
using avc::test::RawConnection;

namespace {

struct Fixture {
  explicit Fixture(ServerLimits limits = {}) : channel(std::make_shared<EventChannel>()) {
    router.add(
        {{.method = "POST",
          .pattern = "/echo",
          .handle = [](const Request &request) { return Reply{.body = request.body}; }},
         {.method = "GET",
          .pattern = "/query",
          .handle =
              [](const Request &request) {
                return Reply{.body = request.query_value("format") + "|" + request.client};
              }},
         {.method = "GET",
          .pattern = "/later",
          .handle =
              [this](const Request &) { return Reply{.later = [this](const Finish &finish) { waiting = finish; }}; }},
         {.method = "GET", .pattern = "/events", .handle = [this](const Request &) {
            return Reply{.events = channel};
          }}});
    server = std::make_unique<Server>(router, limits);
    auto url = server->listen("127.0.0.1", 0);
    ck_assert_msg(bool(url), "%s", url ? "" : url.error().text().c_str());
    base = *url;
  }

  std::shared_ptr<EventChannel> channel;
  Router router;
  std::unique_ptr<Server> server;
  std::string base;
  Finish waiting;
};

}  // namespace

START_TEST(replies_carry_cors_without_credentials) {
  Fixture f;
  Client client(f.base);
  const auto answer = client.call("POST", "/echo", "{\"a\":1}");
  ck_assert_uint_eq(answer.status, 200);
  avc_assert_text(answer.body, "{\"a\":1}");
  avc_assert_text(answer.type, "application/json");
  avc_assert_text(answer.cors, "*");
  avc_assert_text(client.call("GET", "/query?format=prometheus&x").body, "prometheus|127.0.0.1");
}
END_TEST

START_TEST(errors_are_plain_text_for_those_who_prefer_it) {
  Fixture f;
  Client client(f.base);
  client.headers = {{"Accept", "text/plain"}};
  avc_assert_text(client.call("GET", "/nothing").type, "text/plain; charset=utf-8");
  for (const char *accept : {"application/json", "*/*", "text/plain;q=0.5, application/json"}) {
    client.headers = {{"Accept", accept}};
    avc_assert_text(client.call("GET", "/nothing").type, "application/problem+json");
  }
}
END_TEST

START_TEST(a_body_of_exactly_the_limit_is_read) {
  Fixture f({.body_bytes = 1000});
  Client client(f.base);
  ck_assert_uint_eq(client.call("POST", "/echo", std::string(1000, 'x')).body.size(), 1000);
}
END_TEST

START_TEST(a_body_too_long_is_refused_before_it_is_read) {
  Fixture f({.body_bytes = 1000});
  RawConnection raw(f.base);
  raw.write("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 100000000\r\n\r\n");  // and not one byte of it
  ck_assert_msg(raw.wait_for("413"), "%s", raw.got.c_str());
  ck_assert_uint_eq(f.server->refused(), 1);
}
END_TEST

START_TEST(a_chunked_body_too_long_is_refused_too) {
  Fixture f({.body_bytes = 1000});
  RawConnection raw(f.base);
  raw.write("POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
  for (int i = 0; i < 3; ++i) raw.write("200\r\n" + std::string(0x200, 'x') + "\r\n");
  raw.write("0\r\n\r\n");
  ck_assert_msg(raw.wait_for("413"), "%s", raw.got.c_str());
}
END_TEST

START_TEST(a_chunked_body_without_end_is_cut_off) {
  Fixture f({.body_bytes = 1000});
  RawConnection raw(f.base);
  raw.write("POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
  for (int i = 0; i < 40; ++i) raw.write("200\r\n" + std::string(0x200, 'x') + "\r\n");
  raw.wait_for_close();
  Client client(f.base);
  ck_assert_uint_eq(client.call("POST", "/echo", "still alive").status, 200);
}
END_TEST

START_TEST(too_many_requests_are_told_when_to_come_back) {
  Fixture f({.requests_per_second = 0.001, .burst = 3});
  Client client(f.base);
  for (int i = 0; i < 3; ++i) ck_assert_uint_eq(client.call("GET", "/query").status, 200);
  const auto answer = client.call("GET", "/query");
  ck_assert_uint_eq(answer.status, 429);
  avc_assert_text(answer.retry_after, "1");
}
END_TEST

START_TEST(garbage_does_not_disturb_the_next_client) {
  Fixture f;
  for (const char *garbage : {"\r\n\r\n", "GET\r\n\r\n", "\x16\x03\x01 tls?\r\n\r\n", "GET / HTTP/9.9\r\n\r\n",
                              "POST /echo HTTP/1.1\r\nContent-Length: -5\r\n\r\n"}) {
    RawConnection raw(f.base);
    raw.write(garbage);
    while (g_main_context_iteration(nullptr, FALSE)) {
    }
  }
  Client client(f.base);
  ck_assert_uint_eq(client.call("GET", "/query").status, 200);
}
END_TEST

START_TEST(a_late_reply_does_not_hold_up_the_others) {
  Fixture f;
  RawConnection slow(f.base);
  slow.write("GET /later HTTP/1.1\r\nHost: x\r\n\r\n");
  iterate_until([&] { return bool(f.waiting); });
  Client client(f.base);
  ck_assert_uint_eq(client.call("GET", "/query").status, 200);
  f.waiting([]() -> Reply { throw ApiError(409, "too late"); });
  ck_assert_msg(slow.wait_for("too late"), "%s", slow.got.c_str());
}
END_TEST

START_TEST(a_client_that_left_before_the_late_reply_is_no_problem) {
  Fixture f;
  {
    RawConnection gone(f.base);
    gone.write("GET /later HTTP/1.1\r\nHost: x\r\n\r\n");
    iterate_until([&] { return bool(f.waiting); });
  }
  f.waiting([] { return Reply{.body = "hello"}; });
  Client client(f.base);
  ck_assert_uint_eq(client.call("GET", "/query").status, 200);
}
END_TEST

START_TEST(events_reach_a_client_as_they_happen) {
  Fixture f;
  RawConnection raw(f.base);
  raw.write("GET /events HTTP/1.1\r\nHost: x\r\n\r\n");
  ck_assert(raw.wait_for(": avchaosd"));
  ck_assert(raw.wait_for("text/event-stream"));
  f.channel->publish("sample", "{\"t\":1}");
  ck_assert(raw.wait_for("id: 1\nevent: sample\ndata: {\"t\":1}\n\n"));
  f.channel->publish("sample", "{\"t\":2}");
  ck_assert(raw.wait_for("id: 2\n"));
  f.channel->close();
  ck_assert(raw.wait_for("\r\n0\r\n\r\n"));
}
END_TEST

START_TEST(last_event_id_resumes_and_204_ends_the_reconnecting) {
  Fixture f;
  for (int i = 1; i <= 3; ++i) f.channel->publish("n", std::to_string(i));
  RawConnection raw(f.base);
  raw.write("GET /events HTTP/1.1\r\nHost: x\r\nLast-Event-ID: 2\r\n\r\n");
  ck_assert(raw.wait_for("data: 3\n\n"));
  ck_assert(raw.got.find("data: 2") == std::string::npos);
  f.channel->close();
  Client client(f.base);
  client.headers = {{"Last-Event-ID", "3"}};
  ck_assert_uint_eq(client.call("GET", "/events").status, 204);
}
END_TEST

START_TEST(a_client_that_does_not_read_is_dropped) {
  Fixture f({.stream_backlog_bytes = 100000});
  RawConnection raw(f.base);
  raw.write("GET /events HTTP/1.1\r\nHost: x\r\n\r\n");
  ck_assert(raw.wait_for(": avchaosd"));
  ck_assert_uint_eq(f.server->event_streams(), 1);
  const std::string data(10000, 'x');
  int published = 0;
  iterate_until([&] {
    f.channel->publish("n", data);
    g_main_context_wakeup(nullptr);
    return ++published > 3000 || f.server->event_streams() == 0;
  });
  ck_assert_uint_eq(f.server->event_streams(), 0);
}
END_TEST

START_TEST(event_streams_are_limited) {
  Fixture f({.event_streams = 1});
  RawConnection first(f.base);
  first.write("GET /events HTTP/1.1\r\nHost: x\r\n\r\n");
  ck_assert(first.wait_for(": avchaosd"));
  Client client(f.base);
  ck_assert_uint_eq(client.call("GET", "/events").status, 429);
}
END_TEST

START_TEST(a_busy_port_is_an_error_and_not_a_crash) {
  Fixture f;
  const auto port = static_cast<std::uint16_t>(std::stoi(f.base.substr(f.base.rfind(':') + 1)));
  Server second(f.router);
  const auto url = second.listen("127.0.0.1", port);
  ck_assert(!url);
  avc_assert_text(url.error().field, "listen");
  ck_assert(!Server(f.router).listen("256.1.1.1", 0));
}
END_TEST

AVC_TESTS("server", replies_carry_cors_without_credentials, errors_are_plain_text_for_those_who_prefer_it,
          a_body_of_exactly_the_limit_is_read, a_body_too_long_is_refused_before_it_is_read,
          a_chunked_body_too_long_is_refused_too, a_chunked_body_without_end_is_cut_off,
          too_many_requests_are_told_when_to_come_back, garbage_does_not_disturb_the_next_client,
          a_late_reply_does_not_hold_up_the_others, a_client_that_left_before_the_late_reply_is_no_problem,
          events_reach_a_client_as_they_happen, last_event_id_resumes_and_204_ends_the_reconnecting,
          a_client_that_does_not_read_is_dropped, event_streams_are_limited, a_busy_port_is_an_error_and_not_a_crash)
