// Subscribers of a daemon to its own participants, media included: two webrtcbins in this process for each. What they
// count is compared with decision logs in tests/peers/subscribers.py.
#include "tests/launcher/daemon_fixture.hpp"

using namespace avc::test;

namespace {

struct Watched : DaemonFixture {
  explicit Watched(const std::string &more = "", std::function<void(Config &)> change = {})
      : DaemonFixture(std::move(change)) {
    const std::string size = R"("video":{"width":160,"height":120,"fps":10,"bitrate_kbps":200},"renditions":[200])";
    const Answer created =
        post("test/create", R"({"test_id":"v","target":{"transport":"webrtc"},"num_participants":2,)" + size +
                                (more.empty() ? "" : ",") + more + "}");
    ck_assert_msg(created.status == 201, "%s", created.body.c_str());
    ck_assert_int_eq(post("test/v/start").status, 200);
    wait_until("test/v/participants", "connecting");
  }
  std::string whep(const std::string &participant) { return "\"" + url + "/whep/v/" + participant + "\""; }
  std::string subscribe(const std::string &body) {
    const Answer made = post("subscriptions", body);
    ck_assert_msg(made.status == 201, "%s", made.body.c_str());
    return "subscriptions/" + at(made.body, "subscription_id");
  }
  // Until a keyframe has come to each of so many.
  Answer media(const std::string &path, int subscribers) {
    for (int i = 0; i < subscribers; ++i) {
      std::string last;
      for (int turn = 0; turn < 200; ++turn) {
        last = get(path).body;
        if (number(last, i, "time_to_first_keyframe_ms") > 0) break;
        pause(50);
      }
      ck_assert_msg(number(last, i, "time_to_first_keyframe_ms") > 0, "%s", last.c_str());
    }
    return get(path);
  }
  static double number(const std::string &body, int subscriber, const std::string &key) {
    return std::atof(at(body, "subscribers." + std::to_string(subscriber) + "." + key).c_str());
  }
  static void pause(guint ms) {
    bool over = false;
    g_timeout_add(
        ms, [](gpointer flag) -> gboolean { return !(*static_cast<bool *>(flag) = true); }, &over);
    while (!over) g_main_context_iteration(nullptr, TRUE);
  }
};

void fine(const std::string &body, int subscriber, int participant) {
  const std::string one = "subscribers." + std::to_string(subscriber) + ".";
  avc_assert_text(at(body, one + "state"), "connected");
  for (const int stream : {0, 1}) {
    const std::string its = one + "streams." + std::to_string(stream) + ".";
    ck_assert_int_eq(std::atoi(at(body, its + "ssrc").c_str()), participant * 1000 + stream);
    avc_assert_text(at(body, its + "participant_id"), std::to_string(participant));
    avc_assert_text(at(body, its + "media"), stream == 0 ? "video" : "audio");
    avc_assert_text(at(body, its + "packets_lost"), "0");
    ck_assert_int_gt(std::atoi(at(body, its + "packets_received").c_str()), 1);
  }
  avc_assert_text(at(body, one + "packets_unexplained"), "0");
  const double join = Watched::number(body, subscriber, "join_time_ms");
  const double packet = Watched::number(body, subscriber, "time_to_first_packet_ms");
  ck_assert(join > 0 && join < 10000 && packet > 0);
  ck_assert(Watched::number(body, subscriber, "time_to_first_keyframe_ms") >= packet);
}

}  // namespace

START_TEST(media_comes_by_whep_and_nothing_is_missing) {
  Watched f;
  const std::string path = f.subscribe("{\"whep\":[" + f.whep("1001") + "," + f.whep("1002") + "]}");
  f.media(path, 2);
  Watched::pause(1000);
  const Answer now = f.get(path);
  fine(now.body, 0, 1001);
  fine(now.body, 1, 1002);
  ck_assert_int_eq(f.remove(path).status, 200);
  f.wait_until("test/v/participants/1001", "\"state\":\"closed\"");  // DELETE has reached the endpoint
  refused(f.get(path), 404, "subscription_id");
}
END_TEST

START_TEST(media_comes_by_the_old_exchange) {
  Watched f;
  const std::string path =
      f.subscribe(R"({"webrtc":{"base_url":")" + f.url + R"(/","test_id":"v","participants":[1002,1001]}})");
  f.media(path, 2);
  Watched::pause(1000);
  const Answer now = f.get(path);
  fine(now.body, 0, 1002);
  fine(now.body, 1, 1001);
  const Answer last = f.remove(path);
  ck_assert_int_eq(last.status, 200);
  ck_assert_double_ge(Watched::number(last.body, 0, "streams.0.packets_received"),
                      Watched::number(now.body, 0, "streams.0.packets_received"));
}
END_TEST

START_TEST(one_that_goes_wrong_is_an_error_of_its_own) {
  Watched f;
  const std::string path = f.subscribe("{\"whep\":[" + f.whep("1009") + ",\"http://127.0.0.1:1/whep\"," +
                                       f.whep("1001") + ",\"http://192.0.2.1/whep\"]}");
  f.wait_until(path, "\"state\":\"connected\"");
  const std::string body = f.get(path).body;
  avc_assert_text(at(body, "subscribers.0.state"), "failed");
  ck_assert_msg(at(body, "subscribers.0.reason").find("404") != std::string::npos &&
                    at(body, "subscribers.0.reason").find("1009") != std::string::npos,
                "%s", body.c_str());
  avc_assert_text(at(body, "subscribers.1.state"), "asking");  // and goes on trying
  ck_assert_msg(at(body, "subscribers.1.reason").find("refused") != std::string::npos, "%s", body.c_str());
  avc_assert_text(at(body, "subscribers.2.state"), "connected");
  ck_assert_double_lt(Watched::number(body, 2, "join_time_ms"), 5000);
  avc_assert_text(at(body, "subscribers.3.state"), "failed");  // not loopback, and not private
  ck_assert_msg(at(body, "subscribers.3.reason").find("--allow-target") != std::string::npos, "%s", body.c_str());
}
END_TEST

START_TEST(a_test_has_subscribers_of_its_own) {
  Watched f(R"("duration_seconds":6,"subscribers":{"count":2},"thresholds":{"join_time_ms":["max<10000","count==4"],)"
            R"("time_to_first_keyframe_ms":["p(95)<10000"],"delivery_percent":["avg>=99"],"loss_percent":["max<=0"],)"
            R"("packets_lost":["count==0"],"frames_complete_percent":["min>=100"]})");
  f.wait_until("test/v/subscribers", "\"state\":\"connected\"");
  f.wait_until("test/v/metrics", "packets");
  const Answer metrics = f.client->call("GET", "/metrics");
  ck_assert(metrics.body.find("av_chaos_monkey_subscribers{test_id=\"v\",partition=\"0\"} 4") != std::string::npos);
  f.wait_until("test/v", "\"state\":\"stopped\"");
  const std::string report = f.get("test/v/report.json").body;
  for (int i = 0; i < 7; ++i) {
    const std::string one = "thresholds." + std::to_string(i) + ".";
    ck_assert_msg(at(report, one + "ok") == "true", "%s", at(report, one + "text").c_str());
  }
  for (int i = 0; i < 4; ++i) {
    const std::string one = "subscribers." + std::to_string(i) + ".";
    avc_assert_text(at(report, one + "participant_id"), i < 2 ? "1001" : "1002");
    avc_assert_text(at(report, one + "received.video.lost"), "0");
    ck_assert_int_gt(std::atoi(at(report, one + "received.audio.packets").c_str()), 100);
    ck_assert_double_gt(std::atof(at(report, one + "join_time_ms").c_str()), 0);
  }
  avc_assert_text(at(report, "subscribers.4"), "(none)");
}
END_TEST

START_TEST(subscribers_that_get_nothing_are_a_finding) {
  Watched f(R"("duration_seconds":3,"subscribers":{"whep_url":"http://127.0.0.1:1/{room}/{id}","room":"r"})");
  f.wait_until("test/v/subscribers", "refused");
  f.wait_until("test/v", "\"state\":\"stopped\"");
  const std::string report = f.get("test/v/report.json").body;
  avc_assert_text(at(report, "verdict.result"), "invalid");
  avc_assert_text(at(report, "verdict.exit_code"), "107");
}
END_TEST

START_TEST(the_token_goes_with_every_request) {
  const auto locked = [](Config &config) { config.token = "secret"; };
  DaemonFixture f(locked);
  f.client->headers = {{"Authorization", "Bearer secret"}};
  const std::string body = R"({"whep":[")" + f.url + R"(/whep/none/1"])";
  const Answer without = f.post("subscriptions", body + "}");
  const Answer with = f.post("subscriptions", body + R"(,"token":"secret"})");
  f.wait_until("subscriptions/" + at(without.body, "subscription_id"), "401");
  f.wait_until("subscriptions/" + at(with.body, "subscription_id"), "404");
}
END_TEST

START_TEST(what_cannot_be_is_refused_with_the_field_at_fault) {
  DaemonFixture f;
  const struct {
    const char *body, *field;
  } rows[] = {
      {"{}", "whep"},
      {R"({"whep":[]})", "whep"},
      {R"({"whep":["ftp://x/y"]})", "whep[0]"},
      {R"({"whep":["http://a/b","no"]})", "whep[1]"},
      {R"({"whep":["http://127.0.0.1:1/"],"webrtc":{"base_url":"http://127.0.0.1","test_id":"t","participants":[1]}})",
       "webrtc"},
      {R"({"webrtc":{"base_url":"x","test_id":"t","participants":[1]}})", "webrtc.base_url"},
      {R"({"webrtc":{"base_url":"http://127.0.0.1","participants":[1]}})", "webrtc.test_id"},
      {R"({"webrtc":{"base_url":"http://127.0.0.1","test_id":"t"}})", "webrtc.participants"},
      {R"({"webrtc":{"base_url":"http://127.0.0.1","test_id":"t","participants":[0]}})", "webrtc.participants[0]"},
  };
  for (const auto &[body, field] : rows) refused(f.post("subscriptions", body), 400, field);
  refused(f.get("subscriptions/none"), 404, "subscription_id");
  refused(f.remove("subscriptions/none"), 404, "subscription_id");
  const std::string one = R"("http://127.0.0.1:1/")";
  std::string many = one;
  for (int i = 1; i < 500; ++i) many += "," + one;
  ck_assert_int_eq(f.post("subscriptions", "{\"whep\":[" + many + "]}").status, 201);
  ck_assert_int_eq(f.post("subscriptions", "{\"whep\":[" + one + "]}").status, 429);
}
END_TEST

int main() {
  return run_daemon("daemon subscriptions",
                    {media_comes_by_whep_and_nothing_is_missing, media_comes_by_the_old_exchange,
                     one_that_goes_wrong_is_an_error_of_its_own, a_test_has_subscribers_of_its_own,
                     subscribers_that_get_nothing_are_a_finding, the_token_goes_with_every_request,
                     what_cannot_be_is_refused_with_the_field_at_fault});
}
