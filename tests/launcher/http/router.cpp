// Router, gate and rate limit, called directly: no sockets.
#include "launcher/http/router.hpp"

#include <cstring>

#include "launcher/http/rate_limit.hpp"
#include "tests/check.hpp"

using namespace avc::launcher::http;

namespace {

Route route(std::string_view method, std::string_view pattern, std::string body, Access access = Access::token) {
  Route made;
  made.method = method;
  made.pattern = pattern;
  made.access = access;
  made.handle = [body](const Request &request) {
    Reply reply;
    reply.body = body;
    for (const auto &arg : request.args) reply.body += ":" + arg;
    return reply;
  };
  return made;
}

Router router(Gate gate = {}) {
  Router made(std::move(gate));
  made.add({route("GET", "/healthz", "healthy", Access::open), route("GET", "/metrics", "metrics", Access::metrics),
            route("POST", "/api/v1/test/create", "create"), route("GET", "/api/v1/test/{test_id}", "describe"),
            route("DELETE", "/api/v1/test/{test_id}", "forget"),
            route("GET", "/api/v1/test/{test_id}/sdp/{participant_id}", "sdp")});
  return made;
}

Reply call(const Router &made, std::string method, std::string path, std::string authorization = "",
           bool prefers_text = false) {
  Request request;
  request.method = std::move(method);
  request.path = std::move(path);
  request.authorization = std::move(authorization);
  request.prefers_text = prefers_text;
  return made.dispatch(request);
}

std::string header(const Reply &reply, std::string_view name) {
  for (const auto &[key, value] : reply.headers) {
    if (key == name) return value;
  }
  return "";
}

}  // namespace

START_TEST(names_in_the_pattern_become_arguments) {
  const Router made = router();
  avc_assert_text(call(made, "GET", "/api/v1/test/a%20b/sdp/1001").body, "sdp:a b:1001");
  avc_assert_text(call(made, "GET", "/api/v1/test/x/").body, "describe:x");
  avc_assert_text(call(made, "HEAD", "/api/v1/test/x").body, "describe:x");
}
END_TEST

START_TEST(an_encoded_slash_stays_inside_its_segment) {
  avc_assert_text(call(router(), "GET", "/api/v1/test/a%2Fb").body, "describe:a/b");
}
END_TEST

START_TEST(unknown_paths_are_404_and_wrong_methods_405_with_allow) {
  const Router made = router();
  for (const char *path :
       {"/", "/api", "/api/v1/test", "/api/v1/test/x/sdp", "/api/v1/test/x/sdp/", "//", "/%zz", ""}) {
    ck_assert_uint_eq(call(made, "GET", path).status, 404);
  }
  const Reply wrong = call(made, "PUT", "/api/v1/test/x");
  ck_assert_uint_eq(wrong.status, 405);
  avc_assert_text(header(wrong, "Allow"), "DELETE, GET");
  avc_assert_text(header(call(made, "DELETE", "/healthz"), "Allow"), "GET");
}
END_TEST

START_TEST(create_is_a_test_id_for_get_as_in_the_old_tool) {
  const Router made = router();
  avc_assert_text(call(made, "GET", "/api/v1/test/create").body, "describe:create");
  avc_assert_text(call(made, "POST", "/api/v1/test/create").body, "create");
}
END_TEST

START_TEST(options_answers_200_and_nothing_anywhere) {
  const Reply reply = call(router({.token = "s"}), "OPTIONS", "/no/such/place");
  ck_assert_uint_eq(reply.status, 200);
  avc_assert_text(reply.body, "");
}
END_TEST

START_TEST(a_refusal_is_a_problem_document_that_names_the_field) {
  Router made;
  Route refusing = route("GET", "/x", "");
  refusing.handle = [](const Request &) -> Reply {
    ApiError error(429, "no \"room\"", "num_participants");
    error.retry_after_seconds = 7;
    throw error;
  };
  made.add({refusing});
  const Reply reply = call(made, "GET", "/x");
  ck_assert_uint_eq(reply.status, 429);
  avc_assert_text(reply.type, "application/problem+json");
  avc_assert_text(header(reply, "Retry-After"), "7");
  avc_assert_text(reply.body,
                  "{\"type\":\"about:blank\",\"title\":\"Too Many Requests\",\"status\":429,"
                  "\"detail\":\"no \\\"room\\\"\",\"field\":\"num_participants\"}\n");
  const Reply text = call(made, "GET", "/x", "", true);
  avc_assert_text(text.type, "text/plain; charset=utf-8");
  avc_assert_text(text.body, "num_participants: no \"room\"\n");
}
END_TEST

START_TEST(what_a_handler_throws_by_mistake_is_500_without_its_text) {
  Router made;
  Route broken = route("GET", "/x", "");
  broken.handle = [](const Request &) -> Reply { throw std::out_of_range("secret detail"); };
  made.add({broken});
  const Reply reply = call(made, "GET", "/x");
  ck_assert_uint_eq(reply.status, 500);
  ck_assert_ptr_null(std::strstr(reply.body.c_str(), "secret"));
}
END_TEST

START_TEST(a_token_guards_everything_but_health) {
  const Router made = router({.token = "s3cret", .metrics_token = "m"});
  for (const char *wrong :
       {"", "Bearer ", "Bearer s3cre", "Bearer s3cret ", "Bearer S3cret", "Basic s3cret", "s3cret"}) {
    ck_assert_uint_eq(call(made, "GET", "/api/v1/test/x", wrong).status, 401);
    ck_assert_uint_eq(call(made, "GET", "/no/such/place", wrong).status, 401);
    ck_assert_uint_eq(call(made, "GET", "/metrics", wrong).status, 401);
    ck_assert_uint_eq(call(made, "GET", "/healthz", wrong).status, 200);
  }
  for (const char *right : {"Bearer s3cret", "bearer s3cret"}) {
    ck_assert_uint_eq(call(made, "GET", "/api/v1/test/x", right).status, 200);
    ck_assert_uint_eq(call(made, "GET", "/metrics", right).status, 200);
    ck_assert_uint_eq(call(made, "GET", "/no/such/place", right).status, 404);
  }
  ck_assert_uint_eq(call(made, "GET", "/metrics", "Bearer m").status, 200);
  ck_assert_uint_eq(call(made, "GET", "/api/v1/test/x", "Bearer m").status, 401);
  ck_assert_uint_eq(call(router({.token = "s3cret"}), "GET", "/metrics").status, 200);
}
END_TEST

START_TEST(secrets_are_equal_only_when_every_byte_is) {
  ck_assert(same_secret("abc", "abc"));
  ck_assert(!same_secret("abd", "abc") && !same_secret("ab", "abc") && !same_secret("abcd", "abc"));
  ck_assert(!same_secret("", "abc"));
}
END_TEST

START_TEST(a_client_may_burst_and_then_keeps_the_rate) {
  RateLimit limit(10, 5);
  int admitted = 0;
  for (int i = 0; i < 20; ++i) admitted += limit.admit("a", 100) ? 1 : 0;
  ck_assert_int_eq(admitted, 5);
  ck_assert(limit.admit("b", 100));
  ck_assert(!limit.admit("a", 100.09) && limit.admit("a", 100.2));
}
END_TEST

START_TEST(the_rate_limit_remembers_a_bounded_number_of_clients) {
  RateLimit limit(1, 1);
  for (std::size_t i = 0; i < 3 * RateLimit::kClients; ++i) ck_assert(limit.admit(std::to_string(i), 5));
}
END_TEST

AVC_TESTS("router", names_in_the_pattern_become_arguments, an_encoded_slash_stays_inside_its_segment,
          unknown_paths_are_404_and_wrong_methods_405_with_allow, create_is_a_test_id_for_get_as_in_the_old_tool,
          options_answers_200_and_nothing_anywhere, a_refusal_is_a_problem_document_that_names_the_field,
          what_a_handler_throws_by_mistake_is_500_without_its_text, a_token_guards_everything_but_health,
          secrets_are_equal_only_when_every_byte_is, a_client_may_burst_and_then_keeps_the_rate,
          the_rate_limit_remembers_a_bounded_number_of_clients)
