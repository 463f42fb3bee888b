// The whole daemon: an old client's calls, what is refused and how, and the description of its own API.
#include "tests/launcher/daemon_fixture.hpp"

using namespace avc::launcher;
using namespace avc::test;

START_TEST(an_old_clients_calls_work) {
  DaemonFixture f;
  const Answer health = f.client->call("GET", "/healthz");
  avc_assert_text(health.body, "{\"partition_id\":0,\"status\":\"healthy\",\"total_partitions\":1}\n");

  const Answer created =
      f.create("chaos_test_1", R"("num_participants":3,"audio":{"sample_rate":48000,"channels":1,"bitrate_kbps":128,)"
                               R"("codec":"opus"},"duration_seconds":60,"backend_rtp_base_port":"6000")");
  ck_assert_msg(created.status == 201, "%s", created.body.c_str());
  avc_assert_text(at(created.body, "test_id"), "chaos_test_1");
  avc_assert_text(at(created.body, "participants.2.participant_id"), "1003");
  avc_assert_text(at(created.body, "participants.2.backend_rtp_port"), "6002");
  avc_assert_text(at(created.body, "backend_port_start"), "6000");
  avc_assert_text(at(created.body, "backend_port_end"), "6002");
  const Answer before = f.get("test/chaos_test_1");
  avc_assert_text(at(before.body, "state"), "created");
  avc_assert_text(at(before.body, "elapsed_seconds"), "(none)");
  avc_assert_text(at(before.body, "config.backend_rtp_base_port"), "6000");

  const Answer started = f.post("test/chaos_test_1/start");
  avc_assert_text(at(started.body, "started"), "true");
  ck_assert(number_at(started.body, "start_time_unix_ms") > 1.7e12);
  avc_assert_text(at(f.get("test/chaos_test_1/").body, "state"), "running");

  const Answer spike = f.post("test/chaos_test_1/spike",
                              R"({"spike_id":"s1","type":"rtp_packet_loss","participant_ids":[1001],)"
                              R"("duration_seconds":2,"params":{"loss_percentage":"25","pattern":"random"}})");
  ck_assert_msg(spike.status == 200, "%s", spike.body.c_str());
  avc_assert_text(at(spike.body, "injected"), "true");
  avc_assert_text(at(spike.body, "participants"), "1");
  ck_assert(at(spike.body, "message").find("s1") != std::string::npos);

  f.wait_until("test/chaos_test_1/metrics", "\"mos_score\"");
  const Answer metrics = f.get("test/chaos_test_1/metrics");
  avc_assert_text(at(metrics.body, "test_id"), "chaos_test_1");
  avc_assert_text(at(metrics.body, "participants.0.participant_id"), "1001");
  for (const char *name : {"frames_sent", "bytes_sent", "packets_sent", "current_bitrate_kbps"}) {
    ck_assert_msg(number_at(metrics.body, std::string("participants.2.") + name) > 0, "%s: %s", name,
                  metrics.body.c_str());
  }
  for (const char *name : {"total_frames_sent", "total_packets_sent", "total_bitrate_kbps", "avg_mos_score"}) {
    ck_assert_msg(number_at(metrics.body, std::string("aggregate.") + name) > 0, "%s", name);
  }
  const Answer text = f.get("test/chaos_test_1/metrics?format=prometheus");
  avc_assert_text(text.type, "text/plain; version=0.0.4");
  ck_assert(text.body.find("rtp_packets_sent_total{test_id=\"chaos_test_1\",type=\"aggregate\"}") != std::string::npos);
  ck_assert(f.client->call("GET", "/metrics").body.find("rtp_test_state{test_id=\"chaos_test_1\",partition=\"0\"} 1") !=
            std::string::npos);

  const Answer stopped = f.post("test/chaos_test_1/stop");
  avc_assert_text(at(stopped.body, "stopped"), "true");
  ck_assert(number_at(stopped.body, "final_metrics.aggregate.total_packets_sent") > 0);
  avc_assert_text(at(f.get("test/chaos_test_1").body, "state"), "stopped");
  ck_assert_uint_eq(f.post("test/chaos_test_1/stop").status, 200);
}
END_TEST

START_TEST(what_cannot_be_is_refused_with_the_right_status) {
  DaemonFixture f([](Config &config) { config.max_participants = 10; });
  refused(f.get("test/none"), 404, "test_id");
  for (const char *route : {"start", "stop", "spike"})
    refused(f.post(std::string("test/none/") + route), 404, "test_id");
  for (const char *route : {"metrics", "plan", "spikes", "participants", "events", "report.json", "report.html"}) {
    refused(f.get(std::string("test/none/") + route), 404, "test_id");
  }
  ck_assert_uint_eq(f.create("a").status, 201);
  refused(f.create("a"), 409, "test_id");
  refused(f.post("test/a/spike", R"({"spike_id":"s","type":"rtp_packet_loss"})"), 409, "");
  refused(f.get("test/a/report.json"), 409, "");
  const Answer full = f.create("b", "\"num_participants\":11");
  refused(full, 429, "num_participants");
  avc_assert_text(full.retry_after, "10");
  avc_assert_text(f.client->call("PUT", "/api/v1/test/a").allow, "DELETE, GET");
  ck_assert_uint_eq(f.remove("test/a").status, 200);
  refused(f.get("test/a"), 404, "test_id");
}
END_TEST

START_TEST(bad_bodies_name_the_field) {
  DaemonFixture f;
  const struct {
    const char *body, *field;
  } cases[] = {
      {"", ""},
      {"{", ""},
      {"[]", ""},
      {"nonsense", ""},
      {R"({"num_participants":-1})", "num_participants"},
      {R"({"num_participants":4294967296})", "num_participants"},
      {R"({"num_participants":"many"})", "num_participants"},
      {R"({"video":{"fps":1e99}})", "video.fps"},
      {R"({"video":{"fps":-3}})", "video.fps"},
      {R"({"video":{"width":0.5}})", "video.width"},
      {R"({"duration_seconds":-5})", "duration_seconds"},
      {R"({"test_id":"a b\n"})", "test_id"},
      {R"({"test_id":".."})", "test_id"},
      {R"({"media_path":"/etc/passwd"})", "media_path"},
      {R"({"media_path":"none.mp4"})", "media_path"},
      {R"({"media_path":"empty.mp4"})", "media_path"},
      {R"({"media":{"video_path":"none.h264","audio_path":"text.mp4"}})", "media.video_path"},
      {R"({"media":{"video_path":"text.mp4","audio_path":"/etc/passwd"}})", "media.audio_path"},
      {R"({"media":{"audio_path":"empty.mp4"}})", "media.audio_path"},
      {R"({"spikes":[{"spike_id":"x","type":"rtp_packet_loss","params":{"loss_percentage":"101"}}]})",
       "spikes[0].params.loss_percentage"},
      {R"({"spikes":[null]})", "spikes[0]"},
  };
  for (const auto &one : cases) {
    const Answer answer = f.post("test/create", one.body);
    ck_assert_msg(answer.status == 400, "%s: %u %s", one.body, answer.status, answer.body.c_str());
    ck_assert_msg(at(answer.body, "field") == (*one.field ? one.field : "(none)"), "%s: %s", one.body,
                  answer.body.c_str());
  }
  for (const char *address : {"8.8.8.8", "169.254.169.254"}) {
    refused(f.post("test/create", std::string(R"({"target":{"port":80,"host":")") + address + "\"}}"), 403,
            "target.host");
  }
  avc_assert_text(at(f.get("tests").body, "tests"), "[]");
  ck_assert_uint_eq(f.create("alive").status, 201);
}
END_TEST

START_TEST(a_test_starts_once) {
  DaemonFixture f;
  f.run("a");
  refused(f.post("test/a/start"), 409, "");
  refused(f.remove("test/a"), 409, "");
  f.post("test/a/stop");
  refused(f.post("test/a/start"), 409, "");
  refused(f.post("test/a/spike", R"({"spike_id":"s","type":"rtp_packet_loss"})"), 409, "");
}
END_TEST

START_TEST(without_a_target_an_old_client_sends_to_5002_and_a_scenario_to_the_embedded_receiver) {
  DaemonFixture f;
  avc_assert_text(at(f.post("test/create", R"({"test_id":"old"})").body, "target"), "udp 127.0.0.1:5002");
  const Answer strict = f.post("test/create?strict=1", R"({"test_id":"new"})");
  ck_assert_msg(at(strict.body, "target").starts_with("loopback"), "%s", strict.body.c_str());
  refused(f.post("test/create?strict=1", R"({"test_id":"x","num_particpants":3})"), 400, "num_particpants");
}
END_TEST

START_TEST(only_this_workers_participants_are_made) {
  DaemonFixture f([](Config &config) {
    config.partition = 1;
    config.partitions = 2;
  });
  const Answer created = f.create("a", R"("num_participants":4)");
  avc_assert_text(at(created.body, "participants.0.participant_id"), "1001");
  avc_assert_text(at(created.body, "participants.1.participant_id"), "1003");
  avc_assert_text(at(created.body, "backend_port_start"), "15000");
  avc_assert_text(at(created.body, "backend_port_end"), "15001");
  avc_assert_text(at(f.get("test/a").body, "num_participants"), "2");
}
END_TEST

START_TEST(the_api_describes_itself) {
  DaemonFixture f;
  const Answer api = f.client->call("GET", "/openapi.json");
  avc_assert_text(at(api.body, "openapi"), "3.1.0");
  for (const auto &route : avc::api::routes(f.daemon->context())) {
    std::string method(route.method);
    for (char &c : method) c = g_ascii_tolower(c);
    const auto found = api.body.find("\"" + std::string(route.pattern) + "\":{");
    ck_assert_msg(found != std::string::npos, "%s", std::string(route.pattern).c_str());
    ck_assert_msg(api.body.find("\"" + method + "\":{", found) != std::string::npos, "%s", method.c_str());
  }
  ck_assert_uint_eq(f.client->call("GET", "/readyz").status, 200);
}
END_TEST

START_TEST(the_documentation_names_every_route) {
  DaemonFixture f;
  const auto text = read_text_file(AVC_SOURCE_DIR "/docs/rest-api.md");
  ck_assert(bool(text));
  for (const auto &route : avc::api::routes(f.daemon->context())) {
    const std::string pattern(route.pattern);
    ck_assert_msg(text->find(pattern + "`") != std::string::npos, "%s", pattern.c_str());
  }
}
END_TEST

int main() {
  return run_daemon(
      "daemon",
      {an_old_clients_calls_work, what_cannot_be_is_refused_with_the_right_status, bad_bodies_name_the_field,
       a_test_starts_once, without_a_target_an_old_client_sends_to_5002_and_a_scenario_to_the_embedded_receiver,
       only_this_workers_participants_are_made, the_api_describes_itself, the_documentation_names_every_route});
}
